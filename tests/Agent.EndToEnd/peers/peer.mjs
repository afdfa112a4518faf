import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decode, H264Assembler } from './h264.mjs';
import { WhepSession } from './whep.mjs';

/**
 * What every peer is to the test: a program `PEER WHEP-URL` (WHEP_TOKEN in its environment) that writes one JSON object a line:
 * `peer` with `version`, `state` when connected, `frames` as they are complete, `restarted`, `decoded` at the end, or `error`.
 * It takes the lines `restart` and `close`.
 */
export const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** Of an npm package; not every one exports it. */
export const versionOf = (name) => JSON.parse(readFileSync(join(import.meta.dirname, '../node_modules', name, 'package.json'))).version;

/** @param {(whep: WhepSession) => Promise<{ restart?: () => Promise<void>, close: () => void }>} connect */
export async function serve(peer, version, connect) {
  say({ peer, version });
  const whep = new WhepSession(process.argv[2], process.env.WHEP_TOKEN);
  try {
    const connection = await connect(whep);
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === 'restart') {
        await connection.restart();
        say({ restarted: true });
      } else if (line === 'close') {
        break;
      }
    }
    await whep.close();
    say({ closed: true, ...(await connection.finish?.()) });
  } catch (error) {
    say({ error: error.stack });
  }
  // Native peers keep threads, and crash in destructors that nobody waits for.
  process.exit();
}

/** What a peer sends over a data channel `control` when it is open: a command that the agent answers and does not carry out. */
export const command = JSON.stringify({ type: 'command', id: 1, entity: 'nobody', value: 1 });

/** Tells of the answer to the command. */
export const tellAnswer = (text) => say({ channel: JSON.parse(text).code });

/** Takes RTP packets of H.264 as a peer hands them over, tells of whole frames, and decodes them at the end. */
export class RtpReceiver {
  assembler = new H264Assembler();
  told = 0;

  push(packet) {
    this.assembler.push(packet);
    if (this.assembler.frames >= this.told + framesPerMessage) {
      this.told = this.assembler.frames;
      say({ frames: this.told });
    }
  }

  finish = async () => ({ frames: this.assembler.frames, gaps: this.assembler.gaps, ...(await decode(this.assembler.bytes())) });
}

export const framesPerMessage = 5;
