import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually } from './lib/agent.mjs';
import { launchChromium, openViewer, untilLive } from './lib/browser.mjs';

const shots = process.env.SCREENSHOTS;

describe('The house beside the picture', () => {
  let folder, chromium, agent, page;
  const entity = async (id) => (await fetch(`${agent.url}/api/entities/${id}`)).json();
  const operate = (id, value) => fetch(`${agent.url}/api/entities/${id}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ value }),
  });
  const row = (id) => `#house li[data-entity=${id}]`;
  const text = (id) => page.$eval(`${row(id)} output`, (output) => output.textContent);
  const isChecked = (id) => page.$eval(`${row(id)} input[type=checkbox]`, (input) => input.checked);
  const start = (port) => Agent.start({
    stateDirectory: folder,
    // Commands go over HTTP then; data-channel.test.mjs has them on the data channel.
    webrtc: { udpPort: 0, listenAddresses: ['127.0.0.1'], dataChannels: false },
    cameras: {
      porch: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 } },
      yard: { source: { kind: 'test', width: 320, height: 180, frameRate: 15 } },
    },
  }, { port });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'state-'));
    agent = await start();
    chromium = await launchChromium();
    page = await openViewer(chromium.browser, `${agent.url}/?camera=porch`);
    await untilLive(page);
    await page.waitForSelector(row('porch_privacy'));
  });
  after(async () => {
    await chromium?.close();
    await agent?.stop();
    await rm(folder, { recursive: true });
  });

  test('it has what belongs to this camera and to the house, and nothing of another camera', async () => {
    const ids = await page.$$eval('#house li', (rows) => rows.map((one) => one.dataset.entity));
    assert.ok(ids.includes('porch_bitrate') && ids.includes('viewers'), ids.join());
    assert.deepEqual(ids.filter((id) => id.startsWith('yard_') || id.endsWith('_snapshot')), []);
    assert.equal(await page.$eval(row('porch_privacy'), (one) => one.textContent), 'Privacy');
    if (shots) await page.screenshot({ path: join(shots, 'panel.png') });
  });

  test('a switch operates the camera, and shows what somebody else does', async () => {
    await page.click(`${row('porch_privacy')} input`);
    await eventually('the camera is off', async () => (await entity('porch_privacy')).value === 'ON');
    await eventually('its restart button cannot be pressed', () => page.$eval(`${row('porch_restart')} button`, (button) => button.disabled));
    assert.equal((await operate('porch_privacy', false)).status, 200);
    await eventually('the switch goes back', async () => !(await isChecked('porch_privacy')));
  });

  test('a slider sets a number when it is let go', async () => {
    await page.click('#house [data-section=config] summary');
    await page.focus(`${row('porch_bitrate')} input`);
    await page.keyboard.press('Home');
    const { minimum, unit } = await entity('porch_bitrate');
    await eventually('the bitrate is the lowest', async () => Number((await entity('porch_bitrate')).value) === minimum);
    await eventually('the page says so', async () => (await text('porch_bitrate')) === `${minimum} ${unit}`);
    if (shots) await page.screenshot({ path: join(shots, 'panel-settings.png') });
  });

  test('a command that is refused is explained, and the switch stands as before', async () => {
    const refuse = (request) => (request.method() === 'POST' && request.url().includes('/api/entities/')
      ? request.respond({ status: 503, contentType: 'application/problem+json', body: '{"detail":"the camera does not answer."}' })
      : request.continue());
    await page.setRequestInterception(true);
    page.on('request', refuse);
    await page.click(`${row('porch_privacy')} input`);
    await eventually('the reason is shown', async () => (await page.$eval('#house [role=alert]', (box) => box.hidden ? '' : box.textContent)) === 'the camera does not answer.');
    assert.equal(await isChecked('porch_privacy'), false);
    page.off('request', refuse);
    await page.setRequestInterception(false);
    page.problems = page.problems.filter((problem) => !problem.includes('503'));
  });

  test('it says that it is old while the agent is away, and goes on with the agent that comes up', async () => {
    const { port } = agent;
    await agent.stop();
    await eventually('it is marked as lost', () => page.$eval('#house', (panel) => panel.classList.contains('lost')));
    agent = await start(port);
    await eventually('it is there again', () => page.$eval('#house', (panel) => !panel.classList.contains('lost')));
    assert.equal((await operate('porch_privacy', true)).status, 200);
    await eventually('it follows the new agent', () => isChecked('porch_privacy'));
  });
});
