/** Parts of addresses and entries that the x86 walks share. */

import { frameOf } from '../base/address.js';
import { RIGHT_USER, RIGHT_WRITE } from './rules.js';

/** Physical address bits 51:32, as in an entry's high word, that RAM never has: it ends at 2^34. */
export const BEYOND_RAM = 0xf_fffc;
/** No RAM can be installed there. */
export const NO_FRAME = -1;

/** Rights above the root: everything is allowed until an entry says otherwise. */
export const ROOT_RIGHTS = RIGHT_WRITE | RIGHT_USER;

/** The index into the table of `level` that a linear address selects, for tables of 512 entries. */
export function wideIndex(hi: number, lo: number, level: number): number {
  switch (level) {
    case 0:
      return (lo >>> 12) & 511;
    case 1:
      return (lo >>> 21) & 511;
    case 2:
      return ((hi << 2) | (lo >>> 30)) & 511;
    case 3:
      return (hi >>> 7) & 511;
    default:
      return (hi >>> 16) & 511;
  }
}

/** The frame that an entry or CR3 names, or -1 when it lies past all RAM that can be installed. */
export function frameIn(high: number, low: number): number {
  return (high & BEYOND_RAM) !== 0 ? NO_FRAME : frameOf(high & 3, low);
}

/**
 * Whether another processor stored to the entry at `at` between the reads of its words, `low` first: they may then
 * belong to different entries. To be missed, it would have to store three entries, each between two neighbouring reads, on a
 * host that keeps loads in order, as x86 does; one that does not (ARM) may miss it sooner.
 */
export function isMixed(words: Int32Array, at: number, high: number, low: number): boolean {
  return words[at] !== low || words[at + 1] !== high;
}
