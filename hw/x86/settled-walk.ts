/**
 * The walk of a settled page: every entry on its way is present and accessed, nothing reserved is set, the
 * rights allow the access, and for a store the dirty bit is set. Such a walk writes nothing and has no fault to tell of,
 * so it need not remember its way, and is a few times faster.
 *
 * All other pages are left to X86Walker, and it decides; this one only recognizes the common case, by X86Walker's own
 * masks. A property test holds the two to each other.
 */

import * as accesses from '../base/access.js';
import * as address from '../base/address.js';
import * as control from '../hot/control.js';
import type { Ram } from '../memory/ram.js';
import * as sharedMemory from '../memory/shared-memory.js';
import * as format from './format.js';
import * as rightBits from './rules.js';
import type { PagingRules } from './rules.js';
import * as words from './words.js';

const { ACCESS_KINDS } = accesses;
const { frameOf, NO_FRAME, SIZE_1G, SIZE_2M, SIZE_4K, wideIndex } = address;
const { PTE_A, PTE_P, PTE_PS } = format;
const { RIGHT_USER, RIGHT_WRITE, RIGHT_XD } = rightBits;
const { BEYOND_RAM } = words;
const { isMixed } = sharedMemory;
const NOT_SETTLED = -1;
const SETTLED = PTE_P | PTE_A;
const COMBINED_RIGHTS = RIGHT_WRITE | RIGHT_USER;
/** Frames in a page of each size, less one. */
const IN_2M = 0x1ff;
const IN_1G = 0x3_ffff;
/** The page size of each level with pages. */
const SIZES = [SIZE_4K, SIZE_2M, SIZE_1G];

/** Index into RAM of the first word of the table that an entry leads to; only within 16 GiB. */
const tableIn = (high: number, low: number): number => (high << 30) | ((low >>> 2) & 0x3fff_fc00);
/** Index into RAM of the low word of the entry selected by nine bits of an address. */
const entryAt = (table: number, nineBits: number): number => (table | ((nineBits & 511) << 1)) >>> 0;

export class SettledWalk {
  /** The size of the last page found. */
  size = SIZE_4K;
  private readonly ram: Ram;
  private readonly rules: PagingRules;
  /** RAM for the short way: nothing of shared RAM, since entries there take a second look. */
  private readonly words: Int32Array;
  /** Index into RAM of the PML4's first word, and its frame. */
  private root = 0;
  private rootFrame = 0;
  /** Bits of a high word never set in a settled entry. */
  private reserved = 0;
  /** By access, the codes that allow it, and bits needed in a page's entry: one array, since V8 checks each anew. */
  private readonly demands = new Int32Array(2 * ACCESS_KINDS);

  constructor(ram: Ram, rules: PagingRules) {
    this.ram = ram;
    this.rules = rules;
    this.words = ram.shared ? new Int32Array(0) : ram.words;
  }

  /** To be called after a change of the rules, or of the frame of the PML4. */
  regimeChanged(rootFrame: number): void {
    const { regime, pageReservedHigh } = this.rules;
    // With protection keys the code alone does not tell.
    const never = regime.keys !== 0 || rootFrame === NO_FRAME;
    this.rootFrame = rootFrame;
    this.root = rootFrame << 10;
    this.reserved = pageReservedHigh[0] | BEYOND_RAM;
    for (let access = 0; access < ACCESS_KINDS; access++) {
      this.demands[2 * access] = never ? 0 : regime.permitted[access];
      this.demands[2 * access + 1] = regime.needed[access];
    }
  }

