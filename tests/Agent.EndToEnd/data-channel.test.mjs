import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, Broker, eventually } from './lib/agent.mjs';
import { decodedRate, launchChromium, launchFirefox, openViewer, readViewer, untilLive, untilTimecode } from './lib/browser.mjs';

const frameRate = 30;
const cameras = { main: { source: { kind: 'test', width: 640, height: 360, frameRate } } };

/** A viewer of its own inside the page, with the channels asked for; what they say is kept. */
const connect = (page, labels, path = 'whep/main') => page.evaluate(async (names, endpoint) => {
  const connection = new RTCPeerConnection();
  const peer = { connection, channels: {}, messages: {}, states: {} };
  connection.addTransceiver('video', { direction: 'recvonly' });
  for (const name of names) {
    const channel = connection.createDataChannel(name, name === 'telemetry' ? { ordered: false, maxRetransmits: 0 } : {});
    peer.channels[name] = channel;
    peer.messages[name] = [];
    channel.onmessage = (event) => peer.messages[name].push({ at: Date.now(), ...JSON.parse(event.data) });
  }
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete') await new Promise((resolve) => connection.addEventListener('icegatheringstatechange', resolve, { once: true }));
  const response = await fetch(endpoint, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: connection.localDescription.sdp });
  const answer = await response.text();
  await connection.setRemoteDescription({ type: 'answer', sdp: answer });
  window.peer = peer;
  return { offer: connection.localDescription.sdp, answer };
}, labels, path);
const state = (page, name) => page.evaluate((label) => window.peer.channels[label].readyState, name);
const messages = (page, name) => page.evaluate((label) => window.peer.messages[label], name);
const say = (page, text) => page.evaluate((one) => window.peer.channels.control.send(one), text);
const outcome = (page, id) => eventually(`the outcome of ${id}`, async () => (await messages(page, 'control')).find((one) => one.id === id));

describe('Data channels in Chromium', () => {
  let agent, browser, page;
  const entity = async (id) => (await fetch(`${agent.url}/api/entities/${id}`)).json();
  before(async () => {
    agent = await Agent.start({ cameras });
    browser = await launchChromium();
    page = await openViewer(browser.browser, `${agent.url}/?panel=off`);
    await untilTimecode(page, 30_000);
  });
  after(async () => {
    await browser?.close();
    await agent?.stop();
  });

  test('the page shows how late telemetry is', async () => {
    const late = await eventually('telemetry', async () => /^(-?\d+) ms$/.exec((await readViewer(page)).shown.telemetry)?.[1]);
    assert.ok(Math.abs(Number(late)) < 500, `${late} ms`);
  });

  test('video and both channels share one transport, in the order of the offer', async () => {
    const { offer, answer } = await connect(page, ['control', 'telemetry']);
    const sections = (sdp) => sdp.split('\r\n').filter((line) => line.startsWith('m=')).map((line) => line.split(' ')[0]);
    assert.deepEqual(sections(answer), sections(offer));
    assert.match(answer, /m=application \d+ UDP\/DTLS\/SCTP webrtc-datachannel/);
    assert.match(answer, /a=sctp-port:5000\r\na=max-message-size:65536/);
    await eventually('both are open', async () => (await state(page, 'control')) === 'open' && (await state(page, 'telemetry')) === 'open');
    const viewer = (await agent.status()).viewers.at(-1);
    assert.deepEqual(viewer.peer.data.open.toSorted(), ['control', 'telemetry']);
  });

  test('a command is carried out and answered, and telemetry tells of it', async () => {
    await say(page, JSON.stringify({ type: 'command', id: 1, entity: 'main_bitrate', value: 700 }));
    const { type, ok, value, entity: which } = await outcome(page, 1);
    assert.deepEqual([type, ok, value, which], ['result', true, '700', 'main_bitrate']);
    assert.equal((await entity('main_bitrate')).value, '700');
    const told = await eventually('telemetry tells', async () => (await messages(page, 'telemetry')).flatMap((one) => (one.states ?? []).map((s) => ({ ...s, received: one.at })))
      .find((one) => one.id === 'main_bitrate' && one.value === '700'));
    assert.ok(Math.abs(told.received - told.at) < 1000, `changed at ${told.at}, heard at ${told.received}`);
  });

  test('refusals have a code and a reason, and nothing else breaks', async () => {
    const cases = [
      [{ type: 'command', id: 2, entity: 'nowhere', value: 'ON' }, 'unknown-entity'],
      [{ type: 'command', id: 3, entity: 'viewers', value: '1' }, 'takes-no-commands'],
      [{ type: 'command', id: 4, entity: 'main_privacy', value: 'perhaps' }, 'malformed'],
      [{ type: 'command', id: 5, entity: 'main_privacy', value: { on: true } }, 'malformed'],
      [{ type: 'wish', id: 6 }, 'malformed'],
    ];
    for (const [request, code] of cases) {
      await say(page, JSON.stringify(request));
      const refused = await outcome(page, request.id);
      assert.equal(refused.ok, false);
      assert.equal(refused.code, code);
      assert.ok(refused.message.length > 10, refused.message);
    }
    const before = (await messages(page, 'control')).length;
    for (const text of ['', '{', 'null', 'x'.repeat(20_000), '"\\ud800"', '[[[[[[[[[[[[]]]]]]]]]]]]']) await say(page, text);
    await eventually('each is answered', async () => (await messages(page, 'control')).length === before + 6);
    assert.equal((await entity('main_privacy')).value, 'OFF');
  });

  test('a flood of commands is limited', async () => {
    await page.evaluate(() => {
      for (let id = 1000; id < 1500; id++) window.peer.channels.control.send(JSON.stringify({ type: 'command', id, entity: 'main_bitrate', value: 800 }));
    });
    await eventually('some are refused', async () => (await messages(page, 'control')).some((one) => one.code === 'rate-limited'));
    await say(page, JSON.stringify({ type: 'command', id: 2000, entity: 'nowhere', value: 1 }));
    const { rate } = await decodedRate(page, 2000);
    assert.ok(rate > frameRate * 0.7, `decoded ${rate.toFixed(1)} frames per second beside it`);
  });

  test('the camera tells each second what it does and when its newest picture was taken', async () => {
    const told = await eventually('two of them', async () => {
      const all = (await messages(page, 'telemetry')).filter((one) => one.type === 'camera');
      return all.length >= 2 && all;
    });
    const last = told.at(-1);
    assert.equal(last.camera, 'main');
    assert.ok(last.producing && Math.abs(last.framesPerSecond - frameRate) < frameRate * 0.3, JSON.stringify(last));
    assert.ok(last.sentAt >= last.capturedAt && last.sentAt - last.capturedAt < 500, JSON.stringify(last));
  });

  test('a channel that is closed is closed on the other side, and one of no use says so', async () => {
    await page.evaluate(() => window.peer.channels.telemetry.close());
    await eventually('the agent has closed it', async () => !(await agent.status()).viewers.at(-1).peer.data.open.includes('telemetry'));
    await eventually('so has the browser', async () => (await state(page, 'telemetry')) === 'closed');
    await page.evaluate(() => {
      const { connection, channels, messages: heard } = window.peer;
      heard.other = [];
      channels.other = connection.createDataChannel('other');
      channels.other.onmessage = (event) => heard.other.push(JSON.parse(event.data));
    });
    await eventually('it is closed', async () => (await state(page, 'other')) === 'closed');
    // The state changes at once, events are dispatched by tasks of their own.
    const [refusal] = await eventually('it says why', async () => { const heard = await messages(page, 'other'); return heard.length > 0 && heard; });
    assert.equal(refusal.code, 'unknown-channel');
    assert.equal(await state(page, 'control'), 'open');
    assert.deepEqual((await agent.metrics()).get('camera_agent_session_faults_total'), 0);
  });
});

