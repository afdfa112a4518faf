import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './agent.mjs';
import { launchChromium, launchFirefox } from './browser.mjs';
import { watchInPage } from './viewer.mjs';

const folder = join(import.meta.dirname, '../peers');
const python = '/usr/bin/python3'; // Debian's, which sees Debian's packages
/** Frames after the connection stands, and again after an ICE restart: two seconds of the camera. */
export const framesWanted = 60;
const timeoutMilliseconds = 30_000;

/** WebRTC implementations other than ours. `restarts`: the peer can restart ICE; `channels`: it opens a data channel; `decodes` is false where complete packets are all there is to see. */
export const peers = [
  { name: 'Chromium', launch: launchChromium, executablePath: '/usr/bin/chromium', restarts: true },
  { name: 'Firefox', launch: launchFirefox, executablePath: '/usr/bin/firefox-esr', restarts: true },
  { name: 'libwebrtc (@roamhq/wrtc)', command: [process.execPath, 'wrtc.mjs'], restarts: true, channels: true, decodes: false },
  { name: 'GStreamer webrtcbin', command: [python, 'gstreamer_peer.py'] },
  { name: 'aiortc', command: [python, 'aiortc_peer.py'] },
  { name: 'werift', command: [process.execPath, 'werift.mjs'], restarts: true, channels: true },
  { name: 'libdatachannel (node-datachannel)', command: [process.execPath, 'nodeDataChannel.mjs'], channels: true },
];

/** A peer that is a program in peers/, run in a namespace: another machine in the home. */
class ProgramPeer {
  said = {};

  static async start(peer, { network, url, token }) {
    const running = new ProgramPeer();
    const [program, ...parameters] = [...network.wrapper, ...peer.command, url];
    running.process = spawn(program, parameters, { cwd: folder, env: { ...process.env, WHEP_TOKEN: token }, stdio: ['pipe', 'pipe', 'pipe'] });
    running.exited = once(running.process, 'exit');
    running.errors = '';
    running.process.stderr.on('data', (data) => (running.errors += data));
    createInterface({ input: running.process.stdout }).on('line', (line) => Object.assign(running.said, JSON.parse(line)));
    return running;
  }

  async until(what, probe) {
    return await eventually(what, () => {
      // It may have said so with its last words.
      const done = probe(this.said);
      if (!done && (this.said.error || this.process.exitCode !== null)) {
        throw new Error(`${JSON.stringify(this.said)} ${this.errors}`);
      }
      return done;
    }, timeoutMilliseconds);
  }

  get version() {
    return this.said.version;
  }

  frames = async () => this.said.frames ?? this.said.packets ?? 0;

  async restart() {
    this.process.stdin.write('restart\n');
    await this.until('ICE is restarted', ({ restarted }) => restarted);
  }

  async close() {
    this.process.stdin.write('close\n');
    await this.until('the peer closes', ({ closed }) => closed);
    return this.said;
  }

  async kill() {
    this.process.kill('SIGKILL');
    await this.exited;
  }
}

/** A browser with a page of its own script, not the agent's page. */
class BrowserPeer {
  static async start(peer, { network, url, token }) {
    const running = new BrowserPeer();
    // Firefox is driven over a WebSocket, which does not reach into a namespace.
    const inside = peer.name === 'Chromium';
    running.browser = await peer.launch(inside ? { executablePath: await network.wrap(peer.executablePath), pipe: true } : {});
    running.version = (await running.browser.browser.version()).replace(/^\D*/, '');
    running.page = await running.browser.newPage();
    await running.page.goto(new URL('/icon.svg', url).href); // a document of the agent's origin that runs nothing
    await running.page.evaluate(watchInPage, url, token);
    return running;
  }

  until = (what, probe) => eventually(what, async () => probe({ state: await this.page.evaluate(() => viewer.connection.connectionState) }), timeoutMilliseconds);

  frames = () => this.page.evaluate(() => viewer.frames());

  restart = () => this.page.evaluate(() => viewer.restart());

  async close() {
    const decoded = await this.frames();
    await this.page.evaluate(() => viewer.close());
    return { decoded };
  }

  kill = () => this.browser.close();
}

/**
 * A session from offer to DELETE; what went on in it. Throws where the peer and the agent did not get on.
 * @param {{ network: import('./namespace.mjs').Namespace, url: string, token: string, viewers: () => Promise<object[]> }} where
 */
export async function exercise(peer, where) {
  const before = performance.now();
  const running = await (peer.command ? ProgramPeer : BrowserPeer).start(peer, where);
  try {
    await running.until('the peer is connected', ({ state }) => state === 'connected');
    const enough = async (what) => {
      const from = await running.frames();
      await running.until(what, async () => (await running.frames()) >= from + framesWanted);
    };
    await enough('frames arrive');
    if (peer.channels) {
      await running.until('the agent answers over a data channel', ({ channel }) => channel === 'unknown-entity');
    }
    const milliseconds = performance.now() - before;
    const [{ sessionId, peer: seen }] = await where.viewers();
    if (peer.restarts) {
      await running.restart();
      await enough('frames arrive after the ICE restart');
      const [viewer] = await where.viewers();
      if (viewer.sessionId !== sessionId) {
        throw new Error('the session is another one after the ICE restart');
      }
    }
    const end = await running.close();
    await eventually('the agent has forgotten the session', async () => (await where.viewers()).length === 0);
    return {
      name: peer.name, version: running.version, milliseconds, dtls: seen.dtlsVersion, srtp: seen.srtpProfile, pair: seen.selectedPair,
      restarted: Boolean(peer.restarts), answered: Boolean(peer.channels), frames: end.frames ?? end.decoded, packets: end.packets, decoded: end.decoded, complaints: end.complaints ?? '', gaps: end.gaps ?? 0,
    };
  } finally {
    await running.kill();
  }
}
