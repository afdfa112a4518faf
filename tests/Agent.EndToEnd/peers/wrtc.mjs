import wrtc from '@roamhq/wrtc';
import { command, say, serve, tellAnswer, versionOf } from './peer.mjs';
const pollMilliseconds = 250;

/**
 * libwebrtc built without H.264. ICE, DTLS, SRTP and RTCP do not know what the payload is: the agent reads H.264 where this peer means VP8,
 * so all but the decoder is exercised, and complete frames are told by libwebrtc's count of markers.
 */
const asH264 = (sdp) => sdp
  .replace(/^a=rtpmap:(\d+) VP8\/90000\r\n/m, 'a=rtpmap:$1 H264/90000\r\na=fmtp:$1 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n');
const asVp8 = (sdp) => sdp.replace(/^(a=rtpmap:\d+) H264\/90000/m, '$1 VP8/90000').replace(/^a=fmtp:\d+ .*(profile-level-id|packetization-mode).*\r\n/gm, '');

await serve('libwebrtc (@roamhq/wrtc)', versionOf('@roamhq/wrtc'), async (whep) => {
  const connection = new wrtc.RTCPeerConnection();
  connection.onconnectionstatechange = () => say({ state: connection.connectionState });
  connection.addTransceiver('video', { direction: 'recvonly' });
  const channel = connection.createDataChannel('control');
  channel.onopen = () => channel.send(command);
  channel.onmessage = ({ data }) => tellAnswer(data);
  const describe = async (options) => {
    await connection.setLocalDescription(await connection.createOffer(options));
    while (connection.iceGatheringState !== 'complete') {
      await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
    }
    return asH264(connection.localDescription.sdp);
  };
  await connection.setRemoteDescription({ type: 'answer', sdp: asVp8(await whep.open(await describe())) });

  const inbound = async () => [...(await connection.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
  const polling = setInterval(async () => {
    const statistics = await inbound();
    if (statistics) {
      say({ packets: statistics.packetsReceived });
    }
  }, pollMilliseconds);
  return {
    finish: async () => {
      clearInterval(polling);
      const { packetsReceived, packetsLost, nackCount, pliCount } = await inbound();
      return { packets: packetsReceived, packetsLost, nackCount, pliCount };
    },
    restart: async () => {
      await connection.setRemoteDescription({ type: 'answer', sdp: asVp8(await whep.restart(await describe({ iceRestart: true }))) });
    },
  };
});
