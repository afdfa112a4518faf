import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
let last = 0;

/** A network of its own, joined to this one by a wire: what another machine in the home is. Needs root. */
export class Namespace {
  static async create() {
    const namespace = new Namespace();
    const id = `${process.pid}x${last++}`;
    namespace.name = `camera-${id}`;
    // Interface names have 15 characters at most.
    namespace.wire = `cam${id}`;
    // 198.18.0.0/15 is for tests (RFC 2544, RFC 6890); a /24 of it for each.
    namespace.prefix = `198.18.${(process.pid + last) % 256}`;
    namespace.folder = await mkdtemp(join(tmpdir(), 'namespace-'));
    await run('ip', ['netns', 'add', namespace.name]);
    await run('ip', ['link', 'add', namespace.wire, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace.name]);
    await run('ip', ['addr', 'add', `${namespace.host}/24`, 'dev', namespace.wire]);
    await run('ip', ['link', 'set', namespace.wire, 'up']);
    await namespace.inside('link', 'set', 'lo', 'up');
    await namespace.inside('link', 'set', 'eth0', 'up');
    await namespace.setAddress(2);
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

  /** A program that runs another one inside. */
  async wrap(program) {
    const file = join(this.folder, 'wrapped');
    await writeFile(file, `#!/bin/sh\nexec ip netns exec ${this.name} ${program} "$@"\n`);
    await chmod(file, 0o755);
    return file;
  }

  async remove() {
    await run('ip', ['netns', 'del', this.name]);
    await rm(this.folder, { recursive: true });
  }

  inside(...command) {
    return run('ip', ['-n', this.name, ...command]);
  }
}
