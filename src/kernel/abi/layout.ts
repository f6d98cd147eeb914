/** Limits of addresses and files: the end of user addresses, the longest file, and rounding to pages. */

import { PAGE_BYTES, PAGE_SHIFT } from '../../../hw/base/address.js';

/** One past the last user address: 47 bits less a guard page. Source: Linux Documentation/arch/x86/x86_64/mm.rst. */
export const USER_END = 2 ** 47 - PAGE_BYTES;

/** Bytes of the largest file: every offset is exact as a plain number. */
export const LARGEST_FILE = 2 ** 52;

/** V8 works out a power at run time by a call, which takes longer than a walk of page tables. */
const POWERS = Float64Array.from({ length: 64 }, (_, shift) => 2 ** shift);

/** 2^shift, of a page's or a table's shift. */
export function powerOfTwo(shift: number): number {
  return POWERS[shift];
}

/** `address` rounded down to a multiple of 2^shift. */
export function alignDown(address: number, shift = PAGE_SHIFT): number {
  const size = POWERS[shift];
  return Math.floor(address / size) * size;
}

/** `address` rounded up to a multiple of 2^shift. */
export function alignUp(address: number, shift = PAGE_SHIFT): number {
  const size = POWERS[shift];
  return Math.ceil(address / size) * size;
}
