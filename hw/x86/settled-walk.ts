/**
 * The walk of a settled page: every entry on its way is present and accessed, nothing reserved is set, the
 * rights allow the access, and for a store the dirty bit is set. Such a walk writes nothing and has no fault to tell of,
 * so it need not remember its way, and is a few times faster.
 *
 * All other pages are left to X86Walker, and it decides; this one only recognizes the common case, by X86Walker's own
 * masks. A property test holds the two to each other.
 */

import * as address from '../base/address.js';
import type { Ram } from '../memory/ram.js';
import * as sharedMemory from '../memory/shared-memory.js';
import * as format from './format.js';
import * as rightBits from './rules.js';
import type { PagingRules } from './rules.js';
import * as words from './words.js';

const { frameOf, SIZE_1G, SIZE_2M, SIZE_4K, wideIndex } = address;
const { PTE_A, PTE_P, PTE_PS } = format;
const { RIGHT_USER, RIGHT_WRITE, RIGHT_XD } = rightBits;
const { BEYOND_RAM } = words;
const { isMixed } = sharedMemory;
const NOT_SETTLED = -1;
const SETTLED = PTE_P | PTE_A;
const COMBINED_RIGHTS = RIGHT_WRITE | RIGHT_USER;

/** Index into RAM of the low word of the entry selected by nine bits of an address. */
const entryAt = (table: number, nineBits: number): number => ((table << 10) | ((nineBits & 511) << 1)) >>> 0;

export class SettledWalk {
  /** The size of the last page found. */
  size = SIZE_4K;
  private readonly ram: Ram;
  private readonly rules: PagingRules;
  /** Frames with tables for the short way: none in shared RAM, since entries there take a second look. */
  private readonly frames: number;

  constructor(ram: Ram, rules: PagingRules) {
    this.ram = ram;
    this.rules = rules;
    this.frames = ram.shared ? 0 : ram.frames;
  }

  /**
   * Walks 4-level tables from their PML4 down; `hi` must be canonical.
   * @returns the 4 KiB frame of the address, or -1 when it is not settled.
   */
  walk(pml4: number, hi: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { frames } = this;
    // Bits common to all low words, and bits of any high word. A hole in RAM reads as entries not present.
    if (pml4 >>> 0 >= frames) return this.walkShared(pml4, hi, lo, access);
    let at = entryAt(pml4, hi >>> 7);
    let all = words[at];
    let any = words[at | 1];
    if ((all & PTE_PS) !== 0) return NOT_SETTLED;

    const pdpt = frameOf(any, all);
    if (pdpt >>> 0 >= frames) return NOT_SETTLED;
    at = entryAt(pdpt, (hi << 2) | (lo >>> 30));
    let low = words[at];
    let high = words[at | 1];
    all &= low;
    any |= high;
    if ((low & PTE_PS) !== 0) return this.large(2, all, any, low, frameOf(high, low), lo, access);

    const pd = frameOf(high, low);
    if (pd >>> 0 >= frames) return NOT_SETTLED;
    at = entryAt(pd, lo >>> 21);
    low = words[at];
    high = words[at | 1];
    all &= low;
    any |= high;
    if ((low & PTE_PS) !== 0) return this.large(1, all, any, low, frameOf(high, low), lo, access);

    const pt = frameOf(high, low);
    if (pt >>> 0 >= frames) return NOT_SETTLED;
    at = entryAt(pt, lo >>> 12);
    low = words[at];
    high = words[at | 1];
    this.size = SIZE_4K;
    return this.settle(all & low, any | high, low, frameOf(high, low), access);
  }

  /** The same if another processor may store to an entry between the reads of its two words. */
  private walkShared(pml4: number, hi: number, lo: number, access: number): number {
    const { words, frames } = this.ram;
    let table = pml4;
    let all = -1;
    let any = 0;
    for (let level = 3; ; level--) {
      if (table >>> 0 >= frames) return NOT_SETTLED;
      const at = entryAt(table, wideIndex(hi, lo, level));
      const low = words[at];
      const high = words[at | 1];
      if (isMixed(words, at, high, low)) return NOT_SETTLED;
      all &= low;
      any |= high;
      table = frameOf(high, low);
      if (level === 0) {
        this.size = SIZE_4K;
        return this.settle(all, any, low, table, access);
      }
      if ((low & PTE_PS) !== 0) return this.large(level, all, any, low, table, lo, access);
    }
  }

  private large(
    level: number,
    all: number,
    any: number,
    low: number,
    first: number,
    lo: number,
    access: number,
  ): number {
    if ((low & this.rules.pageReservedLow[level]) !== 0) return NOT_SETTLED;
    this.size = level === 1 ? SIZE_2M : SIZE_1G;
    const inPage = level === 1 ? 0x1ff : 0x3ffff;
    return this.settle(all, any, low, (first & ~inPage) | ((lo >>> 12) & inPage), access);
  }

  private settle(all: number, any: number, low: number, frame: number, access: number): number {
    const { rules } = this;
    if ((all & SETTLED) !== SETTLED || (any & (rules.pageReservedHigh[0] | BEYOND_RAM)) !== 0) return NOT_SETTLED;
    const { regime } = rules;
    const code = (all & COMBINED_RIGHTS) | ((any >>> 31) & RIGHT_XD);
    if (((regime.permitted[access] >>> code) & 1) === 0 || (~low & regime.needed[access]) !== 0) return NOT_SETTLED;
    if (regime.hasKeys) return NOT_SETTLED;
    return this.ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }
}
