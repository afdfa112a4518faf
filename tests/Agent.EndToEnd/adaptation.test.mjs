import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, eventually, freePort } from './lib/agent.mjs';
import { launchChromium } from './lib/browser.mjs';
import { Namespace } from './lib/namespace.mjs';

const token = 'secret';
const wide = 4_000_000;
const narrow = 500_000;
const settleMilliseconds = 3_000;
const measureMilliseconds = 5_000;
const recoverMilliseconds = 10_000;
const longestStandstillMilliseconds = 500;

/** Moving noise: an encoder can squeeze nothing out of it, so that the bitrate is what it is asked for. */
const noise = {
  source: {
    kind: 'exec', pixelFormat: 'YU12', width: 480, height: 270, frameRate: 30,
    command: ['ffmpeg', '-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=480x270:rate=30,noise=alls=60:allf=t', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'],
  },
  encoder: { bitrate: wide, keyFrameInterval: 300 },
};

/** Chromium across a wire whose width changes, with a queue before it as a home router has one. */
let network, agent, chromium, page;

before(async () => {
  network = await Namespace.create({ impaired: true, seed: 3 });
  const port = await freePort();
  agent = await Agent.start({
    http: { listen: `${network.host}:${port}`, bearerToken: token },
    webrtc: { udpPort: 0, listenAddresses: [network.host] },
    cameras: { main: noise },
  }, { port, host: network.host });
  chromium = await launchChromium({ executablePath: await network.wrap('/usr/bin/chromium'), pipe: true });
  page = await chromium.newPage();
  await page.goto(new URL('/icon.svg', agent.url).href); // a document of the agent's origin that runs nothing
});

after(async () => {
  await chromium?.close();
  await agent?.stop();
  await network?.remove();
});

const setRate = (rateBitsPerSecond) => network.link.set({ direction: 'ab', rateBitsPerSecond, queueMilliseconds: 300 });

const get = (path) => fetch(`${agent.url}${path}`, { headers: { Authorization: `Bearer ${token}` } });

const status = async () => await (await get('/api/status')).json();

const camera = async () => (await status()).cameras[0];

/** Runs in the browser: watches over WHEP until the first picture is shown. */
async function watch(url, bearer) {
  const connection = (globalThis.connection = new RTCPeerConnection());
  const video = document.createElementNS('http://www.w3.org/1999/xhtml', 'video');
  video.muted = true;
  video.autoplay = true;
  connection.ontrack = ({ track }) => (video.srcObject = new MediaStream([track]));
  document.documentElement.append(video);
  connection.addTransceiver('video', { direction: 'recvonly' });
  await connection.setLocalDescription();
  const headers = { 'Content-Type': 'application/sdp', Authorization: `Bearer ${bearer}` };
  const response = await fetch(url, { method: 'POST', headers, body: connection.localDescription.sdp });
  await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
}

/** Notes in the browser when each picture is shown, from now on. */
const watchPictures = () => page.evaluate(() => {
  const video = document.querySelector('video');
  globalThis.shownAt = [];
  const note = (now) => {
    globalThis.shownAt.push(now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
});

/** The longest time between two pictures since then, in milliseconds. */
const longestStandstill = () => page.evaluate(() => Math.max(...globalThis.shownAt.slice(1).map((at, i) => at - globalThis.shownAt[i])));

/** Bits per second that crossed the wire to the viewer meanwhile. */
async function measure() {
  const before = (await network.link.statistics()).ab.bytesDelivered;
  await delay(measureMilliseconds);
  return ((await network.link.statistics()).ab.bytesDelivered - before) * 8 / (measureMilliseconds / 1000);
}

test('the bitrate follows the link from 4 Mbit/s to half a megabit and back', async () => {
  await network.link.set({ delayMilliseconds: 20 });
  await setRate(wide);
  await page.evaluate(watch, `${agent.url}/whep/main`, token);
  await delay(settleMilliseconds);
  const first = await measure();

  await watchPictures();
  await setRate(narrow);
  await delay(settleMilliseconds);
  const second = await measure();
  const low = (await camera()).adaptedBitrateBps;
  const whileNarrowing = await longestStandstill();
  await watchPictures();

  await setRate(wide);
  const changed = Date.now();
  await eventually('the encoder is asked for most of 4 Mbit/s again', async () => (await camera()).adaptedBitrateBps > wide / 2, recoverMilliseconds);
  const recovered = Date.now() - changed;
  const third = await measure();
  const standstill = await longestStandstill();

  const { congestion } = (await status()).viewers[0].peer.video;
  console.log(
    `used: ${(first / wide).toFixed(2)} of 4 Mbit/s, ${(second / narrow).toFixed(2)} of 0.5 Mbit/s, ${(third / wide).toFixed(2)} of 4 Mbit/s again, ` +
    `${recovered} ms after the change; longest standstill ${whileNarrowing.toFixed(0)} ms as the link narrows, ${standstill.toFixed(0)} ms after; ${JSON.stringify(congestion)}`);
  assert.ok(low <= narrow, `${low} bit/s are asked of the encoder on a link of ${narrow}`);
  assert.ok(second / narrow > 0.3 && second / narrow <= 1.05, `${second} bit/s on a link of ${narrow}`);
  assert.ok(standstill < longestStandstillMilliseconds, `the picture stood still for ${standstill} ms`);
  assert.ok(congestion.acknowledgedBps > narrow, `${congestion.acknowledgedBps} bit/s are said to arrive`);
  assert.match(await (await get('/metrics')).text(), /camera_agent_camera_viewer_estimate_lowest_bits_per_second\{camera="main"\} \d+/);
});
