/** Checks of JSON in recordings: so a trace is read without zod, which takes as long to load as a million accesses. */

/** Checks a value and returns it, an object without the fields that nobody asked for. @throws TypeError for another value */
type Reader<T> = (value: unknown) => T;
/** What a reader gives. */
type Read<R extends Reader<unknown>> = ReturnType<R>;

function readerOf<T>(fits: (value: unknown) => value is T): Reader<T> {
  return (value) => {
    if (fits(value)) return value;
    throw new TypeError('a value of another kind');
  };
}

const wholeFrom = (least: number): Reader<number> =>
  readerOf((value): value is number => Number.isSafeInteger(value) && Number(value) >= least);

export const text = readerOf((value) => typeof value === 'string');
export const truth = readerOf((value) => typeof value === 'boolean');
/** Whole numbers: of any sign, from 0, from 1. */
export const whole = wholeFrom(-Infinity);
export const count = wholeFrom(0);
export const positive = wholeFrom(1);

/** One of these words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return readerOf((value): value is Word => words.some((word) => word === value));
}

export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (value) => (value === null ? null : reader(value));
}

/** The field may be absent. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value) => (value === undefined ? undefined : reader(value));
}

/** An object, or a word in its place. */
export function either<T, Word extends string>(object: Reader<T>, word: Reader<Word>): Reader<T | Word> {
  return (value) => (typeof value === 'string' ? word(value) : object(value));
}

const list = readerOf((value): value is unknown[] => Array.isArray(value));

/** A list of at least so many elements. */
export function listOf<T>(reader: Reader<T>, least = 0): Reader<T[]> {
  return (value) => {
    const read = list(value).map(reader);
    if (read.length < least) throw new TypeError(`a list of fewer than ${least}`);
    return read;
  };
}

const object = readerOf((value): value is Record<string, unknown> => typeof value === 'object' && value !== null);

type Readers = Readonly<Record<string, Reader<unknown>>>;
type OptionalIn<R extends Readers> = { [K in keyof R]: undefined extends Read<R[K]> ? K : never }[keyof R];
/** The objects of a {@link objectOf}. */
type Fields<R extends Readers> = { -readonly [K in Exclude<keyof R, OptionalIn<R>>]: Read<R[K]> } & {
  -readonly [K in OptionalIn<R>]?: Read<R[K]>;
};

/** An object with these fields. */
export function objectOf<R extends Readers>(readers: R): Reader<Fields<R>> {
  return (value) => {
    const given = object(value);
    const read = Object.entries(readers).map(([name, reader]) => [name, reader(given[name])] as const);
    return Object.fromEntries(read.filter(([, field]) => field !== undefined)) as Fields<R>;
  };
}

/** The value of JSON text, or `undefined` when the text is anything else. */
export function parseJson<T>(json: string, reader: Reader<T>): T | undefined {
  try {
    return reader(JSON.parse(json));
  } catch {
    return undefined;
  }
}
