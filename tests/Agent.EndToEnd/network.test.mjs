// The networks that other tests put between viewers and the agent: that they do to traffic what they say.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from './lib/agent.mjs';
import { Internet } from './lib/nat.mjs';
import { Namespace } from './lib/namespace.mjs';
import { UdpProbe } from './lib/udpProbe.mjs';

const run = promisify(execFile);
const port = 40000;

describe('An impaired link', () => {
  let network, near, far;
  before(async () => {
    network = await Namespace.create({ impaired: true });
    near = await UdpProbe.open(port);
    far = await UdpProbe.open(port, network);
    await roundTrip('warm-up');
  });
  after(async () => {
    await near?.close();
    await far?.close();
    await network?.remove();
  });

  const inside = () => `${network.prefix}.2`;
  const perfect = { delayMilliseconds: 0, jitterMilliseconds: 0, lossShare: 0, lossBurstFrames: 0, reorderShare: 0, rateBitsPerSecond: 0 };

  async function roundTrip(name) {
    const sent = performance.now();
    near.send(inside(), port, `echo ${name}`);
    await eventually(`${name} comes back`, () => near.find(`echoed ${name}`));
    return near.find(`echoed ${name}`).at - sent;
  }

  /**
   * Sends numbered datagrams, as fast as the devices' and sockets' queues take them, and another one after them that nothing happens to;
   * returns those that arrived, in their order.
   */
  async function burst(name, count, padding = 0) {
    const onTheLink = async () => (await network.link.statistics()).ab.received;
    for (let sent = 0; sent < count; ) {
      const before = await onTheLink();
      for (let i = 0; i < chunk; i++) {
        near.send(inside(), port, `${name} ${sent++} ${'x'.repeat(padding)}`);
      }
      await eventually(`${chunk} datagrams are on the link`, async () => await onTheLink() >= before + chunk);
    }
    await network.link.set(perfect);
    await roundTrip(`after ${name}`);
    return far.received.filter(({ text }) => text.startsWith(`${name} `)).map(({ text, at }) => ({ number: Number(text.split(' ')[1]), at }));
  }
  const chunk = 100;

  test('delays each direction by what was asked for, and TCP too', async () => {
    await network.link.set({ direction: 'ab', delayMilliseconds: 40 });
    await network.link.set({ direction: 'ba', delayMilliseconds: 20 });
    const times = [];
    for (let i = 0; i < 5; i++) {
      times.push(await roundTrip(`delayed ${i}`));
    }
    times.sort((a, b) => a - b);
    assert.ok(times[0] >= 60 && times[2] < 120, `round trips took ${times.map((time) => time.toFixed(1)).join(', ')} ms`);

    const server = createServer((_, response) => response.end('hello')).listen(0, network.host);
    await once(server, 'listening');
    const { stdout } = await network.execute('curl', '-s', '-w', ' %{time_total}', `http://${network.host}:${server.address().port}/`);
    server.close();
    const [body, seconds] = stdout.split(' ');
    assert.equal(body, 'hello');
    assert.ok(Number(seconds) >= 0.12, `TCP's handshake and a request are two round trips; they took ${seconds} s`);
    await network.link.set(perfect);
  });

  test('loses the share that was asked for, in bursts or not', async () => {
    for (const lossBurstFrames of [0, 5]) {
      await network.link.set({ direction: 'ab', lossShare: 0.1, lossBurstFrames });
      const name = `lossy${lossBurstFrames}`;
      const arrived = await burst(name, 2000);
      const lost = 2000 - arrived.length;
      assert.ok(lost > 100 && lost < 320, `lost ${lost} of 2000`);
      let bursts = 0;
      arrived.forEach(({ number }, i) => (bursts += number > (arrived[i - 1]?.number ?? -1) + 1 ? 1 : 0));
      const mean = lost / bursts;
      assert.ok(lossBurstFrames ? mean > 3 && mean < 8 : mean < 1.5, `bursts of ${mean} on average`);
    }
  });

  test('keeps the order under jitter, and changes it when asked to', async () => {
    const overtaken = (arrived) => arrived.filter(({ number }, i) => arrived.slice(0, i).some((earlier) => earlier.number > number)).length;
    await network.link.set({ direction: 'ab', delayMilliseconds: 30, jitterMilliseconds: 20 });
    assert.equal(overtaken(await burst('jittery', 200)), 0);
    await network.link.set({ direction: 'ab', delayMilliseconds: 30, reorderShare: 0.2 });
    assert.ok(overtaken(await burst('reordered', 200)) > 50);
  });

  test('lets no more through than the rate, and drops what the queue does not hold', async () => {
    const before = await network.link.statistics();
    await network.link.set({ direction: 'ab', rateBitsPerSecond: 1_000_000, queueMilliseconds: 100 });
    const arrived = await burst('slow', 500, 1000);
    const { overflowed } = (await network.link.statistics()).ab;
    assert.equal(overflowed - before.ab.overflowed, 500 - arrived.length, 'what did not arrive was dropped before the link');
    assert.ok(arrived.length >= 12 && arrived.length < 250, `${arrived.length} of 500 arrived`);
    const took = arrived.at(-1).at - arrived[0].at;
    const expected = ((arrived.length - 1) * 1050 * 8) / 1000; // with the headers of UDP, IP and Ethernet
    assert.ok(took > expected * 0.8, `${arrived.length} kB took ${took.toFixed(0)} ms, at 1 Mbit/s it is ${expected.toFixed(0)}`);
  });

  test('refuses what it does not know', async () => {
    await assert.rejects(network.link.set({ speed: 1 }), /no setting 'speed'/);
    await assert.rejects(network.link.set({ lossShare: 2 }), /not a share/);
  });
});

