import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { launchChromium, openViewer, readPixels, untilLive } from './lib/browser.mjs';

/** A corner that no text of the notice reaches. */
const corner = [[0.02, 0.03]];
const brightness = async (page) => (await readPixels(page, corner))[0].reduce((sum, channel) => sum + channel) / 3;
const shots = process.env.SCREENSHOTS;

describe('A camera that is turned off for privacy', () => {
  let folder, chromium, agent, pid, configuration;
  const isRunning = async () => existsSync(`/proc/${(await readFile(pid, 'utf8')).trim()}`);
  const change = async (privacy) => {
    const response = await fetch(`${agent.url}/api/cameras/porch`, { method: 'PATCH', body: JSON.stringify({ privacy }) });
    return { status: response.status, body: await response.json() };
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'camera-'));
    pid = join(folder, 'pid');
    const program = join(folder, 'camera.sh');
    await writeFile(program, [
      '#!/bin/sh', `echo $$ > ${pid}`, 'exec ffmpeg -v error -re -f lavfi -i color=white:size=640x360:rate=30 -pix_fmt yuv420p -f rawvideo -', '',
    ].join('\n'));
    await chmod(program, 0o755);
    configuration = {
      stateDirectory: join(folder, 'state'),
      cameras: { porch: { source: { kind: 'exec', command: [program], pixelFormat: 'YU12', width: 640, height: 360, frameRate: 30 } } },
    };
    chromium = await launchChromium();
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
    await rm(folder, { recursive: true });
  });

  test('its program ends, the viewer sees a notice in the same session, and nothing gives its picture', async () => {
    agent = await Agent.start(configuration);
    const page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
    assert.ok((await brightness(page)) > 200);
    const session = (await agent.status()).viewers[0].sessionId;

    const answer = await change(true);
    assert.deepEqual([answer.status, answer.body.status.isPrivate, answer.body.status.isProducing], [200, true, false]);
    assert.equal(await isRunning(), false);
    await eventually('the notice is seen', async () => (await brightness(page)) < 80);
    if (shots) await page.screenshot({ path: join(shots, 'privacy.png') });
    const snapshot = await fetch(`${agent.url}/api/cameras/porch/snapshot.jpg`);
    assert.equal(snapshot.status, 409);
    assert.match((await snapshot.json()).detail, /privacy is on/);
    assert.equal((await fetch(`${agent.url}/healthz`)).status, 200);
    assert.equal((await agent.metrics()).get('camera_agent_camera_private{camera="porch"}'), 1);

    // Somebody who comes now sees the notice, not an error.
    const second = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(second);
    await eventually('the second viewer sees the notice', async () => (await brightness(second)) < 80);
    assert.equal((await agent.status()).viewers.length, 2);
    await second.close();

    const before = Date.now();
    assert.equal((await change(false)).status, 200);
    await eventually('the picture is back', async () => (await brightness(page)) > 200);
    assert.ok(Date.now() - before < 3000, `the picture was back after ${Date.now() - before} ms`);
    assert.equal((await agent.status()).viewers[0].sessionId, session);
    assert.deepEqual(page.problems, []);
  });

  test('it stays off when the agent starts again, and its program is not started', async () => {
    assert.equal((await change(true)).status, 200);
    await agent.stop();
    await rm(pid);
    agent = await Agent.start(configuration);
    const page = await openViewer(chromium.browser, `${agent.url}/`);
    await eventually('the notice is seen', async () => (await brightness(page)) < 80);
    assert.equal((await agent.status()).cameras[0].isPrivate, true);
    assert.equal(existsSync(pid), false);
    assert.equal((await change(false)).status, 200);
    await eventually('the picture is there', async () => (await brightness(page)) > 200);
  });
});
