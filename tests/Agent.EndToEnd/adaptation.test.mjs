import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startHome } from './lib/home.mjs';
import { narrow, noise, prepare, stepLink, wide } from './lib/linkStep.mjs';
import { ChromiumViewer } from './lib/viewer.mjs';

const settleMilliseconds = 3_000;
const times = { settleMilliseconds, measureMilliseconds: 3_000, recoverMilliseconds: 10_000 };

/** Some 400 ms on an idle machine, 700 where a picture just fits the queue in front of the link (LinkStepTests); the rest is for a busy one. */
const longestStandstillMilliseconds = 1_000;
const longestStandstillAfterMilliseconds = 500;

/** Chromium across a wire whose width changes, with a queue before it as a home router has one. */
let home, viewer;

before(async () => {
  home = await startHome({ impaired: true, seed: 3, camera: noise });
  viewer = await ChromiumViewer.launch(home);
});

after(async () => {
  await viewer?.close();
  await home?.stop();
});

test('the stream follows the link from 4 Mbit/s to half a megabit and back', async () => {
  await prepare(home.network);
  await viewer.watch(home);
  await delay(settleMilliseconds);

  let asked;
  const { used, standstill, recovered } = await stepLink(home.network, viewer, {
    ...times, whileNarrow: async () => (asked = (await home.status()).cameras[0].adaptedBitrateBps),
  });

  const { congestion } = (await home.status()).viewers[0].peer.video;
  const [first, second, third] = used.map((share) => share.toFixed(2));
  console.log(
    `used: ${first} of 4 Mbit/s, ${second} of 0.5 Mbit/s, ${third} of 4 Mbit/s again, 80 % ${recovered.toFixed(0)} ms after the change; ` +
    `longest standstill ${standstill[0].toFixed(0)} ms as the link narrows, ${standstill[1].toFixed(0)} ms after; ${JSON.stringify(congestion)}`);
  assert.ok(asked <= narrow, `${asked} bit/s are asked of the encoder on a link of ${narrow}`);
  assert.ok(used[1] > 0.5 && used[1] <= 1.05, `${second} of the narrow link are used`);
  assert.ok(recovered <= times.recoverMilliseconds, `80 % of the link are not used again within ${times.recoverMilliseconds} ms`);
  assert.ok(standstill[0] < longestStandstillMilliseconds, `the picture stood still for ${standstill[0]} ms as the link became narrow`);
  assert.ok(standstill[1] < longestStandstillAfterMilliseconds, `the picture stood still for ${standstill[1]} ms as the link became wide`);
  assert.ok(congestion.acknowledgedBps > wide / 2, `${congestion.acknowledgedBps} bit/s are said to arrive`);
  const metrics = await fetch(`${home.agent.url}/metrics`, { headers: { Authorization: `Bearer ${home.token}` } });
  assert.match(await metrics.text(), /camera_agent_camera_viewer_estimate_lowest_bits_per_second\{camera="main"\} \d+/);
});
