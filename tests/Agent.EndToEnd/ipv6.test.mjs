import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Agent, eventually, freePort } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';
import { Namespace } from './lib/namespace.mjs';

const run = promisify(execFile);
const token = 'ipv6-token';
/** Unique local addresses (RFC 4193) of a network that nobody else here has. */
const [here, there] = ['fd77:1ce::1', 'fd77:1ce::2'];

describe('A viewer in a network with IPv6 only', () => {
  let network, agent, chromium, page;
  before(async () => {
    network = await Namespace.create();
    await network.inside('-4', 'addr', 'flush', 'dev', 'eth0');
    await run('ip', ['addr', 'add', `${here}/64`, 'dev', network.wire, 'nodad']);
    await network.inside('addr', 'add', `${there}/64`, 'dev', 'eth0', 'nodad');
    const port = await freePort();
    agent = await Agent.start({
      http: { listen: `[::]:${port}`, bearerToken: token },
      webrtc: { udpPort: 0 },
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
    }, { port, host: `[${here}]` });
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

  test('sees the picture', async () => {
    await untilLive(page);
    const framesDecoded = () => page.$eval('#video', (video) => video.getVideoPlaybackQuality().totalVideoFrames);
    const frames = await framesDecoded();
    await eventually('pictures are decoded', async () => (await framesDecoded()) > frames + 30);

    const { viewers: [viewer], transport } = await (await fetch(`${agent.url}/api/status`, { headers: { Authorization: `Bearer ${token}` } })).json();
    assert.ok(viewer.peer.selectedPair.local.startsWith(`[${here}]:`), viewer.peer.selectedPair.local);
    assert.ok(viewer.peer.selectedPair.remote.startsWith('[fd77:1ce:'), viewer.peer.selectedPair.remote);
    assert.ok(transport.listenAddresses.some((address) => !address.includes('[')), 'IPv4 is offered too');
  });
});
