import { spawn } from 'node:child_process';
import { once } from 'node:events';

const startCode = Buffer.from([0, 0, 0, 1]);
const stapA = 24;
const fuA = 28;

/** RTP packets of one H.264 stream (RFC 6184, packetization mode 1) as a byte stream for a decoder (Annex B). */
export class H264Assembler {
  /** Access units that are complete, and holes in the sequence numbers. */
  frames = 0;
  gaps = 0;
  parts = [];

  push(packet) {
    const sequence = packet.readUInt16BE(2);
    if (this.payloadType === undefined) {
      this.payloadType = packet[1] & 0x7f;
    } else if ((packet[1] & 0x7f) !== this.payloadType) {
      return; // a retransmission; nothing is lost where this is used
    } else if (sequence !== ((this.last + 1) & 0xffff)) {
      this.gaps++;
    }
    this.last = sequence;

    let start = 12 + (packet[0] & 0x0f) * 4;
    if (packet[0] & 0x10) {
      start += 4 + packet.readUInt16BE(start + 2) * 4;
    }
    const end = packet[0] & 0x20 ? packet.length - packet[packet.length - 1] : packet.length;
    if (end > start) {
      this.pushPayload(packet.subarray(start, end));
    }
    if (packet[1] & 0x80 && end > start) {
      this.frames++;
    }
  }

  pushPayload(payload) {
    const type = payload[0] & 0x1f;
    if (type === stapA) {
      for (let at = 1; at < payload.length; ) {
        const length = payload.readUInt16BE(at);
        this.parts.push(startCode, Buffer.from(payload.subarray(at + 2, at + 2 + length)));
        at += 2 + length;
      }
    } else if (type === fuA) {
      if (payload[1] & 0x80) {
        this.parts.push(startCode, Buffer.from([(payload[0] & 0xe0) | (payload[1] & 0x1f)]));
      }
      this.parts.push(Buffer.from(payload.subarray(2)));
    } else {
      this.parts.push(startCode, Buffer.from(payload));
    }
  }

  bytes() {
    return Buffer.concat(this.parts);
  }
}

/** Decodes a byte stream with ffmpeg: how many pictures, and what it complained about. */
export async function decode(bytes) {
  const ffmpeg = spawn('ffmpeg', ['-v', 'warning', '-f', 'h264', '-i', 'pipe:', '-fps_mode', 'passthrough', '-progress', 'pipe:1', '-f', 'null', '-'], { stdio: 'pipe' });
  let progress = '';
  let complaints = '';
  ffmpeg.stdout.on('data', (data) => (progress += data));
  ffmpeg.stderr.on('data', (data) => (complaints += data));
  ffmpeg.stdin.on('error', () => {}); // it stopped reading, and says why
  ffmpeg.stdin.end(bytes);
  await once(ffmpeg, 'close');
  return { decoded: Number(progress.match(/^frame=(\d+)/gm)?.at(-1).slice(6) ?? 0), complaints: complaints.trim() };
}
