const pollMilliseconds = 250;

/**
 * Longer than the agent is ever silent: it sends frames, and a sender report each second or so. Browsers themselves take five seconds to
 * call a path disconnected and up to half a minute to give it up.
 */
const silenceMilliseconds = 1500;

/** A page that was itself held up for so long (a sleeping laptop, a hidden tab) has not listened, so silence then says nothing. */
const longestPollGapMilliseconds = 1200;

/**
 * How long the first restart may take before the next one; each further one gets twice as long, so that a slow path is found as well. The
 * first may come before the browser knows its new network. And how long to wait after one that could not even be asked for.
 */
const firstPatienceMilliseconds = 1000;
const longestPatienceMilliseconds = 16_000;
const retryMilliseconds = 500;

/** Notices that nothing arrives any more, as after a change of network, and that something arrives again. */
export class PathWatch {
  /** The path is silent; called again while it stays so, and soon if it rejects. */
  onSilent: () => Promise<void> = () => Promise.resolve();
  /** Something arrives again. */
  onHeard: () => void = () => {};

  private readonly timer: ReturnType<typeof setInterval>;
  private readonly networkChanged = () => this.check(true);
  private bytesReceived = -1;
  private lastHeard = 0;
  private lastPoll = 0;
  /** When `onSilent` may be called again. */
  private patientUntil = 0;
  private patience = firstPatienceMilliseconds;
  private isSilent = false;
  private isBusy = false;

  constructor(private readonly connection: RTCPeerConnection) {
    this.timer = setInterval(() => this.check(false), pollMilliseconds);
    window.addEventListener('online', this.networkChanged);
  }

  stop(): void {
    clearInterval(this.timer);
    window.removeEventListener('online', this.networkChanged);
  }

  private check(isUrgent: boolean): void {
    if (this.isBusy) {
      return;
    }

    this.isBusy = true;
    void this.measure(isUrgent).finally(() => {
      this.isBusy = false;
    });
  }

  private async measure(isUrgent: boolean): Promise<void> {
    const bytes = await this.readBytesReceived();
    const now = performance.now();
    const wasHeldUp = now - this.lastPoll > longestPollGapMilliseconds;
    this.lastPoll = now;
    if (bytes !== this.bytesReceived || wasHeldUp) {
      const isHeardAgain = this.isSilent && bytes !== this.bytesReceived;
      this.bytesReceived = bytes;
      this.lastHeard = now;
      if (isHeardAgain) {
        this.isSilent = false;
        this.patience = firstPatienceMilliseconds;
        this.onHeard();
      }
    }

    // Before the first packet it is ICE that looks for a path.
    const isDue = isUrgent || now - this.lastHeard > silenceMilliseconds || this.connection.iceConnectionState === 'disconnected';
    if (bytes > 0 && isDue && now >= this.patientUntil) {
      this.isSilent = true;
      this.patientUntil = now + this.patience;
      this.patience = Math.min(this.patience * 2, longestPatienceMilliseconds);
      this.onSilent().catch(() => {
        this.patientUntil = performance.now() + retryMilliseconds;
      });
    }
  }

  private async readBytesReceived(): Promise<number> {
    let bytes = 0;
    for (const report of (await this.connection.getStats()).values()) {
      if (report.type === 'inbound-rtp' || report.type === 'transport') {
        bytes += report.bytesReceived ?? 0;
      }
    }

    return bytes;
  }
}
