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
  [
    ['quiz', '--count', '0'],
    ['--count', "'0'", '1 to 100'],
  ],
  [
    ['quiz', '--difficulty', 'mild'],
    ['--difficulty', "'mild'", 'easy, medium, hard'],
  ],
  [['quiz', '--html', '--json'], ['--html']],
])('%j is a usage error that names value and fix', expectUsageError);

test('a sheet has as many exercises as asked for, and its key the same ones', async () => {
  const sheet = await printed(['quiz', 'cow', '--count', '3', '--difficulty', 'hard', '--html']);
  expect(sheet.match(/<section>/g)).toHaveLength(3);
  const key = await printed(['quiz', 'cow', '--count', '3', '--difficulty', 'hard', '--html', '--solve']);
  const stories = (page: string): string[] => [...page.matchAll(/<\/p><pre>([^<]*)<\/pre>/g)].map(([, story]) => story);
  expect(stories(sheet)).toHaveLength(3);
  expect(stories(key)).toEqual(stories(sheet));
});
