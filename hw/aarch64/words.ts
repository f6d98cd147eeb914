/**
 * Parts of addresses and descriptors common to the walks.
 *
 * Constants are not exported, so V8 folds them into the functions here.
 */

import * as permission from '../base/permission.js';
import * as format from './format.js';
import * as ruleBits from './rules.js';
import type { TranslationTables } from './rules.js';

const { DIRTY, GLOBAL } = permission;
const {
  DESC_CONTIGUOUS,
  DESC_DBM,
  DESC_EL0,
  DESC_NG,
  DESC_NO_EL0_TABLE,
  DESC_PXN,
  DESC_PXN_TABLE,
  DESC_READ_ONLY,
  DESC_READ_ONLY_TABLE,
  DESC_S2_READ,
  DESC_S2_WRITE,
  DESC_S2_XN0,
  DESC_S2_XN1,
  DESC_TABLE,
  DESC_UXN,
  DESC_UXN_TABLE,
} = format;
const { ARM_RIGHT_EL0, ARM_RIGHT_EL0_EXECUTE, ARM_RIGHT_EL1_EXECUTE, ARM_RIGHT_READ, ARM_RIGHT_WRITE, PAGE_SHIFTS } =
  ruleBits;

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

/** High word of the address in a descriptor: bits 47:32, and 51:48 from its bits 15:12 if addresses are so wide. */
export function addressHigh(tables: TranslationTables, high: number, low: number): number {
  return (high & 0xffff) | (tables.wideAddresses ? (low & 0xf000) << 4 : 0);
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
 * The page size of a leaf, an index of PAGE_SHIFTS. A contiguous set counts as one page if the output address has the
 * place in it that the input address has; otherwise the set is misprogrammed.
 */
export function leafSize(
  tables: TranslationTables,
  level: number,
  high: number,
  lo: number,
  outLo: number,
  hi: number,
  outHi: number,
): number {
  const { sizes, contiguousSizes } = tables.granule;
  if ((high & DESC_CONTIGUOUS) === 0) return sizes[level];
  const shift = PAGE_SHIFTS[contiguousSizes[level]];
  const lowBits = shift >= 32 ? -1 : (1 << shift) - 1;
  const highBits = shift > 32 ? (1 << (shift - 32)) - 1 : 0;
  const adjacent = ((lo ^ outLo) & lowBits) === 0 && ((hi ^ outHi) & highBits) === 0;
  return adjacent ? contiguousSizes[level] : sizes[level];
}

/**
 * Rights by stage 1 with the dirty state and GLOBAL, `above` being the table descriptors' bits.
 * Source: Arm ARM (DDI 0487), D8.4.1, "Direct permissions", and AArch64.S1DirectBasePermissions().
 */
export function firstRights(
  tables: TranslationTables,
  high: number,
  low: number,
  above: number,
  writableNeverExecuted: boolean,
): number {
  const clean = (low & DESC_READ_ONLY) !== 0;
  // With HD and DBM, AP[2] is the dirty state and takes no right away.
  const forbidsWrites = clean && !(tables.setsDirty && (high & DESC_DBM) !== 0);
  const writable = !forbidsWrites && (above & DESC_READ_ONLY_TABLE) === 0;
  const el0 = (low & DESC_EL0) !== 0 && (above & DESC_NO_EL0_TABLE) === 0;
  const neverEl1 =
    (high & DESC_PXN) !== 0 || (above & DESC_PXN_TABLE) !== 0 || (writable && (el0 || writableNeverExecuted));
  const neverEl0 =
    (high & DESC_UXN) !== 0 || (above & DESC_UXN_TABLE) !== 0 || (writable && el0 && writableNeverExecuted);
  return (
    ARM_RIGHT_READ |
    (writable ? ARM_RIGHT_WRITE : 0) |
    (el0 ? ARM_RIGHT_EL0 : 0) |
    (neverEl1 ? 0 : ARM_RIGHT_EL1_EXECUTE) |
    (neverEl0 ? 0 : ARM_RIGHT_EL0_EXECUTE) |
    (clean ? 0 : DIRTY) |
    ((low & DESC_NG) !== 0 ? 0 : GLOBAL)
  );
}

/**
 * Rights by stage 2 with the dirty state; EL0 and EL1 differ in execution alone.
 * Source: Arm ARM (DDI 0487), D8.4.6, "Stage 2 permissions", and AArch64.S2DirectBasePermissions().
 */
export function secondRights(tables: TranslationTables, high: number, low: number, tellsLevels: boolean): number {
  const dirty = (low & DESC_S2_WRITE) !== 0;
  const writable = dirty || (tables.setsDirty && (high & DESC_DBM) !== 0);
  const [xn1, xn0] = [(high & DESC_S2_XN1) !== 0, tellsLevels && (high & DESC_S2_XN0) !== 0];
  return (
    ((low & DESC_S2_READ) !== 0 ? ARM_RIGHT_READ : 0) |
    (writable ? ARM_RIGHT_WRITE : 0) |
    ARM_RIGHT_EL0 |
    (xn1 === xn0 ? ARM_RIGHT_EL1_EXECUTE : 0) |
    (xn1 ? 0 : ARM_RIGHT_EL0_EXECUTE) |
    (dirty ? DIRTY : 0)
  );
}
