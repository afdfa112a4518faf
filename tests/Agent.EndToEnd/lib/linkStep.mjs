import { setTimeout as delay } from 'node:timers/promises';

export const wide = 4_000_000;
export const narrow = 500_000;

/** Of the link's rate, to count as used to the full: headers and the encoder's own inaccuracy are in it. */
const fullShare = 0.8;
const windowMilliseconds = 1_000;
const pollMilliseconds = 100;
const oneWayMilliseconds = 20;
const queueMilliseconds = 300; // as home routers have it

/** Moving noise: an encoder can squeeze nothing out of it, so that the bitrate is what it is asked for. */
export const noise = {
  source: {
    kind: 'exec', pixelFormat: 'YU12', width: 480, height: 270, frameRate: 30,
    command: ['ffmpeg', '-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=480x270:rate=30,noise=alls=60:allf=t', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'],
  },
  encoder: { bitrate: wide, keyFrameInterval: 300 },
};

const setRate = (network, rateBitsPerSecond) => network.link.set({ direction: 'ab', rateBitsPerSecond, queueMilliseconds });

const bitsDelivered = async (network) => (await network.link.statistics()).ab.bytesDelivered * 8;

/** A wide link, before anybody watches. */
export async function prepare(network) {
  await network.link.set({ delayMilliseconds: oneWayMilliseconds });
  await setRate(network, wide);
}

/** The share of the link's rate that crosses it to the viewer in the next milliseconds. */
async function measure(network, rate, milliseconds) {
  const [before, began] = [await bitsDelivered(network), performance.now()];
  await delay(milliseconds);
  return (await bitsDelivered(network) - before) / ((performance.now() - began) / 1000) / rate;
}

/** Milliseconds until most of the link's rate has crossed it for a second; Infinity if that is not within the limit. */
async function untilFull(network, rate, limitMilliseconds) {
  const began = performance.now();
  const samples = [];
  while (performance.now() - began < limitMilliseconds) {
    samples.push({ at: performance.now(), bits: await bitsDelivered(network) });
    const last = samples.at(-1);
    const first = samples.findLast(({ at }) => last.at - at >= windowMilliseconds);
    if (first && (last.bits - first.bits) / ((last.at - first.at) / 1000) >= fullShare * rate) {
      return last.at - began;
    }
    await delay(pollMilliseconds);
  }
  return Infinity;
}

/**
 * While a viewer watches over a wide link: makes it narrow, and wide again. Shares are of the link's rate, in the last `measureMilliseconds` of
 * each time; standstills in milliseconds between two pictures shown, from just before the change. `whileNarrow` is awaited when the link is about to become wide.
 */
export async function stepLink(network, viewer, { settleMilliseconds, measureMilliseconds, recoverMilliseconds, whileNarrow = () => {} }) {
  const first = await measure(network, wide, measureMilliseconds);
  await viewer.notePictures();
  await setRate(network, narrow);
  await delay(settleMilliseconds);
  const second = await measure(network, narrow, measureMilliseconds);
  const standstill = await viewer.longestStandstill();
  await whileNarrow();
  await viewer.notePictures();
  await setRate(network, wide);
  const recovered = await untilFull(network, wide, recoverMilliseconds);
  const third = await measure(network, wide, measureMilliseconds);
  return { used: [first, second, third], standstill: [standstill, await viewer.longestStandstill()], recovered };
}
