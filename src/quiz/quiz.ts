/** Exercise sheets: one exercise of every kind of a topic, or of all. */

import { mix, Random } from '../../hw/base/random.js';
import { wrap } from '../report/output/table.js';
import { SCHEMA_VERSION } from '../report/results/schema.js';
import { ALLOCATION_KINDS } from './allocation.js';
import { COW_KINDS } from './copy-on-write.js';
import { EXERCISE_INDENT, LINE_WIDTH } from './exercise.js';
import type { Exercise, ExerciseKind, Topic } from './exercise.js';
import { PAGING_KINDS } from './paging.js';
import { SEGMENTATION_KINDS } from './segmentation.js';
import { TLB_KINDS } from './tlb.js';

const KINDS: readonly ExerciseKind[] = [
  ...PAGING_KINDS,
  ...SEGMENTATION_KINDS,
  ...COW_KINDS,
  ...TLB_KINDS,
  ...ALLOCATION_KINDS,
];

/** An exercise without its answer and reasoning. */
type Question = Omit<Exercise, 'answer' | 'reasoning'>;

export interface QuizResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'quiz';
  readonly seed: number;
  /** Whether the exercises come with their answers. */
  readonly solved: boolean;
  readonly exercises: readonly (Exercise | Question)[];
}

/** The exercises of a topic, or of every topic, for a seed: an exercise depends on its kind and the seed alone. */
export function makeExercises(topic: Topic | undefined, seed: number): Exercise[] {
  return KINDS.flatMap(({ topic: own, kind, make }, index) => {
    if (topic !== undefined && topic !== own) return [];
    return [{ topic: own, kind, ...make(new Random(mix(seed) + index)) }];
  });
}

export function makeQuiz(topic: Topic | undefined, seed: number, solved: boolean): QuizResult {
  const exercises = makeExercises(topic, seed).map((exercise): Exercise | Question => {
    if (solved) return exercise;
    const { topic: own, kind, question, given } = exercise;
    return { topic: own, kind, question, given };
  });
  return { schemaVersion: SCHEMA_VERSION, command: 'quiz', seed, solved, exercises };
}

/** A line of the given facts or of the reasoning; if it is too long, its rest stands under its last column. */
function indented(text: string): string {
  const lines = text.split('\n').flatMap((line) => {
    const column = line.lastIndexOf('  ') + 2;
    return wrap(line, column < 2 ? EXERCISE_INDENT : ' '.repeat(column), LINE_WIDTH).split('\n');
  });
  return lines.map((line) => (line === '' ? '' : EXERCISE_INDENT + line)).join('\n');
}

function exerciseLines(exercise: Exercise | Question, number: number): string[] {
  const { topic, kind, question, given } = exercise;
  const lines = [`${number}. ${topic}: ${kind}`, wrap(question), ...given.map(indented)];
  if (!('answer' in exercise)) return [...lines, ''];
  return [...lines, '', wrap(`Answer: ${exercise.answer}`), ...exercise.reasoning.map(indented), ''];
}

/** The sheet as people read it. */
export function quizText({ exercises, seed, solved }: QuizResult): string {
  const lines = exercises.flatMap((exercise, index) => exerciseLines(exercise, index + 1));
  const hint = solved ? [] : [`Answers: the same command with --solve (seed ${seed}).`];
  return `${[...lines, ...hint].join('\n').trimEnd()}\n`;
}