describe('Data channels in Firefox', () => {
  test("the page hears telemetry and sends the panel's commands by them", async () => {
    const agent = await Agent.start({ cameras });
    const firefox = await launchFirefox();
    try {
      const page = await openViewer(firefox.browser, `${agent.url}/`);
      await untilTimecode(page, 30_000);
      await eventually('telemetry', async () => /^-?\d+ ms$/.test((await readViewer(page)).shown.telemetry));
      await page.waitForSelector('#house li[data-entity=main_privacy] input');
      await page.click('#house li[data-entity=main_privacy] input');
      await eventually('it is carried out', async () => (await (await fetch(`${agent.url}/api/entities/main_privacy`)).json()).value === 'ON');
      const { data } = (await agent.status()).viewers[0].peer;
      assert.equal(data.messagesReceived, 1);
      assert.deepEqual(data.open.toSorted(), ['control', 'telemetry']);
    } finally {
      await firefox.close();
      await agent.stop();
    }
  });
});

describe('Who may command', () => {
  let broker, agent, chromium;
  const configuration = (mqtt) => ({ cameras, mqtt: { host: '127.0.0.1', port: broker.port, device: 'e2e', webSocketUrl: broker.webSocketUrl, ...mqtt } });
  before(async () => {
    broker = await Broker.start();
    chromium = await launchChromium();
  });
  after(async () => {
    await chromium?.close();
    await broker?.stop();
  });

  for (const viewersMayCommand of [false, true]) {
    test(`a viewer signalled over MQTT ${viewersMayCommand ? 'may, where that is configured' : 'may watch only, and is told so'}`, async () => {
      agent = await Agent.start(configuration({ viewersMayCommand }));
      try {
        const page = await chromium.newPage();
        const heard = [];
        page.on('console', (message) => heard.push(message.text()));
        await page.goto(`${agent.url}/?signal=mqtt`);
        page.problems = [];
        await untilLive(page);
        await eventually('telemetry', async () => (await agent.status()).viewers[0].peer.data.open.includes('telemetry'));
        await page.waitForSelector('#house li[data-entity=main_privacy] input');
        if (viewersMayCommand) {
          await page.click('#house li[data-entity=main_privacy] input');
          await eventually('it is carried out', async () => (await (await fetch(`${agent.url}/api/entities/main_privacy`)).json()).value === 'ON');
          assert.ok(!heard.some((text) => text.includes('control:')), heard.join());
          assert.ok((await agent.status()).viewers[0].peer.data.open.includes('control'));
        } else {
          await eventually('the channel is refused', () => heard.some((text) => text.includes('may watch and not command')));
          await eventually('and closed', async () => (await agent.status()).viewers[0].peer.data.open.join() === 'telemetry');
        }
        await page.close();
      } finally {
        await agent.stop();
      }
    });
  }

  test('without data channels an offer that has them is answered in order, and the page plays', async () => {
    agent = await Agent.start({ cameras, webrtc: { udpPort: 0, listenAddresses: ['127.0.0.1'], dataChannels: false } });
    try {
      const page = await openViewer(chromium.browser, `${agent.url}/`);
      await untilLive(page);
      const { answer } = await connect(page, ['control']);
      assert.match(answer, /m=application 0 /);
      assert.match(answer, /a=group:BUNDLE 0\r\n/);
      assert.equal((await readViewer(page)).shown.telemetry, '–');
      assert.deepEqual(page.problems, []);
    } finally {
      await agent.stop();
    }
  });
});
