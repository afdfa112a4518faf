import { SignallingError, TokenNeededError } from './signalling';

/** Asks the agent for STUN and TURN servers, with credentials made for this connection. */
export async function loadIceServers(bearerToken: string | null, retrySeconds: number): Promise<RTCIceServer[]> {
  const response = await fetch(new URL('api/ice-servers', document.baseURI), {
    headers: bearerToken ? { Authorization: `Bearer ${bearerToken}` } : {},
  });
  if (response.status === 401) {
    throw new TokenNeededError('The agent wants a token.');
  }

  if (!response.ok) {
    throw new SignallingError(`The agent answered ${response.status} to api/ice-servers.`, retrySeconds);
  }

  return ((await response.json()) as { iceServers: RTCIceServer[] }).iceServers;
}
