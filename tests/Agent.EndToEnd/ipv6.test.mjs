import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Agent, eventually, freePort } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';
import { Namespace } from './lib/namespace.mjs';
import { TurnServer } from './lib/turnServer.mjs';

let network, agent, chromium;

async function start(webrtc = {}) {
  const port = await freePort();
  agent = await Agent.start({
    http: { listen: `[::]:${port}`, allowAnonymous: true },
    webrtc: { udpPort: 0, ...webrtc },
    cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
  }, { port });
}

/** Opens the page inside. */
async function open(flags = []) {
  chromium = await launchChromium({ executablePath: await network.wrap('/usr/bin/chromium'), pipe: true, flags });
  return await openViewer(chromium.browser, `http://[${network.host6}]:${agent.port}/`);
}

/** Opens the page inside, and returns the path of its viewer once pictures go on. */
async function watch(flags = []) {
  const page = await open(flags);
  await untilLive(page, 30_000);
  const frames = () => page.$eval('#video', (video) => video.getVideoPlaybackQuality().totalVideoFrames);
  const seen = await frames();
  await eventually('pictures go on', async () => (await frames()) > seen + 60);
  return (await agent.status()).viewers.at(-1).peer.selectedPair;
}

afterEach(async () => {
  await chromium?.close();
  await agent?.stop();
  chromium = agent = undefined;
});

describe('A network with IPv6 alone', () => {
  before(async () => {
    network = await Namespace.create();
    await network.useIPv6({ alone: true });
  });
  after(() => network?.remove());

  test('a browser that names its addresses sees the picture, and nothing is configured', async () => {
    await start();
    // What Chromium does of itself where a page may use the microphone.
    const { remote } = await watch(['--disable-features=WebRtcHideLocalIpsWithMdns']);
    assert.ok(remote.startsWith(`[${network.inside6}]:`), remote);
  });

  test('a page whose browser finds no address says what it may need', async () => {
    await start();
    const page = await open();
    await eventually('it does', () => page.$eval('#notice', (notice) => !notice.hidden && notice.textContent.includes('webrtc.iceServers')));
  });

  test('Chromium on Linux, which has no mDNS without IPv4 and so no candidates, sees it with a STUN server', async () => {
    const server = await TurnServer.start({ address: network.host6, wrapper: [] });
    try {
      await start({ iceServers: [{ urls: [server.stun] }] });
      const { remote } = await watch();
      assert.ok(remote.startsWith(`[${network.inside6}]:`), remote);
    } finally {
      await server.stop();
    }
  });
});

describe('A network of both, where nothing comes through by IPv4', () => {
  before(async () => {
    network = await Namespace.create();
    await network.useIPv6();
    await network.execute('nft', 'add', 'table', 'inet', 'filter');
    for (const [hook, direction] of [['output', 'oifname'], ['input', 'iifname']]) {
      await network.execute('nft', 'add', 'chain', 'inet', 'filter', hook, `{ type filter hook ${hook} priority 0; }`);
      await network.execute('nft', 'add', 'rule', 'inet', 'filter', hook, direction, 'eth0', 'meta', 'nfproto', 'ipv4', 'counter', 'drop');
    }
  });
  after(() => network?.remove());

  test('the viewer comes by IPv6, having tried IPv4 as well', async () => {
    await start();
    const { remote } = await watch();
    assert.ok(remote.startsWith(`[${network.inside6}]:`), remote);
    const { stdout } = await network.execute('nft', 'list', 'chain', 'inet', 'filter', 'output');
    assert.ok(Number(/packets (\d+)/.exec(stdout)[1]) > 0, stdout);
  });
});
