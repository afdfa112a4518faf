import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { launchChromium, openViewer, readPixels, untilLive } from './lib/browser.mjs';

/** A corner that no text of the notice reaches. */
const corner = [[0.02, 0.03]];
const brightness = async (page) => (await readPixels(page, corner))[0].reduce((sum, channel) => sum + channel) / 3;

describe('A camera that goes away while somebody watches', () => {
  let folder, chromium, agent;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'camera-'));
    chromium = await launchChromium();
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
    await rm(folder, { recursive: true });
  });

  test('the viewer stays connected, sees a notice and then the picture again', async () => {
    // A white camera: a program that runs as long as the camera is "plugged in".
    const [plugged, pid, program] = ['plugged', 'pid', 'camera.sh'].map((name) => join(folder, name));
    await writeFile(program, [
      '#!/bin/sh', `[ -e ${plugged} ] || exit 1`, `echo $$ > ${pid}`,
      'exec ffmpeg -v error -re -f lavfi -i color=white:size=640x360:rate=30 -pix_fmt yuv420p -f rawvideo -', '',
    ].join('\n'));
    await chmod(program, 0o755);
    await writeFile(plugged, '');
    agent = await Agent.start({
      cameras: { porch: { source: { kind: 'exec', command: [program], pixelFormat: 'YU12', width: 640, height: 360, frameRate: 30 } } },
    });
    const page = await openViewer(chromium.browser, `${agent.url}/`);
    await untilLive(page);
    assert.ok((await brightness(page)) > 200);
    const session = (await agent.status()).viewers[0].sessionId;

    await rm(plugged);
    process.kill(Number(await readFile(pid, 'utf8')), 'SIGKILL');
    const unpluggedAt = Date.now();
    await eventually('the notice is seen', async () => (await brightness(page)) < 80);
    const noticeAfter = Date.now() - unpluggedAt;
    assert.ok(noticeAfter < 1500, `the notice was seen after ${noticeAfter} ms`);
    const away = await agent.status();
    assert.deepEqual([away.cameras[0].isProducing, away.cameras[0].notice, away.viewers[0].sessionId], [false, 'stopped', session]);
    assert.equal((await agent.metrics()).get('camera_agent_camera_notice{camera="porch"}'), 1);
    const offer = await fetch(`${agent.url}/whep/porch`, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0\r\n' });
    assert.equal(offer.status, 409);

    await writeFile(plugged, '');
    await eventually('the picture is back', async () => (await brightness(page)) > 200);
    const back = await agent.status();
    assert.deepEqual([back.cameras[0].isProducing, back.cameras[0].notice, back.viewers.length, back.viewers[0].sessionId], [true, undefined, 1, session]);
    assert.equal(await page.evaluate(() => document.getElementById('state').dataset.state), 'live');
    assert.deepEqual(page.problems, []);
    assert.match(agent.output, /Camera porch: exec .* YU12 640x360 30 fps → libx264, /);
  });
});
