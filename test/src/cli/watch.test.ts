import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WatchResult } from '../../../src/watch/watch-result.js';
import { temporaryFolder } from '../../folder.js';
import { outputOf, printedExamples, tooWide } from './examples.js';
import { expectUsageError, runCli, spawnCli } from './run-cli.js';

const onLinux = process.platform === 'linux';

test.runIf(onLinux)('the examples of the help watch a live process', () => {
  const [text, json] = printedExamples('watch');
  expect(text).toContain('reach of the TLB: 6 MiB of 4K');
  expect(text).toContain('Verdict: ');
  expect(tooWide(text)).toEqual([]);
  const result = JSON.parse(json) as WatchResult;
  expect([result.schemaVersion, result.command, result.tlb]).toEqual([1, 'watch', 'zen4']);
  expect(result.samples.length).toBeGreaterThan(0);
  expect(result.samples.every(({ usedBytes, residentBytes }) => usedBytes <= residentBytes)).toBe(true);
});

test.runIf(onLinux)('--plot writes a chart', () => {
  const plot = join(temporaryFolder(), 'watch.svg');
  outputOf(spawnCli(['watch', 'self', '--seconds', '0.2', '--interval', '0.1', '--plot', plot]));
  expect(readFileSync(plot, 'utf8')).toMatch(/^<\?xml[^]*<\/svg>\n$/);
});

test.runIf(onLinux)('a process that is not there is a failure in words', async () => {
  const { status, stdout, stderr } = await runCli(['watch', '4194303']);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe('error: PID 4194303: there is no such process, or it has ended\n');
});

test.each([
  [['watch', '0']],
  [['watch', 'self', '--seconds', '0']],
  [['watch', 'self', '--interval', '0.01']],
  [['watch', 'self', '--seconds', '1e9']],
])('%j is a usage error', async (args) => {
  await expectUsageError(args, []);
});
