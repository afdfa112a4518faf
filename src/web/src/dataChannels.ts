/** A command's outcome as it comes back on the channel `control` (docs/data-channel.md). */
interface Outcome {
  type: string;
  id?: number;
  ok?: boolean;
  message?: string;
}

interface Waiting {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** The agent gives a command up after 10 s; what is not answered by then is lost with the connection. */
const outcomeTimeoutMilliseconds = 12_000;
/** A clock that is this far off says nothing about the way here. */
const plausibleMilliseconds = 10_000;
const smoothing = 0.2;

/** The two data channels beside the picture: `control` for commands, `telemetry` for what the agent tells. */
export class DataChannels {
  /** From the agent's sending to this page, smoothed; undefined before the first message. */
  telemetryMilliseconds: number | undefined;

  private readonly control: RTCDataChannel;
  private readonly telemetry: RTCDataChannel;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  /** Before the offer is made, which has to carry them. */
  constructor(
    connection: RTCPeerConnection,
    private readonly clockOffsetMilliseconds: number,
  ) {
    this.control = connection.createDataChannel('control');
    this.telemetry = connection.createDataChannel('telemetry', { ordered: false, maxRetransmits: 0 });
    this.control.onmessage = (event) => this.settle(JSON.parse(String(event.data)) as Outcome);
    this.control.onclose = () => this.rejectAll();
    this.telemetry.onmessage = (event) => this.measure(JSON.parse(String(event.data)) as { sentAt?: number });
  }

  /** Whether {@link execute} reaches the agent now. */
  get isOpen(): boolean {
    return this.control.readyState === 'open';
  }

  /** Carries out a command; throws with the agent's reason when it refuses. */
  execute(entity: string, value: string | boolean | number): Promise<void> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The agent has not answered.')), outcomeTimeoutMilliseconds);
      const end = <T>(settle: (value: T) => void) => (value: T) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        settle(value);
      };
      this.waiting.set(id, { resolve: end(resolve), reject: end(reject) });
      this.control.send(JSON.stringify({ type: 'command', id, entity, value }));
    });
  }

  private settle(outcome: Outcome): void {
    const waiting = outcome.id === undefined ? undefined : this.waiting.get(outcome.id);
    if (!waiting) {
      console.info('control:', outcome.message ?? outcome.type);
    } else if (outcome.ok) {
      waiting.resolve();
    } else {
      waiting.reject(new Error(outcome.message ?? 'The agent refused.'));
    }
  }

  private rejectAll(): void {
    for (const waiting of [...this.waiting.values()]) {
      waiting.reject(new Error('The connection ended before the agent answered.'));
    }
  }

  private measure(message: { sentAt?: number }): void {
    const taken = Date.now() + this.clockOffsetMilliseconds - (message.sentAt ?? 0);
    if (Math.abs(taken) <= plausibleMilliseconds) {
      this.telemetryMilliseconds = this.telemetryMilliseconds === undefined ? taken : this.telemetryMilliseconds + smoothing * (taken - this.telemetryMilliseconds);
    }
  }
}
