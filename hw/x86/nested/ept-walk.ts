/**
 * The walk of extended page tables: from a guest-physical address to a frame.
 * Source: Intel SDM vol. 3C, "EPT Translation Mechanism", "EPT-Induced VM Exits", "Accessed and Dirty Flags for EPT".
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
import type { PagingFeatures } from '../rules.js';
import { frameIn } from '../words.js';
import * as format from './ept-format.js';
import { markEntry } from './mark.js';

const { ACCESS_KINDS, FETCH, USER, WRITE } = accesses;
const { NO_FRAME, SIZE_1G, SIZE_2M, SIZE_4K, wideIndex } = address;
const { BUS_ERROR, PAGE_FAULT } = faults;
const { DIRTY } = permission;
const { isMixed } = sharedMemory;
const { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW, READ_RIGHTS, READ_STAGE, READ_TABLE, ROW_SHIFT } = walkRecord;
const { EPT_A, EPT_D, EPT_EXECUTE, EPT_PAGE, EPT_READ, EPT_USER_EXECUTE, EPT_WRITE } = format;

const RWX = EPT_READ | EPT_WRITE | EPT_EXECUTE;
/** The permission code of EPT: R, W, X as in entries, and XU in bit 3. */
const CODE_USER_EXECUTE = 1 << 3;
const XU_TO_CODE = 7;
/** Bits 5:3 of a page's entry, the memory type: 2, 3 and 7 are reserved. */
const TYPE_SHIFT = 3;
const RESERVED_TYPES = (1 << 2) | (1 << 3) | (1 << 7);
/** Bits 7:3 of an entry for a table: bit 7 says page where there can be one, and must be 0 elsewhere. */
const TABLE_RESERVED = 0xf8;
const ADDRESS_HIGH = 0xf_ffff;
const PDPT_LEVEL = 2;

/** The execution controls of a guest that concern EPT. */
export class EptControls {
  /** Levels but one. */
  rootLevel = 3;
  /** The root: bits 51:12 of EPTP, as two words. */
  rootHi = 0;
  rootLo = 0;
  /** Bit 6 of EPTP: accessed and dirty flags. */
  setsBits = false;
  /** Mode-based execute control: XU for user-mode linear addresses, X for the others. */
  modeBasedExecute = false;
  /** By access, the codes that allow it: see HostWalks. USER tells of a user-mode linear address. */
  readonly permitted = new Int32Array(ACCESS_KINDS);

  /** To be called after each change. */
  update(): void {
    for (let access = 0; access < ACCESS_KINDS; access++) {
      const execute = this.modeBasedExecute && (access & USER) !== 0 ? CODE_USER_EXECUTE : EPT_EXECUTE;
      const needed = (access & FETCH) !== 0 ? execute : (access & WRITE) !== 0 ? EPT_WRITE : EPT_READ;
      let codes = 0;
      for (let code = 0; code < 16; code++) if ((code & needed) !== 0) codes |= 1 << code;
      this.permitted[access] = codes;
    }
  }
}

export class EptWalker {
  listener: TranslationListener | null = null;
  /** Of the last failed walk: whether an entry is misconfigured, and otherwise the AND of the entries' permissions. */
  misconfigured = false;
  allowed = 0;
  /** The physical address without RAM of the last BUS_ERROR. */
  faultHi = 0;
  faultLo = 0;

  constructor(
    private readonly ram: Ram,
    private readonly controls: EptControls,
    private readonly features: PagingFeatures,
    private readonly record: WalkRecord,
    private readonly observing: boolean,
  ) {}

  /** Walks from the root. @returns the 4 KiB frame; PAGE_FAULT for a violation or misconfiguration; BUS_ERROR */
  walk(hi: number, lo: number, access: number): number {
    const { rootLevel, rootHi, rootLo } = this.controls;
    this.misconfigured = false;
    this.allowed = 0;
    // Bits 63:48 of the address with 4 levels, 63:57 with 5.
    if (hi >>> (rootLevel === 3 ? 16 : 25) !== 0) return PAGE_FAULT;
    return this.walkFrom(rootLevel, frameIn(rootHi, rootLo), -1, hi, lo, access);
  }

