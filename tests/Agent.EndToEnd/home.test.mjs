import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import mqtt from 'mqtt';
import { Agent, Broker, eventually } from './lib/agent.mjs';

const camera = { source: { kind: 'test', width: 320, height: 180, frameRate: 10 } };

describe('The smart home over MQTT', () => {
  let broker, agent, client;
  const topics = new Map();
  before(async () => {
    broker = await Broker.start();
    client = await mqtt.connectAsync(broker.url);
    client.on('message', (topic, payload) => topics.set(topic, payload));
    await client.subscribeAsync(['camera-agent/#', 'homeassistant/device/#']);
    agent = await Agent.start({ cameras: { 'Front-door': camera }, mqtt: { host: '127.0.0.1', port: broker.port, device: 'porch' } });
  });
  after(async () => {
    await client?.endAsync();
    await agent?.stop();
    await broker?.stop();
  });
  const topic = (name) => topics.get(`camera-agent/porch/${name}`)?.toString();
  const shows = (name, value) => eventually(`${name} is ${value}`, () => topic(name) === value);

  test('the device announces itself with what its camera has', async () => {
    // The sizes that a camera offers are known when it has been opened.
    const config = await eventually('the announcement with the resolution', () => {
      const [announced] = [...topics.keys()].filter((t) => t.startsWith('homeassistant/device/camera-agent-porch/')).map((t) => topics.get(t));
      return announced?.includes('front_door_resolution') ? announced : undefined;
    });
    const components = Object.values(JSON.parse(config).cmps).map(({ uniq_id, unique_id, p, platform }) => `${p ?? platform} ${uniq_id ?? unique_id}`).sort();
    // What the machine has sensors for is its own affair.
    const ofMachine = ['sensor cpu_temperature', 'binary_sensor power_problem', 'sensor wifi_signal'];
    assert.deepEqual(components.map((line) => line.replace('camera-agent-porch_', '')).filter((line) => !ofMachine.includes(line)), [
      'button front_door_restart', 'button front_door_take_snapshot', 'camera front_door_snapshot', 'number front_door_bitrate',
      'number front_door_target_frame_rate', 'select front_door_encoder_kind', 'select front_door_resolution', 'sensor disk_free',
      'sensor front_door_bitrate_now', 'sensor front_door_encoder', 'sensor front_door_frame_rate', 'sensor memory_available', 'sensor started', 'sensor uptime',
      'sensor viewers', 'switch front_door_privacy', 'update version',
    ]);
    await shows('status', 'online');
    await shows('viewers', '0');
    await shows('front_door_bitrate', '2000');
  });

  test('a bitrate that is set takes effect and is acknowledged; one that is not possible is answered with the reason', async () => {
    await client.publishAsync('camera-agent/porch/front_door_bitrate/set', '750', { qos: 1 });
    await shows('front_door_bitrate', '750');
    assert.equal((await agent.status()).cameras[0].targetBitrateBps, 750_000);
    await client.publishAsync('camera-agent/porch/front_door_bitrate/set', 'much', { qos: 1 });
    await eventually('the refusal', () => topic('error')?.includes('front_door_bitrate takes a number from 50 to 50000'));
    assert.equal(topic('front_door_bitrate'), '750');
  });

  test('the button takes a picture', async () => {
    await eventually('the camera produces', async () => (await agent.status()).cameras[0].isProducing);
    await shows('front_door_take_snapshot/availability', 'online');
    topics.delete('camera-agent/porch/front_door_snapshot');
    await client.publishAsync('camera-agent/porch/front_door_take_snapshot/set', 'PRESS', { qos: 1 });
    const jpeg = await eventually('the picture', () => topics.get('camera-agent/porch/front_door_snapshot'));
    assert.deepEqual([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  });

  test('privacy turns the camera off, and the broker keeps no picture of it', async () => {
    await shows('front_door_privacy', 'OFF');
    await client.publishAsync('camera-agent/porch/front_door_privacy/set', 'ON', { qos: 1 });
    await shows('front_door_privacy', 'ON');
    await shows('front_door_snapshot', '');
    await shows('front_door_take_snapshot/availability', 'offline');
    await shows('front_door_privacy/availability', 'online');
    assert.equal((await agent.status()).cameras[0].isPrivate, true);
    await client.publishAsync('camera-agent/porch/front_door_restart/set', 'PRESS', { qos: 1 });
    await eventually('the refusal', () => topic('error')?.includes('front_door_restart'));
    await client.publishAsync('camera-agent/porch/front_door_privacy/set', 'OFF', { qos: 1 });
    await shows('front_door_privacy', 'OFF');
    await eventually('the camera produces', async () => (await agent.status()).cameras[0].isProducing);
    await shows('front_door_restart/availability', 'online');
    await client.publishAsync('camera-agent/porch/front_door_restart/set', 'PRESS', { qos: 1 });
    await eventually('the camera produces again', async () => (await agent.status()).cameras[0].isProducing);
  });

  test('the button ends the agent in order, with the status at which systemd starts it again; elsewhere there is none', async () => {
    assert.equal((await fetch(`${agent.url}/api/entities/reboot_agent`)).status, 404);
    const served = await Agent.start(
      { cameras: { main: camera }, mqtt: { host: '127.0.0.1', port: broker.port, device: 'yard' } },
      { wrapper: ['sh', '-c', 'SYSTEMD_EXEC_PID=$$ exec "$@"', 'sh'] });
    await eventually('yard is online', () => topics.get('camera-agent/yard/status')?.toString() === 'online');
    await client.publishAsync('camera-agent/yard/reboot_agent/set', 'PRESS', { qos: 1 });
    assert.equal((await served.exited)[0], 75);
    assert.match(served.output, /Stopped/);
    await eventually('yard is offline', () => topics.get('camera-agent/yard/status')?.toString() === 'offline');
    await served.stop();
  });
});
