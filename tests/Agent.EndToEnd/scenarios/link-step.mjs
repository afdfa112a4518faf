// How the stream follows a link that becomes eight times narrower while somebody watches, and wide again: docs/network.md.
import { setTimeout as delay } from 'node:timers/promises';
import { startHome } from '../lib/home.mjs';
import { narrow, noise, prepare, stepLink, wide } from '../lib/linkStep.mjs';
import { median, report, table } from '../lib/report.mjs';
import { ChromiumViewer } from '../lib/viewer.mjs';

const repetitions = 5;
const times = { settleMilliseconds: 3_000, measureMilliseconds: 5_000, recoverMilliseconds: 20_000 };

const home = await startHome({ impaired: true, camera: noise });
const runs = [];
try {
  await prepare(home.network);
  const viewer = await ChromiumViewer.launch(home);
  await viewer.watch(home);
  for (let i = 0; i < repetitions; i++) {
    // The change falls into another moment of a picture and of the congestion control each time.
    await delay(times.settleMilliseconds + 370 * i);
    runs.push(await stepLink(home.network, viewer, times));
    console.error(JSON.stringify(runs.at(-1)));
  }
  await viewer.close();
} finally {
  await home.stop();
}

const of = (pick) => runs.map(pick).toSorted((a, b) => a - b);
const share = (pick) => [median(of(pick)), of(pick)[0]].map((value) => `${(100 * value).toFixed(0)} %`);
const time = (pick) => [median(of(pick)), of(pick).at(-1)].map((value) => `${value.toFixed(0)} ms`);
await report('docs/network.md', 'link-step', table([
  ['one viewer in Chromium', `median of ${repetitions}`, 'worst'],
  [`of ${wide / 1e6} Mbit/s used`, ...share(({ used }) => used[0])],
  [`of ${narrow / 1e6} Mbit/s used, 3 s after the change`, ...share(({ used }) => used[1])],
  ['longest standstill as the link becomes narrow and while it is', ...time(({ standstill }) => standstill[0])],
  [`until 80 % of ${wide / 1e6} Mbit/s are used again`, ...time(({ recovered }) => recovered)],
  [`of ${wide / 1e6} Mbit/s used from then on`, ...share(({ used }) => used[2])],
  ['longest standstill as the link becomes wide', ...time(({ standstill }) => standstill[1])]]));
