// What a viewer sees of losses over a long way: docs/network.md. Parameters: webrtc.playoutDelayMinimum and playoutDelayMaximum, 0 by default.
import { setTimeout as delay } from 'node:timers/promises';
import { startHome } from '../lib/home.mjs';
import { report, table } from '../lib/report.mjs';
import { ChromiumViewer } from '../lib/viewer.mjs';

const seconds = 20;
const roundTripMilliseconds = 100;
const [playoutDelayMinimum = 0, playoutDelayMaximum = playoutDelayMinimum] = process.argv.slice(2).map(Number).filter(Number.isInteger);
const home = await startHome({ impaired: true, camera: { encoder: { bitrate: 1_500_000 } }, webrtc: { playoutDelayMinimum, playoutDelayMaximum } });
const rows = [['loss, both ways', 'lost packets', 'frames decoded', 'frozen', 'freezes', 'asked again (NACK)', 'retransmitted', 'keyframes asked for', 'round trip']];
try {
  await home.network.link.set({ delayMilliseconds: roundTripMilliseconds / 2 });
  for (const { lossShare, lossBurstFrames = 0 } of [{ lossShare: 0 }, { lossShare: 0.01 }, { lossShare: 0.05 }, { lossShare: 0.05, lossBurstFrames: 4 }, { lossShare: 0.1 }]) {
    // A browser of its own, without the bandwidth estimate and jitter buffer that losses have shaped.
    const viewer = await ChromiumViewer.launch(home);
    await viewer.watch(home);
    await home.network.link.set({ lossShare, lossBurstFrames });
    const before = await viewer.statistics();
    const linkBefore = (await home.network.link.statistics()).ab;
    const encodedBefore = (await home.status()).cameras[0].framesEncoded;
    await delay(seconds * 1000);
    const after = await viewer.statistics();
    const linkAfter = (await home.network.link.statistics()).ab;
    const encoded = (await home.status()).cameras[0].framesEncoded - encodedBefore;
    await home.network.link.set({ lossShare: 0, lossBurstFrames: 0 });
    await viewer.leave();
    await viewer.close();
    const grown = (name) => (after[name] ?? 0) - (before[name] ?? 0);
    rows.push([
      `${lossShare * 100} %${lossBurstFrames ? ` in bursts of ${lossBurstFrames}` : ''}`, linkAfter.lost - linkBefore.lost,
      `${((100 * grown('framesDecoded')) / encoded).toFixed(1)} % of ${encoded}`, `${(100 * grown('totalFreezesDuration') / seconds).toFixed(1)} % of the time`,
      grown('freezeCount'), grown('nackCount'), grown('retransmittedPacketsReceived'), grown('pliCount'), `${after.roundTripMilliseconds.toFixed(0)} ms`,
    ]);
    console.error(rows.at(-1).join(' | '));
  }
} finally {
  await home.stop();
}
await report('docs/network.md', 'loss', table(rows));
