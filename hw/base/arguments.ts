/** Checks of arguments, before a call looks at them: the error comes where it can be mended. */

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
    throw new RangeError(`${name} ${value}: must be a whole number from ${least} to ${most}`);
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
  const shown = (choice: T): string => (typeof choice === 'string' ? `'${choice}'` : String(choice));
  throw new RangeError(`${name} ${shown(value)}: must be ${choices.map(shown).join(' or ')}`);
}
