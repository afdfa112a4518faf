import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './agent.mjs';

const run = promisify(execFile);
const secret = 'north';

/** A coturn on a machine: its `address`, IPv6 or IPv4, and what to write before a command for it to run there (`wrapper`). UDP, TCP and TLS. */
export class TurnServer {
  static async start(host) {
    const server = new TurnServer();
    server.secret = secret;
    server.folder = await mkdtemp(join(tmpdir(), 'turn-'));
    const file = (name) => join(server.folder, name);
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=turn',
      '-addext', `subjectAltName=IP:${host.address}`, '-keyout', file('key.pem'), '-out', file('cert.pem')]);
    await writeFile(file('turnserver.conf'), [
      `listening-ip=${host.address}`, `relay-ip=${host.address}`, 'listening-port=3478', 'tls-listening-port=5349', 'realm=test', 'use-auth-secret',
      `static-auth-secret=${secret}`, 'stale-nonce=5', 'no-cli', 'no-dtls', 'verbose', 'log-file=stdout', `cert=${file('cert.pem')}`, `pkey=${file('key.pem')}`,
      `pidfile=${file('pid')}`, `userdb=${file('db')}`, '',
    ].join('\n'));
    const [program, ...rest] = [...host.wrapper, 'turnserver', '-c', file('turnserver.conf')];
    server.process = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    server.exited = once(server.process, 'exit');
    server.output = '';
    server.process.stdout.on('data', (data) => (server.output += data));
    server.process.stderr.on('data', (data) => (server.output += data));
    await eventually('coturn runs', () => {
      assert.equal(server.process.exitCode, null, server.output);
      return server.output.includes('SQLite DB connection success');
    });
    server.certificate = file('cert.pem');
    const authority = host.address.includes(':') ? `[${host.address}]` : host.address;
    server.stun = `stun:${authority}:3478`;
    server.urls = [`turn:${authority}:3478?transport=udp`, `turn:${authority}:3478?transport=tcp`, `turns:${authority}:5349?transport=tcp`];
    return server;
  }

  async stop() {
    this.process.kill('SIGKILL');
    await this.exited;
    await rm(this.folder, { recursive: true });
  }
}
