import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { KeptRatios } from '../../bench/keep.js';
import type { StartBench } from '../../bench/start.js';
import { temporaryFolder } from '../folder.js';

const BENCH = fileURLToPath(new URL('../../dist/bench/main.js', import.meta.url));

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env.PATH, NO_COLOR: '1' };
  return spawnSync(process.execPath, [BENCH, ...args], { encoding: 'utf8', env });
}

test('the help has two examples and fits 80 columns', () => {
  const { status, stdout } = bench('--help');
  expect(status).toBe(0);
  expect(stdout.match(/^ {2}npm run bench -- /gm)).toHaveLength(2);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test.each([
  [['--rounds', '0'], '--rounds', 'whole number'],
  [['--rivals', '--only', '('], '--only', 'regular expression'],
  [['--rivals', '--growth'], '--rivals', '--growth'],
  [['--plot', 'x.svg'], '--plot', '--growth'],
  [['--shapes', '--rounds', '3'], '--rounds', '--native'],
  [['--reality', '--nested', '4K'], '--nested', '--against'],
])('%j is a usage error that names option and fix', (args, option, fix) => {
  const { status, stdout, stderr } = bench(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^error: .*\n$/);
  expect(stderr).toContain(option);
  expect(stderr).toContain(fix);
});

test('every rival comes to the checksum of the real one and says why it lost', () => {
  const { status, stdout, stderr } = bench('--rivals', '--quick', '--rounds', '1', '--json');
  expect([status, stderr]).toEqual([0, '']);
  const { rows } = JSON.parse(stdout) as { rows: { question: string; name: string; why: string; ratio: number }[] };
  const questions = new Set(rows.map(({ question }) => question));
  const winners = [...questions].map((question) => rows.find((row) => row.question === question));
  expect(winners.map((row) => row?.ratio)).toEqual(winners.map(() => 1));
  expect(rows.length).toBeGreaterThan(2 * questions.size - 1);
  expect(rows.filter(({ why }) => why === '')).toEqual([]);
});

test('starts are measured against those of an empty process, and --keep appends their ratios', () => {
  const file = join(temporaryFolder(), 'ratios.jsonl');
  writeFileSync(file, '{}\n');
  const { status, stdout, stderr } = bench('--start', '--quick', '--rounds', '1', '--json', '--keep', file);
  expect([status, stderr]).toEqual([0, '']);
  const kept = readFileSync(file, 'utf8').split('\n');
  expect([kept[0], kept.length]).toEqual(['{}', 3]);
  const { seconds: empty, rows } = JSON.parse(stdout) as StartBench;
  expect(rows.map(({ name }) => name)).toEqual(['--version', 'walk 0x401000', 'fork --resident 4K']);
  for (const { ratio, seconds } of rows) expect(ratio).toBeCloseTo(seconds / empty, 6);
  const { question, version, ratios } = JSON.parse(kept[1]) as KeptRatios;
  expect([question, version]).toEqual(['start', expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
  expect(Object.keys(ratios)).toEqual(rows.map(({ name }) => name));
  for (const { name, ratio } of rows) expect(ratios[name]).toBeCloseTo(ratio, 2);
});

test('a rival that nothing matches is a usage error', () => {
  const { status, stderr } = bench('--rivals', '--quick', '--only', 'abacus');
  expect(status).toBe(2);
  expect(stderr).toContain('--only abacus');
});

test('growth prints tables, counts apart from host times, and plots them', () => {
  const file = join(temporaryFolder(), 'growth.svg');
  const { status, stdout, stderr } = bench('--growth', '--quick', '--rounds', '1', '--plot', file);
  expect([status, stderr]).toEqual([0, '']);
  const titles = stdout.split('\n').filter((line) => /^(Modelled counts|Host time|Memory)/.test(line));
  expect(titles.map((title) => title.slice(0, 9))).toEqual([
    ...['Modelled ', 'Modelled ', 'Host time', 'Host time'],
    ...['Modelled ', 'Host time', 'Memory of'],
  ]);
  expect(readFileSync(file, 'utf8')).toMatch(/^<\?xml .*\n<svg .*<\/svg>\n$/s);
});

test('shapes tells the ratio of the last to the first', () => {
  const { status, stdout } = bench('--shapes', '--quick', '--json');
  const { first, last, ratio } = JSON.parse(stdout) as Record<'first' | 'last' | 'ratio', number>;
  expect(status).toBe(0);
  expect(ratio).toBeCloseTo(last / first, 9);
});
