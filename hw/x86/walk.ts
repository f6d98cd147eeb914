/**
 * The page-table walker of x86: from a linear address to a frame, through entries in RAM.
 *
 * Two loops, one for entries of 8 bytes (PAE, 4-level, 5-level) and one for entries of 4 (32-bit paging). Both read an
 * entry, check P and the reserved bits, combine the rights, and go on to the next table or stop at a page; then the
 * rights are checked and the accessed and dirty bits set.
 * Source: Intel SDM vol. 3A, "Paging", one section a mode, and "Accessed and Dirty Flags".
 *
 * Accessed bits are set only when the whole walk succeeds: the architecture promises no more, and processors differ
 * on the entries above a fault. On shared RAM they are set as a processor's locked cycles set them (Intel SDM vol. 3A,
 * "Automatic Locking"): only in the very entry that was read. Where another processor changed it, the walk starts anew.
 */

import * as accesses from '../base/access.js';
import * as address from '../base/address.js';
import * as exception from './exception.js';
import type { FaultRecord } from './exception.js';
import type { Ram } from '../memory/ram.js';
import * as format from './format.js';
import * as words from './words.js';
import * as rightBits from './rules.js';
import type { PagingRules } from './rules.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { WRITE } = accesses;
const { SIZE_1G, SIZE_2M, SIZE_4K, SIZE_4M } = address;
const { BUS_ERROR, PAGE_FAULT } = exception;
const { PTE_A, PTE_D, PTE_FRAME_LOW, PTE_KEY_SHIFT, PTE_P, PTE_PS } = format;
const { NO_FRAME, ROOT_RIGHTS, frameIn, isMixed, wideIndex } = words;
const { RIGHT_DIRTY, RIGHT_KEY_SHIFT, RIGHT_USER, RIGHT_WRITE, RIGHT_XD } = rightBits;

const LEVELS = 5;
/** Physical address bits 51:32 in an entry's high word. */
const ADDRESS_HIGH = 0xf_ffff;
/** Rights after one more entry: writes and user accesses need every level's consent, one XD is enough. */
const combine = (rights: number, high: number, low: number): number =>
  (rights & low & (RIGHT_WRITE | RIGHT_USER)) | ((rights | (high >>> 31)) & RIGHT_XD);

export class X86Walker {
  /** Result of the last walk that found a page: the 4 KiB frame of the address, the rights, the page size. */
  frame = 0;
  rights = 0;
  size = SIZE_4K;
  /** The levels read by the last walk: `startLevel` down to `endLevel`, faulting or not. */
  startLevel = 0;
  endLevel = 0;
  /** What the last walk read, by level: index of the entry in `ram.words`, its words, the rights after it. */
  readonly entryIndex = new Uint32Array(LEVELS);
  readonly entryLow = new Int32Array(LEVELS);
  readonly entryHigh = new Int32Array(LEVELS);
  readonly rightsAfter = new Int32Array(LEVELS);
  /** The table below each entry read that points to one. */
  readonly nextTable = new Int32Array(LEVELS);

  /** The rights that the last walk started with. */
  private startRights = 0;
  private readonly ram: Ram;
  private readonly rules: PagingRules;
  private readonly fault: FaultRecord;
  private readonly observing: boolean;
  /** The bit of an entry of 8 bytes that lets it be used as it was read: P; none on shared RAM. */
  private readonly trusted: number;

  /**
   * Faults are put into `fault`; the rules are read at each walk, so they may change between walks. An observing
   * walker only looks: it sets no accessed or dirty bit and lets every access through that finds a page.
   */
  constructor(ram: Ram, rules: PagingRules, fault: FaultRecord, observing = false) {
    this.ram = ram;
    this.rules = rules;
    this.fault = fault;
    this.observing = observing;
    this.trusted = ram.shared ? 0 : PTE_P;
  }

