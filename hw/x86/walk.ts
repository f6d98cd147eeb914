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
 * "Automatic Locking"): only in the very entry read. If another processor changed it, the walk starts anew.
 */

import * as accesses from '../base/access.js';
import * as address from '../base/address.js';
import * as faults from '../base/fault.js';
import type { FaultRecord } from '../base/fault.js';
import * as permission from '../base/permission.js';
import type { Ram } from '../memory/ram.js';
import * as sharedMemory from '../memory/shared-memory.js';
import { tellReads } from '../translate/walk/events.js';
import type { ReadEvent, TranslationListener } from '../translate/walk/events.js';
import type { Regime } from '../translate/walk/regime.js';
import * as walkRecord from '../translate/walk/walk-record.js';
import type { WalkRecord } from '../translate/walk/walk-record.js';
import * as format from './format.js';
import * as words from './words.js';
import type { PagingRules } from './rules.js';

const { WRITE } = accesses;
const { NO_FRAME, SIZE_1G, SIZE_2M, SIZE_4K, SIZE_4M, wideIndex } = address;
const { BUS_ERROR, PAGE_FAULT } = faults;
const { DIRTY, KEY_SHIFT } = permission;
const { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW, READ_RIGHTS, READ_TABLE, ROW_SHIFT } = walkRecord;
const { PTE_A, PTE_D, PTE_FRAME_LOW, PTE_KEY_SHIFT, PTE_P, PTE_PS } = format;
const { ROOT_RIGHTS, combine, frameIn } = words;
const { isMixed } = sharedMemory;

/** The level of PAE's PDPTEs, which are kept in registers. */
const PAE_ROOT_LEVEL = 2;
/** Words of a row of the record. */
const ROW = 1 << ROW_SHIFT;
/** Physical address bits 51:32 in an entry's high word. */
const ADDRESS_HIGH = 0xf_ffff;

/** A PDPTE of PAE was read: from the table at CR3, or by a walk from its register, which has no address. */
export function pdpteRead(address: number | null, high: number, low: number): ReadEvent {
  const rights = (low & PTE_P) === 0 ? 0 : ROOT_RIGHTS;
  return { kind: 'read', address, high, low, level: PAE_ROOT_LEVEL, stage: 1, rights };
}

export class X86Walker {
  /** What the last walk found and read. */
  readonly record: WalkRecord;
  /** Hears of entries read and bits set; null while nobody listens. */
  listener: TranslationListener | null = null;

  /** The rights that the last walk started with. */
  private startRights = 0;
  private readonly ram: Ram;
  private readonly rules: PagingRules;
  private readonly fault: FaultRecord;
  /** Permissions to check; null for a walker that only looks. */
  private readonly checked: Regime | null;
  /** The bit of an entry of 8 bytes that lets it be used as it was read: P; none on shared RAM. */
  private readonly trusted: number;

  /**
   * What a walk finds is put into `record`, and faults into `fault`; the rules are read at each walk, so they may change between walks. An observing
   * walker only looks: it sets no accessed or dirty bit and lets every access through that finds a page.
   */
  constructor(ram: Ram, rules: PagingRules, record: WalkRecord, fault: FaultRecord, observing = false) {
    this.ram = ram;
    this.rules = rules;
    this.record = record;
    this.fault = fault;
    this.checked = observing ? null : rules.regime;
    this.trusted = ram.shared ? 0 : PTE_P;
  }