  /** The same from the table in frame `table` at `level`, `above` being the AND of the entries on the way there. */
  walkFrom(level: number, table: number, above: number, hi: number, lo: number, access: number): number {
    const { ram, record, controls } = this;
    const { words } = ram;
    const { rows } = record;
    const first = record.count;
    const presentIn = controls.modeBasedExecute ? RWX | EPT_USER_EXECUTE : RWX;
    let all = above;
    let tableHi = controls.rootHi;
    let tableLo = controls.rootLo;
    this.misconfigured = false;
    for (;;) {
      const offset = wideIndex(hi, lo, level) << 3;
      record.endLevel = level;
      if (!ram.hasFrame(table)) return this.missing(tableHi, tableLo | offset);
      const at = ((table << 10) | (offset >>> 2)) >>> 0;
      let low = words[at];
      let high = words[at + 1];
      while (isMixed(words, at, high, low)) {
        low = words[at];
        high = words[at + 1];
      }
      all &= low;
      const row = record.count++ << ROW_SHIFT;
      rows[row | READ_INDEX] = at;
      rows[row | READ_LOW] = low;
      rows[row | READ_HIGH] = high;
      rows[row | READ_LEVEL] = level;
      rows[row | READ_STAGE] = 2;
      rows[row | READ_RIGHTS] = (low & presentIn) === 0 ? 0 : codeOf(all);
      if (this.listener !== null) tellReads(this.listener, record, record.count - 1);
      this.allowed = all & (RWX | EPT_USER_EXECUTE);
      if ((low & presentIn) === 0) return PAGE_FAULT;
      const isPage = level === 0 || (level <= PDPT_LEVEL && (low & EPT_PAGE) !== 0);
      this.misconfigured = this.isMisconfigured(level, isPage, high, low);
      if (this.misconfigured) return PAGE_FAULT;
      if (isPage) return this.page(first, row, all, hi, lo, access);
      tableHi = high & ADDRESS_HIGH;
      tableLo = low & ~0xfff;
      table = frameIn(high, low);
      rows[row | READ_TABLE] = table;
      level--;
    }
  }

  /** Source: Intel SDM vol. 3C, "EPT Misconfigurations". Execute-only translations are supported. */
  private isMisconfigured(level: number, isPage: boolean, high: number, low: number): boolean {
    const { maxPhysicalBits, page1G } = this.features;
    if ((low & (EPT_READ | EPT_WRITE)) === EPT_WRITE) return true;
    if ((high & ADDRESS_HIGH) >>> (maxPhysicalBits - 32) !== 0) return true;
    if (!isPage) return (low & TABLE_RESERVED) !== 0;
    if (level === PDPT_LEVEL && !page1G) return true;
    const inPage = ((1 << (12 + 9 * level)) - 1) & ~0xfff;
    return (low & inPage) !== 0 || ((RESERVED_TYPES >>> ((low >>> TYPE_SHIFT) & 7)) & 1) !== 0;
  }

  /** The entry of `row` maps a page; the walk's rows begin with `first`. */
  private page(first: number, row: number, all: number, hi: number, lo: number, access: number): number {
    const { record, controls, ram } = this;
    const { rows } = record;
    const level = rows[row | READ_LEVEL];
    const low = rows[row | READ_LOW];
    const high = rows[row | READ_HIGH];
    const inPage = (1 << (9 * level)) - 1;
    const start = frameIn(high, low);
    record.frame = start === NO_FRAME ? start : start | ((lo >>> 12) & inPage);
    record.size = level === 0 ? SIZE_4K : level === 1 ? SIZE_2M : SIZE_1G;
    record.rights = codeOf(all) | (!controls.setsBits || (low & EPT_D) !== 0 ? DIRTY : 0);
    if (this.observing) return record.frame;
    if (((controls.permitted[access] >>> record.rights) & 1) === 0) return PAGE_FAULT;
    if (!ram.hasFrame(record.frame)) {
      const within = (inPage << 12) | 0xfff;
      return this.missing(high & ADDRESS_HIGH, (low & ~within) | (lo & within));
    }
    if (!controls.setsBits) return record.frame;
    if ((access & WRITE) !== 0) record.rights |= DIRTY;
    return this.mark(first, row, access) ? record.frame : this.walkAgain(first, hi, lo, access);
  }

  /** Sets A in the entries from row number `first` on, and D in the last one at a store; false after another's change. */
  private mark(first: number, last: number, access: number): boolean {
    const { ram, record, listener } = this;
    for (let n = first; n < record.count; n++) {
      const row = n << ROW_SHIFT;
      const bits = row === last && (access & WRITE) !== 0 ? EPT_A | EPT_D : EPT_A;
      const missing = bits & ~record.rows[row | READ_LOW];
      if (missing !== 0 && !markEntry(ram, record, row, true, missing, EPT_A, listener)) return false;
    }
    return true;
  }

  /** Repeats a walk from the root after a change on its way. */
  private walkAgain(first: number, hi: number, lo: number, access: number): number {
    this.record.count = first;
    return this.walk(hi, lo, access);
  }

  private missing(hi: number, lo: number): number {
    this.faultHi = hi;
    this.faultLo = lo;
    return BUS_ERROR;
  }
}

/** The permissions of entries behind a permission code. */
export const eptBitsOf = (code: number): number => (code & RWX) | ((code & CODE_USER_EXECUTE) << XU_TO_CODE);

const codeOf = (all: number): number => (all & RWX) | ((all & EPT_USER_EXECUTE) >>> XU_TO_CODE);
