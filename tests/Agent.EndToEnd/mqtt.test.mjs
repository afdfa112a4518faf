import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import mqtt from 'mqtt';
import { Agent, Broker, eventually } from './lib/agent.mjs';
import { decodedRate, launchChromium, openViewer, readViewer, untilLive } from './lib/browser.mjs';

const frameRate = 30;
const base = 'camera-agent/e2e';

describe('Chromium over MQTT', () => {
  let broker, agent, chromium, client;
  before(async () => {
    broker = await Broker.start();
    agent = await Agent.start({
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate } } },
      mqtt: { host: '127.0.0.1', port: broker.port, device: 'e2e', webSocketUrl: broker.webSocketUrl },
    });
    chromium = await launchChromium();
    client = await mqtt.connectAsync(broker.url);
  });
  after(async () => {
    await client?.endAsync(true);
    await chromium?.close();
    await agent?.stop();
    await broker?.stop();
  });

  test('the page plays with ?signal=mqtt', async () => {
    const page = await openViewer(chromium.browser, `${agent.url}/?signal=mqtt`);
    await untilLive(page);
    const { rate } = await decodedRate(page);
    assert.ok(rate > frameRate * 0.8, `decoded ${rate.toFixed(1)} frames per second`);
    assert.equal((await readViewer(page)).shown.signalling, 'MQTT');
    assert.equal((await agent.status()).viewers[0].via, 'mqtt');
    assert.deepEqual(page.problems, []);
    await page.close();
    await eventually('the session is freed', async () => (await agent.status()).viewers.length === 0, 5000);
  });

  test('hostile payloads are answered on the error topic and a viewer who is watching does not notice', async () => {
    const page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
    const errors = [];
    client.on('message', (topic, payload) => errors.push(`${topic} ${payload}`));
    await client.subscribeAsync(`${base}/error`);
    const watching = decodedRate(page);
    for (const payload of ['', 'null', '{', '[]', '{"type":"offer"}', '{"type":"offer","sdp":"v=0"}', '{"type":"offer","sdp":7}', '\u0000\u0001', 'x'.repeat(200_000)]) {
      await client.publishAsync(`${base}/webrtc/offer/hostile`, payload, { qos: 1 });
      await client.publishAsync(`${base}/webrtc/ice/hostile`, payload, { qos: 1 });
      await client.publishAsync(`${base}/webrtc/bye/hostile`, payload, { qos: 1 });
    }
    await eventually('an error is published', () => errors.length > 0);
    const { rate } = await watching;
    assert.ok(rate > frameRate * 0.8, `decoded ${rate.toFixed(1)} frames per second under fire`);
    assert.equal((await agent.status()).viewers.length, 1);
    await page.close();
  });

  test('the status topic says online, offline after a clean stop, and offline after a kill', async () => {
    const states = [];
    client.on('message', (topic, payload) => topic === `${base}/status` && states.push(String(payload)));
    await client.subscribeAsync(`${base}/status`);
    await eventually('retained online', () => states.at(-1) === 'online');
    await agent.stop();
    await eventually('offline after a clean stop', () => states.at(-1) === 'offline');

    agent = await Agent.start({ mqtt: { host: '127.0.0.1', port: broker.port, device: 'e2e' } });
    await eventually('online again', () => states.at(-1) === 'online');
    agent.process.kill('SIGKILL');
    await eventually('the last will', () => states.at(-1) === 'offline');
  });

  test('after the broker was killed and restarted the agent is online again and takes offers', async () => {
    agent = await Agent.start({ mqtt: { host: '127.0.0.1', port: broker.port, device: 'e2e', webSocketUrl: broker.webSocketUrl } });
    await client.endAsync(true);
    await broker.kill();
    await broker.run();
    client = await mqtt.connectAsync(broker.url);
    const states = [];
    client.on('message', (topic, payload) => states.push(String(payload)));
    await client.subscribeAsync(`${base}/status`);
    await eventually('online again', () => states.at(-1) === 'online', 30_000);
    const page = await openViewer(chromium.browser, `${agent.url}/?signal=mqtt`);
    await untilLive(page);
    await page.close();
  });
});
