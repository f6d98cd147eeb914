import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIFFICULTIES, partsOf } from '../../../src/quiz/exercise.js';
import { isRight, mark } from '../../../src/quiz/marking.js';
import { quizHtml } from '../../../src/quiz/quiz-html.js';
import { makeExercises, makeGivenQuiz, makeQuiz } from '../../../src/quiz/quiz.js';
import { runs } from '../../runs.js';

describe('marking', () => {
  it.each([
    ['0x1fff', '0x1FFF', true],
    ['0x1fff', '8191', true],
    ['0x1fff', '8,191', true],
    ['0x1fff', '0x0000_1fff', true],
    ['0x1fff', '1fff', false],
    ['0x1fff', '', false],
    ['12 KiB', '12288', true],
    ['12 KiB', '12K', true],
    ['12 KiB', '12 KB', true],
    ['1.5 GiB', '1536 MiB', true],
    ['12 KiB', '12', false],
    ['G PAT D', 'd, pat, g', true],
    ['G PAT D', 'G PAT', false],
    ['', '-', true],
    ['', 'none', true],
    ['', '0x4', false],
    ['yes', 'Yes ', true],
    ['3', '3.0', true],
  ])('%j is said by %j: %s', (value, given, right) => {
    expect(isRight({ label: 'x', value }, given)).toBe(right);
  });

  it('takes an exception by its vector, its name, or both', () => {
    const part = { label: 'x', value: '#PF page fault', also: ['#PF', 'PF', 'page fault'] };
    for (const given of ['#PF', 'pf', 'Page Fault', '#PF page fault']) expect(isRight(part, given)).toBe(true);
    expect(isRight(part, '#GP')).toBe(false);
  });

  it('finds every answer of the model right, and every blank sheet wrong', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.constantFrom(...DIFFICULTIES), (seed, difficulty) => {
        for (const exercise of makeExercises(undefined, seed, { difficulty })) {
          const parts = partsOf(exercise);
          expect(
            mark(
              exercise,
              parts.map(({ value }) => value),
            ),
          ).toEqual(parts.map(() => true));
          expect(mark(exercise, [])).toContain(false);
          // The pieces are pieces of the answer, and nothing of their own.
          for (const { value } of parts) {
            if (!['yes', 'no', 'code', 'data'].includes(value)) expect(exercise.answer).toContain(value);
          }
        }
      }),
      { numRuns: runs(8) },
    );
  });
});

describe('a sheet in HTML', () => {
  const sheet = quizHtml(makeQuiz(undefined, 3, false));
  const key = quizHtml(makeQuiz(undefined, 3, true));

  it('has a blank for every part of every answer, and none of the answers', () => {
    const exercises = makeExercises(undefined, 3);
    const blanks = sheet.match(/<dd><\/dd>/g) ?? [];
    expect(blanks).toHaveLength(exercises.flatMap(partsOf).length);
    for (const { answer } of exercises) expect(sheet).not.toContain(answer);
    for (const [i, { topic, kind }] of exercises.entries())
      expect(sheet).toContain(`<h2>${i + 1}. ${topic}: ${kind}</h2>`);
  });

  it('has a title without a seed where the numbers are given', () => {
    const given = makeGivenQuiz({ kind: 'access-time', tlbNs: 5, memoryNs: 100, hitPercent: 80 }, true);
    expect(quizHtml(given)).toContain('<h1>An exercise: the key</h1>');
  });

  it('has a key with every answer and its reasons', () => {
    for (const { value } of makeExercises(undefined, 3).flatMap(partsOf)) {
      expect(key).toContain(`<dd>${value === '' ? '–' : value}</dd>`);
    }
    expect(key).toContain('the key');
    expect(key).not.toContain('<dd></dd>');
  });

  it('is the same for the same seed, and stands alone', () => {
    expect(quizHtml(makeQuiz('cow', 3, false))).toBe(quizHtml(makeQuiz('cow', 3, false)));
    expect(sheet).toMatch(/^<!doctype html>/);
    expect(sheet).not.toMatch(/src=|href=|<script/);
  });
});
