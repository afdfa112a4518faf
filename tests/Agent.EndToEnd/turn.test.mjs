// Viewers elsewhere and an agent behind routers that let no viewer in: what only a TURN server joins.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Agent, eventually } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';
import { Internet } from './lib/nat.mjs';

const run = promisify(execFile);
const token = 'turn-token';
const httpPort = 8080;
const secret = 'north';

/** A coturn on a machine of the public network, UDP, TCP and TLS. */
class TurnServer {
  static async start(host) {
    const server = new TurnServer();
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
    server.stun = `stun:${host.address}:3478`;
    server.urls = [`turn:${host.address}:3478?transport=udp`, `turn:${host.address}:3478?transport=tcp`, `turns:${host.address}:5349?transport=tcp`];
    return server;
  }

  async stop() {
    this.process.kill('SIGKILL');
    await this.exited;
    await rm(this.folder, { recursive: true });
  }
}

describe('An agent that no viewer reaches', () => {
  let internet, server, home, agent, chromium, context, page;
  before(async () => {
    internet = await Internet.create();
    server = await TurnServer.start(await internet.addHost());
    home = await internet.addHome({ kind: 'symmetric', forwardTcp: { [httpPort]: httpPort } });
    const viewer = await internet.addHome({ kind: 'symmetric' });
    chromium = await launchChromium({ executablePath: await viewer.host.wrap('/usr/bin/chromium'), pipe: true });
  });
  afterEach(async () => {
    await context?.close();
    await agent?.stop();
    context = agent = undefined;
  });
  after(async () => {
    await chromium?.close();
    await server?.stop();
    await internet?.remove();
  });

  async function start(rules) {
    await home.setRules({ kind: 'symmetric', forwardTcp: { [httpPort]: httpPort }, ...rules });
    agent = await Agent.start({
      http: { listen: `0.0.0.0:${httpPort}`, bearerToken: token },
      webrtc: { udpPort: 8443, iceServers: [{ urls: server.urls, secret, caFile: server.certificate }] },
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
    }, { port: httpPort, host: home.publicAddress, wrapper: home.host.wrapper });
  }

  const status = async () => (await fetch(`${agent.url}/api/status`, { headers: { Authorization: `Bearer ${token}` } })).json();

  const allocated = () => eventually('the agent has an allocation', async () =>
    (await status()).transport.iceServers.find(({ state }) => state === 'Ready'), 20_000);

  /** Opens the agent's page, whose connections' configuration is changed as given; returns the pair that the agent sends on. */
  async function watch(change) {
    context = await chromium.browser.createBrowserContext();
    page = await openViewer({
      newPage: async () => {
        const made = await context.newPage();
        await made.evaluateOnNewDocument((changed) => {
          const { setConfiguration } = RTCPeerConnection.prototype;
          RTCPeerConnection.prototype.setConfiguration = function (configuration) {
            return setConfiguration.call(this, { ...configuration, ...changed });
          };
        }, change);
        return made;
      },
    }, `${agent.url}/`);
    await page.waitForSelector('#token', { visible: true });
    await page.type('#token', token);
    await page.click('#token-form button');
    await untilLive(page, 30_000);
    return (await status()).viewers.at(-1).peer.selectedPair;
  }

  test('viewers behind another symmetric router come through relays: the agent\'s, and one that may use nothing else', async () => {
    await start({});
    const { url, relayedAddresses } = await allocated();
    assert.equal(url, server.urls[0]);
    // With STUN the agent learns the viewer's address, which its relay lets in by then.
    const pair = await watch({ iceServers: [{ urls: server.stun }] });
    assert.equal(pair.localType, 'Relayed');
    assert.deepEqual([pair.local], relayedAddresses);
    const metrics = await (await fetch(`${agent.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } })).text();
    assert.match(metrics, /^camera_agent_relayed_datagrams_sent_total [1-9]\d+$/m);
    assert.match(metrics, /^camera_agent_relayed_datagrams_dropped_total 0$/m);

    await context.close();
    await watch({ iceTransportPolicy: 'relay' });
  });

  for (const [way, tcpPorts, index] of [['TCP', [3478], 1], ['TLS', [5349], 2]]) {
    test(`with UDP blocked the agent relays by ${way}, and a viewer who may use relays only gets pictures`, async () => {
      await start({ udp: 'blocked', tcpPorts });
      const { url } = await allocated();
      assert.equal(url, server.urls[index]);
      const pair = await watch({ iceTransportPolicy: 'relay' });
      assert.equal(pair.localType, 'Relayed');
      const frames = () => page.$eval('#video', (video) => video.getVideoPlaybackQuality().totalVideoFrames);
      const seen = await frames();
      await eventually('pictures go on', async () => (await frames()) > seen + 60);
      const { transport } = await status();
      assert.equal(transport.relayedDropped, 0);
    });
  }
});
