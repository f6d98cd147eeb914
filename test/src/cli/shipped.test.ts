import { expect, test } from 'vitest';
import { CompareResult } from '../../../src/report/compare-result.js';
import { spawnCli } from './run-cli.js';

test('without arguments the shipped traces get a verdict each, one that needs huge pages and one that does not', () => {
  const { status, stdout, stderr } = spawnCli(['--json']);
  expect([status, stderr]).toEqual([0, '']);
  const { traces, runs } = CompareResult.parse(JSON.parse(stdout));
  expect(runs.map((run) => run.pages)).toEqual(['4K', '2M', '1G', '4K', '2M', '1G']);
  expect(traces.map((trace) => trace.verdict)).toEqual(['yes', 'no']);
  expect(traces[0].touchedBytes).toBeGreaterThan(10 * traces[1].touchedBytes);
  for (const { loads, stores, modifies } of traces) expect(loads + stores + modifies).toBeGreaterThanOrEqual(5_000_000);
});
