import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { createInterface } from 'node:readline';
import { Agent, eventually, freePort } from './lib/agent.mjs';
import { Internet } from './lib/nat.mjs';
import { TurnServer } from './lib/turnServer.mjs';

const script = fileURLToPath(new URL('lib/whip-server.py', import.meta.url));
const token = 'the-servers-token';

/** A WHIP server on aiortc; `lines` holds what it has said so far. */
class Server {
  static async start(port, { wrapper = [], address = '127.0.0.1', link = '' } = {}) {
    const server = new Server();
    server.lines = [];
    const [program, ...rest] = [...wrapper, '/usr/bin/python3', script, String(port), token, address, link];
    server.process = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface(server.process.stdout).on('line', (line) => server.lines.push(JSON.parse(line)));
    await eventually('the WHIP server listens', () => server.lines.length > 0);
    return server;
  }

  decoded(frames) {
    return eventually(`the server decodes ${frames} frames`, () => this.lines.find((line) => line.frames >= frames), 30_000);
  }

  async stop() {
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }
}

const configuration = (port, whip = {}) => ({
  cameras: { main: { source: { width: 320, height: 180 }, encoder: { bitrate: 300000 } } },
  whip: { sfu: { camera: 'main', url: `http://127.0.0.1:${port}/elsewhere`, bearerToken: token, ...whip } },
});

const read = async (agent, path) => (await fetch(`${agent.url}${path}`)).json();
const publisher = async (agent) => (await agent.status()).publishers[0];
const connects = (agent) => eventually('the publisher connects', async () => (await publisher(agent)).isConnected, 40_000);

test('a stream is published to a server, again when that comes back, and ends when it is switched off', async () => {
  const port = await freePort();
  let server = await Server.start(port);
  const agent = await Agent.start(configuration(port));
  try {
    const picture = await server.decoded(30);
    assert.deepEqual([picture.width, picture.height], [320, 180]);
    await connects(agent);
    await eventually('the house is told', async () => (await read(agent, '/api/entities/publish_sfu_connected')).value === 'ON');

    await server.stop();
    await eventually('the agent says why it does not publish', async () => (await publisher(agent)).problem?.includes('cannot be reached'));
    assert.equal((await publisher(agent)).isConnected, false);
    server = await Server.start(port);
    await server.decoded(30);
    await connects(agent);
    assert.equal((await publisher(agent)).connections, 2);

    const answer = await fetch(`${agent.url}/api/entities/publish_sfu`, { method: 'POST', body: JSON.stringify({ value: false }), headers: { 'Content-Type': 'application/json' } });
    assert.equal(answer.status, 200);
    await eventually('the server is asked to end the session', () => server.lines.some((line) => line.ended === 1));
    await eventually('the session is gone', async () => (await agent.status()).viewers.length === 0);
    assert.equal((await publisher(agent)).problem, undefined);
  } finally {
    await agent.stop();
    await server.stop();
  }
});

test('a wrong token is told in words, and viewers do not notice', async () => {
  const port = await freePort();
  const server = await Server.start(port);
  const agent = await Agent.start(configuration(port, { bearerToken: 'another' }));
  try {
    await eventually('the refusal is shown', async () =>
      (await publisher(agent)).problem === `127.0.0.1:${port} answers 401 Unauthorized (no such token): check bearerToken`);
    assert.match(agent.output, /Publisher sfu: 127\.0\.0\.1:\d+ answers 401/);
    assert.equal((await fetch(`${agent.url}/healthz`)).status, 200);
  } finally {
    await agent.stop();
    await server.stop();
  }
});

test('where no UDP leaves the home, the TURN server that the answer names carries the stream, of that session alone', async () => {
  const [httpPort, whipPort] = [8080, 9000];
  const internet = await Internet.create();
  let turn, server, agent;
  try {
    turn = await TurnServer.start(await internet.addHost());
    const sfu = await internet.addHost();
    const home = await internet.addHome({ udp: 'blocked', tcpPorts: [whipPort, 3478], forwardTcp: { [httpPort]: httpPort } });
    const user = `${Math.floor(Date.now() / 1000) + 3600}:sfu`;
    const password = createHmac('sha1', turn.secret).update(user).digest('base64');
    const login = `username="${user}"; credential="${password}"; credential-type="password"`;
    server = await Server.start(whipPort, {
      wrapper: sfu.wrapper,
      address: sfu.address,
      link: [`<${turn.stun}>; rel="ice-server"`, ...turn.urls.slice(0, 2).map((url) => `<${url}>; rel="ice-server"; ${login}`)].join(', '),
    });
    agent = await Agent.start({
      ...configuration(whipPort, { url: `http://${sfu.address}:${whipPort}/whip` }),
      http: { listen: `0.0.0.0:${httpPort}`, allowAnonymous: true },
      webrtc: { udpPort: 0 },
    }, { port: httpPort, host: home.publicAddress, wrapper: home.host.wrapper });
    await server.decoded(30);
    await connects(agent);
    const { viewers: [session], transport } = await agent.status();
    assert.equal(session.peer.selectedPair.localType, 'Relayed');
    assert.deepEqual(transport.iceServers, [], 'viewers are told of none');
    assert.equal((await read(agent, '/api/ice-servers')).iceServers.length, 0);

    await fetch(`${agent.url}/api/entities/publish_sfu`, { method: 'POST', body: JSON.stringify({ value: false }), headers: { 'Content-Type': 'application/json' } });
    await eventually('the allocation is given back', () => /refresh.*lifetime=0/.test(turn.output));
  } finally {
    await agent?.stop();
    await server?.stop();
    await turn?.stop();
    await internet.remove();
  }
});
