// What the agent is measured against: libdatachannel sending one H.264 stream to all who ask. `sender.mjs ADDRESS PORT FILE FRAMES-PER-SECOND`;
// the file is a byte stream with access unit delimiters, played in a loop. POST an offer anywhere, DELETE the session, as in WHEP.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { H264RtpPacketizer, PeerConnection, RtcpNackResponder, RtcpSrReporter, RtpPacketizationConfig, Video } from 'node-datachannel';

const [address, port, file, framesPerSecond] = process.argv.slice(2);
const clockRate = 90_000;
const payloadType = 96;
const delimiter = Buffer.from([0, 0, 0, 1, 9]);

const stream = await readFile(file);
const accessUnits = [];
for (let at = stream.indexOf(delimiter); at >= 0; ) {
  const next = stream.indexOf(delimiter, at + 1);
  accessUnits.push(stream.subarray(at, next < 0 ? stream.length : next));
  at = next;
}

const viewers = [];
let nextSsrc = 1000;
createServer(async (request, response) => {
  if (request.method === 'DELETE') {
    const [viewer] = viewers.splice(viewers.findIndex(({ path }) => path === request.url), 1);
    viewer.connection.close();
    response.end();
    return;
  }

  const body = (await request.toArray()).join('');
  const connection = new PeerConnection('sender', { iceServers: [], bindAddress: address });
  const gathered = new Promise((resolve) => connection.onGatheringStateChange((state) => state === 'complete' && resolve()));
  const ssrc = nextSsrc++;
  const path = `/${ssrc}`;
  const video = new Video('0', 'SendOnly');
  video.addH264Codec(payloadType);
  video.addSSRC(ssrc, 'camera', 'camera', 'camera');
  const track = connection.addTrack(video);
  const configuration = new RtpPacketizationConfig(ssrc, 'camera', payloadType, clockRate);
  const packetizer = new H264RtpPacketizer('StartSequence', configuration, 1200);
  packetizer.addToChain(new RtcpSrReporter(configuration));
  packetizer.addToChain(new RtcpNackResponder());
  track.setMediaHandler(packetizer);
  viewers.push({ path, connection, track, configuration });
  connection.setRemoteDescription(body, 'offer'); // it answers by itself
  await gathered;
  response.writeHead(201, { 'Content-Type': 'application/sdp', Location: path }).end(connection.localDescription().sdp);
}).listen(Number(port), address, () => console.log('ready'));

const began = performance.now();
let sent = 0;
setInterval(() => {
  for (; sent < ((performance.now() - began) * framesPerSecond) / 1000; sent++) {
    for (const { track, configuration } of viewers) {
      if (track.isOpen()) {
        configuration.timestamp = (sent * clockRate) / framesPerSecond;
        track.sendMessageBinary(accessUnits[sent % accessUnits.length]);
      }
    }
  }
}, 1000 / framesPerSecond / 2);
