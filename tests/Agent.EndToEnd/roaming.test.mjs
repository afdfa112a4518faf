import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, Broker, eventually, freePort } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';
import { Namespace } from './lib/namespace.mjs';

const token = 'roaming-token';
/**
 * From the change of address to the next picture. A browser by itself takes this long to call the path disconnected, and then waits for it
 * to come back; measured it is under two and a half seconds, whatever the signalling.
 */
const limitMilliseconds = 5000;

const framesDecoded = (page) => page.$eval('#video', (video) => video.getVideoPlaybackQuality().totalVideoFrames);

for (const signal of ['whep', 'mqtt']) {
  describe(`A viewer whose network changes, over ${signal}`, () => {
    let network, broker, agent, chromium, page;
    before(async () => {
      network = await Namespace.create();
      const port = await freePort();
      broker = await Broker.start({ host: network.host });
      agent = await Agent.start({
        http: { listen: `${network.host}:${port}`, bearerToken: token },
        webrtc: { udpPort: 0, listenAddresses: [network.host] },
        mqtt: { host: network.host, port: broker.port, device: 'roaming', webSocketUrl: broker.webSocketUrl },
        cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } } },
      }, { port, host: network.host });
      chromium = await launchChromium({ executablePath: await network.wrap('/usr/bin/chromium'), pipe: true });
      page = await openViewer(chromium.browser, `${agent.url}/?signal=${signal}`);
      // Over the broker its access list lets viewers in.
      if (signal === 'whep') {
        await page.waitForSelector('#token', { visible: true });
        await page.type('#token', token);
        await page.click('#token-form button');
      }
      await untilLive(page);
    });
    after(async () => {
      await chromium?.close();
      await agent?.stop();
      await broker?.stop();
      await network?.remove();
    });

    const viewers = async () => (await (await fetch(`${agent.url}/api/status`, { headers: { Authorization: `Bearer ${token}` } })).json()).viewers;

    for (const address of [3, 4]) {
      test(`the picture goes on in the same session from address ${address}`, async () => {
        const session = (await viewers())[0].sessionId;
        await network.setAddress(address);
        const changed = Date.now();
        const frames = await framesDecoded(page);
        await eventually('the agent sends to the new address', async () => {
          const [viewer] = await viewers();
          return viewer.sessionId === session && viewer.peer.selectedPair?.remote.startsWith(`${network.prefix}.${address}:`);
        });
        await eventually('pictures come again', async () => (await framesDecoded(page)) > frames + 5);
        const took = Date.now() - changed;
        assert.ok(took < limitMilliseconds, `it took ${took} ms`);
        await eventually('the page says so', () => page.$eval('#state', (state) => state.dataset.state === 'live'));
        assert.equal((await viewers()).length, 1);
      });
    }
  });
}
