// Many viewers in one process: libdatachannel's connections, which cost little. `crowd.mjs WHEP-URL COUNT`; WHEP_TOKEN in the environment.
// Writes JSON lines: `connected` as they connect, with the `milliseconds` from before the offer; and for each line on standard input the
// `frames` and `packets` that came so far, by viewer.
import { createInterface } from 'node:readline';
import { PeerConnection, RtcpReceivingSession, Video } from 'node-datachannel';
import { say } from './peer.mjs';
import { WhepSession } from './whep.mjs';

const viewers = [];

/**
 * libdatachannel 0.24 checks the certificate against a description that it stores only after it has begun with ICE: where the way takes
 * microseconds, as between two namespaces, the handshake may be done by then, and fails. Such a viewer tries again.
 */
const attempts = 5;

async function join(url, name, attempt = 1) {
  const viewer = { frames: 0, packets: 0, connection: new PeerConnection(name, { iceServers: [] }) };
  viewers.push(viewer);
  const { connection } = viewer;
  const connected = new Promise((resolve, reject) => connection.onStateChange((state) =>
    state === 'connected' ? resolve() : state === 'failed' && reject(new Error(`${name} failed to connect`))));
  const gathered = new Promise((resolve) => connection.onGatheringStateChange((state) => state === 'complete' && resolve()));
  const video = new Video('0', 'RecvOnly');
  video.addH264Codec(96);
  viewer.track = connection.addTrack(video);
  viewer.track.setMediaHandler(new RtcpReceivingSession());
  viewer.track.onMessage((packet) => {
    viewer.packets++;
    viewer.frames += packet[1] >> 7; // the marker bit
  });
  connection.setLocalDescription('offer');
  await gathered;
  viewer.session = new WhepSession(url, process.env.WHEP_TOKEN);
  connected.catch(() => {}); // it is looked at below, where something else may have been thrown first
  try {
    connection.setRemoteDescription(await viewer.session.open(connection.localDescription().sdp), 'answer');
    await connected;
  } catch (error) {
    connection.close();
    if (attempt === attempts) {
      throw error;
    }
    viewers.pop();
    await viewer.session.close();
    await join(url, name, attempt + 1);
  }
}

try {
  const [url, count] = process.argv.slice(2);
  for (let i = 0; i < Number(count); i++) {
    const began = performance.now();
    await join(url, `viewer ${i}`);
    say({ connected: i + 1, milliseconds: performance.now() - began });
  }
} catch (error) {
  say({ error: error.stack });
  process.exit(1);
}
for await (const _ of createInterface({ input: process.stdin })) {
  say({ frames: viewers.map(({ frames }) => frames), packets: viewers.map(({ packets }) => packets), at: performance.now() });
}
for (const { session, connection } of viewers) {
  await session.close();
  connection.close();
}
process.exit();
