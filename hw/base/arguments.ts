/** Checks of arguments, before a call looks at them: the error comes where it can be mended. */

/** A value in an error: text in quotes, an object by its class. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${shown(value[0])}${value.length > 1 ? ', …' : ''}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const { name } = (value as { readonly constructor?: { readonly name: string } }).constructor ?? Object;
  return name === 'Object' ? '{…}' : `${name} {…}`;
}

/** The right values of an argument: in words, for the error, and as a test. */
export interface Kind {
  readonly words: string;
  readonly fits: (value: unknown) => boolean;
}

export const TEXT: Kind = { words: 'a string', fits: (value) => typeof value === 'string' };
export const NUMBER: Kind = { words: 'a number', fits: (value) => typeof value === 'number' };
export const TRUTH: Kind = { words: 'true or false', fits: (value) => typeof value === 'boolean' };
export const LIST: Kind = { words: 'an array', fits: (value) => Array.isArray(value) };

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * Objects told by a field that others lack. Their class would not do: a program may have the package twice, and other
 * objects may stand in.
 */
export function objectWith(field: string, words: string): Kind {
  return { words, fits: (value) => isObject(value) && value[field] !== undefined };
}

/** Arrays with nothing else than values of a kind. */
export function arrayOf({ words, fits }: Kind): Kind {
  return { words: `an array, each ${words}`, fits: (value) => Array.isArray(value) && value.every(fits) };
}

/**
 * Refuses an argument of another kind. Types tell callers in TypeScript; those in JavaScript hear it from here. For
 * constructors, and functions with much to do: never for an access.
 * @throws TypeError with the name, the value and the right kind
 */
export function checkKind(name: string, value: unknown, { words, fits }: Kind): void {
  if (!fits(value)) throw new TypeError(`${name} ${shown(value)}: must be ${words}`);
}

/** Refuses anything but an object. @param fields those that it should have, in words @throws TypeError */
export function checkObject(name: string, value: unknown, fields: string): void {
  checkKind(name, value, { words: `an object with ${fields}`, fits: isObject });
}

/**
 * Refuses options that are no object, lack a required one, or have one of another kind. The others may be absent.
 * @param name of the function and its argument, such as `Mmu: options`
 * @throws TypeError as {@link checkKind}
 */
export function checkOptions(name: string, options: unknown, required: Readonly<Record<string, Kind>>): void {
  checkObject(name, options, Object.keys(required).join(', '));
  for (const [field, kind] of Object.entries(required)) {
    checkKind(`${name}.${field}`, (options as Readonly<Record<string, unknown>>)[field], kind);
  }
}

/**
 * Whether `value` is a whole number from `least` to `most`: NaN, fractions and infinities are not.
 *
 * The defaults are no fields of Number: V8's compiler makes a number for such a field in the background, and Node 20 may
 * wait for it for ever as it exits.
 */
export function isWhole(value: number, least = -Infinity, most = Infinity): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Refuses all but whole numbers of a range. @throws RangeError with the name, the value and the range */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (!isWhole(value, least, most)) {
    throw new RangeError(`${name} ${shown(value)}: must be a whole number from ${least} to ${most}`);
  }
}

/** Refuses a size unknown to loads and stores. @throws RangeError */
export function checkSize(size: number): void {
  if ((size | 0) !== size || (size - 1) >>> 0 > 7) checkWhole('size', size, 1, 8);
}

/** Refuses all but addresses below `end`, a power of two; the range is told in hexadecimal. @throws RangeError */
export function checkPlainAddress(name: string, value: number | bigint, end: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < end) return;
  if (typeof value === 'bigint' && value >= 0n && value < BigInt(end)) return;
  const [most, exact] = [BigInt(end) - 1n, BigInt(Number.MAX_SAFE_INTEGER)];
  const range =
    typeof value === 'bigint' || most <= exact
      ? `0x${most.toString(16)}`
      : `0x${exact.toString(16)}, above it a bigint up to 0x${most.toString(16)}`;
  throw new RangeError(`${name} ${value}: must be a whole number from 0 to ${range}`);
}

/** The least value of so many bytes, signed, and the end of the unsigned ones: by bytes, 0 to 8. */
const LEAST: readonly number[] = Array.from({ length: 9 }, (_, size) => -(2 ** (8 * size - 1)));
const END: readonly number[] = Array.from({ length: 9 }, (_, size) => 2 ** (8 * size));

/** Refuses a value too large for `size` bytes (1 to 8), signed and unsigned. @throws RangeError */
export function checkValue(name: string, value: number | bigint, size: number): void {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= LEAST[size] && value < END[size]) return;
  } else if (value >= BigInt(LEAST[size]) && value < BigInt(END[size])) return;
  const form = typeof value === 'number' && size > 6 ? ', above 2^53 a bigint' : '';
  throw new RangeError(
    `${name} ${value}: must be a whole number from ${BigInt(LEAST[size])} to ${BigInt(END[size]) - 1n}${form}`,
  );
}

/** Refuses a value other than one of `choices`. @throws RangeError with the name, the value and the choices */
export function checkChoice<T extends string | number>(name: string, value: T, choices: readonly T[]): void {
  if (choices.includes(value)) return;
  throw new RangeError(`${name} ${shown(value)}: must be ${choices.map(shown).join(' or ')}`);
}