  /**
   * Walks tables of 8-byte entries from `table` at `level` down, `rights` being what the levels above allow.
   * @returns the 4 KiB frame of the address, or PAGE_FAULT, or BUS_ERROR where an entry or the page is not in RAM.
   */
  walkWide(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { rules, trusted, record } = this;
    const { rows } = record;
    let low = table << 12;
    let high = table >>> 20;
    let row = 0;
    record.startLevel = level;
    this.startRights = rights;
    for (;;) {
      if (!this.ram.hasFrame(table)) return this.noTable(row, level, high, low, wideIndex(hi, lo, level) << 3);
      const at = ((table << 10) | (wideIndex(hi, lo, level) << 1)) >>> 0;
      low = words[at];
      high = words[at + 1];
      rows[row | READ_INDEX] = at;
      rows[row | READ_LOW] = low;
      rows[row | READ_HIGH] = high;
      rows[row | READ_LEVEL] = level;
      if ((low & trusted) === 0) {
        if (isMixed(words, at, high, low)) continue;
        if ((low & PTE_P) === 0) return this.entryFault(row, rules.errorCode(access, 0), hi, lo);
      }
      rights = combine(rights, high, low);
      rows[row | READ_RIGHTS] = rights;
      if (level === 0 || (low & PTE_PS) !== 0) break;
      if (((high & rules.tableReservedHigh[level]) | (low & rules.tableReservedLow[level])) !== 0) {
        return this.entryFault(row, rules.reservedViolation(access), hi, lo);
      }
      table = frameIn(high, low);
      rows[row | READ_TABLE] = table;
      level--;
      row += ROW;
    }
    if (((high & rules.pageReservedHigh[level]) | (low & rules.pageReservedLow[level])) !== 0) {
      return this.entryFault(row, rules.reservedViolation(access), hi, lo);
    }
    record.size = level === 0 ? SIZE_4K : level === 1 ? SIZE_2M : SIZE_1G;
    rights |= (low & rules.keptLow) | ((high >>> (PTE_KEY_SHIFT - KEY_SHIFT)) & rules.keyMask);
    const inPage = level === 0 ? 0 : level === 1 ? 0x1ff : 0x3ffff;
    const first = frameIn(high, low);
    const frame = first === NO_FRAME ? first : (first & ~inPage) | ((lo >>> 12) & inPage);
    return this.finish(row, frame, rights, hi, lo, access);
  }

  /** PAE: the root is four registers, so the walk begins at a PDPTE, given as two words, that was read long ago. */
  walkPae(pdpteHigh: number, pdpteLow: number, lo: number, access: number): number {
    const { record } = this;
    record.startLevel = 1;
    record.endLevel = PAE_ROOT_LEVEL;
    record.count = 0;
    if (this.listener !== null) this.listener(pdpteRead(null, pdpteHigh, pdpteLow));
    if ((pdpteLow & PTE_P) === 0) return this.pageFault(this.rules.errorCode(access, 0), 0, lo);
    const table = frameIn(pdpteHigh, pdpteLow);
    if (table === NO_FRAME) return this.noTable(0, PAE_ROOT_LEVEL, pdpteHigh, pdpteLow, wideIndex(0, lo, 1) << 3);
    return this.walkWide(1, table, ROOT_RIGHTS, 0, lo, access);
  }

  /** The same for tables of 4-byte entries (32-bit paging), `level` being 1 for the page directory. */
  walkNarrow(level: number, table: number, rights: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { rules, record } = this;
    const { rows } = record;
    let low = table << 12;
    let row = 0;
    record.startLevel = level;
    this.startRights = rights;
    for (;;) {
      const index = level === 0 ? (lo >>> 12) & 0x3ff : lo >>> 22;
      if (!this.ram.hasFrame(table)) return this.noTable(row, level, 0, low, index << 2);
      const at = ((table << 10) | index) >>> 0;
      low = words[at];
      rows[row | READ_INDEX] = at;
      rows[row | READ_LOW] = low;
      rows[row | READ_HIGH] = 0;
      rows[row | READ_LEVEL] = level;
      if ((low & PTE_P) === 0) return this.entryFault(row, rules.errorCode(access, 0), 0, lo);
      rights = combine(rights, 0, low);
      rows[row | READ_RIGHTS] = rights;
      if (level === 0 || ((low & PTE_PS) !== 0 && rules.largePages)) break;
      table = low >>> 12;
      rows[row | READ_TABLE] = table;
      level--;
      row += ROW;
    }
    if ((low & rules.pageReservedLow[level]) !== 0) {
      return this.entryFault(row, rules.reservedViolation(access), 0, lo);
    }
    rights |= low & rules.keptLow;
    if (level === 0) {
      record.size = SIZE_4K;
      return this.finish(row, low >>> 12, rights, 0, lo, access);
    }
    record.size = SIZE_4M;
    // Bits 20:13 are address bits 39:32 (PSE-36); without it they are reserved and so 0 here.
    const frame = frameIn((low >>> 13) & 0xff, low & 0xffc0_0000);
    // A frame past all RAM has all bits set, and stays as it is.
    return this.finish(row, frame | ((lo >>> 12) & 0x3ff), rights, 0, lo, access);
  }

  /** The walk ended with the entry of `row`. */
  private endAt(row: number): void {
    const { record } = this;
    record.endLevel = record.rows[row | READ_LEVEL];
    record.count = (row >>> ROW_SHIFT) + 1;
    if (this.listener !== null) tellReads(this.listener, record);
  }

