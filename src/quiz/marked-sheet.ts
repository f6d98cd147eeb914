/** A sheet of exercises with somebody's answers, marked: for a terminal and for programs. */

import { countOf } from '../report/output/units.js';
import { wrap } from '../report/output/wrap.js';
import { SCHEMA_VERSION } from '../report/results/schema-version.js';
import { partsOf } from './exercise.js';
import type { Exercise, Topic } from './exercise.js';
import { mark } from './marking.js';
import { headOf, indented } from './quiz.js';

/** A piece of an answer, marked. */
interface MarkedPart {
  /** What was asked for. */
  readonly label: string;
  /** What was answered; empty when nothing was. */
  readonly given: string;
  /** The right text; empty when nothing is to be written. */
  readonly value: string;
  readonly right: boolean;
}

export interface MarkedQuiz {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'quiz';
  /** Null for given numbers. */
  readonly seed: number | null;
  /** Exercises right in every part, of `count`. */
  readonly right: number;
  readonly count: number;
  readonly exercises: readonly {
    readonly topic: Topic;
    readonly kind: string;
    readonly right: boolean;
    readonly parts: readonly MarkedPart[];
    readonly reasoning: readonly string[];
  }[];
}

const LINE = /^\s*(\d{1,3})\s*[:.)]\s*(.*?)\s*$/;

/**
 * The answers of a text: a line for each exercise, such as `3: 0x3f; none`. Exercises without a line are not answered.
 * @returns for each exercise its pieces
 * @throws RangeError with the line, what is wrong there, and the fix
 */
export function answersIn(text: string, exercises: readonly Exercise[]): string[][] {
  const answers = exercises.map((): string[] => []);
  const seen = new Set<number>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const refuse = (why: string): never => {
      throw new RangeError(`line ${i + 1}: ${why}`);
    };
    const [, digits, words] =
      LINE.exec(line) ?? refuse(`'${line.trim()}': write the number first, such as 1: 0x3f; none`);
    const number = Number(digits);
    if (number < 1 || number > exercises.length) {
      refuse(`there is no exercise ${number}; the sheet has ${countOf(exercises.length, 'exercise')}`);
    }
    if (seen.has(number)) refuse(`exercise ${number} has an answer already; leave one out`);
    seen.add(number);
    const asked = partsOf(exercises[number - 1]).map(({ label }) => label);
    const pieces = words.split(';').map((piece) => piece.trim());
    if (pieces.length > asked.length) {
      refuse(
        `exercise ${number} asks for ${countOf(asked.length, 'thing')} (${asked.join('; ')}), found ${pieces.length}`,
      );
    }
    answers[number - 1] = pieces;
  }
  return answers;
}

/** Marks a sheet. @param answers for each exercise its pieces */
export function markSheet(
  exercises: readonly Exercise[],
  answers: readonly (readonly string[])[],
  seed: number | null,
): MarkedQuiz {
  const marked = exercises.map((exercise, i) => {
    const { topic, kind, reasoning } = exercise;
    const marks = mark(exercise, answers[i]);
    const parts = partsOf(exercise).map(({ label, value }, part) => {
      return { label, given: answers[i].at(part) ?? '', value, right: marks[part] };
    });
    return { topic, kind, right: marks.every((one) => one), parts, reasoning };
  });
  const right = marked.filter((exercise) => exercise.right).length;
  return { schemaVersion: SCHEMA_VERSION, command: 'quiz', seed, right, count: marked.length, exercises: marked };
}

function partLine({ label, given, value, right }: MarkedPart): string {
  const words = given === '' ? 'nothing' : given;
  return wrap(
    right ? `  right  ${label}: ${words}` : `  WRONG  ${label}: ${words}; right is ${value === '' ? 'nothing' : value}`,
    ' '.repeat(9),
  );
}

/** The marked sheet as people read it: reasons stand where something is wrong. */
export function markedText({ exercises, right, count }: MarkedQuiz): string {
  const lines = exercises.flatMap((exercise, i) => [
    headOf(exercise, i + 1),
    ...exercise.parts.map(partLine),
    ...(exercise.right ? [] : exercise.reasoning.map(indented)),
    '',
  ]);
  return `${[...lines, `${right} of ${countOf(count, 'exercise')} right.`].join('\n')}\n`;
}
