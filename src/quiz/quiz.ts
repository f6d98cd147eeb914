/** Exercise sheets: of every kind of a topic, or of all, as many as are wanted; or one exercise about given numbers. */

import { z } from 'zod';
import { mix, Random } from '../../hw/base/random.js';
import { wrap } from '../report/output/wrap.js';
import { SCHEMA_VERSION } from '../report/results/schema-version.js';
import { ALLOCATION_KINDS } from './allocation.js';
import { COW_KINDS } from './copy-on-write.js';
import { partsOf, EXERCISE_INDENT, LINE_WIDTH } from './exercise.js';
import type { Difficulty, Exercise, ExerciseKind, QuizMachine, Topic } from './exercise.js';
import { checkState } from '../explain/machine-state.js';
import { FREE_LIST } from './free-list.js';
import { GIVEN_SAMPLE } from './given.js';
import { MACHINE_KINDS } from './walk/machines.js';
import { NESTED_KINDS } from './walk/nested.js';
import { PAGING_KINDS } from './walk/paging.js';
import { REFERENCES } from './replacement.js';
import { SEGMENTATION_KINDS } from './segmentation.js';
import { ACCESS_TIME, TABLE_SIZE } from './sums.js';
import { TLB_KINDS } from './tlb.js';
import { TOY_KINDS } from './walk/toy.js';

/** Kinds that take numbers of one's own. */
const GIVEN_KINDS = [REFERENCES, FREE_LIST, ACCESS_TIME, TABLE_SIZE];

/** A sheet of a seed stays as it is: the place of a kind decides what it draws, so new ones come last. */
const KINDS: readonly ExerciseKind[] = [
  ...PAGING_KINDS,
  ...SEGMENTATION_KINDS,
  ...COW_KINDS,
  ...TLB_KINDS,
  ...ALLOCATION_KINDS,
  ...GIVEN_KINDS,
  ...TOY_KINDS,
  ...MACHINE_KINDS,
  ...NESTED_KINDS,
];

/** Nobody prints longer sheets. */
export const MOST_EXERCISES = 100;

/** What sheet is wanted; one exercise of each kind, of medium difficulty, when nothing is said. */
export interface SheetOptions {
  readonly difficulty?: Difficulty | undefined;
  /** Exercises on the sheet. */
  readonly count?: number | undefined;
  /** Only exercises about this machine. */
  readonly machine?: QuizMachine | undefined;
}

/** Seeds of the rounds of a sheet are so far apart. */
const ROUND = 0x9e37_79b9;

/** An exercise without its answer and reasoning. */
type Question = Omit<Exercise, 'answer' | 'reasoning' | 'parts'> & {
  /** What is to be filled in, piece by piece. */
  readonly asks?: readonly string[];
};

export interface QuizResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'quiz';
  /** Null for given numbers. */
  readonly seed: number | null;
  readonly difficulty: Difficulty;
  /** Whether the exercises come with their answers. */
  readonly solved: boolean;
  readonly exercises: readonly (Exercise | Question)[];
}

/** The kinds of a topic, or of every one, about a machine, or whatever they are about; each with its place. */
function kindsOf(topic: Topic | undefined, machine: QuizMachine | undefined): (ExerciseKind & { index: number })[] {
  return KINDS.map((kind, index) => ({ ...kind, index })).filter(
    (kind) => (topic ?? kind.topic) === kind.topic && (machine ?? kind.machine) === kind.machine,
  );
}

/** The topics with exercises about a machine. */
export function topicsAbout(machine: QuizMachine): Topic[] {
  return [...new Set(kindsOf(undefined, machine).map(({ topic }) => topic))];
}

/**
 * The exercises of a topic, or of every topic, for a seed; none where no kind of the topic is about the machine. An
 * exercise depends on its kind, difficulty and round and the seed alone: the first round has one of each kind, the next
 * rounds others.
 */
export function makeExercises(topic: Topic | undefined, seed: number, options: SheetOptions = {}): Exercise[] {
  const { difficulty = 'medium', machine } = options;
  const kinds = kindsOf(topic, machine);
  const { count = kinds.length } = options;
  if (kinds.length === 0) return [];
  return Array.from({ length: count }, (_, i) => {
    const { topic: own, kind, make, index } = kinds[i % kinds.length];
    const round = Math.floor(i / kinds.length);
    return { topic: own, kind, ...make(new Random(mix(seed + round * ROUND) + index), difficulty) };
  });
}

export function makeQuiz(
  topic: Topic | undefined,
  seed: number,
  solved: boolean,
  options: SheetOptions = {},
): QuizResult {
  return sheetOf(makeExercises(topic, seed, options), seed, solved, options);
}

/**
 * A sheet with the one exercise about the numbers of a file; its `kind` says which.
 * @throws StateError with field, value and fix
 */
export function makeGivenQuiz(value: unknown, solved: boolean): QuizResult {
  const names = GIVEN_KINDS.map(({ kind }) => kind);
  const wanted = checkState(z.looseObject({ kind: z.enum(names) }), value, GIVEN_SAMPLE).kind;
  const exercises = GIVEN_KINDS.filter(({ kind }) => kind === wanted).map(({ topic, kind, given }) => ({
    topic,
    kind,
    ...given(value),
  }));
  return sheetOf(exercises, null, solved);
}

function sheetOf(
  exercises: readonly Exercise[],
  seed: number | null,
  solved: boolean,
  { difficulty = 'medium' }: SheetOptions = {},
): QuizResult {
  const shown = exercises.map((exercise): Exercise | Question => {
    if (solved) return exercise;
    const { topic, kind, question, given } = exercise;
    return { topic, kind, question, given, asks: partsOf(exercise).map(({ label }) => label) };
  });
  return { schemaVersion: SCHEMA_VERSION, command: 'quiz', seed, difficulty, solved, exercises: shown };
}

/** A line of the given facts or of the reasoning, indented; if it is too long, its rest stands under its last column. */
export function indented(text: string): string {
  const lines = text.split('\n').flatMap((line) => {
    const column = line.lastIndexOf('  ') + 2;
    return wrap(line, column < 2 ? EXERCISE_INDENT : ' '.repeat(column), LINE_WIDTH).split('\n');
  });
  return lines.map((line) => (line === '' ? '' : EXERCISE_INDENT + line)).join('\n');
}

/** The heading of an exercise. */
export function headOf({ topic, kind }: { readonly topic: Topic; readonly kind: string }, number: number): string {
  return `${number}. ${topic}: ${kind}`;
}

function exerciseLines(exercise: Exercise | Question, number: number): string[] {
  const { question, given } = exercise;
  const lines = [headOf(exercise, number), wrap(question), ...given.map(indented)];
  if (!('answer' in exercise)) {
    const { asks = [] } = exercise;
    return [...lines, wrap(`Asked: ${asks.join('; ')}`), ''];
  }
  return [...lines, '', wrap(`Answer: ${exercise.answer}`), ...exercise.reasoning.map(indented), ''];
}

/** The sheet as people read it. */
export function quizText({ exercises, seed, solved }: QuizResult): string {
  const lines = exercises.flatMap((exercise, index) => exerciseLines(exercise, index + 1));
  const again = `the same command with --solve${seed === null ? '' : ` (seed ${seed})`}`;
  const yours = 'write a line for each exercise, such as "1: 0x3f; none", and add --answers FILE';
  const hint = solved ? [] : [wrap(`Answers: ${again}. To have yours marked, ${yours}.`)];
  return `${[...lines, ...hint].join('\n').trimEnd()}\n`;
}
