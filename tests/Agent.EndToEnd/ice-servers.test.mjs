import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';

const stun = 'stun:127.0.0.1:9';

describe('ICE servers and mapped addresses', () => {
  let agent, chromium;
  before(async () => {
    agent = await Agent.start({
      cameras: { main: { source: { kind: 'test', width: 320, height: 180 } } },
      webrtc: {
        udpPort: 0, listenAddresses: ['127.0.0.1'], publicAddresses: ['203.0.113.7:9000'],
        iceServers: [{ urls: [stun] }, { urls: ['turn:127.0.0.1:9?transport=udp'], secret: 'north', username: 'page' }],
      },
    });
    chromium = await launchChromium();
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
  });

  test('the page gives its connection the servers before it offers, and servers that do not answer delay nothing', async () => {
    const page = await chromium.browser.newPage();
    await page.evaluateOnNewDocument(() => {
      window.configurations = [];
      const { setConfiguration } = RTCPeerConnection.prototype;
      RTCPeerConnection.prototype.setConfiguration = function (configuration) {
        window.configurations.push([this.signalingState, this.iceGatheringState, configuration]);
        return setConfiguration.call(this, configuration);
      };
    });
    page.problems = [];
    await page.goto(`${agent.url}/`);
    await untilLive(page);
    const [[signaling, gathering, { iceServers }]] = await page.evaluate(() => window.configurations);
    assert.deepEqual([signaling, gathering], ['stable', 'new']);
    assert.deepEqual(iceServers[0], { urls: [stun] });
    assert.match(iceServers[1].username, /^\d{10}:page$/);
    assert.equal(Buffer.from(iceServers[1].credential, 'base64').length, 20);
    await page.close();
  });

  test('the answer offers the mapped address, and the 201 names the servers to pages of other makers', async () => {
    const page = await openViewer(chromium.browser, `${agent.url}/`);
    const answer = await page.evaluate(async () => {
      const connection = new RTCPeerConnection();
      connection.addTransceiver('video', { direction: 'recvonly' });
      await connection.setLocalDescription();
      const response = await fetch('whep/main', { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: connection.localDescription.sdp });
      const sdp = await response.text();
      await connection.setRemoteDescription({ type: 'answer', sdp });
      connection.close();
      return { sdp, link: response.headers.get('Link') };
    });
    assert.match(answer.sdp, /^a=candidate:\d+ 1 udp \d+ 203\.0\.113\.7 9000 typ srflx raddr 127\.0\.0\.1 rport \d+\r$/m);
    assert.ok(answer.link.startsWith(`<${stun}>; rel="ice-server", <turn:127.0.0.1:9?transport=udp>; rel="ice-server"; username="`), answer.link);
    await page.close();
  });
});
