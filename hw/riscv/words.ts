/**
 * Parts of addresses and entries common to the RISC-V walks.
 *
 * Constants are not exported, so V8 folds them into the functions here.
 */

import * as address from '../base/address.js';
import * as permission from '../base/permission.js';
import * as format from './format.js';
import * as ruleBits from './rules.js';
import type { RiscvStage } from './rules.js';

const { frameAt, NO_FRAME, wideIndex } = address;
const { DIRTY, GLOBAL } = permission;
const { RISCV_PTE_G, RISCV_PTE_N, RISCV_PTE_PBMT, RISCV_PTE_PPN_SHIFT, RISCV_PTE_R, RISCV_PTE_W, RISCV_PTE_X } = format;
const { TABLE_RESERVED_HIGH, TABLE_RESERVED_LOW } = ruleBits;

const LEAF = RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X;
const RWXU_DIRTY = 0xf | DIRTY;
/** Frame bits 43:22, in an entry's high word: RAM never has them, since it ends at 2^34. */
const BEYOND_RAM = 0x3f_ffff;
/** Frame bits 3:0 of an entry with N, and the value they must have. */
const NAPOT_BITS = 0xf;
const NAPOT_64K = 8;
/** Bits of a page number within a page, by level: of the low 20, and those above as they stand in an address's high word. */
const IN_PAGE = Int32Array.of(0, 0x1ff, 0x3_ffff, 0xf_ffff, 0xf_ffff);
const IN_PAGE_HIGH = Int32Array.of(0, 0, 0, 0x7f, 0xffff);
const NARROW_IN_PAGE = 0x3ff;

/** The index into the table of `level`. */
export function tableIndex(wide: boolean, hi: number, lo: number, level: number): number {
  return wide ? wideIndex(hi, lo, level) : level === 0 ? (lo >>> 12) & 0x3ff : lo >>> 22;
}

/** Whether a valid entry maps a page; else it points to a table. */
export function isPage(low: number): boolean {
  return (low & LEAF) !== 0;
}

/** Whether an entry without a page may point to a table: nothing reserved is set (step 3). */
export function isPointer(high: number, low: number): boolean {
  return ((high & TABLE_RESERVED_HIGH) | (low & TABLE_RESERVED_LOW)) === 0;
}

/** Whether an entry for a page has a reserved bit or encoding, or a frame without alignment (steps 3 and 5). */
export function isReserved(stage: RiscvStage, level: number, high: number, low: number): boolean {
  if ((low & (RISCV_PTE_R | RISCV_PTE_W)) === RISCV_PTE_W) return true;
  if (((high & stage.pageReservedHigh[level]) | (low & stage.pageReservedLow[level])) !== 0) return true;
  if ((high & (RISCV_PTE_N | RISCV_PTE_PBMT)) === 0) return false;
  if ((high & RISCV_PTE_PBMT) === RISCV_PTE_PBMT) return true;
  return (high & RISCV_PTE_N) !== 0 && ((low >>> RISCV_PTE_PPN_SHIFT) & NAPOT_BITS) !== NAPOT_64K;
}

/** GLOBAL if an entry says so. */
export function globalIn(low: number): number {
  return (low & RISCV_PTE_G) * (GLOBAL / RISCV_PTE_G);
}

/** The permission code and dirty bit of an entry for a page. */
export function entryRights(low: number): number {
  return ((low >>> 1) & RWXU_DIRTY) | ((low & RISCV_PTE_X) << 1);
}

/** The frame of an entry, or NO_FRAME when it lies past the largest possible RAM. */
export function entryFrame(high: number, low: number): number {
  return (high & BEYOND_RAM) !== 0 ? NO_FRAME : low >>> RISCV_PTE_PPN_SHIFT;
}

/** High word of the address of a byte in an entry's page, `hi` being that of the address before translation. */
export function pageHigh(level: number, high: number, low: number, hi: number): number {
  return addressHigh(high, low) | (hi & IN_PAGE_HIGH[level]);
}

/** Its low word. */
export function pageLow(wide: boolean, level: number, high: number, low: number, lo: number): number {
  const pages = (high & RISCV_PTE_N) !== 0 ? NAPOT_BITS : wide ? IN_PAGE[level] : level === 0 ? 0 : NARROW_IN_PAGE;
  const inPage = (pages << 12) | 0xfff;
  return (addressLow(low) & ~inPage) | (lo & inPage);
}

/** The 4 KiB frame of an address in an entry's page, or NO_FRAME. */
export function pageFrame(wide: boolean, level: number, high: number, low: number, hi: number, lo: number): number {
  return frameAt(pageHigh(level, high, low, hi), pageLow(wide, level, high, low, lo));
}

/** High word of the address in an entry: 56 bits, or 34 if entries have 4 bytes. */
export function addressHigh(high: number, low: number): number {
  return ((high & BEYOND_RAM) << 2) | (low >>> 30);
}

/** Its low word. */
export function addressLow(low: number): number {
  return (low << 2) & ~0xfff;
}
