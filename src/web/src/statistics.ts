/** What the page shows of a session; `undefined` where the browser does not tell yet. */
export interface Statistics {
  width?: number;
  height?: number;
  /** Since the start, at `timestamp` (milliseconds). */
  framesDecoded?: number;
  timestamp?: number;
  framesPerSecond?: number;
  bitsPerSecond?: number;
  /** 0 to 1, over the last interval. */
  packetLoss?: number;
  roundTripMilliseconds?: number;
  /** Time that the receiver holds frames before it shows them. */
  bufferMilliseconds?: number;
}

interface Sample {
  timestamp: number;
  bytesReceived: number;
  packetsReceived: number;
  packetsLost: number;
  framesDecoded: number;
  jitterBufferDelay: number;
  jitterBufferEmittedCount: number;
}

/** Turns the browser's growing counters into rates. */
export class StatisticsReader {
  private last: Sample | undefined;

  async read(connection: RTCPeerConnection): Promise<Statistics> {
    const result: Statistics = {};
    for (const report of (await connection.getStats()).values()) {
      if (report.type === 'inbound-rtp' && report.kind === 'video') {
        this.readInbound(report as RTCInboundRtpStreamStats, result);
      } else if (report.type === 'candidate-pair' && report.nominated && report.currentRoundTripTime !== undefined) {
        result.roundTripMilliseconds = report.currentRoundTripTime * 1000;
      }
    }

    return result;
  }

  private readInbound(report: RTCInboundRtpStreamStats, result: Statistics): void {
    if (report.frameWidth && report.frameHeight) {
      result.width = report.frameWidth;
      result.height = report.frameHeight;
    }

    const now: Sample = {
      timestamp: report.timestamp,
      bytesReceived: report.bytesReceived ?? 0,
      packetsReceived: report.packetsReceived ?? 0,
      packetsLost: report.packetsLost ?? 0,
      framesDecoded: report.framesDecoded ?? 0,
      jitterBufferDelay: report.jitterBufferDelay ?? 0,
      jitterBufferEmittedCount: report.jitterBufferEmittedCount ?? 0,
    };
    result.framesDecoded = now.framesDecoded;
    result.timestamp = now.timestamp;
    const before = this.last;
    this.last = now;
    if (!before || now.timestamp <= before.timestamp || now.framesDecoded < before.framesDecoded) {
      return;
    }

    const seconds = (now.timestamp - before.timestamp) / 1000;
    const received = now.packetsReceived - before.packetsReceived;
    const lost = Math.max(0, now.packetsLost - before.packetsLost);
    const emitted = now.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
    result.framesPerSecond = (now.framesDecoded - before.framesDecoded) / seconds;
    result.bitsPerSecond = ((now.bytesReceived - before.bytesReceived) * 8) / seconds;
    result.packetLoss = received + lost > 0 ? lost / (received + lost) : 0;
    if (emitted > 0) {
      result.bufferMilliseconds = ((now.jitterBufferDelay - before.jitterBufferDelay) / emitted) * 1000;
    }
  }
}
