import { type Signalling, SignallingError, TokenNeededError, type TrickledCandidate } from './signalling';

const defaultRetrySeconds = 2;
/** A network that has just come up may swallow a request; the next restart sends another. */
const restartTimeoutMilliseconds = 2000;

/** What the agent's states of a pair (RFC 8445 §6.1.2.6) mean where it gives no reason. */
const outcomes: Record<string, string> = {
  Frozen: 'not tried yet.',
  Waiting: 'not tried yet.',
  InProgress: 'no answer so far: a firewall in between, or no route.',
  Succeeded: 'it answers.',
};

/** Signalling over WHEP: POST the offer, PATCH candidates as they come, DELETE at the end. */
export class WhepSignalling implements Signalling {
  readonly name = 'WHEP';
  onRemoteCandidate: (candidate: RTCIceCandidateInit | undefined) => void = () => {};
  onFailure: (message: string) => void = () => {};

  private session: URL | undefined;
  private etag = '';
  private iceCredentials = '';
  private waiting: TrickledCandidate[] = [];
  private isRestarting = false;
  private sending = Promise.resolve();

  constructor(
    private readonly endpoint: URL,
    private readonly bearerToken: string | null,
  ) {}

  async offer(sdp: string): Promise<string> {
    this.iceCredentials = credentialsOf(sdp);
    const response = await fetch(this.endpoint, {
      method: 'POST',
      headers: { ...this.authorization(), 'Content-Type': 'application/sdp' },
      body: sdp,
    });
    if (response.status === 401) {
      throw new TokenNeededError(await describe(response));
    }

    if (response.status !== 201) {
      throw new SignallingError(await describe(response), Number(response.headers.get('Retry-After')) || defaultRetrySeconds);
    }

    this.session = new URL(response.headers.get('Location') ?? '', this.endpoint);
    this.etag = response.headers.get('ETag') ?? '';
    const answer = await response.text();
    this.sendWaiting();
    return answer;
  }

  async restart(sdp: string): Promise<string> {
    const session = this.session;
    if (!session) {
      throw new SignallingError('There is no session yet.', defaultRetrySeconds);
    }

    const credentials = credentialsOf(sdp);
    // Candidates found from now on are for the new credentials, which the agent has to know first.
    this.isRestarting = true;
    this.waiting = [];
    try {
      const response = await fetch(session, {
        method: 'PATCH',
        headers: { ...this.authorization(), 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' },
        body: [credentials, 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ''].join('\r\n'),
        signal: AbortSignal.timeout(restartTimeoutMilliseconds),
      });
      if (response.status !== 200) {
        throw new SignallingError(await describe(response), 0);
      }

      this.iceCredentials = credentials;
      this.etag = response.headers.get('ETag') ?? '';
      this.isRestarting = false;
      const fragment = await response.text();
      this.sendWaiting();
      return fragment;
    } finally {
      this.isRestarting = false;
    }
  }

  async explain(): Promise<string[]> {
    if (!this.session) {
      return [];
    }

    const id = this.session.pathname.split('/').at(-1);
    const response = await fetch(new URL(`../../api/viewers/${id}`, this.session), { headers: this.authorization() });
    if (!response.ok) {
      return [];
    }

    const viewer = (await response.json()) as { peer: { pairs: { local: string; remote: string; state: string; failureReason?: string }[] } };
    return viewer.peer.pairs.map((pair) => `From the camera's ${pair.local} to ${pair.remote}: ${pair.failureReason ?? outcomes[pair.state] ?? pair.state}`);
  }

  trickle(candidate: TrickledCandidate): void {
    if (!this.session || this.isRestarting) {
      this.waiting.push(candidate);
      return;
    }

    const session = this.session;
    const lines = candidate
      ? [`a=mid:${candidate.sdpMid ?? '0'}`, `a=${candidate.candidate}`]
      : ['a=mid:0', 'a=end-of-candidates'];
    const body = [this.iceCredentials, 'm=video 9 UDP/TLS/RTP/SAVPF 0', ...lines, ''].join('\r\n');
    this.sending = this.sending.then(async () => {
      const response = await fetch(session, {
        method: 'PATCH',
        headers: { ...this.authorization(), 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': this.etag },
        body,
      });
      if (!response.ok && response.status !== 404) {
        console.warn('trickle refused:', await describe(response));
      }
    }).catch((error: unknown) => console.warn('trickle failed:', error));
  }

  close(): void {
    if (this.session) {
      // keepalive lets the request outlive the page.
      void fetch(this.session, { method: 'DELETE', headers: this.authorization(), keepalive: true }).catch(() => {});
      this.session = undefined;
    }
  }

  private sendWaiting(): void {
    for (const candidate of this.waiting.splice(0)) {
      this.trickle(candidate);
    }
  }

  private authorization(): Record<string, string> {
    return this.bearerToken ? { Authorization: `Bearer ${this.bearerToken}` } : {};
  }
}

function credentialsOf(sdp: string): string {
  return ['ice-ufrag', 'ice-pwd'].map((name) => sdp.match(new RegExp(`^a=${name}:.*$`, 'm'))?.[0].trim() ?? '').join('\r\n');
}

async function describe(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? text;
  } catch {
    return text || `The agent answered ${response.status} ${response.statusText}.`;
  }
}
