import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { decodedRate, launchChromium, openViewer, untilLive } from './lib/browser.mjs';

const frameRate = 30;
/** Well-formed, but there is nothing in it to watch. */
const startOffer = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';

describe('Bad input while somebody watches', () => {
  let agent, chromium, page;
  before(async () => {
    agent = await Agent.start({ cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate } } } });
    chromium = await launchChromium();
    page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
  });

  const post = (path, body, type = 'application/sdp') => fetch(`${agent.url}${path}`, { method: 'POST', headers: { 'Content-Type': type }, body });

  async function whileWatching(attack) {
    const watching = decodedRate(page);
    await attack();
    const { rate } = await watching;
    assert.ok(rate > frameRate * 0.8, `decoded ${rate.toFixed(1)} frames per second under fire`);
    assert.equal((await agent.status()).viewers.length, 1);
  }

  test('garbage, truncated STUN, RTCP and DTLS datagrams', () => whileWatching(async () => {
    const { viewers } = await agent.status();
    const local = viewers[0].peer.selectedPair.local;
    const port = Number(local.slice(local.lastIndexOf(':') + 1));
    const socket = createSocket('udp4');
    const send = (bytes) => new Promise((resolve, reject) => socket.send(bytes, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())));
    const stun = Buffer.from('000100002112a442', 'hex');
    for (let i = 0; i < 5000; i++) {
      const bytes = randomBytes(1 + (i % 1400));
      bytes[0] = [0, 1, 22, 128, 200, 255, bytes[0]][i % 7];
      await send(i % 7 < 2 ? Buffer.concat([stun, bytes]).subarray(0, 1 + (i % 64)) : bytes);
    }
    socket.close();
  }));

  test('offers that are no offers get an error that says what is wrong', () => whileWatching(async () => {
    for (const [body, status] of [['', 400], ['garbage', 400], [startOffer, 406], ['\u0000'.repeat(1000), 400]]) {
      const response = await post('/whep/main', body);
      assert.equal(response.status, status, body.slice(0, 20));
      assert.match(response.headers.get('content-type'), /application\/problem\+json/);
      assert.ok((await response.json()).detail.length > 10);
    }
  }));

  test('wrong content type 415, unknown camera 404 that names the known ones, body too large 413', async () => {
    assert.equal((await post('/whep/main', '{}', 'application/json')).status, 415);
    const unknown = await post('/whep/garden', startOffer);
    assert.equal(unknown.status, 404);
    assert.match((await unknown.json()).detail, /main/);
    assert.equal((await post('/whep/main', 'x'.repeat(1_000_000))).status, 413);
  });

  test('each prefix of a real offer is answered with an error or an answer, never a failure', async () => {
    const offer = await page.evaluate(async () => {
      const connection = new RTCPeerConnection();
      connection.addTransceiver('video', { direction: 'recvonly' });
      const { sdp } = await connection.createOffer();
      connection.close();
      return sdp;
    });
    const seen = new Set();
    for (let length = 0; length < offer.length; length += 97) {
      let response = await post('/whep/main', offer.slice(0, length));
      if (response.status === 429) {
        await new Promise((resolve) => setTimeout(resolve, 1000 * Number(response.headers.get('Retry-After'))));
        response = await post('/whep/main', offer.slice(0, length));
      }
      seen.add(response.status);
      if (response.status === 201) {
        const session = new URL(response.headers.get('Location'), `${agent.url}/whep/main`);
        assert.equal((await fetch(session, { method: 'DELETE' })).status, 200);
      }
    }
    assert.ok([...seen].every((status) => [201, 400, 406].includes(status)), [...seen].join());
    await eventually('only the watcher is left', async () => (await agent.status()).viewers.length === 1);
  });
});
