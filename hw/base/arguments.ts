/** What calls ask of their arguments before they look at them: an error at the call, where it can be mended. */

import { toHex } from './address.js';

/** Whether `value` is a whole number from `least` to `most`: NaN, fractions and infinities are not. */
export function isWhole(value: number, least = -Number.MAX_VALUE, most = Number.MAX_VALUE): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Refuses what is no whole number in a range. @throws RangeError with the name, the value and the range */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (!isWhole(value, least, most)) {
    throw new RangeError(`${name} ${value}: must be a whole number from ${least} to ${most}`);
  }
}

/** Refuses a size that no load or store has. @throws RangeError */
export function checkSize(size: number): void {
  if ((size | 0) !== size || (size - 1) >>> 0 > 7) checkWhole('size', size, 1, 8);
}

/** Refuses what is no address up to `most`, whose range is told in hexadecimal. @throws RangeError */
export function checkPlainAddress(name: string, value: number, most: number): void {
  if (!isWhole(value, 0, most)) {
    throw new RangeError(`${name} ${value}: must be a whole number from 0 to ${toHex(most)}`);
  }
}

/** Refuses a value that is none of `choices`. @throws RangeError with the name, the value and the choices */
export function checkChoice<T extends string | number>(name: string, value: T, choices: readonly T[]): void {
  if (choices.includes(value)) return;
  const shown = (choice: T): string => (typeof choice === 'string' ? `'${choice}'` : String(choice));
  throw new RangeError(`${name} ${shown(value)}: must be ${choices.map(shown).join(' or ')}`);
}
