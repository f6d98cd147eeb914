/**
 * Parts of addresses and descriptors common to the walks.
 *
 * Constants are not exported, so V8 folds them into the functions here.
 */

import * as format from './format.js';
import * as granules from './granules.js';
import type { TranslationTables } from './rules.js';

const { DESC_TABLE } = format;
const { AARCH64_PAGE_SHIFTS } = granules;

/** Bits of the address `(hi, lo)` from `shift` on (1 to 63), as many as fit. */
export function bitsFrom(hi: number, lo: number, shift: number): number {
  return shift >= 32 ? hi >> (shift - 32) : (hi << (32 - shift)) | (lo >>> shift);
}

/** Whether a valid descriptor at `level` points to a table. */
export function isTable(low: number, level: number): boolean {
  return (low & DESC_TABLE) !== 0 && level !== 0;
}

/** Whether a valid one that does not is of a block or page, rather than reserved. */
export function isLeaf(tables: TranslationTables, low: number, level: number): boolean {
  return ((low & DESC_TABLE) !== 0) === (level === 0) && ((tables.leafLevels >>> level) & 1) !== 0;
}

/** High word of the address in a descriptor. */
export function outputAddressHigh(tables: TranslationTables, high: number, low: number): number {
  return (high & tables.addressHigh) | ((low & tables.addressLow) << tables.addressShift);
}

/** High word of the address of a byte in a block or page of `2^shift` bytes, `hi` being that before translation. */
export function outputHigh(base: number, hi: number, shift: number): number {
  const inPage = shift > 32 ? (1 << (shift - 32)) - 1 : 0;
  return (base & ~inPage) | (hi & inPage);
}

/** Its low word. */
export function outputLow(low: number, lo: number, shift: number): number {
  const inPage = shift >= 32 ? -1 : (1 << shift) - 1;
  return (low & ~inPage) | (lo & inPage);
}

/**
 * The page size of a leaf with the Contiguous bit, an index of AARCH64_PAGE_SHIFTS. Its set counts as one page if the output address
 * has the place in it that the input address has; otherwise the set is misprogrammed.
 */
export function contiguousSize(
  tables: TranslationTables,
  level: number,
  hi: number,
  lo: number,
  outHi: number,
  outLo: number,
): number {
  const { sizes, contiguousSizes } = tables.granule;
  const shift = AARCH64_PAGE_SHIFTS[contiguousSizes[level]];
  const lowBits = shift >= 32 ? -1 : (1 << shift) - 1;
  const highBits = shift > 32 ? (1 << (shift - 32)) - 1 : 0;
  const adjacent = ((lo ^ outLo) & lowBits) === 0 && ((hi ^ outHi) & highBits) === 0;
  return adjacent ? contiguousSizes[level] : sizes[level];
}
