import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ImpairedLink } from './impairment.mjs';

const run = promisify(execFile);

/** Interface names have 15 characters at most (IFNAMSIZ), and those of this process differ from those of another one's tests. */
let lastId = 0;
export const newInterfaceName = () => `cam${process.pid}x${lastId++}`;

/**
 * The first three numbers of a /24 that this machine has no address in, of 198.18.0.0/15, which is for tests (RFC 2544, RFC 6890).
 * Test processes begin at different ones.
 */
export async function newPrefix() {
  const { stdout } = await run('ip', ['-4', '-o', 'address']);
  for (let i = 0; i < 512; i++) {
    const number = (process.pid + i) % 512;
    const prefix = `198.${18 + (number >> 8)}.${number & 255}`;
    if (!stdout.includes(`inet ${prefix}.`)) {
      return prefix;
    }
  }
  throw new Error('This machine has an address in every /24 of 198.18.0.0/15.');
}

/** A network stack of its own, with nothing but loopback until it is joined to others. Needs root. */
export class NetworkNamespace {
  async open() {
    this.folder = await mkdtemp(join(tmpdir(), 'namespace-'));
    // It has no name: it lives as long as this process, which ends with its standard input. However the test ends, nothing is left behind.
    this.holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo ready && exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.exited = once(this.holder, 'exit');
    const ready = await Promise.race([once(this.holder.stdout, 'data'), this.exited.then(() => undefined)]);
    if (!ready) {
      throw new Error('unshare --net failed; network namespaces need root.');
    }
  }

  /** A process that is in the namespace. */
  get processId() {
    return this.holder.pid;
  }

  /** What to write before a command for it to run inside. */
  get wrapper() {
    return ['nsenter', `--net=/proc/${this.processId}/ns/net`, '--'];
  }

  /** A program that runs another one inside, for callers that take no arguments with it. */
  async wrap(program) {
    const file = join(this.folder, `wrapped-${program.replaceAll('/', '-')}`);
    await writeFile(file, `#!/bin/sh\nexec ${this.wrapper.join(' ')} ${program} "$@"\n`);
    await chmod(file, 0o755);
    return file;
  }

  /** Runs a command inside to its end. */
  execute(command, ...parameters) {
    const [program, ...rest] = [...this.wrapper, command, ...parameters];
    return run(program, rest);
  }

  /** Runs `ip` inside. */
  inside(...command) {
    return this.execute('ip', ...command);
  }

  async remove() {
    this.holder.stdin.end();
    await this.exited;
    await rm(this.folder, { recursive: true });
  }
}

/** A network of its own, joined to this one by a wire: what another machine in the home is. Needs root. */
export class Namespace extends NetworkNamespace {
  /** With `impaired` the wire is an ImpairedLink, `link`; its direction 'ab' is from here to the inside. `seed` is the link's. */
  static async create({ impaired = false, seed = 1 } = {}) {
    const namespace = new Namespace();
    await namespace.open();
    try {
      namespace.wire = newInterfaceName();
      namespace.prefix = await newPrefix();
      if (impaired) {
        namespace.link = await ImpairedLink.create({ processId: process.pid, device: namespace.wire }, { processId: namespace.processId, device: 'eth0' }, { seed });
      } else {
        await run('ip', ['link', 'add', namespace.wire, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(namespace.processId)]);
      }
      await run('ip', ['addr', 'add', `${namespace.host}/24`, 'dev', namespace.wire]);
      await run('ip', ['link', 'set', namespace.wire, 'up']);
      await namespace.inside('link', 'set', 'eth0', 'up');
      await namespace.setAddress(2);
    } catch (error) {
      await namespace.remove();
      throw error;
    }
    return namespace;
  }

  /** This side's address. */
  get host() {
    return `${this.prefix}.1`;
  }

  /** Gives the inside another address in place of the one it had, as another network would. */
  async setAddress(last) {
    await this.inside('addr', 'flush', 'dev', 'eth0', 'scope', 'global');
    await this.inside('addr', 'add', `${this.prefix}.${last}/24`, 'dev', 'eth0');
    await this.inside('route', 'replace', 'default', 'via', this.host);
  }

  /** Gives both sides IPv6 addresses, of fd77:1ce::/32 (unique local, RFC 4193), `host6` and `inside6`, and takes those of IPv4 away if `alone`. */
  async useIPv6({ alone = false } = {}) {
    const prefix = `fd77:1ce:${(process.pid & 0xffff).toString(16)}::`;
    [this.host6, this.inside6] = [`${prefix}1`, `${prefix}2`];
    if (alone) {
      await run('ip', ['-4', 'addr', 'flush', 'dev', this.wire]);
      await this.inside('-4', 'addr', 'flush', 'dev', 'eth0');
    }
    // Detecting duplicates takes a second, in which addresses are of no use yet.
    await run('ip', ['addr', 'add', `${this.host6}/64`, 'dev', this.wire, 'nodad']);
    await this.inside('addr', 'add', `${this.inside6}/64`, 'dev', 'eth0', 'nodad');
    await this.inside('-6', 'route', 'replace', 'default', 'via', this.host6);
  }

  async remove() {
    await this.link?.remove();
    await super.remove();
  }
}