  /** Checks the rights, sets accessed and dirty bits on the way that was walked, and keeps the result. */
  private finish(last: number, frame: number, rights: number, hi: number, lo: number, access: number): number {
    this.endAt(last);
    const { record, checked } = this;
    record.frame = frame;
    record.rights = rights;
    if (checked === null) return frame;
    if (((checked.permitted[access] >>> rights) & 1) === 0 || checked.keys !== 0) {
      const violation = this.rules.violation(rights, access);
      if (violation >= 0) return this.pageFault(violation, hi, lo);
    }
    if (!this.ram.hasFrame(frame)) return this.noPage(last, lo);
    const { rows } = record;
    for (let row = 0; row <= last; row += ROW) {
      if ((rows[row | READ_LOW] & PTE_A) === 0 && !this.mark(row, PTE_A)) return this.walkAgain(hi, lo, access);
    }
    if ((access & WRITE) !== 0 && (rights & DIRTY) === 0) {
      if (!this.mark(last, PTE_D)) return this.walkAgain(hi, lo, access);
      record.rights = rights | DIRTY;
    }
    return frame;
  }

  /** Sets `bit` in the entry that was read into `row`; false when another processor has changed it. */
  private mark(row: number, bit: number): boolean {
    if (this.ram.shared) {
      if (!this.markShared(row, bit)) return false;
      if (this.listener !== null) this.tellSet(row, bit);
      return true;
    }
    const { words } = this.ram;
    const at = this.record.rows[row | READ_INDEX] >>> 0;
    const low = words[at];
    words[at] = low | bit;
    // An entry may stand twice on one way.
    if (this.listener !== null && (low & bit) === 0) this.tellSet(row, bit);
    return true;
  }

  /** As {@link mark}, where another processor may store too. */
  private markShared(row: number, bit: number): boolean {
    const { rows } = this.record;
    const at = rows[row | READ_INDEX] >>> 0;
    const low = rows[row | READ_LOW];
    rows[row | READ_LOW] = low | bit;
    if (this.rules.mode === '32') return this.ram.replaceWord(at, low, low | bit);
    return this.ram.replaceEntry(at, rows[row | READ_HIGH], low, low | bit);
  }

  /** Repeats the last walk after a change on its way. */
  private walkAgain(hi: number, lo: number, access: number): number {
    const level = this.record.startLevel;
    const table = this.record.index(0) >>> 10;
    return this.rules.mode === '32'
      ? this.walkNarrow(level, table, this.startRights, lo, access)
      : this.walkWide(level, table, this.startRights, hi, lo, access);
  }

  /** The entry of `row` is not present, or has a reserved bit set. */
  private entryFault(row: number, errorCode: number, hi: number, lo: number): number {
    const { rows } = this.record;
    if ((rows[row | READ_LOW] & PTE_P) === 0) rows[row | READ_RIGHTS] = 0;
    this.endAt(row);
    return this.pageFault(errorCode, hi, lo);
  }

  private pageFault(errorCode: number, hi: number, lo: number): number {
    return this.fault.raise(PAGE_FAULT, errorCode, hi, lo, this.record.endLevel);
  }

  /** The entry `(high, low)`, read last, points to a table of `level` that is not in RAM; `row` was to be its row. */
  private noTable(row: number, level: number, high: number, low: number, offset: number): number {
    this.record.endLevel = level;
    this.record.count = row >>> ROW_SHIFT;
    if (this.listener !== null) tellReads(this.listener, this.record);
    return this.fault.raise(BUS_ERROR, 0, high & ADDRESS_HIGH, (low & PTE_FRAME_LOW) | offset, level);
  }

  /** The page at the end of the walk, whose entry is in `row`, is not in RAM. */
  private noPage(row: number, lo: number): number {
    const { rows, size, endLevel } = this.record;
    const low = rows[row | READ_LOW];
    const inPage = size === SIZE_4K ? 0xfff : size === SIZE_2M ? 0x1f_ffff : size === SIZE_4M ? 0x3f_ffff : 0x3fff_ffff;
    const high = size === SIZE_4M ? (low >>> 13) & 0xff : rows[row | READ_HIGH] & ADDRESS_HIGH;
    return this.fault.raise(BUS_ERROR, 0, high, (low & ~inPage) | (lo & inPage), endLevel);
  }

  private tellSet(row: number, mask: number): void {
    const { record } = this;
    const address = (record.rows[row | READ_INDEX] >>> 0) * 4;
    const bit = mask === PTE_A ? 'accessed' : 'dirty';
    this.listener?.({ kind: 'set', bit, address, mask, level: record.rows[row | READ_LEVEL] });
  }
}