  /**
   * Walks 4-level tables from their PML4 down; `hi` must be canonical.
   * @returns the 4 KiB frame of the address, or -1 when it is not settled.
   */
  walk(hi: number, lo: number, access: number): number {
    const { words } = this;
    // Bits common to all low words, and bits of any high word. An entry that leads out of RAM has a reserved one, or
    // an index past the end; until then it may lead astray. A hole in RAM reads as entries not present.
    let at = entryAt(this.root, hi >>> 7);
    if (at >= words.length) return this.walkShared(hi, lo, access);
    let low = words[at];
    let high = words[at | 1];
    let all = low;
    let any = high;
    if ((low & PTE_PS) !== 0) return NOT_SETTLED;

    at = entryAt(tableIn(high, low), (hi << 2) | (lo >>> 30));
    if (at >= words.length) return NOT_SETTLED;
    low = words[at];
    high = words[at | 1];
    all &= low;
    any |= high;
    if ((low & PTE_PS) !== 0) return this.settle(SIZE_1G, IN_1G, all, any, high, low, lo, access);

    at = entryAt(tableIn(high, low), lo >>> 21);
    if (at >= words.length) return NOT_SETTLED;
    low = words[at];
    high = words[at | 1];
    all &= low;
    any |= high;
    if ((low & PTE_PS) !== 0) return this.settle(SIZE_2M, IN_2M, all, any, high, low, lo, access);

    at = entryAt(tableIn(high, low), lo >>> 12);
    if (at >= words.length) return NOT_SETTLED;
    low = words[at];
    high = words[at | 1];
    return this.settle(SIZE_4K, 0, all & low, any | high, high, low, lo, access);
  }

  /**
   * Tells hot loops, in their control block, what a settled walk of this kind of access is.
   * @returns false where there is none
   */
  tell(access: number, words: Int32Array): boolean {
    const { demands, rules, ram, rootFrame, reserved } = this;
    if (rootFrame >>> 0 >= ram.frames || demands[2 * access] === 0) return false;
    const { canonicalShift, entryBytes, levelShifts, rootLevel } = rules.regime;
    const [permitted, needed] = [demands[2 * access], demands[2 * access + 1]];
    control.tellAccess(words, { machine: 'x86', permitted, needed, canonicalShift, entryBytes }, 1);
    const shape = { rootLevel, rootMask: 511, indexMask: 511, coverShift: canonicalShift };
    control.tellTables(words, 0, { root: rootFrame << 12, ...shape, zerosHigh: reserved, zerosLow: 0 });
    for (const [level, size] of SIZES.entries()) {
      control.tellPages(words, 0, level, reserved, rules.pageReservedLow[level], levelShifts[level], size);
    }
    control.tellNoPages(words, 0, rootLevel, levelShifts[rootLevel]);
    words[control.KEPT_LOW] = rules.keptLow;
    words[control.KEY_MASK] = rules.keyMask;
    return true;
  }

  /** The same if another processor may store to an entry between the reads of its two words. */
  private walkShared(hi: number, lo: number, access: number): number {
    const { words, frames } = this.ram;
    let table = this.rootFrame;
    let all = -1;
    let any = 0;
    for (let level = 3; ; level--) {
      if (table >>> 0 >= frames) return NOT_SETTLED;
      const at = entryAt(table << 10, wideIndex(hi, lo, level));
      const low = words[at];
      const high = words[at | 1];
      if (isMixed(words, at, high, low)) return NOT_SETTLED;
      all &= low;
      any |= high;
      if (level === 0) return this.settle(SIZE_4K, 0, all, any, high, low, lo, access);
      if ((low & PTE_PS) !== 0) {
        if (level === 3) return NOT_SETTLED;
        const size = level === 1 ? SIZE_2M : SIZE_1G;
        return this.settle(size, level === 1 ? IN_2M : IN_1G, all, any, high, low, lo, access);
      }
      table = frameOf(high, low);
    }
  }

  /** The walk ended at the entry `(high, low)`. */
  private settle(
    size: number,
    inPage: number,
    all: number,
    any: number,
    high: number,
    low: number,
    lo: number,
    access: number,
  ): number {
    const { demands } = this;
    if ((all & SETTLED) !== SETTLED || (any & this.reserved) !== 0) return NOT_SETTLED;
    if (size !== SIZE_4K && (low & this.rules.pageReservedLow[size === SIZE_2M ? 1 : 2]) !== 0) return NOT_SETTLED;
    const code = (all & COMBINED_RIGHTS) | ((any >>> 31) & RIGHT_XD);
    if (((demands[2 * access] >>> code) & 1) === 0 || (~low & demands[2 * access + 1]) !== 0) return NOT_SETTLED;
    const frame = (frameOf(high, low) & ~inPage) | ((lo >>> 12) & inPage);
    this.size = size;
    return this.ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }
}
