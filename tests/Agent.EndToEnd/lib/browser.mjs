import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { eventually } from './agent.mjs';

/** A headless browser with a fresh profile; `close()` removes both. */
async function launch(options) {
  const userDataDir = await mkdtemp(join(tmpdir(), 'browser-'));
  const browser = await puppeteer.launch({ headless: true, userDataDir, ...options });
  return {
    browser,
    newPage: () => browser.newPage(),
    close: async () => {
      await browser.close();
      await rm(userDataDir, { recursive: true, force: true });
    },
  };
}

/** `flags` are added to the command line that tests need. */
export const launchChromium = ({ flags = [], ...options } = {}) => launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', ...flags],
  ...options,
});

/** Firefox decodes H.264 in WebRTC only with these preferences where it has no OpenH264 plug-in. */
export const launchFirefox = () => launch({
  browser: 'firefox',
  executablePath: '/usr/bin/firefox-esr',
  extraPrefsFirefox: {
    'media.webrtc.hw.h264.enabled': true,
    'gfx.blacklist.webrtc.hw.acceleration.h264': 1,
    'media.peerconnection.ice.loopback': true,
    'media.autoplay.default': 0,
  },
});

/** Opens the viewer page and records what goes wrong in it. */
export async function openViewer(browser, url) {
  const page = await browser.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) {
      page.problems.push(message.text());
    }
  });
  await page.goto(url);
  return page;
}

/** Waits until the page shows "Live" and its video has decoded frames. */
export const untilLive = (page, timeout) => eventually('the page is live', async () => {
  const seen = await page.evaluate(() => {
    const video = document.getElementById('video');
    return {
      state: document.getElementById('state').dataset.state,
      notice: document.getElementById('notice').textContent,
      frames: Number(video.dataset.framesDecoded ?? 0),
      width: video.videoWidth,
    };
  });
  if (seen.state !== 'live' || seen.frames === 0 || seen.width === 0) {
    throw new Error(`${JSON.stringify(seen)} ${page.problems.join('; ')}`);
  }
  return seen;
}, timeout);

/** Waits until the page is live and has read a timecode, which is when a frame is shown and so later than when it is decoded. */
export async function untilTimecode(page, timeout) {
  await untilLive(page, timeout);
  await eventually('the page reads the timecode', async () => (await readViewer(page)).captureUnixMilliseconds > 0);
}

/** What the viewer of the test camera sees now. */
export const readViewer = (page) => page.evaluate(() => {
  const video = document.getElementById('video');
  const text = (id) => document.getElementById(id).textContent;
  return {
    frames: Number(video.dataset.framesDecoded),
    framesAt: Number(video.dataset.statisticsTimestamp),
    width: video.videoWidth,
    height: video.videoHeight,
    captureUnixMilliseconds: Number(video.dataset.captureUnixMilliseconds),
    captureFrame: Number(video.dataset.captureFrame),
    shown: Object.fromEntries(['resolution', 'frame-rate', 'bitrate', 'packet-loss', 'round-trip-time', 'latency', 'telemetry', 'signalling'].map((id) => [id, text(id)])),
    at: performance.now(),
  };
});

/** The colours of the decoded picture at the given points (fractions of its width and height): [r, g, b] each. */
export const readPixels = (page, points) => page.evaluate((wanted) => {
  const video = document.getElementById('video');
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  return wanted.map(([x, y]) => [...context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data.slice(0, 3)]);
}, points);

/** Frames per second decoded over about `milliseconds`: the browser's own count and time, which the page reads once a second. */
export async function decodedRate(page, milliseconds = 3000) {
  const before = await readViewer(page);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const after = await readViewer(page);
  return { before, after, rate: ((after.frames - before.frames) * 1000) / (after.framesAt - before.framesAt) };
}
