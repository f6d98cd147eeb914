/**
 * The walk of a settled page: every entry on its way is valid, nothing reserved is set, the rights allow the
 * access, and accessed and, for a store, dirty are set. Such a walk writes nothing and has no fault to tell of, so it
 * need not remember its way.
 *
 * All else is left to RiscvWalker: it decides. A property test holds the two to each other.
 */

import * as address from '../base/address.js';
import * as control from '../hot/control.js';
import type { Ram } from '../memory/ram.js';
import * as format from './format.js';
import type { RiscvRules } from './rules.js';
import * as words from './words.js';

const { SIZE_4K } = address;
const {
  RISCV_PTE_A,
  RISCV_PTE_D,
  RISCV_PTE_PPN_SHIFT,
  RISCV_PTE_R,
  RISCV_PTE_U,
  RISCV_PTE_V,
  RISCV_PTE_W,
  RISCV_PTE_X,
} = format;
const { entryRights } = words;

const NOT_SETTLED = -1;
const LEAF = RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X;
/** Of these, an entry for a table has V alone set. */
const FLAGS = LEAF | RISCV_PTE_V | RISCV_PTE_U | RISCV_PTE_A | RISCV_PTE_D;
/** Flags of a page alone. */
const OF_PAGES = RISCV_PTE_U | RISCV_PTE_A | RISCV_PTE_D;
/** Levels with pages of less than 4 GiB. */
const PAGE_LEVELS = 3;

/** Index into RAM of the low word of the entry at nine bits of an address. */
const entryAt = (table: number, nineBits: number): number => ((table << 10) | ((nineBits & 511) << 1)) >>> 0;

export class RiscvSettledWalk {
  /** The size of the last page found, an index of PAGE_SHIFTS. */
  size = SIZE_4K;
  private readonly ram: Ram;
  private readonly rules: RiscvRules;

  constructor(ram: Ram, rules: RiscvRules) {
    this.ram = ram;
    this.rules = rules;
  }

  /**
   * Walks tables of 8-byte entries from the root down, in RAM without sharing; `hi` must be canonical.
   * @returns the 4 KiB frame of the address, or -1 when it is not settled
   */
  walk(hi: number, lo: number, access: number): number {
    const { words, frames } = this.ram;
    const { rootFrame, rootLevel } = this.rules.first;
    let table = rootFrame;
    // Wrong flags of an entry on the way, set or missing.
    let wrong = 0;
    // High words of entries for RAM are 0. A hole in RAM reads as entries without V.
    let any = 0;
    for (let level = rootLevel; level > 2; level--) {
      if (table >>> 0 >= frames) return NOT_SETTLED;
      const at = entryAt(table, level === 3 ? hi >>> 7 : hi >>> 16);
      wrong |= (words[at] & FLAGS) ^ RISCV_PTE_V;
      any |= words[at | 1];
      table = words[at] >>> RISCV_PTE_PPN_SHIFT;
    }
    if (table >>> 0 >= frames || wrong !== 0) return NOT_SETTLED;
    let at = entryAt(table, (hi << 2) | (lo >>> 30));
    let low = words[at];
    any |= words[at | 1];
    if ((low & FLAGS) !== RISCV_PTE_V) return this.page(2, any, low, lo, access);

    table = low >>> RISCV_PTE_PPN_SHIFT;
    if (table >>> 0 >= frames) return NOT_SETTLED;
    at = entryAt(table, lo >>> 21);
    low = words[at];
    any |= words[at | 1];
    if ((low & FLAGS) !== RISCV_PTE_V) return this.page(1, any, low, lo, access);

    table = low >>> RISCV_PTE_PPN_SHIFT;
    if (table >>> 0 >= frames) return NOT_SETTLED;
    at = entryAt(table, lo >>> 12);
    this.size = SIZE_4K;
    return this.settle(any | words[at | 1], words[at], words[at] >>> RISCV_PTE_PPN_SHIFT, access);
  }

  /**
   * Tells hot loops, in their control block, what a settled walk of this kind of access is, with entries of 4 bytes too.
   * @returns false where there is none
   */
  tell(access: number, words: Int32Array): boolean {
    const { first, regime, sizes } = this.rules;
    const { canonicalShift, entryBytes, levelShifts } = regime;
    const { rootFrame, rootLevel, pageReservedLow } = first;
    if (!this.ram.hasFrame(rootFrame)) return false;
    const [permitted, needed] = [regime.permitted[access], regime.needed[access]];
    control.tellAccess(words, { machine: 'riscv', permitted, needed, canonicalShift, entryBytes }, 1);
    const mask = first.wide ? 511 : 1023;
    const shape = { rootLevel, rootMask: mask, indexMask: mask, coverShift: canonicalShift };
    control.tellTables(words, 0, { root: rootFrame << 12, ...shape, zerosHigh: -1, zerosLow: OF_PAGES });
    for (let level = 0; level <= rootLevel; level++) {
      const shift = levelShifts[level];
      if (level < PAGE_LEVELS) control.tellPages(words, 0, level, -1, pageReservedLow[level], shift, sizes[level]);
      else control.tellNoPages(words, 0, level, shift);
    }
    return true;
  }

  /** The same for a large page; it must be aligned. */
  private page(level: number, any: number, low: number, lo: number, access: number): number {
    const { rules } = this;
    if ((low & rules.first.pageReservedLow[level]) !== 0) return NOT_SETTLED;
    this.size = rules.sizes[level];
    const inPage = level === 1 ? 0x1ff : 0x3_ffff;
    return this.settle(any, low, (low >>> RISCV_PTE_PPN_SHIFT) | ((lo >>> 12) & inPage), access);
  }

  private settle(any: number, low: number, frame: number, access: number): number {
    const { regime } = this.rules;
    const leaf = low & LEAF;
    const needed = RISCV_PTE_V | RISCV_PTE_A | (regime.needed[access] !== 0 ? RISCV_PTE_D : 0);
    if (any !== 0 || (low & needed) !== needed || (leaf & RISCV_PTE_R) === 0) return NOT_SETTLED;
    if (((regime.permitted[access] >>> entryRights(low)) & 1) === 0) return NOT_SETTLED;
    return this.ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }
}
