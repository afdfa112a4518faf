import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { decodedRate, launchFirefox, openViewer, untilTimecode } from './lib/browser.mjs';

const frameRate = 30;

describe('Firefox over WHEP', () => {
  let agent, firefox;
  before(async () => {
    agent = await Agent.start({ cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate } } } });
    firefox = await launchFirefox();
  });
  after(async () => {
    await firefox?.close();
    await agent?.stop();
  });

  test('decodes at the rate of the camera, and closing the tab frees the session', async () => {
    const page = await openViewer(firefox.browser, `${agent.url}/`);
    await untilTimecode(page, 30_000);
    const { before: first, after: last, rate } = await decodedRate(page);
    assert.ok(rate > frameRate * 0.8, `decoded ${rate.toFixed(1)} of ${frameRate} frames per second`);
    assert.ok(last.captureUnixMilliseconds > first.captureUnixMilliseconds, 'the timecode advances');
    await page.close();
    await eventually('the session is freed', async () => (await agent.status()).viewers.length === 0, 40_000);
  });
});
