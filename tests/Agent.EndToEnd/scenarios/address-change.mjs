// How long the picture stands still when a viewer's address changes: docs/network.md.
import { eventually } from '../lib/agent.mjs';
import { openViewer, launchChromium, untilLive } from '../lib/browser.mjs';
import { startHome } from '../lib/home.mjs';
import { median, report, table } from '../lib/report.mjs';

const changes = 8;

/** Milliseconds from each change to the next picture, with a page that is signalled so. */
async function measure(home, signal) {
  const times = [];
  const chromium = await launchChromium({ executablePath: await home.network.wrap('/usr/bin/chromium'), pipe: true });
  const page = await openViewer(chromium.browser, `${home.agent.url}/?signal=${signal}`);
  if (signal === 'whep') {
    await page.waitForSelector('#token', { visible: true });
    await page.type('#token', home.token);
    await page.click('#token-form button');
  }
  await untilLive(page);
  // The page knows when it shows a frame; this process only changes the address.
  await page.evaluate(() => {
    const video = document.getElementById('video');
    globalThis.shownAt = Date.now();
    const next = () => {
      globalThis.shownAt = Date.now();
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  });
  for (let i = 0; i < changes; i++) {
    const address = 3 + i;
    const session = (await home.viewers())[0].sessionId;
    // At any point of the browser's schedule: it checks the path that it uses every two and a half seconds.
    await new Promise((resolve) => setTimeout(resolve, 2500 + Math.random() * 2500));
    await home.network.setAddress(address);
    const changed = Date.now();
    await eventually('the agent sends to the new address', async () =>
      (await home.viewers())[0]?.peer.selectedPair?.remote.startsWith(`${home.network.prefix}.${address}:`));
    const switched = Date.now();
    times.push(await eventually('the picture goes on', async () => {
      const shown = await page.evaluate(() => shownAt);
      return shown > switched && shown - changed;
    }));
    if ((await home.viewers())[0].sessionId !== session) {
      throw new Error('the page opened another session');
    }
  }
  await chromium.close();
  return times;
}

const rows = [];
for (const [signal, name] of [['whep', 'WHEP'], ['mqtt', 'MQTT']]) {
  const home = await startHome({ hasBroker: true });
  try {
    const times = await measure(home, signal);
    rows.push([`from the change to the next picture shown, same session, signalled over ${name}`, `${median(times)} ms`, `${Math.max(...times)} ms`]);
  } finally {
    await home.stop();
  }
}
await report('docs/network.md', 'address-change', table([['the page in Chromium', `median of ${changes}`, 'longest'], ...rows]));
