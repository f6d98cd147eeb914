import { expect, test } from 'vitest';
import { CompareResult } from '../../../src/report/results/compare-result.js';
import { ForkResult } from '../../../src/report/results/fork-result.js';
import { spawnCli } from './run-cli.js';

test('without arguments the shipped traces get a verdict each: one may gain from huge pages, one does not', () => {
  const { status, stdout, stderr } = spawnCli(['--json']);
  expect([status, stderr]).toEqual([0, '']);
  const { traces, runs } = CompareResult.parse(JSON.parse(stdout));
  expect(runs.map((run) => run.pages)).toEqual(['4K', '2M', '1G', '4K', '2M', '1G']);
  expect(traces.map(({ verdict, nearly }) => [verdict, nearly])).toEqual([
    ['between', undefined],
    // The high end saves a little less than 3 %, by hits of the second-level TLB.
    ['no', 'between'],
  ]);
  expect(traces.map(({ window }) => window)).toEqual([
    { skip: 98_000_000, accesses: 6_000_000, cut: true, chosen: true },
    { skip: 12_000_000, accesses: 6_000_000, cut: true, chosen: true },
  ]);
  expect(traces.map(({ coverage }) => coverage.processes)).toEqual([1, 1]);
  expect(traces[0].coverage.touchedBytes).toBeGreaterThan(10 * traces[1].coverage.touchedBytes);
  for (const { loads, stores, modifies } of traces) expect(loads + stores + modifies).toBeGreaterThanOrEqual(5_000_000);
});

test('forking 1 GiB takes 262,144 entries of 4 KiB, 512 of 2 MiB, or 1', () => {
  const { status, stdout } = spawnCli(['fork', '--resident', '1G', '--exec', '--json']);
  expect(status).toBe(0);
  const { runs } = ForkResult.parse(JSON.parse(stdout));
  expect(runs.map((run) => [run.pages, run.entriesCopied])).toEqual([
    ['4K', 262_144],
    ['2M', 512],
    ['1G', 1],
  ]);
});
