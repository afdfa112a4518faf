import type { Signalling } from './signalling';

const iceLine = /^a=(ice-ufrag|ice-pwd|candidate|end-of-candidates)\b.*\r?\n/gm;

/**
 * Looks for a new path under the session that stands (RFC 8445 §9): the media goes on where it was, nothing is negotiated anew.
 * The answer in force, with the agent's new credentials and candidates, answers the offer that restarts.
 */
export async function restartIce(connection: RTCPeerConnection, signalling: Required<Pick<Signalling, 'restart'>>): Promise<void> {
  const answer = connection.currentRemoteDescription?.sdp;
  if (!answer) {
    return;
  }

  const offer = await connection.createOffer({ iceRestart: true });
  await connection.setLocalDescription(offer);
  const fragment = await signalling.restart(offer.sdp ?? '');
  const lines = fragment.match(iceLine)?.join('') ?? '';
  const firstCredential = answer.search(/^a=ice-ufrag:/m);
  const sdp = answer.slice(0, firstCredential).replace(iceLine, '') + lines + answer.slice(firstCredential).replace(iceLine, '');
  await connection.setRemoteDescription({ type: 'answer', sdp });
}
