/** Parts of addresses and entries that the x86 walks share. */

import { frameOf, NO_FRAME } from '../base/address.js';
import { RIGHT_USER, RIGHT_WRITE, RIGHT_XD } from './rules.js';

/** Physical address bits 51:32, as in an entry's high word, that RAM never has: it ends at 2^34. */
export const BEYOND_RAM = 0xf_fffc;
/** Rights above the root: everything is allowed until an entry says otherwise. */
export const ROOT_RIGHTS = RIGHT_WRITE | RIGHT_USER;

/** The frame of an entry or CR3, or -1 when it lies past the largest possible RAM. */
export function frameIn(high: number, low: number): number {
  return (high & BEYOND_RAM) !== 0 ? NO_FRAME : frameOf(high & 3, low);
}

/** Rights after one more entry: writes and user accesses need every level's consent, one XD is enough. */
export const combine = (rights: number, high: number, low: number): number =>
  (rights & low & (RIGHT_WRITE | RIGHT_USER)) | ((rights | (high >>> 31)) & RIGHT_XD);

/**
 * Whether the entry of 8 bytes at index `at` belongs to an aligned run of `count` entries, a power of two, with frames one
 * after the other, the first one aligned too, and all other bits alike.
 */
export function isRun(words: Int32Array, at: number, count: number): boolean {
  const start = at & -(2 * count);
  const low = words[start];
  const high = words[start + 1];
  if (((low >>> 12) & (count - 1)) !== 0) return false;
  for (let i = 1; i < count; i++) {
    // An aligned run does not carry into the high word.
    if (words[start + 2 * i] !== low + (i << 12) || words[start + 2 * i + 1] !== high) return false;
  }
  return true;
}
