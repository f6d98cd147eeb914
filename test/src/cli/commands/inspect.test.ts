import { expect, test } from 'vitest';
import type { InspectResult } from '../../../../src/inspect/inspect-result.js';
import { outputOf, printedExamples, tooWide } from '../examples.js';
import { expectUsageError, runCli, spawnCli } from '../run-cli.js';

const onLinux = process.platform === 'linux';

test.runIf(onLinux)('the examples of the help measure a live process', () => {
  const [table, json] = printedExamples('inspect');
  expect(table).toMatch(/page tables .* KiB|MiB/);
  expect(tooWide(table)).toEqual([]);
  const result = JSON.parse(json) as InspectResult;
  expect(result.tlb).toBe('zen4');
  expect(result.runs.map(({ pages }) => pages)).toEqual(['4K', '2M']);
});

test.runIf(onLinux)('what is rebuilt is as large as what Linux counts, and so are its tables', () => {
  const { pid } = process;
  const result = JSON.parse(outputOf(spawnCli(['inspect', String(pid), '--json']))) as InspectResult;
  const [small] = result.runs;
  expect(result.pid).toBe(pid);
  expect(small.residentBytes / result.residentBytes).toBeGreaterThan(0.8);
  expect(small.residentBytes / result.residentBytes).toBeLessThan(1.3);
  // Linux keeps tables whose pages have gone, so it may have more of them.
  expect(small.tableBytes).toBeLessThan(2 * (result.kernelTableBytes ?? 0));
});

test.runIf(onLinux)('a process that is not there is a failure in words', async () => {
  const { status, stdout, stderr } = await runCli(['inspect', '4194303']);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe('error: PID 4194303: there is no such process, or it has ended\n');
});

test.each([[['inspect', '0']], [['inspect', 'init']], [['inspect', '-1']]])('%j is a usage error', async (args) => {
  await expectUsageError(args, []);
});
