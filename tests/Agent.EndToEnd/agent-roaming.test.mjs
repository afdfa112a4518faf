import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually, freePort } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';
import { Namespace } from './lib/namespace.mjs';
import { TurnServer } from './lib/turnServer.mjs';

const token = 'agent-roaming-token';
/** From the change of the agent's address to the next pictures. */
const limitMilliseconds = 3000;

/** Nobody can reach the agent where it was: it is the agent that has to notice (rtnetlink), and to check the viewer from its new address. */
describe('An agent whose address changes', () => {
  let network, agent, chromium, page;
  before(async () => {
    network = await Namespace.create();
    const port = await freePort();
    agent = await Agent.start({
      http: { listen: `[::]:${port}`, bearerToken: token },
      webrtc: { udpPort: 0 },
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
    }, { port, host: `${network.prefix}.2`, wrapper: network.wrapper });
    chromium = await launchChromium();
    page = await openViewer(chromium.browser, `${agent.url}/`);
    await page.waitForSelector('#token', { visible: true });
    await page.type('#token', token);
    await page.click('#token-form button');
    await untilLive(page);
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
    await network?.remove();
  });

  const status = async (last) => (await fetch(`http://${network.prefix}.${last}:${agent.port}/api/status`, { headers: { Authorization: `Bearer ${token}` } })).json();
  const framesDecoded = () => page.$eval('#video', (video) => video.getVideoPlaybackQuality().totalVideoFrames);

  test('goes on sending to its viewers from the new one, which new answers offer', async () => {
    const { viewers: [before] } = await status(2);
    await network.setAddress(3);
    const changed = Date.now();
    const frames = await framesDecoded();
    await eventually('pictures come again', async () => (await framesDecoded()) > frames + 5);
    const took = Date.now() - changed;
    assert.ok(took < limitMilliseconds, `it took ${took} ms`);

    const { viewers: [viewer], transport } = await status(3);
    assert.equal(viewer.sessionId, before.sessionId);
    assert.ok(viewer.peer.selectedPair.local.startsWith(`${network.prefix}.3:`), viewer.peer.selectedPair.local);
    assert.ok(viewer.peer.pairs.some((pair) => pair.local.startsWith(`${network.prefix}.2:`) && pair.failureReason), 'the status says why the old pairs failed');
    assert.ok(transport.listenAddresses.some((address) => address.startsWith(`${network.prefix}.3:`)));
    assert.ok(!transport.listenAddresses.some((address) => address.startsWith(`${network.prefix}.2:`)));
  });
});

/** Each would be asked again by itself, but after up to 25 seconds. */
describe('STUN and TURN servers of an agent whose address changes', () => {
  let network, server, agent;
  before(async () => {
    network = await Namespace.create();
    server = await TurnServer.start({ address: network.host, wrapper: [] });
    const port = await freePort();
    agent = await Agent.start({
      http: { listen: `0.0.0.0:${port}`, allowAnonymous: true },
      webrtc: { udpPort: 0, iceServers: [{ urls: [server.stun] }, ...server.urls.slice(0, 2).map((url) => ({ urls: [url], secret: server.secret }))] },
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
    }, { port, host: `${network.prefix}.2`, wrapper: network.wrapper });
  });
  after(async () => {
    await agent?.stop();
    await server?.stop();
    await network?.remove();
  });

  // From inside, by loopback, which stays.
  const servers = async () => JSON.parse((await network.execute('curl', '-s', `http://127.0.0.1:${agent.port}/api/status`)).stdout).transport.iceServers;

  test('are asked at once', async () => {
    const told = async (last) => {
      const [stun, udp, tcp] = await servers();
      return stun.mappedAddresses[0]?.startsWith(`${network.prefix}.${last}:`) && udp.mappedAddresses[0]?.startsWith(`${network.prefix}.${last}:`)
        && tcp.state === 'Ready' && [udp, tcp].map(({ relayedAddresses: [address] }) => address);
    };
    const before = await eventually('all three are used', () => told(2));
    await network.setAddress(3);
    const changed = Date.now();
    const after = await eventually('all three are used from the new address', async () => {
      const relayed = await told(3);
      return relayed && relayed.every((address) => !before.includes(address)) && relayed;
    });
    const took = Date.now() - changed;
    assert.ok(took < limitMilliseconds, `it took ${took} ms`);
    assert.equal(after.length, 2);
  });
});
