import { launchChromium } from './browser.mjs';

/** Chromium in a namespace, with a page that watches over WHEP by a script of the test's own: no part of the agent's page is in the figures. */
export class ChromiumViewer {
  static async launch({ network }) {
    const viewer = new ChromiumViewer();
    viewer.chromium = await launchChromium({ executablePath: await network.wrap('/usr/bin/chromium'), pipe: true });
    return viewer;
  }

  /** Opens the WHEP session; returns milliseconds from before the offer was made to the first picture shown. */
  async watch({ url, token }) {
    this.page ??= await this.chromium.newPage();
    await this.page.goto(new URL('/icon.svg', url).href); // a document of the agent's origin that runs nothing
    return await this.page.evaluate(watchInPage, url, token);
  }

  /** The inbound-rtp statistics of getStats, and the round-trip time of the selected pair in milliseconds. */
  statistics = () => this.page.evaluate(async () => {
    const all = [...(await viewer.connection.getStats()).values()];
    const pair = all.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
    return { ...all.find(({ type }) => type === 'inbound-rtp'), roundTripMilliseconds: (pair?.currentRoundTripTime ?? 0) * 1000 };
  });

  /** Notes when each picture is shown, from the last one on. */
  notePictures = () => this.page.evaluate(() => {
    const isNoting = Boolean(globalThis.shownAt);
    globalThis.shownAt = globalThis.shownAt?.slice(-1) ?? [];
    if (isNoting) {
      return;
    }
    const video = document.querySelector('video');
    const note = (now) => {
      globalThis.shownAt.push(now);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  });

  /** The longest time between two of them, and since the last one, in milliseconds. */
  longestStandstill = () => this.page.evaluate(() => {
    const times = [...globalThis.shownAt, performance.now()];
    return Math.max(...times.slice(1).map((at, i) => at - times[i]));
  });

  restart = () => this.page.evaluate(() => viewer.restart());

  /** Deletes the session. */
  leave = () => this.page.evaluate(() => viewer.close());

  close = () => this.chromium.close();
}

/** Runs in the browser: a session on `globalThis.viewer`. */
export async function watchInPage(url, token) {
  const iceLine = /^a=(ice-ufrag|ice-pwd|candidate|end-of-candidates)\b.*\r?\n/gm;
  const headers = { Authorization: `Bearer ${token}` };
  const send = async (target, method, expected, type, body, more = {}) => {
    const response = await fetch(target, { method, headers: { ...headers, ...(type && { 'Content-Type': type }), ...more }, body });
    const text = await response.text();
    if (response.status !== expected) {
      throw new Error(`${method}: ${response.status} ${text}`);
    }
    return { text, location: response.headers.get('Location') };
  };
  const began = performance.now();
  const connection = new RTCPeerConnection();
  const video = document.createElementNS('http://www.w3.org/1999/xhtml', 'video');
  video.muted = true;
  video.autoplay = true;
  const shown = new Promise((resolve) => video.requestVideoFrameCallback?.(() => resolve(performance.now() - began)));
  connection.ontrack = ({ streams, track }) => (video.srcObject = streams[0] ?? new MediaStream([track]));
  document.documentElement.append(video);
  connection.addTransceiver('video', { direction: 'recvonly' });
  await connection.setLocalDescription(await connection.createOffer());
  // The agent learns the viewer's candidates from its checks.
  const { text: answer, location } = await send(url, 'POST', 201, 'application/sdp', connection.localDescription.sdp);
  const session = new URL(location, url);
  await connection.setRemoteDescription({ type: 'answer', sdp: answer });
  globalThis.viewer = {
    connection,
    frames: async () => [...(await connection.getStats()).values()].find(({ type }) => type === 'inbound-rtp')?.framesDecoded ?? 0,
    restart: async () => {
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
      const lines = ['ice-ufrag', 'ice-pwd'].map((name) => connection.localDescription.sdp.match(new RegExp(`^a=${name}:.*$`, 'm'))[0].trim());
      const body = [...lines, 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ''].join('\r\n');
      const { text: fragment } = await send(session, 'PATCH', 200, 'application/trickle-ice-sdpfrag', body, { 'If-Match': '*' });
      const first = answer.search(/^a=ice-ufrag:/m);
      const sdp = answer.slice(0, first).replace(iceLine, '') + fragment.match(iceLine).join('') + answer.slice(first).replace(iceLine, '');
      await connection.setRemoteDescription({ type: 'answer', sdp });
    },
    close: async () => {
      await send(session, 'DELETE', 200);
      connection.close();
      video.remove();
    },
  };
  return await shown;
}
