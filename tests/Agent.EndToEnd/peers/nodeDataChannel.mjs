import { getLibraryVersion, PeerConnection, RtcpReceivingSession, Video } from 'node-datachannel';
import { command, RtpReceiver, say, serve, tellAnswer, versionOf } from './peer.mjs';

await serve('libdatachannel (node-datachannel)', `${getLibraryVersion()} (${versionOf('node-datachannel')})`, async (whep) => {
  const receiver = new RtpReceiver();
  const connection = new PeerConnection('viewer', { iceServers: [] });
  connection.onStateChange((state) => say({ state }));
  const gathered = new Promise((resolve) => connection.onGatheringStateChange((state) => state === 'complete' && resolve()));
  const video = new Video('0', 'RecvOnly');
  video.addH264Codec(96);
  const track = connection.addTrack(video);
  track.setMediaHandler(new RtcpReceivingSession());
  track.onMessage((packet) => receiver.push(packet));
  const channel = connection.createDataChannel('control');
  channel.onOpen(() => channel.sendMessage(command));
  channel.onMessage(tellAnswer);
  connection.setLocalDescription('offer');
  await gathered;
  connection.setRemoteDescription(await whep.open(connection.localDescription().sdp), 'answer');
  return { finish: receiver.finish, track, channel, connection };
});
