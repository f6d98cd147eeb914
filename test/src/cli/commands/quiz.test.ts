import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { outputOf, printed, printedExamples } from '../examples.js';
import { expectUsageError, runCli, spawnCli } from '../run-cli.js';

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

test('answers of a file are marked, for people and for programs', async () => {
  const file = join(temporaryFolder(), 'answers.txt');
  writeFileSync(file, '1: none; \x1b[0m\n');
  const args = ['quiz', 'segmentation', '--seed', '2', '--count', '1', '--answers', file];
  const text = await printed(args);
  expect(text).toContain('  WRONG  error code, if any: \\x1b[0m; right is 0x0\n');
  expect(text).toContain('lie inside 0x2000 to 0xffffffff:\n              #GP(0x0)\n');
  expect(JSON.parse(await printed([...args, '--json']))).toMatchObject({ command: 'quiz', right: 0, count: 1 });
  writeFileSync(file, '2: x');
  const { status, stderr } = await runCli(args);
  expect([status, stderr]).toEqual([1, `error: ${file}: line 1: there is no exercise 2; the sheet has 1 exercise\n`]);
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
  [
    ['quiz', 'tlb', '--given', 'x.json'],
    ['TOPIC tlb', '--given', 'leave it out'],
  ],
  [
    ['quiz', '--seed', '2', '--given', 'x.json'],
    ['--given', '--seed'],
  ],
  [['quiz', '--html', '--json'], ['--html']],
  [
    ['quiz', 'cow', '--machine', 'toy'],
    ['TOPIC cow', 'toy', 'leave one out'],
  ],
  [
    ['quiz', '--solve', '--answers', 'x.txt'],
    ['--answers', '--solve'],
  ],
])('%j is a usage error that names value and fix', expectUsageError);

test('a sheet has as many exercises as asked for, and its key the same ones', async () => {
  const sheet = await printed(['quiz', 'cow', '--count', '3', '--difficulty', 'hard', '--html']);
  expect(sheet.match(/<section>/g)).toHaveLength(3);
  const key = await printed(['quiz', 'cow', '--count', '3', '--difficulty', 'hard', '--html', '--solve']);
  const stories = (page: string): string[] => [...page.matchAll(/<\/p><pre>([^<]*)<\/pre>/g)].map(([, story]) => story);
  expect(stories(sheet)).toHaveLength(3);
  expect(stories(key)).toEqual(stories(sheet));
});
