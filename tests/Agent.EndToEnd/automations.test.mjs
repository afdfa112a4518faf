import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import mqtt from 'mqtt';
import { Agent, Broker, eventually } from './lib/agent.mjs';

/** Long enough for the agent to be up. */
const secondsAhead = 10;

describe('Automations', () => {
  let broker, agent, client, folder, configuration;
  const messages = [];
  const states = new Map();
  const say = (payload, retain = false) => ({ publish: { topic: 'house/said', payload, retain } });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'automations-'));
    broker = await Broker.start();
    client = await mqtt.connectAsync(broker.url);
    client.on('message', (topic, payload) => (topic.startsWith('house/') ? messages.push(payload.toString()) : states.set(topic, payload)));
    await client.subscribeAsync(['house/#', 'camera-agent/#']);
    // The agent's clock is this machine's.
    const at = new Date(Date.now() + secondsAhead * 1000).toTimeString().slice(0, 8);
    configuration = {
      stateDirectory: folder,
      cameras: { 'Front-door': { source: { kind: 'test', width: 320, height: 180, frameRate: 10 } } },
      mqtt: { host: '127.0.0.1', port: broker.port, device: 'porch' },
      automations: {
        told: { when: [{ entity: 'front_door_privacy', to: 'on' }], do: [say('privacy', true), { set: 'front_door_bitrate', to: 500, for: '2s' }] },
        picture: { when: [{ entity: 'front_door_bitrate', above: 3000, hysteresis: 500 }], do: [{ snapshot: 'Front-door' }, say('picture')] },
        clock: { when: [{ at }], do: [say('clock')] },
        began: { when: [{ start: true }], do: [say('began')] },
        alone: { when: [{ entity: 'front_door_bitrate', below: 100 }], do: [{ set: 'front_door_privacy', to: 'on', for: '3s' }], enabled: false },
        round: { when: [{ entity: 'automation_toy', to: 'on' }], do: [{ set: 'automation_toy', to: 'off' }], cooldown: '0s' },
        about: { when: [{ entity: 'automation_toy', to: 'off' }], do: [{ set: 'automation_toy', to: 'on' }], cooldown: '0s' },
        toy: { when: [{ at: '00:00' }], do: [{ wait: '1s' }] },
        bad: { when: [{ entity: 'no_such_thing', to: 'on' }], do: [say('never')] },
      },
    };
    agent = await Agent.start(configuration);
  });
  after(async () => {
    await client?.endAsync(true);
    await agent?.stop();
    await broker?.stop();
    await rm(folder, { recursive: true });
  });
  const shows = (id, value) => eventually(`${id} is ${value}`, () => states.get(`camera-agent/porch/${id}`)?.toString() === value);
  const command = (id, value) => client.publishAsync(`camera-agent/porch/${id}/set`, value, { qos: 1 });
  const said = (what) => eventually(`"${what}" is said`, () => messages.includes(what), 20_000);
  const metric = async (name, automation) => (await agent.metrics()).get(`camera_agent_automation_${name}{automation="${automation}"}`);

  test('one that cannot work is out of service with its reason, and the agent works', async () => {
    await shows('automation_bad/availability', 'offline');
    await shows('automation_told/availability', 'online');
    assert.match(agent.output, /Automation bad is out of service: when\[0\]: there is no entity "no_such_thing"/);
    assert.equal(await metric('in_service', 'bad'), 0);
    assert.equal(await metric('in_service', 'told'), 1);
  });

  test('a time of day comes', async () => {
    await said('clock');
    assert.equal(messages.filter((message) => message === 'clock').length, 1);
  });

  test('a command over MQTT sets one off: a message is published, and a number is set and taken back', async () => {
    await shows('front_door_bitrate', '2000');
    await command('front_door_privacy', 'ON');
    await said('privacy');
    await shows('front_door_bitrate', '500');
    await shows('front_door_bitrate', '2000');
    assert.equal(await metric('runs_total', 'told'), 1);
    const { value } = await (await fetch(`${agent.url}/api/entities/automation_told_last_run`)).json();
    assert.ok(Math.abs(Date.now() - Date.parse(value)) < 60_000, value);
    await command('front_door_privacy', 'OFF');
    await shows('front_door_privacy', 'OFF');
  });

  test('a number beyond its limit takes a picture', async () => {
    await shows('front_door_take_snapshot/availability', 'online');
    states.delete('camera-agent/porch/front_door_snapshot');
    await command('front_door_bitrate', '3500');
    await said('picture');
    const jpeg = await eventually('the picture', () => states.get('camera-agent/porch/front_door_snapshot'));
    assert.deepEqual([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  });

  test('two that set each other off are stopped with a line in the log', async () => {
    await command('automation_toy', 'OFF');
    await eventually('the line', () => /Automation (round|about) is set off too often/.test(agent.output));
    assert.equal((await metric('left_out_total', 'round')) + (await metric('left_out_total', 'about')), 1);
  });

  test('while the broker is away the rest is done, and the message follows', async () => {
    await broker.kill();
    await eventually('the agent has noticed', async () => !(await agent.status()).mqtt.connected);
    messages.length = 0;
    const switchPrivacy = (value) => fetch(`${agent.url}/api/entities/front_door_privacy`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ value }),
    });
    assert.equal((await switchPrivacy(true)).status, 200);
    await eventually('the number is set', async () => (await agent.status()).cameras[0].targetBitrateBps === 500_000);
    await broker.run();
    // Retained: the agent may be back before this test is.
    await said('privacy');
    assert.equal((await agent.metrics()).get('camera_agent_automation_messages_dropped_total'), 0);
    assert.equal((await switchPrivacy(false)).status, 200);
  });

  test('its switch is remembered, and what is to be taken back is after a power cut', async () => {
    await command('automation_told', 'OFF');
    await command('automation_alone', 'ON');
    await shows('automation_told', 'OFF');
    await shows('automation_alone', 'ON');
    messages.length = 0;
    await command('front_door_bitrate', '60');
    await eventually('the disk knows', async () => (await readFile(join(folder, 'state.json'), 'utf8')).includes('automation.alone.undo.front_door_privacy'));
    agent.process.kill('SIGKILL');
    await agent.exited;
    states.clear();
    agent = await Agent.start(configuration);
    await shows('front_door_privacy', 'ON');
    await said('began');
    await shows('automation_told', 'OFF');
    await shows('front_door_privacy', 'OFF');
    assert.ok(!messages.includes('privacy'));
  });
});
