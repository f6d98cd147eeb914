import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../runs.js';
import { expectUsageError, runCli, spawnCli } from './run-cli.js';

const shape = fc.oneof(
  fc.constantFrom('16x4', '64x4/random', '8xfa@4K', ' 4X2 ', '1048576x1'),
  fc.constantFrom(
    'none',
    'skylake',
    '64x4+psc',
    '64x4+512x4',
    '64x5',
    '0x4',
    '1e6x1',
    '',
    '\n',
    '\u001b[31m',
    '4097xfa',
  ),
);
const list = fc.array(shape, { maxLength: 6 }).map((shapes) => shapes.join());

it('lists of levels are taken, or refused on one line by the name of their option', async () => {
  await fc.assert(
    fc.asyncProperty(list, list, async (l1, l2) => {
      // A trace that is missing ends a run whose lists are right.
      const { status, stdout, stderr } = await runCli(['sweep', `--l1=${l1}`, `--l2=${l2}`, '/no/such/trace']);
      expect(stdout).toBe('');
      expect(stderr).toMatch(status === 2 ? /^error: .*--l[12].*\n$/ : /^error: .*no such file\n$/);
      expect(stderr).toMatch(/^\P{Cc}*\n$/u);
      expect([1, 2]).toContain(status);
    }),
    { numRuns: runs(60) },
  );
});

it.each([
  ['--l1', '64x4+512x4', 'not one level by itself'],
  ['--l1', '64x4+psc', 'not one level by itself'],
  ['--l2', '512x4+psc', 'not one level by itself'],
])('%s %s is refused, for it cannot be combined', (option, value, words) =>
  expectUsageError(['sweep', option, value], [option, value, words]),
);

it('more combinations than anybody waits for are refused', async () => {
  const shapes = Array.from({ length: 65 }, (_, i) => `${i + 1}x1`).join();
  await expectUsageError(['sweep', '--l1', shapes, '--l2', shapes], ['--l1 and --l2', '4225', 'at most 4096']);
});

it('control characters of what was typed are shown, not sent to the terminal', async () => {
  await expectUsageError(['compare', '--tlb', '4x\n\u001b[31m'], [String.raw`'4x\x0a\x1b[31m'`]);
  const { status, stderr } = spawnCli(['compare', './no\u009bsuch\n.trace']);
  expect([status, stderr]).toEqual([1, "error: cannot read './no\\x9bsuch\\x0a.trace': no such file or folder\n"]);
});
