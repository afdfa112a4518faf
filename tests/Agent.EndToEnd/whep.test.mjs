import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { decodedRate, launchChromium, openViewer, readPixels, untilLive, untilTimecode } from './lib/browser.mjs';

const frameRate = 30;
const camera = { source: { kind: 'test', width: 640, height: 360, frameRate } };

describe('Chromium over WHEP', () => {
  let agent, chromium, page;
  before(async () => {
    agent = await Agent.start({ cameras: { main: camera } });
    chromium = await launchChromium();
    page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilTimecode(page);
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
  });

  test('decodes at the rate of the camera and the timecode in the picture advances with the clock', async () => {
    const { before: first, after: last, rate } = await decodedRate(page);
    assert.ok(rate > frameRate * 0.8 && rate < frameRate * 1.2, `decoded ${rate.toFixed(1)} of ${frameRate} frames per second`);
    const advanced = last.captureUnixMilliseconds - first.captureUnixMilliseconds;
    const elapsed = last.at - first.at;
    assert.ok(Math.abs(advanced - elapsed) < elapsed * 0.2, `the timecode advanced ${advanced} ms in ${elapsed.toFixed(0)} ms`);
    assert.ok(Date.now() - last.captureUnixMilliseconds < 1000, 'the picture is less than a second old');
  });

  test('shows the pattern that the camera drew', async () => {
    const { bars } = await import('./lib/testPattern.mjs');
    const pixels = await readPixels(page, bars.map(({ point }) => point));
    for (const [index, { name, colour }] of bars.entries()) {
      const far = Math.max(...colour.map((value, channel) => Math.abs(value - pixels[index][channel])));
      assert.ok(far <= 32, `${name}: expected ${colour}, decoded ${pixels[index]}`);
    }
  });

  test('shows resolution, frame rate, bitrate, loss, round-trip time and latency', async () => {
    const { after: { shown } } = await decodedRate(page, 2500);
    assert.equal(shown.resolution, '640 × 360');
    assert.match(shown['frame-rate'], /^\d+\.\d fps$/);
    assert.match(shown.bitrate, /^[\d.]+ [Mk]bit\/s$/);
    assert.equal(shown['packet-loss'], '0.0 %');
    assert.match(shown['round-trip-time'], /^\d+ ms$/);
    assert.match(shown.latency, /^\d+ ms$/, 'measured from the timecode, not estimated');
    assert.equal(shown.signalling, 'WHEP');
    assert.deepEqual(page.problems, []);
  });

  test('a second viewer joins at once without a second encoder, and closing its tab frees the session', async () => {
    const framesEncoded = async () => (await agent.status()).cameras[0].framesEncoded;
    const second = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(second);
    const status = await agent.status();
    assert.equal(status.viewers.length, 2);
    assert.equal(status.cameras.length, 1);

    const from = await framesEncoded();
    const { rate } = await decodedRate(second);
    const encoded = (await framesEncoded()) - from;
    assert.ok(rate > frameRate * 0.8, `the second viewer decoded ${rate.toFixed(1)} frames per second`);
    assert.ok(encoded < frameRate * 3 * 1.5, `${encoded} frames were encoded in 3 s for two viewers of a ${frameRate} fps camera`);

    await second.close();
    await eventually('the session is freed', async () => (await agent.status()).viewers.length === 1, 5000);
    const { rate: rest } = await decodedRate(page, 2500);
    assert.ok(rest > frameRate * 0.8, 'the first viewer did not notice');
  });

  test('a browser that dies without a word is forgotten when consent lapses', async () => {
    const other = await launchChromium();
    await untilLive(await openViewer(other.browser, `${agent.url}/`));
    assert.equal((await agent.status()).viewers.length, 2);
    other.browser.process().kill('SIGKILL');
    await eventually('consent lapsed (RFC 7675: 30 s)', async () => (await agent.status()).viewers.length === 1, 45_000);
  });
});
