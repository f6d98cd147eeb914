/**
 * The walk of x86 tables at addresses in need of a translation themselves: a guest's tables, at guest-physical addresses.
 *
 * The steps are those of ../walk.ts, in all modes in one loop. Each entry is asked for below, and last the page: below is
 * the second stage. AMD's nested tables are tables of the same formats, walked by the same loop: below them is RAM.
 * Sources: Intel SDM vol. 3C, "EPT Translation Mechanism"; AMD APM vol. 2, "Nested Paging" (15.25).
 *
 * Accessed and dirty bits are set once the guest allows the access, before its page is translated.
 */

import * as accesses from '../../base/access.js';
import * as address from '../../base/address.js';
import * as faults from '../../base/fault.js';
import * as permission from '../../base/permission.js';
import type { Ram } from '../../memory/ram.js';
import * as sharedMemory from '../../memory/shared-memory.js';
import { tellReads } from '../../translate/walk/events.js';
import type { TranslationListener } from '../../translate/walk/events.js';
import * as walkRecord from '../../translate/walk/walk-record.js';
import type { WalkRecord } from '../../translate/walk/walk-record.js';
import * as format from '../format.js';
import type { X86ModeName } from '../format.js';
import * as rightBits from '../rules.js';
import type { PagingRules } from '../rules.js';
import * as parts from '../words.js';
import { markEntry } from './mark.js';

const { FETCH, IMPLICIT, READ, USER, WRITE } = accesses;
const { NO_FRAME, SIZE_1G, SIZE_2M, SIZE_4K, SIZE_4M, SIZE_SHIFTS, wideIndex } = address;
const { PAGE_FAULT } = faults;
const { DIRTY, FRACTURED, KEY_SHIFT } = permission;
const { isMixed } = sharedMemory;
const { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW, READ_RIGHTS, READ_STAGE, READ_TABLE, ROW_SHIFT } = walkRecord;
const { PTE_A, PTE_D, PTE_FRAME_LOW, PTE_KEY_SHIFT, PTE_P, PTE_PS } = format;
const { combine, ROOT_RIGHTS } = parts;
const { HOST_REFUSES_FETCH, HOST_REFUSES_READ, RIGHT_USER, ROOT_LEVEL } = rightBits;

/** Physical address bits 51:32 in an entry's high word. */
const ADDRESS_HIGH = 0xf_ffff;
const LEVELS = 5;
/** The level of PAE's page-directory-pointer entries. */
const PDPT_LEVEL = 2;

/** Translates the addresses of entries and of pages. */
export interface Below {
  /** Of the last address: its rights; only DIRTY is looked at. */
  readonly rights: number;
  /** Of the last address: the size of its page. */
  readonly size: number;
  /** @returns the 4 KiB frame; PAGE_FAULT for a refusal; BUS_ERROR if no RAM answers */
  host(hi: number, lo: number, access: number): number;
  /** Whether the last address allows another access, too. */
  allows(access: number): boolean;
}

/** Where walks begin, and what they ask below. */
export class WalkRoot {
  /** The level of the table at (hi, lo). */
  level = 0;
  hi = 0;
  lo = 0;
  /** The access to an entry for its read: with accessed and dirty bits below, it is a write. */
  entryAccess = READ | IMPLICIT;

  /** By CR3, or nCR3. `pdptes` says whether a walk reads PAE's PDPTEs, or begins below their registers. */
  set(mode: X86ModeName, hi: number, lo: number, pdptes: boolean): void {
    const isPae = mode === 'pae';
    this.level = isPae && pdptes ? PDPT_LEVEL : ROOT_LEVEL[mode];
    this.hi = isPae || mode === '32' ? 0 : hi & ADDRESS_HIGH;
    this.lo = lo & (isPae ? ~0x1f : ~0xfff);
  }
}

/** The parts of a walker of tables. */
export interface TableWalkerParts {
  readonly ram: Ram;
  readonly rules: PagingRules;
  readonly root: WalkRoot;
  readonly below: Below;
  readonly record: WalkRecord;
  /** 1 for a guest's tables, 2 for a host's. */
  readonly stage: 1 | 2;
  /** Only look: set no bit, and let every access through if it finds a page. */
  readonly observing: boolean;
}

/** The address below that failed: of a table's entry to be read, or to get its A or D set, or of the page. */
export type RefusedBelow = 'entry read' | 'entry write' | 'page';

export class TableWalker {
  listener: TranslationListener | null = null;
  /** Of the last failed walk: what was asked below, or null if the tables themselves refuse, with this error code. */
  refused: RefusedBelow | null = null;
  errorCode = 0;
  /** The rights of the page asked for last, by these tables. */
  pageRights = 0;
  /** By level: the address of the entry, and whether below allows stores to it. */
  private readonly entryHi = new Int32Array(LEVELS);
  private readonly entryLo = new Int32Array(LEVELS);
  private readonly mayMark = new Int32Array(LEVELS);
  private startLevel = 0;
  private startFrame = 0;
  private startRights = 0;
  private startCount = 0;

