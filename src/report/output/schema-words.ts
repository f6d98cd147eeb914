/** Faults of JSON from outside, in words; those of the validator never reach a person. */

import type { z } from 'zod';
import { printableText, shortened } from './printable.js';

/** The first fault. */
export interface Flaw {
  /** Names and indices on the way to the value; empty for the whole. */
  readonly path: readonly PropertyKey[];
  /** The fault is a field there that is not known; `problem` names it, and those that are. */
  readonly unknown?: true;
  /** `expected …, found …` */
  readonly problem: string;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`;
}

function optionWords(options: readonly z.core.util.Primitive[]): string {
  return listed(options.map((option) => (typeof option === 'string' ? `'${option}'` : String(option))));
}

function sized(origin: string, limit: string): string {
  if (origin === 'string') return `text of ${limit} characters`;
  if (origin === 'array') return `a list of ${limit} values`;
  return `${origin === 'int' ? 'a whole number' : 'a number'} ${limit.startsWith('at') ? 'of ' : ''}${limit}`;
}

/** Of an issue about whole numbers; zod itself says so only once it has found a number. */
function wantsWhole(issue: z.core.$ZodIssue | z.core.$ZodRawIssue): boolean {
  const definition = 'inst' in issue ? issue.inst._zod.def : undefined;
  return definition !== undefined && 'format' in definition && definition.format === 'safeint';
}

/** The right thing, as the words after `expected`. */
function expectedWords(issue: z.core.$ZodIssue | z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[wantsWhole(issue) ? 'int' : issue.expected] ?? issue.expected;
    case 'too_big':
      return sized(issue.origin, `${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}`);
    case 'too_small':
      return sized(issue.origin, `${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`);
    case 'invalid_value':
      return optionWords(issue.values);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `no field '${issue.keys.join("', '")}'`;
    case 'invalid_union':
      return 'options' in issue
        ? optionWords(issue.options as z.core.util.Primitive[])
        : listed([...new Set(issue.errors.map(([first]) => expectedWords(first)))]);
    default:
      return issue.message?.replace(/^expected /, '') ?? 'another value';
  }
}

function foundWords(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (typeof input === 'number' && !Number.isFinite(input)) return 'a number beyond 1.7e308';
  const text = printableText(typeof input === 'string' ? input : JSON.stringify(input));
  return typeof input === 'string' ? `'${shortened(text)}'` : shortened(text);
}

/** The fields of an object's form, or the keys of a record's. */
function knownFields({ inst }: z.core.$ZodRawIssue): readonly string[] {
  const form = inst?._zod.def as { readonly shape?: object; readonly keyType?: z.core.$ZodType } | undefined;
  return form?.shape ? Object.keys(form.shape) : [...(form?.keyType?._zod.values ?? [])].map(String);
}

function inWords(issue: z.core.$ZodRawIssue, noField: string): string {
  if (issue.code === 'unrecognized_keys') {
    return `${noField} '${issue.keys.join("', '")}'; there are ${knownFields(issue).join(', ')}`;
  }
  const expected = `expected ${expectedWords(issue)}`;
  // In an object of unknown kind the kind is wrong.
  const tag = issue.code === 'invalid_union' ? issue.discriminator : undefined;
  const found = tag === undefined ? issue.input : (issue.input as Readonly<Record<string, unknown>>)[tag];
  return `${expected}, found ${foundWords(found)}`;
}

/** How far a form fits up to its fault: it has the fields before one that it does not know. */
function depthOf({ path, unknown }: Flaw): number {
  return path.length + (unknown === true ? 1 : 0);
}

/** If none of several forms fits, the one fitting furthest tells the fault best; of two as far, that with fewer faults. */
function flawOf({ path, message, ...issue }: z.core.$ZodIssue): Flaw {
  const forms = issue.code === 'invalid_union' ? issue.errors : [];
  const [best] = [...forms]
    .sort((a, b) => a.length - b.length)
    .map(([first]) => flawOf(first))
    .sort((a, b) => depthOf(b) - depthOf(a));
  if (forms.length > 0 && depthOf(best) > 0) return { ...best, path: [...path, ...best.path] };
  return { path, problem: message, ...(issue.code === 'unrecognized_keys' && { unknown: true }) };
}

/**
 * The value as its schema has it, or its first fault.
 * @param noField the words before the name of a field that is not known
 */
export function checked<T>(
  schema: z.ZodType<T>,
  value: unknown,
  noField = 'expected no field',
): { readonly value: T } | { readonly flaw: Flaw } {
  const result = schema.safeParse(value, { error: (issue) => inWords(issue, noField) });
  return result.success ? { value: result.data } : { flaw: flawOf(result.error.issues[0]) };
}