  /**
   * Walks tables of 8-byte entries from `table` at `level` down, `rights` being what the levels above allow.
   * @returns the 4 KiB frame of the address, or PAGE_FAULT, or BUS_ERROR where an entry or the page is not in RAM.
   */
  walkWide(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { rules, trusted } = this;
    let low = table << 12;
    let high = table >>> 20;
    this.startLevel = level;
    this.startRights = rights;
    for (;;) {
      this.endLevel = level;
      if (!this.ram.hasFrame(table)) return this.noTable(high, low, wideIndex(hi, lo, level) << 3);
      const at = ((table << 10) | (wideIndex(hi, lo, level) << 1)) >>> 0;
      low = words[at];
      high = words[at + 1];
      this.entryIndex[level] = at;
      this.entryLow[level] = low;
      this.entryHigh[level] = high;
      if ((low & trusted) === 0) {
        if (isMixed(words, at, high, low)) continue;
        if ((low & PTE_P) === 0) return this.pageFault(rules.errorCode(access, 0), hi, lo);
      }
      rights = combine(rights, high, low);
      this.rightsAfter[level] = rights;
      if (level === 0 || (low & PTE_PS) !== 0) break;
      if (((high & rules.tableReservedHigh[level]) | (low & rules.tableReservedLow[level])) !== 0) {
        return this.pageFault(rules.reservedViolation(access), hi, lo);
      }
      table = frameIn(high, low);
      this.nextTable[level] = table;
      level--;
    }
    if (((high & rules.pageReservedHigh[level]) | (low & rules.pageReservedLow[level])) !== 0) {
      return this.pageFault(rules.reservedViolation(access), hi, lo);
    }
    this.size = level === 0 ? SIZE_4K : level === 1 ? SIZE_2M : SIZE_1G;
    rights |= (low & rules.keptLow) | ((high >>> (PTE_KEY_SHIFT - RIGHT_KEY_SHIFT)) & rules.keyMask);
    const inPage = level === 0 ? 0 : level === 1 ? 0x1ff : 0x3ffff;
    const first = frameIn(high, low);
    const frame = first === NO_FRAME ? first : (first & ~inPage) | ((lo >>> 12) & inPage);
    return this.finish(frame, rights, hi, lo, access);
  }

  /** PAE: the root is four registers, so the walk begins at a PDPTE, given as two words, that was read long ago. */
  walkPae(pdpteHigh: number, pdpteLow: number, lo: number, access: number): number {
    this.startLevel = 1;
    this.endLevel = 2;
    if ((pdpteLow & PTE_P) === 0) return this.pageFault(this.rules.errorCode(access, 0), 0, lo);
    const table = frameIn(pdpteHigh, pdpteLow);
    if (table === NO_FRAME) return this.noTable(pdpteHigh, pdpteLow, wideIndex(0, lo, 1) << 3);
    return this.walkWide(1, table, ROOT_RIGHTS, 0, lo, access);
  }

  /** The same for tables of 4-byte entries (32-bit paging), `level` being 1 for the page directory. */
  walkNarrow(level: number, table: number, rights: number, lo: number, access: number): number {
    const { words } = this.ram;
    const rules = this.rules;
    let low = table << 12;
    this.startLevel = level;
    this.startRights = rights;
    for (;;) {
      this.endLevel = level;
      const index = level === 0 ? (lo >>> 12) & 0x3ff : lo >>> 22;
      if (!this.ram.hasFrame(table)) return this.noTable(0, low, index << 2);
      const at = ((table << 10) | index) >>> 0;
      low = words[at];
      this.entryIndex[level] = at;
      this.entryLow[level] = low;
      this.entryHigh[level] = 0;
      if ((low & PTE_P) === 0) return this.pageFault(rules.errorCode(access, 0), 0, lo);
      rights = combine(rights, 0, low);
      this.rightsAfter[level] = rights;
      if (level === 0 || ((low & PTE_PS) !== 0 && rules.largePages)) break;
      table = low >>> 12;
      this.nextTable[level] = table;
      level--;
    }
    if ((low & rules.pageReservedLow[level]) !== 0) {
      return this.pageFault(rules.reservedViolation(access), 0, lo);
    }
    rights |= low & rules.keptLow;
    if (level === 0) {
      this.size = SIZE_4K;
      return this.finish(low >>> 12, rights, 0, lo, access);
    }
    this.size = SIZE_4M;
    // Bits 20:13 are address bits 39:32 (PSE-36); without it they are reserved and so 0 here.
    const frame = frameIn((low >>> 13) & 0xff, low & 0xffc0_0000);
    // A frame past all RAM has all bits set, and stays as it is.
    return this.finish(frame | ((lo >>> 12) & 0x3ff), rights, 0, lo, access);
  }

