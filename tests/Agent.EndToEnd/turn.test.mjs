// Viewers elsewhere and an agent behind routers that let no viewer in: what only a TURN server joins.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';
import { Internet } from './lib/nat.mjs';
import { TurnServer } from './lib/turnServer.mjs';

const token = 'turn-token';
const httpPort = 8080;

describe('An agent that no viewer reaches', () => {
  let internet, server, home, viewer, agent, chromium, context, page;
  before(async () => {
    internet = await Internet.create();
    server = await TurnServer.start(await internet.addHost());
    home = await internet.addHome({ kind: 'symmetric', forwardTcp: { [httpPort]: httpPort } });
    viewer = await internet.addHome({ kind: 'symmetric' });
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
      webrtc: { udpPort: 8443, iceServers: [{ urls: server.urls, secret: server.secret, caFile: server.certificate }] },
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

  test('a viewer behind another symmetric router whose page knows of no server comes through the agent\'s relay', async () => {
    await start({});
    await allocated();
    // It names a host candidate only, behind an mDNS name; that its offer came from the router's address is what lets it in.
    const pair = await watch({ iceServers: [] });
    assert.equal(pair.localType, 'Relayed');
    assert.ok(pair.remote.startsWith(`${viewer.publicAddress}:`), pair.remote);
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
