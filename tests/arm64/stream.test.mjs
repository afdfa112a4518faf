import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, Broker, eventually } from '../Agent.EndToEnd/lib/agent.mjs';
import { decodedRate, launchChromium, openViewer, untilLive, untilTimecode } from '../Agent.EndToEnd/lib/browser.mjs';

const root = process.env.ARM64_ROOT;
if (!root) {
  throw new Error('Set ARM64_ROOT to the folder that make-root.sh made (tests/arm64/run.sh does).');
}

// Small and slow enough for an emulated encoder on a busy machine.
const frameRate = 10;
// Under qemu-user the runtime's start alone takes seconds of processor time.
const startTimeoutMilliseconds = 60_000;
const camera = { source: { kind: 'test', width: 320, height: 180, frameRate } };

describe('The arm64 executable under qemu-user', () => {
  let broker, agent, chromium, page;
  before(async () => {
    broker = await Broker.start();
    agent = await Agent.start({
      cameras: { main: camera },
      mqtt: { host: '127.0.0.1', port: broker.port, device: 'arm64', webSocketUrl: broker.webSocketUrl },
    }, { wrapper: ['qemu-aarch64-static', '-L', root], startTimeoutMilliseconds });
    chromium = await launchChromium();
    page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilTimecode(page, 30_000);
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
    await broker?.stop();
  });

  test('Chromium decodes at the rate of the camera and the timecode in the picture advances with the clock', async () => {
    const { before: first, after: last, rate } = await decodedRate(page, 5000);
    assert.equal(`${last.width}x${last.height}`, '320x180');
    assert.ok(rate > frameRate * 0.7 && rate < frameRate * 1.3, `decoded ${rate.toFixed(1)} of ${frameRate} frames per second`);
    const advanced = last.captureUnixMilliseconds - first.captureUnixMilliseconds;
    const elapsed = last.at - first.at;
    assert.ok(Math.abs(advanced - elapsed) < elapsed * 0.2, `the timecode advanced ${advanced} ms in ${elapsed.toFixed(0)} ms`);
    assert.ok(last.captureFrame > first.captureFrame, 'the frame number in the picture advanced');
    assert.deepEqual(page.problems, []);
  });

  test('the page plays with ?signal=mqtt', async () => {
    const other = await openViewer(chromium.browser, `${agent.url}/?signal=mqtt`);
    await untilLive(other, 30_000);
    assert.ok((await agent.status()).viewers.some(({ via }) => via === 'mqtt'));
    await other.close();
    await eventually('the session is freed', async () => (await agent.status()).viewers.length === 1);
  });

  test('a snapshot is a JPEG picture', async () => {
    const response = await fetch(`${agent.url}/api/cameras/main/snapshot.jpg`);
    assert.equal(response.headers.get('content-type'), 'image/jpeg', agent.output);
    assert.deepEqual([...new Uint8Array(await response.arrayBuffer()).slice(0, 3)], [0xff, 0xd8, 0xff]);
  });

  test('SIGTERM ends it with status 0 while a viewer watches', async () => {
    assert.equal((await agent.status()).viewers.length, 1);
    assert.equal(await agent.stop(), 0, agent.output);
    agent = undefined;
  });
});
