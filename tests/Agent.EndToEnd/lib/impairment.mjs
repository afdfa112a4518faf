import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = join(import.meta.dirname, 'network-link.c');

/** The unit and name in network-link.c of each setting here. */
const keys = {
  delayMilliseconds: 'delay',
  jitterMilliseconds: 'jitter',
  lossShare: 'loss',
  lossBurstFrames: 'burst',
  reorderShare: 'reorder',
  rateBitsPerSecond: 'rate',
  queueMilliseconds: 'queue',
};

/**
 * A wire between the devices of two network namespaces that delays, loses, reorders and slows what crosses it; it is perfect until told
 * otherwise. Everything crosses it: ICE, DTLS, media, TCP. Needs root (/dev/net/tun), and gcc.
 */
export class ImpairedLink {
  /** Ends are { processId, device }: the namespace that the process is in, and the name that the device gets there. */
  static async create(a, b, { seed = 1 } = {}) {
    const link = new ImpairedLink();
    link.folder = await mkdtemp(join(tmpdir(), 'network-link-'));
    const program = join(link.folder, 'network-link');
    await run('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
    const ends = [a, b].flatMap(({ processId, device }) => [`/proc/${processId}/ns/net`, device]);
    // The program ends with its standard input: however this process ends, nothing is left behind.
    link.process = spawn(program, [String(seed), ...ends], { stdio: ['pipe', 'pipe', 'inherit'] });
    link.exited = once(link.process, 'exit');
    link.answers = createInterface({ input: link.process.stdout })[Symbol.asyncIterator]();
    await link.answer('it starts');
    return link;
  }

  /**
   * Changes one direction or both while traffic runs. Losses are drawn for each frame, or in bursts of a mean length. A rate has a queue of
   * `queueMilliseconds` before it, beyond which frames are dropped. Reordered frames overtake by skipping the delay. 0 turns a setting off.
   * @param {{ direction?: 'ab' | 'ba' | 'both' } & Partial<Record<keyof typeof keys, number>>} settings
   */
  async set({ direction = 'both', ...settings }) {
    const words = Object.entries(settings).map(([name, value]) => {
      if (!keys[name]) {
        throw new Error(`A link has no setting '${name}'; it has ${Object.keys(keys).join(', ')}.`);
      }
      return `${keys[name]}=${value}`;
    });
    const answer = await this.ask([direction, ...words].join(' '));
    if (answer !== 'ok') {
      throw new Error(`network-link refused ${JSON.stringify(settings)}: ${answer}`);
    }
  }

  /** Frames so far by direction ('ab', 'ba'): received, lost, overflowed (dropped before the rate), delivered; and bytesDelivered. */
  async statistics() {
    return JSON.parse(await this.ask('statistics'));
  }

  async remove() {
    this.process.stdin.end();
    await this.exited;
    await rm(this.folder, { recursive: true });
  }

  /** Answers come in the order of commands; a second command waits for the first one's. */
  ask(command) {
    const asked = (this.asking ?? Promise.resolve()).then(() => {
      this.process.stdin.write(`${command}\n`);
      return this.answer(command);
    });
    this.asking = asked.catch(() => {});
    return asked;
  }

  async answer(to) {
    const { value, done } = await this.answers.next();
    if (done) {
      throw new Error(`network-link ended before it answered '${to}'`);
    }
    return value;
  }
}
