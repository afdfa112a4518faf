import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent } from './lib/agent.mjs';
import { decodedRate, launchChromium, openViewer, untilLive } from './lib/browser.mjs';

const frameRate = 25;

describe('A file as the camera', () => {
  let folder, chromium;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clips-'));
    chromium = await launchChromium();
  });
  after(async () => {
    await chromium?.close();
    await rm(folder, { recursive: true });
  });

  // The clips are shorter than the test watches: looping is part of what is shown.
  for (const { name, encoder, args } of [
    { name: 'H.264 without B-frames is passed through', encoder: 'passthrough', args: ['-c:v', 'libx264', '-profile:v', 'baseline', '-bf', '0', '-g', '25'] },
    { name: 'H.264 with B-frames is transcoded', encoder: 'libx264', args: ['-c:v', 'libx264', '-profile:v', 'high', '-bf', '3'] },
    { name: 'another codec is transcoded', encoder: 'libx264', args: ['-c:v', 'mpeg4'] },
  ]) {
    test(name, async () => {
      const clip = join(folder, `${encoder}-${args[1]}-${args.at(-1)}.mp4`);
      execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x240:rate=${frameRate}:duration=2`, ...args, '-pix_fmt', 'yuv420p', clip]);
      const agent = await Agent.start({ cameras: { main: { source: { kind: 'file', path: clip } } } });
      try {
        const page = await openViewer(chromium.browser, `${agent.url}/`);
        await untilLive(page);
        const { after: seen, rate } = await decodedRate(page, 5000);
        assert.deepEqual([seen.width, seen.height], [320, 240]);
        assert.ok(rate > frameRate * 0.8 && rate < frameRate * 1.2, `decoded ${rate.toFixed(1)} of ${frameRate} frames per second over two loops`);
        assert.match((await agent.status()).cameras[0].encoder, new RegExp(encoder));
        await page.close();
      } finally {
        await agent.stop();
      }
    });
  }
});
