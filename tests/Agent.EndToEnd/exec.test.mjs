import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { decodedRate, launchChromium, openViewer, readViewer, untilLive } from './lib/browser.mjs';

const frameRate = 25;
const ffmpeg = ['ffmpeg', '-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=320x240:rate=${frameRate}`];
const h264 = ['-c:v', 'libx264', '-profile:v', 'baseline', '-tune', 'zerolatency', '-g', `${frameRate}`, '-pix_fmt', 'yuv420p', '-f', 'h264', '-'];
const pictures = ['-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'];

/** The process ids of the agent's children. */
const childrenOf = (agent) => {
  try {
    return execFileSync('pgrep', ['-P', `${agent.process.pid}`], { encoding: 'utf8' }).trim().split('\n').map(Number);
  } catch {
    return []; // pgrep ends with 1 if there are none
  }
};

const isAlive = (pid) => existsSync(`/proc/${pid}`);

describe('A program as the camera', () => {
  let folder, chromium;
  const agents = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'programs-'));
    chromium = await launchChromium();
  });
  after(async () => {
    for (const agent of agents) {
      agent.process.kill('SIGKILL'); // does nothing to those that have ended
      await rm(agent.folder, { recursive: true, force: true });
    }
    await chromium?.close();
    await rm(folder, { recursive: true });
  });

  async function start(...options) {
    const agent = await Agent.start(...options);
    agents.push(agent);
    return agent;
  }

  async function watch(agent, encoder) {
    const page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
    const { after: seen, rate } = await decodedRate(page, 3000);
    assert.deepEqual([seen.width, seen.height], [320, 240]);
    assert.ok(rate > frameRate * 0.8 && rate < frameRate * 1.2, `decoded ${rate.toFixed(1)} of ${frameRate} frames per second`);
    assert.match((await agent.status()).cameras[0].encoder, new RegExp(encoder));
    return page;
  }

  const exec = (command, more = {}) => ({ cameras: { main: { source: { kind: 'exec', command, width: 320, height: 240, frameRate, ...more } } } });

  test('its H.264 is passed through, it is started again when it dies, and ends with the agent', async () => {
    const agent = await start(exec([...ffmpeg, ...h264]));
    const page = await watch(agent, 'passthrough');
    const [first] = childrenOf(agent);
    process.kill(first, 'SIGKILL');
    const second = await eventually('another program runs', () => childrenOf(agent).find((pid) => pid !== first));
    const { frames } = await readViewer(page);
    await eventually('the picture is back', async () => (await readViewer(page)).frames > frames + frameRate);
    assert.match(agent.output, /exec: "ffmpeg" was ended by signal 9/);
    await page.close();
    assert.equal(await agent.stop(), 0);
    assert.equal(isAlive(first) || isAlive(second), false);
  });

  test('its pictures are encoded', async () => {
    const agent = await start(exec([...ffmpeg, ...pictures], { pixelFormat: 'YU12' }));
    await (await watch(agent, 'libx264|v4l2m2m')).close();
    assert.equal(await agent.stop(), 0);
  });

  test('it ends when the agent is killed', async () => {
    const agent = await start(exec([...ffmpeg, ...h264]));
    const program = await eventually('the program runs', () => childrenOf(agent)[0]);
    agent.process.kill('SIGKILL');
    await agent.exited;
    await eventually('it meets its closed pipe', () => !isAlive(program));
  });

  test('a CSI camera comes through rpicam-vid', async () => {
    const program = join(folder, 'rpicam-vid');
    // The width has no multiple of 128 next to it but 384.
    await writeFile(program, `#!/bin/sh\necho "$@" > ${folder}/arguments\nexec ${ffmpeg.join(' ').replace('320x240', '384x240')} ${pictures.join(' ')}\n`);
    await chmod(program, 0o755);
    const agent = await start(
      { cameras: { main: { source: { kind: 'rpicam', camera: 1, arguments: ['--vflip'], width: 320, height: 240, frameRate }, encoder: { kind: 'libx264' } } } },
      { wrapper: ['env', `PATH=${folder}:${process.env.PATH}`] });
    const page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
    const { after: seen } = await decodedRate(page, 1000);
    assert.deepEqual([seen.width, seen.height], [384, 240]);
    assert.match(await readFile(join(folder, 'arguments'), 'utf8'), /--camera 1 --width 384 .*--codec yuv420 --vflip/);
    await page.close();
    assert.equal(await agent.stop(), 0);
  });
});
