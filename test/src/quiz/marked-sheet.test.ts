import { expect, it } from 'vitest';
import { answersIn, markedText, markSheet } from '../../../src/quiz/marked-sheet.js';
import { makeExercises } from '../../../src/quiz/quiz.js';

const exercises = makeExercises('cow', 3, { count: 2 });

it('takes the pieces of a line for its exercise, whatever the order and the spaces', () => {
  expect(answersIn('\n 2) 1;2 ; 3\r\n1: 4\n', exercises)).toEqual([['4'], ['1', '2', '3']]);
});

it.each([
  ['1 copied', "line 1: '1 copied': write the number first, such as 1: 0x3f; none"],
  ['1: 1\n3: 1', 'line 2: there is no exercise 3; the sheet has 2 exercises'],
  ['1: 1\n\n1: 2', 'line 3: exercise 1 has an answer already; leave one out'],
  ['2: 1; 2; 3; 4', /^line 1: exercise 2 asks for 3 things \(pages copied; .*\), found 4$/],
])('refuses %j with the line and the fix', (text, message) => {
  expect(() => answersIn(text, exercises)).toThrow(message);
});

it('marks each piece, and gives the reasons where one is wrong', () => {
  const values = exercises.map(({ parts }) => parts!.map(({ value }) => value));
  const answers = [values[0], ['999', ...values[1].slice(1, 2)]];
  const marked = markSheet(exercises, answers, 3);
  expect([marked.right, marked.count, marked.seed]).toEqual([1, 2, 3]);
  expect(marked.exercises.map(({ parts }) => parts.map(({ right }) => right))).toEqual([
    [true, true, true],
    [false, true, false],
  ]);
  const text = markedText(marked);
  expect(text).toContain(`  right  pages copied: ${values[0][0]}\n`);
  expect(text).toContain(`  WRONG  pages copied: 999; right is ${values[1][0]}\n`);
  expect(text).toContain(`  WRONG  frames in the end: nothing; right is ${values[1][2]}\n`);
  expect(text).toContain(`  ${exercises[1].reasoning[0]}`);
  expect(text).not.toContain(exercises[0].reasoning[1]);
  expect(text).toMatch(/\n1 of 2 exercises right\.\n$/);
});