  /** Checks the rights, sets accessed and dirty bits on the way that was walked, and keeps the result. */
  private finish(frame: number, rights: number, hi: number, lo: number, access: number): number {
    this.frame = frame;
    this.rights = rights;
    if (this.observing) return frame;
    const violation = this.rules.violation(rights, access);
    if (violation >= 0) return this.pageFault(violation, hi, lo);
    if (!this.ram.hasFrame(frame)) return this.noPage(lo);
    const { words, shared } = this.ram;
    for (let level = this.startLevel; level >= this.endLevel; level--) {
      if ((this.entryLow[level] & PTE_A) !== 0) continue;
      if (!shared) words[this.entryIndex[level]] |= PTE_A;
      else if (!this.markShared(level, PTE_A)) return this.walkAgain(hi, lo, access);
    }
    if ((access & WRITE) !== 0 && (rights & RIGHT_DIRTY) === 0) {
      if (!shared) words[this.entryIndex[this.endLevel]] |= PTE_D;
      else if (!this.markShared(this.endLevel, PTE_D)) return this.walkAgain(hi, lo, access);
      this.rights = rights | RIGHT_DIRTY;
    }
    return frame;
  }

  /** Sets `bit` in the entry that was read at `level`; false when another processor has changed it. */
  private markShared(level: number, bit: number): boolean {
    const at = this.entryIndex[level];
    const low = this.entryLow[level];
    this.entryLow[level] = low | bit;
    if (this.rules.mode === '32') return this.ram.replaceWord(at, low, low | bit);
    return this.ram.replaceEntry(at, this.entryHigh[level], low, low | bit);
  }

  /** Repeats the last walk, whose way is no longer what it was. */
  private walkAgain(hi: number, lo: number, access: number): number {
    const level = this.startLevel;
    const table = this.entryIndex[level] >>> 10;
    return this.rules.mode === '32'
      ? this.walkNarrow(level, table, this.startRights, lo, access)
      : this.walkWide(level, table, this.startRights, hi, lo, access);
  }

  private pageFault(errorCode: number, hi: number, lo: number): number {
    return this.fault.raise(PAGE_FAULT, errorCode, hi, lo);
  }

  /** The entry `(high, low)`, read last, points to a table that is not in RAM. */
  private noTable(high: number, low: number, offset: number): number {
    return this.fault.raise(BUS_ERROR, 0, high & ADDRESS_HIGH, (low & PTE_FRAME_LOW) | offset);
  }

  /** The page at the end of the walk is not in RAM. */
  private noPage(lo: number): number {
    const level = this.endLevel;
    const low = this.entryLow[level];
    if (this.size === SIZE_4M)
      return this.fault.raise(BUS_ERROR, 0, (low >>> 13) & 0xff, (low & ~0x3f_ffff) | (lo & 0x3f_ffff));
    const inPage = this.size === SIZE_4K ? 0xfff : this.size === SIZE_2M ? 0x1f_ffff : 0x3fff_ffff;
    return this.fault.raise(BUS_ERROR, 0, this.entryHigh[level] & ADDRESS_HIGH, (low & ~inPage) | (lo & inPage));
  }
}
