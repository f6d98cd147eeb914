import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parseSmaps } from '../../../../src/regions/smaps.js';
import type { WatchResult } from '../../../../src/inspect/watch/watch-result.js';
import { temporaryFolder } from '../../../folder.js';
import { stillProcess } from '../../inspect/watch/still-process.js';
import { outputOf, printedExamples, tooWide } from '../examples.js';
import { CLI_PATH, expectUsageError, runCli, spawnCli } from '../run-cli.js';

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

test.runIf(onLinux)('--plot writes a chart, of a single sample too', () => {
  const plot = join(temporaryFolder(), 'watch.svg');
  outputOf(spawnCli(['watch', 'self', '--seconds', '0.1', '--interval', '0.1', '--plot', plot]));
  expect(readFileSync(plot, 'utf8')).toMatch(/^<\?xml[^]*<\/svg>\n$/);
});

/** Memory of its own that a process used since its bits were cleared last. */
function usedBytes(pid: number): number {
  return parseSmaps(readFileSync(`/proc/${pid}/smaps`, 'utf8'))
    .filter(({ kind }) => kind === 'anonymous' || kind === 'stack')
    .reduce((sum, { referenced }) => sum + referenced, 0);
}

const ENDING = ['SIGINT', 'SIGTERM'] as const;
test.runIf(onLinux).each(ENDING)('%s before the first sample ends with 130 and a sentence', async (signal) => {
  const still = await stillProcess();
  const watcher = spawn(process.execPath, [CLI_PATH, 'watch', `${still.pid}`, '--seconds', '600', '--interval', '600']);
  try {
    const printed = [text(watcher.stdout), text(watcher.stderr)];
    const closed = once(watcher, 'close');
    // It listens before it clears the bits of a process that stands still.
    expect(usedBytes(still.pid)).toBeGreaterThan(0);
    while (usedBytes(still.pid) > 0) await wait(20);
    watcher.kill(signal);
    expect((await closed)[0]).toBe(130);
    expect(await Promise.all(printed)).toEqual(['', 'interrupted before the first sample; nothing was seen\n']);
  } finally {
    still.kill('SIGKILL');
    watcher.kill();
  }
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

test('an interval that the time does not hold is refused: it would watch longer than was asked', async () => {
  const args = ['watch', 'self', '--seconds', '1', '--interval', '5'];
  await expectUsageError(args, ['--interval 5 is longer than --seconds 1; give --seconds 5']);
});
