import { RTCPeerConnection, RTCSessionDescription, useH264 } from 'werift';
import { command, RtpReceiver, say, serve, tellAnswer, versionOf } from './peer.mjs';

await serve('werift', versionOf('werift'), async (whep) => {
  const receiver = new RtpReceiver();
  const connection = new RTCPeerConnection({ iceServers: [], codecs: { video: [useH264()], audio: [] } });
  connection.connectionStateChange.subscribe((state) => say({ state }));
  const transceiver = connection.addTransceiver('video', { direction: 'recvonly' });
  transceiver.onTrack.subscribe((track) => track.onReceiveRtp.subscribe((packet) => receiver.push(packet.serialize())));
  const channel = connection.createDataChannel('control');
  channel.stateChanged.subscribe((state) => state === 'open' && channel.send(command));
  channel.onMessage.subscribe((message) => tellAnswer(String(message)));
  await connection.setLocalDescription(await connection.createOffer());
  await connection.setRemoteDescription(new RTCSessionDescription(await whep.open(connection.localDescription.sdp), 'answer'));
  return {
    finish: receiver.finish,
    restart: async () => {
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
      await connection.setRemoteDescription(new RTCSessionDescription(await whep.restart(connection.localDescription.sdp), 'answer'));
    },
  };
});
