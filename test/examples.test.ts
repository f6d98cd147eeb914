import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const FOLDER = new URL('../examples', import.meta.url).pathname;
const EXAMPLES = readdirSync(FOLDER).filter((name) => name.endsWith('.mjs'));
const run = promisify(execFile);

it.each(EXAMPLES)('%s prints what it says at its end', async (name) => {
  const path = join(FOLDER, name);
  const expected = /^\/\* It prints:\n([^]*)\*\/\n$/m.exec(readFileSync(path, 'utf8'))?.[1];
  const { stdout } = await run('node', [path]);
  expect(stdout).not.toBe('');
  expect(stdout).toBe(expected);
});

it('every example is named by the page about them', () => {
  const page = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  expect(EXAMPLES.length).toBeGreaterThan(3);
  expect(EXAMPLES.filter((name) => !page.includes(`(${name})`))).toEqual([]);
});