  constructor(private readonly parts: TableWalkerParts) {}

  /** Walks from the root. @returns the 4 KiB frame, PAGE_FAULT, or BUS_ERROR if an entry or the page is not in RAM */
  walk(hi: number, lo: number, access: number): number {
    return this.walkFrom(this.parts.root.level, NO_FRAME, ROOT_RIGHTS, hi, lo, access);
  }

  /** The same from the table in frame `frame` at `level`; NO_FRAME stands for the root. */
  walkFrom(level: number, frame: number, rights: number, hi: number, lo: number, access: number): number {
    this.startLevel = level;
    this.startFrame = frame;
    this.startRights = rights;
    this.startCount = this.parts.record.count;
    if (frame !== NO_FRAME) this.mayMark[level] = 1;
    return this.walkTables(hi, lo, access);
  }

  private walkTables(hi: number, lo: number, access: number): number {
    const { ram, rules, root, record, stage } = this.parts;
    const { words } = ram;
    const { rows } = record;
    const wide = rules.mode !== '32';
    let level = this.startLevel;
    let frame = this.startFrame;
    let rights = this.startRights;
    let tableHi = root.hi;
    // The root of PAE may lie anywhere in its page; every other table fills one.
    let tableLo = frame === NO_FRAME ? root.lo : 0;
    for (;;) {
      const entryLo = tableLo | (wide ? wideIndex(hi, lo, level) << 3 : ((lo >>> (12 + 10 * level)) & 0x3ff) << 2);
      if (frame === NO_FRAME) frame = this.askBelow(level, tableHi, entryLo);
      if (frame < 0) return frame;
      const at = ((frame << 10) | ((entryLo & 0xfff) >>> 2)) >>> 0;
      let low = words[at];
      let high = wide ? words[at + 1] : 0;
      while (wide && isMixed(words, at, high, low)) {
        low = words[at];
        high = words[at + 1];
      }
      const isPdpte = rules.mode === 'pae' && level === PDPT_LEVEL;
      const row = record.count++ << ROW_SHIFT;
      if ((low & PTE_P) === 0) rights = 0;
      else if (!isPdpte) rights = combine(rights, high, low);
      rows[row | READ_INDEX] = at;
      rows[row | READ_LOW] = low;
      rows[row | READ_HIGH] = high;
      rows[row | READ_LEVEL] = level;
      rows[row | READ_STAGE] = stage;
      rows[row | READ_RIGHTS] = rights;
      rows[row | READ_TABLE] = NO_FRAME;
      if (this.listener !== null) tellReads(this.listener, record, record.count - 1);
      if ((low & PTE_P) === 0) return this.fault(level, rules.errorCode(access, 0));
      const isPage = level === 0 || (!isPdpte && (low & PTE_PS) !== 0 && rules.largePages);
      if (this.isReserved(level, isPage, isPdpte, high, low)) return this.fault(level, rules.reservedViolation(access));
      if (isPage) return this.page(row, rights, hi, lo, access);
      tableHi = high & ADDRESS_HIGH;
      tableLo = low & PTE_FRAME_LOW;
      frame = NO_FRAME;
      level--;
    }
  }

  /** The frame of the entry at an address; a walk cache may keep it as the table of the entry read before. */
  private askBelow(level: number, hi: number, lo: number): number {
    const { below, record, root } = this.parts;
    const frame = below.host(hi, lo, root.entryAccess);
    if (frame < 0) return this.refusedBelow('entry read', level, frame);
    const mayMark = below.allows(WRITE | IMPLICIT);
    this.entryHi[level] = hi;
    this.entryLo[level] = lo;
    this.mayMark[level] = mayMark ? 1 : 0;
    // A walk from a cached table does not ask again whether its entries may be marked.
    const previous = mayMark ? this.lastRow() : -1;
    if (previous >= 0) record.rows[previous | READ_TABLE] = frame;
    return frame;
  }

  /** The row of the entry read last from these tables by this walk, or -1. */
  private lastRow(): number {
    const { record, stage } = this.parts;
    for (let n = record.count - 1; n >= this.startCount; n--) {
      if (record.at(n, READ_STAGE) === stage) return n << ROW_SHIFT;
    }
    return -1;
  }

  private isReserved(level: number, isPage: boolean, isPdpte: boolean, high: number, low: number): boolean {
    const { rules } = this.parts;
    if (isPdpte) return rules.isReservedPdpte(high, low);
    return isPage
      ? ((high & rules.pageReservedHigh[level]) | (low & rules.pageReservedLow[level])) !== 0
      : ((high & rules.tableReservedHigh[level]) | (low & rules.tableReservedLow[level])) !== 0;
  }

