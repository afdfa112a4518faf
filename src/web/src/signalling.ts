/** A trickled candidate, or `null` for the end of candidates. */
export type TrickledCandidate = RTCIceCandidate | null;

/** One way to bring an offer to the agent and its answer back. */
export interface Signalling {
  /** Shown on the page. */
  readonly name: string;
  /** Sends the offer and resolves to the answer SDP. Rejects with a {@link SignallingError}. */
  offer(sdp: string): Promise<string>;
  /**
   * Restarts ICE with an offer's new credentials and resolves to the agent's: an SDP fragment (RFC 8840 §9). Absent where the way of
   * signalling has no such thing; rejects with a {@link SignallingError} if the agent does not know the session any more.
   */
  restart?(sdp: string): Promise<string>;
  /** Asks the agent for the ways that it has tried, each with the reason why it failed. Absent where the agent cannot be asked. */
  explain?(): Promise<string[]>;
  /** Sends a local candidate; failures are reported through {@link onFailure}. */
  trickle(candidate: TrickledCandidate): void;
  /** Called with each candidate of the agent that arrives after the answer. */
  onRemoteCandidate: (candidate: RTCIceCandidateInit | undefined) => void;
  /** Called when the agent ended the session or signalling broke, with words for the viewer. */
  onFailure: (message: string) => void;
  /** Ends the session at the agent. */
  close(): void;
}

/** The agent wants a bearer token, or another one than it was given. */
export class TokenNeededError extends Error {}

/** The agent refused; the message is the agent's own. */
export class SignallingError extends Error {
  constructor(
    message: string,
    /** Seconds after which it is worth another try. */
    readonly retryAfter: number,
  ) {
    super(message);
  }
}
