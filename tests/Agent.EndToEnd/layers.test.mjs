import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, eventually, freePort } from './lib/agent.mjs';
import { launchChromium } from './lib/browser.mjs';
import { Namespace } from './lib/namespace.mjs';

const token = 'secret';
const target = 1_500_000;
const width = 640;
const height = 360;
const frameRate = 30;

/** Where 640 x 360 at 30 frames per second has less than the bits that it needs, and at 15 has them. */
const narrow = 150_000;
const thin = 300_000;
const wide = 8_000_000;

const longestStandstillMilliseconds = 1_000;
/** A link that becomes many times narrower at one stroke loses what is on its way. */
const longestCollapseMilliseconds = 3_000;
const moveMilliseconds = 30_000;
const watchMilliseconds = 5_000;

/** Moving noise: an encoder can squeeze nothing out of it, so that the bitrate is what it is asked for. */
const noise = {
  source: {
    kind: 'exec', pixelFormat: 'YU12', width, height, frameRate,
    command: ['ffmpeg', '-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${frameRate},noise=alls=40:allf=t`, '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'],
  },
  encoder: { bitrate: target, minimumBitrate: 50_000, keyFrameInterval: 300 },
};

/** One Chromium across a wire whose width changes, with a queue before it as a home router has one, and one beside the agent. */
let network, agent, distant, near;

before(async () => {
  network = await Namespace.create({ impaired: true, seed: 7 });
  const port = await freePort();
  agent = await Agent.start({
    http: { listen: `${network.host}:${port}`, bearerToken: token },
    webrtc: { udpPort: 0, listenAddresses: [network.host] },
    cameras: { main: noise, single: { ...noise, smallLayer: 'off' } },
  }, { port, host: network.host });
  distant = await launchChromium({ executablePath: await network.wrap('/usr/bin/chromium'), pipe: true });
  near = await launchChromium();
});

after(async () => {
  await near?.close();
  await distant?.close();
  await agent?.stop();
  await network?.remove();
});

const setRate = (rateBitsPerSecond) => network.link.set({ direction: 'ab', rateBitsPerSecond, queueMilliseconds: 300 });

const get = (path) => fetch(`${agent.url}${path}`, { headers: { Authorization: `Bearer ${token}` } });

const setPrivacy = async (privacy) => {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  assert.ok((await fetch(`${agent.url}/api/cameras/main`, { method: 'PATCH', headers, body: JSON.stringify({ privacy }) })).ok);
};

const status = async () => await (await get('/api/status')).json();

const layers = async (camera) => (await status()).cameras.find(({ name }) => name === camera).layers;

/** Runs in the browser: watches over WHEP until the first picture is shown, and notes each one's time and width. */
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
  globalThis.shown = [];
  await new Promise((resolve) => {
    const note = (at, { width }) => {
      globalThis.shown.push({ at, width });
      resolve();
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  });
}

async function open(browser, camera) {
  const page = await browser.newPage();
  await page.goto(new URL('/icon.svg', agent.url).href); // a document of the agent's origin that runs nothing
  await page.evaluate(watch, `${agent.url}/whep/${camera}`, token);
  return page;
}

const close = async (page) => {
  await page.evaluate(() => globalThis.connection.close());
  await page.close();
};

/** The width of the picture shown last, which is the video element's videoWidth. */
const shownWidth = (page) => page.evaluate(() => document.querySelector('video').videoWidth);

/** Pictures shown for a while, and the longest time from one to the next in milliseconds. */
async function observe(page, milliseconds = watchMilliseconds) {
  await page.evaluate(() => (globalThis.shown = globalThis.shown.slice(-1)));
  await delay(milliseconds);
  return page.evaluate(() => {
    const { shown } = globalThis;
    return {
      standstill: Math.max(...shown.slice(1).map(({ at }, i) => at - shown[i].at)),
      framesPerSecond: 1000 * (shown.length - 1) / (shown.at(-1).at - shown[0].at),
    };
  });
}

/** The longest time between two pictures around the first change to a width: the move to another layer. */
const standstillAtMoveTo = (page, to) => page.evaluate((to) => {
  const { shown } = globalThis;
  const move = shown.findIndex(({ width }, i) => i > 0 && width === to && shown[i - 1].width !== to);
  return shown[move].at - shown[move - 1].at;
}, to);

const untilWidth = (page, expected) => eventually(`the picture is ${expected} wide`, async () => await shownWidth(page) === expected, moveMilliseconds);

test('a viewer on a thin link is given the small layer and the other one keeps all of its picture; a wide link brings it back', async () => {
  await network.link.set({ delayMilliseconds: 20 });
  await setRate(wide);
  const nearPage = await open(near, 'main');
  const page = await open(distant, 'main');
  await eventually('both viewers have the main layer at its bitrate', async () => {
    const [main, small] = await layers('main');
    return main.viewers === 2 && small.viewers === 0 && small.encoder === undefined && main.adaptedBitrateBps > 0.9 * target;
  }, moveMilliseconds);
  assert.deepEqual([await shownWidth(nearPage), await shownWidth(page)], [width, width]);

  await setRate(thin);
  await untilWidth(page, width / 2);
  const atMoveDown = await standstillAtMoveTo(page, width / 2);
  await delay(watchMilliseconds);
  const moving = await observe(page);
  const [main, small] = await layers('main');
  const seenBy = (await status()).viewers.map(({ layer }) => layer).sort();
  const metrics = await (await get('/metrics')).text();
  assert.equal(await shownWidth(nearPage), width);
  const unmoved = await observe(nearPage);

  await setPrivacy(true);
  await eventually('neither layer is encoded', async () => (await layers('main')).every(({ encoder }) => encoder === undefined));
  await setPrivacy(false);
  await eventually('both layers are encoded again', async () => (await layers('main')).every(({ encoder, framesPerSecond }) => encoder && framesPerSecond > 5));
  const back = await observe(page);
  const widthAfterPrivacy = await shownWidth(page);

  await page.evaluate(() => (globalThis.shown = []));
  await setRate(wide);
  await untilWidth(page, width);
  const atMoveUp = await standstillAtMoveTo(page, width);
  await eventually('the small layer is closed', async () => (await layers('main'))[1].encoder === undefined);
  console.log(
    `thin: ${JSON.stringify(moving)}, wide meanwhile: ${JSON.stringify(unmoved)}; standstill at the move down ${atMoveDown.toFixed(0)} ms, up ${atMoveUp.toFixed(0)} ms; ` +
    `${JSON.stringify([main, small])}`);

  assert.deepEqual(seenBy, ['main', 'small']);
  assert.deepEqual([small.name, small.width, small.height, small.viewers, main.viewers], ['small', width / 2, height / 2, 1, 1]);
  assert.ok(small.adaptedBitrateBps <= thin && small.bitrateBps <= thin, `${small.bitrateBps} bit/s for a link of ${thin}`);
  assert.ok(main.adaptedBitrateBps > 0.9 * target, `the main layer is made at ${main.adaptedBitrateBps} bit/s`);
  assert.match(metrics, /camera_agent_camera_layer_viewers\{camera="main",layer="small"\} 1\n/);
  assert.match(metrics, /camera_agent_camera_layer_open\{camera="main",layer="small"\} 1\n/);
  assert.match(await (await get('/metrics')).text(), /camera_agent_camera_layer_open\{camera="main",layer="small"\} 0\n/);
  assert.ok(moving.standstill < longestStandstillMilliseconds, `the small picture stood still for ${moving.standstill} ms`);
  assert.equal(widthAfterPrivacy, width / 2);
  assert.ok(back.framesPerSecond > frameRate / 2, `${back.framesPerSecond} pictures per second after privacy`);
  assert.ok(atMoveDown < longestCollapseMilliseconds, `the picture stood still for ${atMoveDown} ms when the link became narrow`);
  assert.ok(atMoveUp < longestStandstillMilliseconds, `the picture stood still for ${atMoveUp} ms when it came back to full size`);
  await close(page);
  await close(nearPage);
});

test('a lone viewer of a camera without a small layer sees fewer pictures before they turn to mush, and all of them again', async () => {
  await setRate(wide);
  const page = await open(distant, 'single');
  await eventually('the encoder is asked for its target', async () => (await layers('single'))[0].adaptedBitrateBps > 0.9 * target, moveMilliseconds);
  assert.equal((await layers('single')).length, 1);

  await setRate(narrow);
  await eventually('fewer frames are encoded', async () => {
    const [main] = await layers('single');
    return main.framesPerSecond > 5 && main.framesPerSecond < 0.7 * frameRate;
  }, moveMilliseconds);
  assert.equal(await shownWidth(page), width);
  await delay(watchMilliseconds);
  const few = await observe(page);

  await setRate(wide);
  await eventually('all frames are encoded', async () => (await layers('single'))[0].framesPerSecond > 0.9 * frameRate, moveMilliseconds);
  console.log(`on ${narrow} bit/s: ${JSON.stringify(few)}`);
  assert.ok(few.framesPerSecond > 5 && few.framesPerSecond < 0.7 * frameRate, `${few.framesPerSecond} pictures per second`);
  await close(page);
});