  /** The entry of `row` maps a page: checks the rights, marks the entries, and translates the page's address. */
  private page(row: number, combined: number, hi: number, lo: number, access: number): number {
    const { rules, record, observing } = this.parts;
    const { rows } = record;
    const level = rows[row | READ_LEVEL];
    const low = rows[row | READ_LOW];
    const high = rows[row | READ_HIGH];
    let rights = combined | (low & rules.keptLow) | ((high >>> (PTE_KEY_SHIFT - KEY_SHIFT)) & rules.keyMask);
    this.pageRights = rights;
    if (!observing) {
      const violation = rules.violation(rights, access);
      if (violation >= 0) return this.fault(level, violation);
      const marked = this.mark(row, access);
      if (marked === NO_FRAME) return this.walkAgain(hi, lo, access);
      if (marked < 0) return marked;
      if ((access & WRITE) !== 0) rights |= DIRTY;
    }
    return this.translatePage(level, high, low, rights, lo, access);
  }

  private translatePage(level: number, high: number, low: number, rights: number, lo: number, access: number): number {
    const { rules, record, below } = this.parts;
    const narrow = rules.mode === '32';
    const size = level === 0 ? SIZE_4K : level === 2 ? SIZE_1G : narrow ? SIZE_4M : SIZE_2M;
    const inPage = (1 << SIZE_SHIFTS[size]) - 1;
    // Bits 20:13 of a 4 MiB page's entry are address bits 39:32 (PSE-36).
    const pageHi = size === SIZE_4M ? (low >>> 13) & 0xff : high & ADDRESS_HIGH;
    const asked = (access & (WRITE | FETCH)) | ((rights & RIGHT_USER) !== 0 ? USER : 0);
    const frame = below.host(pageHi, (low & ~inPage) | (lo & inPage), asked);
    if (frame < 0) return this.refusedBelow('page', level, frame);
    record.frame = frame;
    record.size = Math.min(size, below.size);
    record.rights = this.allowedByBoth(rights) | (record.size < size ? FRACTURED : 0);
    return this.end(level, frame);
  }

  /** The rights of both stages: what the other one refuses of a page. */
  private allowedByBoth(rights: number): number {
    const { below } = this.parts;
    const user = (rights & RIGHT_USER) !== 0 ? USER : 0;
    return (
      (rights & (below.allows(WRITE | user) && (below.rights & DIRTY) !== 0 ? -1 : ~DIRTY)) |
      (below.allows(READ | user) ? 0 : HOST_REFUSES_READ) |
      (below.allows(FETCH | user) ? 0 : HOST_REFUSES_FETCH)
    );
  }

  /**
   * Sets A in every entry on the way, and D in the last one at a store.
   * @returns 0; NO_FRAME if another processor has changed an entry; a status if below refuses
   */
  private mark(last: number, access: number): number {
    const { ram, rules, record, stage } = this.parts;
    const { rows } = record;
    for (let n = this.startCount; n < record.count; n++) {
      const row = n << ROW_SHIFT;
      if (rows[row | READ_STAGE] !== stage) continue;
      const level = rows[row | READ_LEVEL];
      if (rules.mode === 'pae' && level === PDPT_LEVEL) continue;
      const bits = row === last && (access & WRITE) !== 0 ? PTE_A | PTE_D : PTE_A;
      const missing = bits & ~rows[row | READ_LOW];
      if (missing === 0) continue;
      if (this.mayMark[level] === 0) {
        const { entryHi, entryLo } = this;
        const frame = this.parts.below.host(entryHi[level], entryLo[level], WRITE | IMPLICIT);
        if (frame < 0) return this.refusedBelow('entry write', level, frame);
      }
      if (!markEntry(ram, record, row, rules.mode !== '32', missing, PTE_A, this.listener)) return NO_FRAME;
    }
    return 0;
  }

  /** Refuses an address beyond those of the tables: nothing is there. */
  notPresent(access: number): number {
    return this.fault(this.parts.root.level, this.parts.rules.errorCode(access, 0));
  }

  /** Repeats the last walk after a change on its way. */
  private walkAgain(hi: number, lo: number, access: number): number {
    this.parts.record.count = this.startCount;
    return this.walkTables(hi, lo, access);
  }

  private fault(level: number, errorCode: number): number {
    this.errorCode = errorCode;
    return this.end(level, PAGE_FAULT);
  }

  private refusedBelow(what: RefusedBelow, level: number, status: number): number {
    this.end(level, status);
    this.refused = what;
    return status;
  }

  private end(level: number, result: number): number {
    const { record } = this.parts;
    record.startLevel = this.startLevel;
    record.endLevel = level;
    this.refused = null;
    return result;
  }
}
