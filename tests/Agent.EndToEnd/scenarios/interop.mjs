// Which implementations of WebRTC get on with the agent: docs/interop.md.
import { startHome } from '../lib/home.mjs';
import { exercise, peers } from '../lib/interop.mjs';
import { report, table } from '../lib/report.mjs';

const home = await startHome({ impaired: true });
await home.network.link.set({ delayMilliseconds: 5 }); // as in interop.test.mjs
const rows = [['peer', 'version', 'DTLS, SRTP', 'frames decoded', 'data channel', 'ICE restart', 'session deleted']];
try {
  for (const peer of peers) {
    try {
      const result = await exercise(peer, home);
      const clean = result.complaints === '' && result.gaps === 0 ? '' : ` (${result.gaps} gaps; ${result.complaints})`;
      rows.push([
        peer.name, result.version, `${result.dtls}, ${result.srtp}`,
        peer.decodes === false ? `no H.264 in this build; ${result.packets} packets` : `${result.decoded}${clean}`,
        result.answered ? 'yes' : '–', result.restarted ? 'yes' : 'the peer has none', 'yes',
      ]);
    } catch (error) {
      rows.push([peer.name, '', '', `failed: ${error.message.split('\n')[0]}`, '', '', '']);
      process.exitCode = 1;
    }
  }
} finally {
  await home.stop();
}
await report('docs/interop.md', 'interop', table(rows));
