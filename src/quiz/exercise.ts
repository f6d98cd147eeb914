/** An exercise: a question, the given facts, and an answer computed by the model. */

import { WIDTH } from '../report/output/wrap.js';
import type { Random } from '../../hw/base/random.js';

export const TOPICS = ['paging', 'segmentation', 'cow', 'tlb', 'allocation', 'replacement', 'toy', 'machines'] as const;
export type Topic = (typeof TOPICS)[number];

/** The machines that exercises are about; many are about none. */
export const QUIZ_MACHINES = ['x86', 'riscv', 'aarch64', 'toy'] as const;
export type QuizMachine = (typeof QUIZ_MACHINES)[number];

export const DIFFICULTIES = ['easy', 'medium', 'hard'] as const;
export type Difficulty = (typeof DIFFICULTIES)[number];

/** A piece of an answer, to be filled in and marked by itself. */
export interface Part {
  /** What is asked for; it gives nothing away. */
  readonly label: string;
  /** The right text; empty when nothing is to be written. */
  readonly value: string;
  /** Other words for it. */
  readonly also?: readonly string[];
}

export interface Exercise {
  readonly topic: Topic;
  /** The subject, such as `translate`. */
  readonly kind: string;
  /** Sentences. */
  readonly question: string;
  /** Lines that belong together and stay as they are. */
  readonly given: readonly string[];
  readonly answer: string;
  /** The answer in pieces; one piece when absent. */
  readonly parts?: readonly Part[];
  /** Lines: how the answer comes about. */
  readonly reasoning: readonly string[];
}

/** An exercise but for its topic and kind. */
export type Posed = Omit<Exercise, 'topic' | 'kind'>;

/** Makes exercises of one kind; the same numbers make the same exercise. */
export interface ExerciseKind {
  readonly topic: Topic;
  readonly kind: string;
  /** The machine that it is about; of none when absent. */
  readonly machine?: QuizMachine;
  readonly make: (random: Random, difficulty: Difficulty) => Posed;
}

/** Before every line of the given facts and of the reasoning. */
export const EXERCISE_INDENT = '  ';
/** Columns for such a line. */
export const LINE_WIDTH = WIDTH - EXERCISE_INDENT.length;

/** The pieces of an answer. */
export function partsOf({ answer, parts }: Pick<Exercise, 'answer' | 'parts'>): readonly Part[] {
  return parts ?? [{ label: 'answer', value: answer }];
}

/** A physical or linear address, or the exception in its place: `name` such as `#PF page fault`. */
export function outcomeParts(what: string, outcome: string | { readonly name: string; readonly code: string }): Part[] {
  const [value, code] = typeof outcome === 'string' ? [outcome, ''] : [outcome.name, outcome.code];
  const [short, ...words] = value.split(' ');
  const also = typeof outcome === 'string' ? [] : [short, short.slice(1), words.join(' ')];
  return [
    { label: `${what}, or the exception`, value, also },
    { label: 'error code, if any', value: code },
  ];
}

/** One of `choices`. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)];
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + random.below(high - low + 1);
}

/** Numbers in words for lists: `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}
