import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');

/** Rows as a Markdown table; the first row is its head. */
export const table = ([head, ...rows]) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/**
 * Prints a result with what it was made by. With `--write` among the arguments it takes the place of the former one in a document:
 * what is between the lines "<!-- NAME -->" and "<!-- /NAME -->".
 */
export async function report(document, name, text) {
  const { stdout: commit } = await run('git', ['-C', root, 'rev-parse', '--short', 'HEAD']);
  const command = `node ${relative(root, process.argv[1])} --write`;
  const machine = `${cpus().length} × ${cpus()[0].model.replace(/\s+/g, ' ')}`;
  const full = `${text}\n\nMade by \`${command}\` on ${new Date().toISOString().slice(0, 10)} at ${commit.trim()}; ${machine}.\n`;
  console.log(full);
  if (process.argv.includes('--write')) {
    const file = join(root, document);
    const before = await readFile(file, 'utf8');
    const pattern = new RegExp(`(<!-- ${name} -->\n)[^]*(<!-- /${name} -->)`);
    if (!pattern.test(before)) {
      throw new Error(`${document} has no lines <!-- ${name} --> and <!-- /${name} -->`);
    }
    await writeFile(file, before.replace(pattern, (_, start, end) => `${start}${full}${end}`));
  }
}
