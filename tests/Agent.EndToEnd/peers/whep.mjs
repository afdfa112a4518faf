const iceLine = /^a=(ice-ufrag|ice-pwd|candidate|end-of-candidates)\b.*\r?\n/gm;

/** A WHEP session (draft-ietf-wish-whep) that a peer opens with its offer. */
export class WhepSession {
  constructor(url, token) {
    this.url = url;
    this.headers = token ? { Authorization: `Bearer ${token}` } : {};
  }

  /** Returns the answer. */
  async open(offer) {
    const response = await this.request(this.url, 'POST', 201, { 'Content-Type': 'application/sdp' }, offer);
    this.session = new URL(response.headers.get('Location'), this.url);
    this.answer = await response.text();
    return this.answer;
  }

  /** Restarts ICE with the credentials of a new offer; returns the answer with the agent's new ones. */
  async restart(offer) {
    const credentials = ['ice-ufrag', 'ice-pwd'].map((name) => offer.match(new RegExp(`^a=${name}:.*$`, 'm'))[0].trim());
    const candidates = offer.match(/^a=(candidate:.*|end-of-candidates)$/gm)?.map((line) => line.trim()) ?? [];
    const body = [...credentials, 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ...candidates, ''].join('\r\n');
    const response = await this.request(this.session, 'PATCH', 200, { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' }, body);
    const lines = (await response.text()).match(iceLine).join('');
    const first = this.answer.search(/^a=ice-ufrag:/m);
    this.answer = this.answer.slice(0, first).replace(iceLine, '') + lines + this.answer.slice(first).replace(iceLine, '');
    return this.answer;
  }

  close() {
    return this.request(this.session, 'DELETE', 200);
  }

  async request(url, method, expected, headers = {}, body = undefined) {
    const response = await fetch(url, { method, headers: { ...this.headers, ...headers }, body });
    if (response.status !== expected) {
      throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    }
    return response;
  }
}
