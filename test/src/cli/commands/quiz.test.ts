import { expect, test } from 'vitest';
import { outputOf, printed, printedExamples } from '../examples.js';
import { expectUsageError, spawnCli } from '../run-cli.js';

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

test.each([
  [
    ['quiz', 'cats'],
    ['cats', 'paging, segmentation, cow, tlb, allocation'],
  ],
  [
    ['quiz', '--seed', 'x'],
    ['--seed', "'x'", '4294967295'],
  ],
])('%j is a usage error that names value and fix', expectUsageError);
