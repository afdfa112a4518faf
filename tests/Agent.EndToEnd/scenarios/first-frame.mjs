// How long a viewer in the same network waits for a picture: docs/network.md.
import { startHome } from '../lib/home.mjs';
import { median, report, table } from '../lib/report.mjs';
import { ChromiumViewer } from '../lib/viewer.mjs';

const repetitions = 10;
const home = await startHome();
const first = [];
const further = [];
try {
  const watching = await ChromiumViewer.launch(home);
  const joining = await ChromiumViewer.launch(home);
  for (let i = 0; i < repetitions; i++) {
    // The first viewer finds an idle encoder, the next one a stream that runs.
    first.push(await watching.watch(home));
    further.push(await joining.watch(home));
    await joining.leave();
    await watching.leave();
  }
  await watching.close();
  await joining.close();
} finally {
  await home.stop();
}

const row = (name, times) => [name, `${median(times).toFixed(0)} ms`, `${Math.max(...times).toFixed(0)} ms`];
await report('docs/network.md', 'first-frame', table([
  ['from the offer to the first picture shown, Chromium', `median of ${repetitions}`, 'longest'],
  row('the first viewer', first), row('a further viewer', further)]));
