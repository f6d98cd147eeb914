import { expect, test } from 'vitest';
import { outputOf, printed, printedExamples } from './examples.js';
import { expectUsageError, spawnCli } from './run-cli.js';

test('the examples of the help ask, and answer', () => {
  const [asks, solves] = printedExamples('quiz');
  expect(asks).toContain('1. paging: translate');
  expect(asks).not.toContain('Answer: ');
  expect(asks).toContain('--solve');
  expect(solves).toMatch(/^Answer: \d+ copied, \d+ re-used, \d+ frames$/m);
});

test('the same seed prints the same sheet', async () => {
  expect(await printed(['quiz', '--seed', '7'])).toBe(outputOf(spawnCli(['quiz', '--seed', '7'])));
});

test('numbers of a file, or of standard input, make one exercise', () => {
  const numbers = JSON.stringify({ kind: 'access-time', tlbNs: 5, memoryNs: 100, hitPercent: 80 });
  const sheet = JSON.parse(outputOf(spawnCli(['quiz', '--given', '-', '--solve', '--json'], numbers))) as object;
  expect(sheet).toMatchObject({ seed: null, solved: true, exercises: [{ topic: 'tlb', kind: 'access-time' }] });
});

test('a mistake in given numbers is told with the file, the field and the value', () => {
  const { status, stdout, stderr } = spawnCli(['quiz', '--given', '-'], '{"kind": "access-time", "tlbNs": -1}');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe('error: -: tlbNs: expected a number of at least 0, found -1\n');
});

test.each([
  [
    ['quiz', 'tlb', '--given', 'x.json'],
    ['TOPIC tlb', '--given', 'leave it out'],
  ],
  [
    ['quiz', '--seed', '2', '--given', 'x.json'],
    ['--given', '--seed'],
  ],
  [
    ['quiz', 'cats'],
    ['cats', 'paging, segmentation, cow, tlb, allocation'],
  ],
  [
    ['quiz', '--seed', 'x'],
    ['--seed', "'x'", '4294967295'],
  ],
])('%j is a usage error that names value and fix', expectUsageError);
