import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually, freePort } from './lib/agent.mjs';
import { launchChromium, launchFirefox, openViewer, readViewer, untilLive } from './lib/browser.mjs';
import { Namespace } from './lib/namespace.mjs';

const token = 'tcp-token';

describe('A viewer in a network that drops UDP', () => {
  let network, agent, chromium, page;
  before(async () => {
    network = await Namespace.create();
    const port = await freePort();
    agent = await Agent.start({
      http: { listen: `${network.host}:${port}`, bearerToken: token },
      webrtc: { udpPort: 0, listenAddresses: [network.host] },
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
    }, { port, host: network.host });
    await network.execute('nft', 'add', 'table', 'inet', 'filter');
    await network.execute('nft', 'add', 'chain', 'inet', 'filter', 'out', '{ type filter hook output priority 0; }');
    await network.execute('nft', 'add', 'rule', 'inet', 'filter', 'out', 'oifname', 'eth0', 'meta', 'l4proto', 'udp', 'counter', 'drop');
    chromium = await launchChromium({ executablePath: await network.wrap('/usr/bin/chromium'), pipe: true });
    page = await openViewer(chromium.browser, `${agent.url}/`);
    await page.waitForSelector('#token', { visible: true });
    await page.type('#token', token);
    await page.click('#token-form button');
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
    await network?.remove();
  });

  const status = async () => (await fetch(`${agent.url}/api/status`, { headers: { Authorization: `Bearer ${token}` } })).json();
  const framesDecoded = () => page.$eval('#video', (video) => video.getVideoPlaybackQuality().totalVideoFrames);

  test('sees the picture over TCP', async () => {
    await untilLive(page);
    const frames = await framesDecoded();
    await eventually('pictures are decoded', async () => (await framesDecoded()) > frames + 60);

    const { viewers: [viewer], transport } = await status();
    assert.match(viewer.peer.selectedPair.remote, /\/tcp$/);
    assert.match(viewer.peer.selectedPair.local, /\/tcp$/);
    assert.ok(transport.tcp.packetsSent > 60);
    assert.equal(transport.tcp.packetsDropped, 0);
    const { stdout } = await network.execute('nft', 'list', 'ruleset');
    assert.ok(Number(/packets (\d+)/.exec(stdout)[1]) > 0, 'Chromium tried UDP first');
  });
});

/** Firefox is driven from outside and so cannot be in another network; here it is the agent that is, and no UDP gets in or out. */
describe('Firefox, where no UDP gets through', () => {
  let network, agent, firefox;
  before(async () => {
    network = await Namespace.create();
    const port = await freePort();
    agent = await Agent.start({
      http: { listen: `0.0.0.0:${port}`, allowAnonymous: true },
      webrtc: { udpPort: 0 },
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
    }, { port, host: `${network.prefix}.2`, wrapper: network.wrapper });
    await network.execute('nft', 'add', 'table', 'inet', 'filter');
    for (const hook of ['input', 'output']) {
      await network.execute('nft', 'add', 'chain', 'inet', 'filter', hook, `{ type filter hook ${hook} priority 0; }`);
      await network.execute('nft', 'add', 'rule', 'inet', 'filter', hook, 'meta', 'l4proto', 'udp', 'counter', 'drop');
    }
    firefox = await launchFirefox();
  });
  after(async () => {
    await firefox?.close();
    await agent?.stop();
    await network?.remove();
  });

  test('sees the picture over TCP', async () => {
    const page = await openViewer(firefox.browser, `${agent.url}/`);
    await untilLive(page, 30_000);
    const { frames } = await readViewer(page);
    await eventually('pictures go on', async () => (await readViewer(page)).frames > frames + 60);
    const { viewers: [viewer], transport } = await agent.status();
    assert.match(viewer.peer.selectedPair.remote, /\/tcp$/);
    assert.equal(transport.tcp.packetsDropped, 0);
  });
});