describe('Routers', () => {
  let internet, home, friend, inside, server, otherPort, otherHost;
  before(async () => {
    internet = await Internet.create();
    home = await internet.addHome({ forwardTcp: { 8080: 80 } });
    friend = await internet.addHost();
    inside = await UdpProbe.open(port, home.host);
    server = await UdpProbe.open(port);
    otherPort = await UdpProbe.open(port + 1);
    otherHost = await UdpProbe.open(port, friend);
  });
  after(async () => {
    for (const probe of [inside, server, otherPort, otherHost]) {
      await probe?.close();
    }
    await internet?.remove();
  });

  /** Sends from the home and returns how the other side sees it. */
  async function mapped(probe, address, to, text) {
    inside.send(address, to, text);
    return await eventually(`${text} arrives`, () => probe.find(text));
  }

  for (const [kind, expected] of Object.entries({
    'full-cone': { mapping: 'same', otherPort: true, otherHost: true },
    'address-restricted': { mapping: 'same', otherPort: true, otherHost: false },
    'port-restricted': { mapping: 'same', otherPort: false, otherHost: false },
    symmetric: { mapping: 'different', otherPort: false, otherHost: false },
  })) {
    test(`${kind}: the outside port for another destination is ${expected.mapping === 'same' ? 'the same' : 'another one'}, and who may answer`, async () => {
      await home.setRules({ kind });
      const first = await mapped(server, internet.testAddress, port, `${kind} out`);
      assert.equal(first.address, home.publicAddress);

      // What a knocker sends to the server after it knocked arrives: so did the knock, or it was dropped.
      for (const [probe, name] of [[otherPort, 'other port'], [otherHost, 'other host']]) {
        probe.send(first.address, first.port, `${kind} ${name}`);
        probe.send(internet.testAddress, port, `${kind} ${name} knocked`);
        await eventually(`${name} has knocked`, () => server.find(`${kind} ${name} knocked`));
      }
      server.send(first.address, first.port, `${kind} answer`);
      await eventually('the answer arrives', () => inside.find(`${kind} answer`));
      if (expected.otherPort) {
        await eventually('another port gets in', () => inside.find(`${kind} other port`));
      }
      if (expected.otherHost) {
        await eventually('another host gets in', () => inside.find(`${kind} other host`));
      }
      assert.equal(Boolean(inside.find(`${kind} other port`)), expected.otherPort, 'another port of a known address');
      assert.equal(Boolean(inside.find(`${kind} other host`)), expected.otherHost, 'another host');

      const second = await mapped(otherHost, friend.address, port, `${kind} out again`);
      assert.equal(second.address, home.publicAddress);
      assert.equal(second.port === first.port, expected.mapping === 'same', `${first.port} and ${second.port}`);
    });
  }

  test('UDP can be blocked while TCP passes, out and through a forwarded port', async () => {
    await home.setRules({ udp: 'blocked', forwardTcp: { 8080: 80 } });
    const web = createServer((_, response) => response.end('public')).listen(0, internet.testAddress);
    await once(web, 'listening');
    inside.send(internet.testAddress, port, 'blocked');
    const url = `http://${internet.testAddress}:${web.address().port}/`;
    assert.equal((await home.host.execute('curl', '-s', '--max-time', '5', url)).stdout, 'public');
    assert.equal(server.find('blocked'), undefined);

    const page = home.host.execute(process.execPath, '-e',
      "require('http').createServer((q, r) => r.end('home', () => process.exit())).listen(80, () => process.stdout.write('.'))");
    await eventually('the forwarded port answers', async () => await (await fetch(`http://${home.publicAddress}:8080/`)).text() === 'home');
    await page;

    await home.setRules({ tcpPorts: [443] });
    await assert.rejects(home.host.execute('curl', '-s', '--max-time', '1', url), 'other ports than 443 are closed');
    web.close();
  });

  test('nothing is left behind when a test process is killed', async () => {
    const script = `
      const { Namespace } = await import('${import.meta.dirname}/lib/namespace.mjs');
      const { Internet } = await import('${import.meta.dirname}/lib/nat.mjs');
      const network = await Namespace.create({ impaired: true });
      const internet = await Internet.create();
      await internet.addHome({ impaired: true });
      console.log(JSON.stringify([network.prefix, internet.prefix]));
      process.kill(process.pid, 'SIGKILL');`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]).catch((killed) => killed);
    const prefixes = JSON.parse(stdout);
    await eventually('their interfaces are gone', async () => {
      const { stdout: addresses } = await run('ip', ['-4', '-o', 'address']);
      return prefixes.every((prefix) => !addresses.includes(`inet ${prefix}.`));
    });
  });
});
