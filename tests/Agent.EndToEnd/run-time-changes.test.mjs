import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, eventually } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';

const frameRate = 20;
const longestFreezeMilliseconds = 200;

// Moving noise: nothing an encoder can squeeze, so that the bitrate is what the rate control makes it.
const noise = {
  source: {
    kind: 'exec', pixelFormat: 'YU12', width: 480, height: 270, frameRate,
    command: ['ffmpeg', '-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=480x270:rate=${frameRate},noise=alls=60:allf=t`,
      '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'],
  },
  encoder: { bitrate: 2_000_000, keyFrameInterval: 300 },
};

/** Notes when each frame is shown, from now on. */
const watchFrames = (page) => page.evaluate(() => {
  const video = document.getElementById('video');
  window.shownAt = [];
  const note = (now) => {
    window.shownAt.push(now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
});

/** The longest time without a new frame since the last call, in milliseconds. */
const longestGap = (page) => page.evaluate(() => {
  const shown = window.shownAt.splice(0, window.shownAt.length - 1);
  return Math.max(...shown.slice(1).map((at, i) => at - shown[i]));
});

describe('What is changed while a browser watches', () => {
  let agent, chromium, page;
  before(async () => {
    agent = await Agent.start({ cameras: { main: noise } });
    chromium = await launchChromium();
    page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
    await watchFrames(page);
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
  });

  const setBitrate = async (bitrate) => {
    const response = await fetch(`${agent.url}/api/cameras/main`, { method: 'PATCH', body: JSON.stringify({ bitrate }) });
    assert.equal(response.status, 200, await response.text());
  };
  const camera = async () => (await agent.status()).cameras[0];

  test('a bitrate step down and up takes effect without a key frame and without a freeze', async () => {
    const { keyFrames, restarts } = await camera();
    await longestGap(page);
    for (const bitrate of [400_000, 2_500_000]) {
      await setBitrate(bitrate);
      await eventually(`the stream follows to ${bitrate} bit/s`, async () => {
        const { bitrateBps } = await camera();
        return Math.abs(bitrateBps - bitrate) < bitrate * 0.25;
      });
    }
    const gap = await longestGap(page);
    assert.ok(gap <= longestFreezeMilliseconds, `the picture stood still for ${gap.toFixed(0)} ms`);
    const now = await camera();
    assert.deepEqual([now.keyFrames, now.restarts], [keyFrames, restarts]);
  });

  test('a key frame for a viewer who joins does not freeze the one who watches', async () => {
    const { keyFrames } = await camera();
    await longestGap(page);
    const second = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(second);
    await delay(500);
    const gap = await longestGap(page);
    await second.close();
    assert.ok((await camera()).keyFrames > keyFrames, 'no key frame was made');
    assert.ok(gap <= longestFreezeMilliseconds, `the picture stood still for ${gap.toFixed(0)} ms`);
  });

  test('a snapshot is taken from the camera that is being watched', async () => {
    const response = await fetch(`${agent.url}/api/cameras/main/snapshot.jpg`);
    assert.equal(response.headers.get('content-type'), 'image/jpeg');
    const jpeg = new Uint8Array(await response.arrayBuffer());
    const size = await page.evaluate(async (bytes) => {
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }));
      return [bitmap.width, bitmap.height];
    }, [...jpeg]);
    assert.deepEqual(size, [480, 270]);
  });
});
