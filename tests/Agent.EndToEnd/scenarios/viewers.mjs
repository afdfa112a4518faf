// What viewers cost: processor, memory, and whether each gets every frame; libdatachannel sends the same stream beside it: docs/network.md.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../lib/agent.mjs';
import { startHome } from '../lib/home.mjs';
import { median, report, table } from '../lib/report.mjs';

const run = promisify(execFile);
const peers = join(import.meta.dirname, '../peers');
const counts = [1, 10, 50];
const seconds = 10;
const settleMilliseconds = 3000;
const framesPerSecond = 30;

const folder = await mkdtemp(join(tmpdir(), 'viewers-'));
const clip = join(folder, 'clip.mp4');
const stream = join(folder, 'clip.h264');
await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=${framesPerSecond},noise=alls=12:allf=t`, '-t', '10', '-c:v', 'libx264',
  '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p', '-b:v', '1500k', '-maxrate', '1500k', '-bufsize', '500k', '-g', '60',
  '-x264-params', 'sliced-threads=0:slices=1:aud=1', clip]);
await run('ffmpeg', ['-v', 'error', '-i', clip, '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', stream]);

/** Seconds of processor time that a process has used. */
async function processorSeconds(id) {
  const fields = (await readFile(`/proc/${id}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond; // utime and stime (proc_pid_stat(5))
}
const ticksPerSecond = Number((await run('getconf', ['CLK_TCK'])).stdout);

const megabytes = async (id) => Number((await readFile(`/proc/${id}/status`, 'utf8')).match(/^VmRSS:\s+(\d+) kB$/m)[1]) / 1024;

async function measure(sender, url, home, count) {
  const [program, ...parameters] = [...home.network.wrapper, process.execPath, join(peers, 'crowd.mjs'), url, String(count)];
  const crowd = spawn(program, parameters, { env: { ...process.env, WHEP_TOKEN: home.token }, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(crowd, 'exit');
  const lines = createInterface({ input: crowd.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await lines.next();
    const said = JSON.parse(value);
    if (said.error) {
      throw new Error(said.error);
    }
    return said;
  };
  const joined = [];
  while (joined.length < count) {
    joined.push((await next()).milliseconds);
  }
  const read = async () => {
    crowd.stdin.write('\n');
    return { ...(await next()), processor: await processorSeconds(sender.pid) };
  };
  await delay(settleMilliseconds);
  const before = await read();
  await delay(seconds * 1000);
  const after = await read();
  const memory = await megabytes(sender.pid);
  crowd.stdin.end();
  await exited;
  const elapsed = (after.at - before.at) / 1000;
  const rates = after.frames.map((frames, i) => (frames - before.frames[i]) / elapsed);
  return {
    processor: (100 * (after.processor - before.processor)) / elapsed, memory, slowest: Math.min(...rates),
    packets: after.packets.reduce((sum, packets, i) => sum + packets - before.packets[i], 0) / elapsed, joined: median(joined),
  };
}

const rows = [['viewers', 'agent: processor (of one core)', 'libdatachannel', 'ratio', 'agent: memory (RSS)', 'libdatachannel', 'agent: frames per second, slowest viewer', 'libdatachannel', 'agent: to connect, median', 'libdatachannel']];
const home = await startHome({ camera: { source: { kind: 'file', path: clip } }, http: { requestsPerSecond: 10_000 }, webrtc: { maximumViewers: 1000 } });
const port = await freePort();
const other = spawn(process.execPath, [join(peers, 'sender.mjs'), home.network.host, String(port), stream, String(framesPerSecond)], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  await once(other.stdout, 'data');
  for (const count of counts) {
    const ours = await measure(home.agent.process, home.url, home, count);
    const theirs = await measure(other, `http://${home.network.host}:${port}/`, home, count);
    rows.push([
      count, `${ours.processor.toFixed(1)} %`, `${theirs.processor.toFixed(1)} %`, (ours.processor / theirs.processor).toFixed(2),
      `${ours.memory.toFixed(0)} MB`, `${theirs.memory.toFixed(0)} MB`, ours.slowest.toFixed(1), theirs.slowest.toFixed(1), `${ours.joined.toFixed(0)} ms`, `${theirs.joined.toFixed(0)} ms`,
    ]);
    console.error(rows.at(-1).join(' | '), `packets/s ${ours.packets.toFixed(0)} ${theirs.packets.toFixed(0)}`);
  }
} finally {
  other.kill();
  await home.stop();
  await rm(folder, { recursive: true });
}
await report('docs/network.md', 'viewers', table(rows));
