/** The test camera writes 64 cells along the bottom of its picture (see Timecode.cs in the agent's sources). */
const cellCount = 64;
/** The row's height is this fraction of the picture's. */
const rowsPerPicture = 18;
const timestampBits = 48;
const frameCounterBits = 12;
const lumaThreshold = 128;
const smoothing = 0.1;
/** Neither an all-black nor an all-white row passes. */
const checksumSeed = 15;
/** A clock that is this far off cannot be this camera's latency. */
const plausibleMilliseconds = 10_000;

export interface CaptureTimecode {
  unixMilliseconds: number;
  frame: number;
}

/** Reads the timecode out of 64 luma samples; `undefined` if they are no timecode. */
export function parseTimecode(luma: ArrayLike<number>): CaptureTimecode | undefined {
  let timestamp = 0n;
  let rest = 0;
  for (let cell = 0; cell < cellCount; cell++) {
    const bit = (luma[cell] ?? 0) >= lumaThreshold ? 1 : 0;
    if (cell < timestampBits) {
      timestamp = (timestamp << 1n) | BigInt(bit);
    } else {
      rest = (rest << 1) | bit;
    }
  }

  const frame = rest >> 4;
  let checksum = checksumSeed;
  for (let value = (timestamp << BigInt(frameCounterBits)) | BigInt(frame); value > 0n; value >>= 4n) {
    checksum ^= Number(value & 15n);
  }

  return timestamp > 0n && checksum === (rest & 15) ? { unixMilliseconds: Number(timestamp), frame } : undefined;
}

/** Watches the video's frames for the test camera's timecode and derives the latency from capture to screen. */
export class CaptureClock {
  latencyMilliseconds: number | undefined;

  private readonly context: CanvasRenderingContext2D;
  private callback = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly clockOffsetMilliseconds: number,
  ) {
    const canvas = document.createElement('canvas');
    canvas.width = cellCount;
    canvas.height = 1;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) {
      throw new Error('This browser has no 2D canvas.');
    }

    this.context = context;
    this.watch();
  }

  stop(): void {
    this.video.cancelVideoFrameCallback(this.callback);
  }

  private watch(): void {
    this.callback = this.video.requestVideoFrameCallback(() => {
      this.readFrame();
      this.watch();
    });
  }

  private readFrame(): void {
    const { videoWidth, videoHeight } = this.video;
    const row = videoHeight / rowsPerPicture;
    const cell = videoWidth / cellCount;
    // One pixel of the canvas for the middle of each cell: the edges are blurred by the codec.
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(this.video, 0, Math.floor(videoHeight - row / 2), videoWidth, 1, 0, 0, cellCount, 1);
    const pixels = this.context.getImageData(0, 0, cellCount, 1).data;
    const luma = Array.from({ length: cellCount }, (_, index) => pixels[index * 4 + 1] ?? 0);
    const timecode = cell >= 1 ? parseTimecode(luma) : undefined;
    if (!timecode) {
      this.latencyMilliseconds = undefined;
      return;
    }

    this.video.dataset['captureUnixMilliseconds'] = String(timecode.unixMilliseconds);
    this.video.dataset['captureFrame'] = String(timecode.frame);
    const latency = Date.now() + this.clockOffsetMilliseconds - timecode.unixMilliseconds;
    if (Math.abs(latency) > plausibleMilliseconds) {
      this.latencyMilliseconds = undefined;
    } else {
      this.latencyMilliseconds = this.latencyMilliseconds === undefined ? latency : this.latencyMilliseconds + smoothing * (latency - this.latencyMilliseconds);
    }
  }
}
