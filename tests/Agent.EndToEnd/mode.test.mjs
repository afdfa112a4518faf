import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { launchChromium, openViewer, readViewer, untilLive } from './lib/browser.mjs';

const camera = { source: { kind: 'test', width: 320, height: 180, frameRate: 10 } };

describe('Size, rate and encoder chosen while a browser watches', () => {
  let agent, chromium, page;
  before(async () => {
    agent = await Agent.start({ cameras: { main: camera } });
    chromium = await launchChromium();
    page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
  });
  const choose = async (what, value) => {
    const response = await fetch(`${agent.url}/api/entities/main_${what}`, { method: 'POST', body: value });
    assert.equal(response.status, 200, await response.text());
  };
  const size = () => page.evaluate(() => {
    const video = document.getElementById('video');
    return `${video.videoWidth}x${video.videoHeight}`;
  });
  const status = async () => (await agent.status()).cameras[0];

  for (const resolution of ['1280x720', '640x480', '320x180']) {
    test(`the viewer sees ${resolution} without joining again`, async () => {
      const ids = async () => (await agent.status()).viewers.map(({ sessionId }) => sessionId);
      const before = await ids();
      assert.equal(before.length, 1);
      await choose('resolution', resolution);
      await eventually(`the picture is ${resolution}`, async () => (await status()).isProducing && (await size()) === resolution);
      await untilLive(page);
      assert.deepEqual(await ids(), before);
    });
  }

  test('the frame rate and the encoder follow', async () => {
    await choose('target_frame_rate', '25');
    await eventually('25 frames a second', async () => Math.abs((await status()).framesPerSecond - 25) < 2);
    await choose('encoder_kind', 'openh264');
    await eventually('OpenH264 encodes', async () => /openh264/i.test((await status()).encoder ?? '') && (await status()).isProducing);
    await untilLive(page);
  });
});
