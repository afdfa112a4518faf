import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const defaultStartTimeoutMilliseconds = 20_000;
const pollMilliseconds = 50;

/** The executable under test: CAMERA_AGENT, set by tests/run.sh to the native-AOT binary. */
export const executable = process.env.CAMERA_AGENT;
if (!executable) {
  throw new Error('Set CAMERA_AGENT to the camera-agent executable (tests/run.sh does).');
}

/** A TCP port of loopback that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until `probe` returns something other than undefined or false; the last error tells why it did not. */
export async function eventually(what, probe, timeoutMilliseconds = 15_000) {
  const end = Date.now() + timeoutMilliseconds;
  let last;
  while (Date.now() < end) {
    try {
      const result = await probe();
      if (result !== undefined && result !== false) {
        return result;
      }
    } catch (error) {
      last = error;
    }
    await delay(pollMilliseconds);
  }
  throw new Error(`${what}: not within ${timeoutMilliseconds} ms${last ? ` (${last.message})` : ''}`);
}

/** A running agent with a configuration of its own; stop it with `stop()`. */
export class Agent {
  static async start(configuration = {}, { arguments: extra = [], wrapper = [], startTimeoutMilliseconds = defaultStartTimeoutMilliseconds, port, host = '127.0.0.1' } = {}) {
    const agent = new Agent();
    agent.folder = await mkdtemp(join(tmpdir(), 'camera-agent-'));
    agent.port = port ?? await freePort();
    agent.url = `http://${host}:${agent.port}`;
    const file = join(agent.folder, 'agent.json');
    await writeFile(file, JSON.stringify({
      http: { listen: `127.0.0.1:${agent.port}` },
      webrtc: { udpPort: 0, listenAddresses: ['127.0.0.1'] },
      ...configuration,
    }));
    agent.output = '';
    const [command, ...rest] = [...wrapper, executable, 'run', '--config', file, ...extra];
    agent.process = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    agent.process.stdout.on('data', (data) => (agent.output += data));
    agent.process.stderr.on('data', (data) => (agent.output += data));
    agent.exited = once(agent.process, 'exit');
    try {
      await eventually(`the agent answers at ${agent.url}`, async () => {
        // A process that a signal ended has no exit code.
        const ended = agent.process.exitCode ?? agent.process.signalCode;
        if (ended !== null) {
          throw new Error(`exit ${ended}: ${agent.output}`);
        }
        return (await fetch(`${agent.url}/healthz`)).ok;
      }, startTimeoutMilliseconds);
    } catch (error) {
      // A child that lives on would keep the test process from ending.
      agent.process.kill('SIGKILL');
      throw error;
    }
    return agent;
  }

  async status() {
    const response = await fetch(`${this.url}/api/status`);
    return await response.json();
  }

  async metrics() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }));
  }

  /** Sends SIGTERM and returns the exit code. */
  async stop() {
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
    }
    const [code] = await this.exited;
    await rm(this.folder, { recursive: true });
    return code;
  }
}

/** A mosquitto on loopback with a TCP and a WebSocket listener. */
export class Broker {
  /** `host` is the address that it listens on. */
  static async start({ host = '127.0.0.1' } = {}) {
    const broker = new Broker();
    broker.host = host;
    broker.folder = await mkdtemp(join(tmpdir(), 'mosquitto-'));
    broker.port = await freePort();
    broker.webSocketPort = await freePort();
    broker.file = join(broker.folder, 'mosquitto.conf');
    await writeFile(broker.file, [
      'persistence false', 'allow_anonymous true', 'user root',
      `listener ${broker.port} ${host}`,
      `listener ${broker.webSocketPort} ${host}`, 'protocol websockets', '',
    ].join('\n'));
    await broker.run();
    return broker;
  }

  get url() {
    return `mqtt://${this.host}:${this.port}`;
  }

  get webSocketUrl() {
    return `ws://${this.host}:${this.webSocketPort}`;
  }

  async run() {
    this.process = spawn('/usr/sbin/mosquitto', ['-c', this.file], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.output = '';
    this.process.stderr.on('data', (data) => (this.output += data));
    this.exited = once(this.process, 'exit');
    await eventually('mosquitto runs', () => {
      if (this.process.exitCode !== null) {
        throw new Error(this.output);
      }
      return this.output.includes('running');
    });
  }

  async kill() {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  async stop() {
    await this.kill();
    await rm(this.folder, { recursive: true });
  }
}
