/** Marks an answer: numbers by value in any notation, words in any order. */

import { partsOf } from './exercise.js';
import type { Exercise, Part } from './exercise.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const NUMBER = /^(?:0x([\da-f]+)|(\d+(?:\.\d+)?))\s*(?:(?:([kmgt])i?)?(?:b|bytes?)?)?$/;

/** A number as people write it: `0x1fff`, `8,191`, `1.5 MiB`, `6M`; undefined for anything else. */
function numberIn(text: string): number | undefined {
  const match = NUMBER.exec(text.replaceAll(/[,_](?=\d)/g, ''));
  if (match === null) return undefined;
  const [, hex, decimal, unit = ''] = match as unknown as (string | undefined)[];
  return (hex === undefined ? Number(decimal) : Number(`0x${hex}`)) * UNITS[unit];
}

/** Words in no order; no word and a dash are the same. */
function wordsIn(text: string): string {
  const words = text.split(/[\s,;]+/).filter((word) => !['', '-', '–', 'none'].includes(word));
  return words.sort().join(' ');
}

function same(given: string, value: string): boolean {
  const [one, other] = [given, value].map((text) => text.trim().toLowerCase());
  const [a, b] = [one, other].map(numberIn);
  return b === undefined ? wordsIn(one) === wordsIn(other) : a === b;
}

/** Whether the text says the value of a part. */
export function isRight({ value, also = [] }: Part, given: string): boolean {
  if (given.trim() === '') return value === '';
  return [value, ...also].some((words) => same(given, words));
}

/** For each part of the answer whether the text in its place is right; missing texts are empty. */
export function mark(exercise: Pick<Exercise, 'answer' | 'parts'>, given: readonly string[]): boolean[] {
  return partsOf(exercise).map((part, i) => isRight(part, given[i] ?? ''));
}
