import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { CompareResult } from '../../../../src/report/results/compare-result.js';
import { spawnCli } from '../../cli/run-cli.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

/** A recording large enough for threads: hops over 8 MiB, some of them across pages. */
function recording(name: string, step: number, ending = ''): string {
  const lines = Array.from({ length: 20_000 }, (_, i) => {
    return ` ${'LSM'.charAt(i % 3)} ${(0x1000_0ffc + ((i * step) % 8_000_000)).toString(16)},${i % 5 === 0 ? 16 : 8}\n`;
  });
  const path = join(folder, name);
  writeFileSync(path, lines.join('') + ending);
  return path;
}

/** What compare prints as JSON, but for times of the host. */
function comparison(paths: readonly string[], jobs: number): string {
  const { status, stdout, stderr } = spawnCli([
    'compare',
    ...paths,
    '--tlb',
    '16x4+64x4+psc',
    '--jobs',
    `${jobs}`,
    '--json',
  ]);
  expect([status, stderr]).toEqual([0, '']);
  return stdout.replaceAll(/"host": \[[^\]]*\]/g, '"host": []');
}

function parsed(json: string): CompareResult {
  return CompareResult.parse(JSON.parse(json));
}

test('one thread and three give the same comparison, byte for byte', () => {
  const [one, other] = [recording('one.lackey', 7919), recording('other.lackey', 4099)];
  const both = comparison([one, other], 1);
  // Two traces at once.
  expect(comparison([one, other], 3)).toBe(both);
  // A thread to read, and one for larger pages.
  const { traces, runs } = parsed(both);
  const { traces: ofOne, runs: runsOfOne } = parsed(comparison([one], 3));
  expect([ofOne, runsOfOne]).toEqual([traces.slice(0, 1), runs.slice(0, 3)]);
});

test('of two damaged traces side by side the first is named', () => {
  const paths = [recording('late.lackey', 7919, 'damaged\n'), recording('early.lackey', 4099, 'damaged\n')];
  const { status, stderr } = spawnCli(['compare', ...paths, '--jobs', '2', '--json']);
  expect(status).toBe(1);
  expect(stderr).toContain('late.lackey: line 20001:');
});
