/**
 * The table walker of VMSAv8-64: from an address to a frame, through descriptors in RAM.
 *
 * One loop for all granules and both stages. It reads a descriptor and goes on to the next table, or stops at a block or
 * page; then the output size, the Access flag and the rights are checked, and hardware updates the descriptor. Over a
 * second stage each address of a descriptor goes through that first, and last the page's own.
 * Source: Arm ARM (DDI 0487), chapter D8, "Translation process"; AArch64.S1Walk(), AArch64.S2Walk(), AArch64.S1Translate().
 */

import * as accesses from '../base/access.js';
import * as address from '../base/address.js';
import * as faults from '../base/fault.js';
import * as permission from '../base/permission.js';
import type { Ram } from '../memory/ram.js';
import * as sharedMemory from '../memory/shared-memory.js';
import { tellReads } from '../translate/walk/events.js';
import type { TranslationListener } from '../translate/walk/events.js';
import type { SecondStage } from '../translate/second-stage.js';
import * as walkRecord from '../translate/walk/walk-record.js';
import type { WalkRecord } from '../translate/walk/walk-record.js';
import * as exceptions from './exception.js';
import * as format from './format.js';
import * as rightsOf from './rights.js';
import * as ruleBits from './rules.js';
import type { AArch64Rules, TranslationTables } from './rules.js';
import * as updates from './update.js';
import * as words from './words.js';

const { IMPLICIT, READ, USER, WRITE } = accesses;
const { frameAt, NO_FRAME, PAGE_SHIFT } = address;
const { BUS_ERROR, PAGE_FAULT } = faults;
const { DIRTY, FRACTURED, GLOBAL } = permission;
const { isMixed } = sharedMemory;
const { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW, READ_RIGHTS, READ_STAGE, READ_TABLE, ROW_SHIFT } = walkRecord;
const { FSC_ACCESS_FLAG, FSC_ADDRESS_SIZE, FSC_EXTERNAL, FSC_EXTERNAL_ON_WALK, FSC_PERMISSION } = exceptions;
const { FSC_TRANSLATION, statusCode } = exceptions;
const { DESC_AF, DESC_CONTIGUOUS, DESC_VALID } = format;
const { AARCH64_PAGE_SHIFTS, NOT_BARRED } = ruleBits;
const { ARM_RIGHT_EL0, ARM_RIGHT_WALKS, firstRights, rightsIndex, withoutEl0 } = rightsOf;
const { DIRTY_STATE, updateDescriptor, updatedWord } = updates;
const { outputAddressHigh, bitsFrom, contiguousSize, isLeaf, isTable, outputHigh, outputLow } = words;

/** The manual's level 3 is level 0 here; its level -1 is level 4. */
const LAST_LEVEL = 3;
const NO_LEVEL = -1;

/** The purpose of a set of walkers: accesses; looks without any change or refusal; AT instructions. */
export type WalkPurpose = 'access' | 'look' | 'AT';

/** The refusing part of a failed walk. */
export type RefusedBy = 'tables' | 'host, for a descriptor' | 'host, for the page';

export class AArch64Walker {
  /** Hears of descriptors read and changed; null while nobody listens. */
  listener: TranslationListener | null = null;
  /** Of the last failed walk: its fault status code, its level, and who refused. */
  fsc = 0;
  level = NO_LEVEL;
  refusedBy: RefusedBy = 'tables';
  /** Output address of the last walk with a block or page at its end, RAM or not. */
  outHi = 0;
  outLo = 0;
  /** Stage 1 alone: the page's own address does not go through stage 2. For AT S1E1R and the like. */
  stopsBeforeHost = false;
  private readonly ram: Ram;
  private readonly rules: AArch64Rules;
  private readonly host: SecondStage | null;
  private readonly stage: 1 | 2;
  private readonly permitted: Int32Array;
  private readonly record: WalkRecord;
  private readonly looks: boolean;
  private readonly ofAt: boolean;
  /** The bit of a descriptor for its use as read: VALID; none on shared RAM. */
  private readonly trusted: number;
  /** A guest's walk from a walk cache: the level of its table, and its frame. */
  private knownLevel = NO_LEVEL;
  private knownTable = 0;
  /** Of the descriptors of the table read last, under a host: whether it is known to let them be changed. */
  private mayMark = false;
  private startLevel = 0;
  private startCount = 0;

  /**
   * @param host the second stage, for a walker of the first
   * @param record takes the findings; rows are put behind those it has
   */
  constructor(ram: Ram, rules: AArch64Rules, host: SecondStage | null, record: WalkRecord, purpose: WalkPurpose) {
    this.ram = ram;
    this.rules = rules;
    this.host = host;
    this.stage = host === null ? 2 : 1;
    this.permitted = host === null ? rules.secondPermitted : rules.regime.permitted;
    this.record = record;
    this.looks = purpose === 'look';
    this.ofAt = purpose === 'AT';
    this.trusted = ram.shared ? 0 : DESC_VALID;
  }

  /**
   * Walks from the root for an address without a tag.
   * @returns the 4 KiB frame of the address, PAGE_FAULT, or BUS_ERROR if a descriptor or the page is not in RAM
   */
  walk(tables: TranslationTables, hi: number, lo: number, access: number): number {
    const { rootLevel, rootHi, rootLo, rootMask } = tables;
    return this.walkFrom(tables, rootLevel, rootHi, rootLo, rootMask, 0, hi, lo, access);
  }

  /** Whether an access ends before any descriptor is read: its address is none of these tables', or they are barred. */
  private isBarred(tables: TranslationTables, hi: number, lo: number, access: number): boolean {
    const barsEl0 = tables.barsEl0 && ((access & USER) !== 0 || (this.rules.el0 && (access & IMPLICIT) === 0));
    const outside = !tables.covers(hi, lo) || (barsEl0 && !this.looks);
    if (!outside && tables.barred === NOT_BARRED) return false;
    this.fail(outside ? FSC_TRANSLATION : tables.barred, NO_LEVEL);
    return true;
  }

  /** The same for a guest from the table in frame `table` at `level`, a walk cache's. */
  walkFromKnown(
    tables: TranslationTables,
    level: number,
    table: number,
    above: number,
    hi: number,
    lo: number,
    access: number,
  ): number {
    this.knownLevel = level;
    this.knownTable = table;
    const frame = this.walkFrom(tables, level, 0, 0, tables.indexMask, above, hi, lo, access);
    this.knownLevel = NO_LEVEL;
    return frame;
  }

  /** The same from a table at `level`, `above` being the bits of table descriptors before it with an effect below. */
  walkFrom(
    tables: TranslationTables,
    level: number,
    tableHi: number,
    tableLo: number,
    mask: number,
    above: number,
    hi: number,
    lo: number,
    access: number,
  ): number {
    const { words } = this.ram;
    const { record, stage, trusted } = this;
    const { rows } = record;
    const { granule, stride, beyondHigh, hierarchical } = tables;
    this.startLevel = level;
    this.startCount = record.count;
    if (this.isBarred(tables, hi, lo, access)) {
      this.end(level + 1);
      return PAGE_FAULT;
    }
    for (;;) {
      const entryLo = tableLo | ((bitsFrom(hi, lo, granule.shift + stride * level) & mask) << 3);
      const frame = this.entryFrame(tables, level, tableHi, entryLo);
      if (frame < 0) return this.entryRefused(frame, level);
      const at = ((frame << 10) | ((entryLo & 0xfff) >>> 2)) >>> 0;
      let low = words[at];
      let high = words[at + 1];
      while ((low & trusted) === 0 && isMixed(words, at, high, low)) {
        low = words[at];
        high = words[at + 1];
      }
      const row = record.count++ << ROW_SHIFT;
      rows[row | READ_INDEX] = at;
      rows[row | READ_LOW] = low;
      rows[row | READ_HIGH] = high;
      rows[row | READ_LEVEL] = level;
      rows[row | READ_STAGE] = stage;
      const valid = (low & DESC_VALID) !== 0;
      const leads = valid && isTable(low, level);
      if (leads) above |= high & hierarchical;
      rows[row | READ_RIGHTS] = valid ? above : 0;
      if (this.listener !== null) tellReads(this.listener, record, record.count - 1);
      if (!valid) return this.refuse(FSC_TRANSLATION, level);
      if (!leads) return this.leaf(tables, row, tableHi, entryLo, above, hi, lo, access);
      tableHi = outputAddressHigh(tables, high, low);
      if ((tableHi & beyondHigh) !== 0) return this.refuse(FSC_ADDRESS_SIZE, level);
      tableLo = low & -(1 << granule.shift);
      mask = tables.indexMask;
      rows[row | READ_TABLE] = frameAt(tableHi, tableLo);
      level--;
    }
  }

  /** The frame of a descriptor at an address of this stage, for a read of it. */
  private entryFrame(tables: TranslationTables, level: number, hi: number, lo: number): number {
    if (this.host !== null && this.rules.secondOn) return this.askHost(this.host, tables, level, hi, lo);
    const frame = frameAt(hi, lo);
    return this.ram.hasFrame(frame) ? frame : BUS_ERROR;
  }

  /**
   * The same under a host. A walk cache may keep it as the table of the descriptor before, if all of the table lies in
   * one page of the host, and the host lets descriptors there be changed: a walk from there does not ask again.
   */
  private askHost(host: SecondStage, tables: TranslationTables, level: number, hi: number, lo: number): number {
    const inTable = (1 << (tables.granule.shift - PAGE_SHIFT)) - 1;
    if (level === this.knownLevel) {
      this.mayMark = true;
      return this.knownTable | ((lo >>> PAGE_SHIFT) & inTable);
    }
    const frame = host.host(hi, lo, READ | IMPLICIT);
    if (frame < 0) return frame;
    this.mayMark = host.allows(WRITE | IMPLICIT) && (host.rights & DIRTY) !== 0;
    const previous = this.lastRow();
    if (previous < 0) return frame;
    const whole = this.mayMark && AARCH64_PAGE_SHIFTS[host.size] >= tables.granule.shift;
    this.record.rows[previous | READ_TABLE] = whole ? frame & ~inTable : NO_FRAME;
    return frame;
  }

  /** The row of the descriptor of stage 1 read last by this walk, or -1. */
  private lastRow(): number {
    const { record } = this;
    for (let n = record.count - 1; n >= this.startCount; n--) {
      if (record.at(n, READ_STAGE) === 1) return n << ROW_SHIFT;
    }
    return -1;
  }

  /** A block or page, in the order of the manual: output size, Access flag, rights, updates. */
  private leaf(
    tables: TranslationTables,
    row: number,
    entryHi: number,
    entryLo: number,
    above: number,
    hi: number,
    lo: number,
    access: number,
  ): number {
    const { record } = this;
    const { rows } = record;
    const level = rows[row | READ_LEVEL];
    const high = rows[row | READ_HIGH];
    const low = rows[row | READ_LOW];
    if (!isLeaf(tables, low, level)) return this.refuse(FSC_TRANSLATION, level);
    const shift = tables.granule.shift + tables.stride * level;
    this.outHi = outputHigh(outputAddressHigh(tables, high, low), hi, shift);
    this.outLo = outputLow(low, lo, shift);
    if ((this.outHi & tables.beyondHigh) !== 0) return this.refuse(FSC_ADDRESS_SIZE, level);
    let rights =
      above === 0
        ? tables.leafRights[rightsIndex(high, low)]
        : firstRights(high, low, above, tables.setsDirty, this.rules.writableNeverExecuted);
    if (tables.protectedType !== 0 && (low & tables.protectedType) === 0) rights &= ~ARM_RIGHT_WALKS;
    if (!this.looks) {
      if ((low & DESC_AF) === 0 && !tables.setsAccessed) return this.refuse(FSC_ACCESS_FLAG, level);
      if (((this.permitted[access] >>> rights) & 1) === 0) return this.refuse(FSC_PERMISSION, level);
      const updated = updatedWord(low, access, this.stage, this.ofAt);
      if (updated !== low) {
        const frame = this.updateFrame(entryHi, entryLo);
        if (frame < 0) return this.entryRefused(frame, level);
        if (!updateDescriptor(this.ram, record, row, updated, this.listener))
          return this.walkAgain(tables, hi, lo, access);
        if (((updated ^ low) & DIRTY_STATE) !== 0) rights |= DIRTY;
      }
    }
    record.size =
      (high & DESC_CONTIGUOUS) === 0
        ? tables.granule.sizes[level]
        : contiguousSize(tables, level, hi, lo, this.outHi, this.outLo);
    // Rights for EL0 do not get into TLBs where it is to fault.
    record.rights = tables.barsEl0 ? withoutEl0(rights) : rights;
    return this.output(level, access);
  }

  /** Asks the host, if there is one, for an update of a descriptor. */
  private updateFrame(hi: number, lo: number): number {
    if (this.host === null || !this.rules.secondOn || this.mayMark) return 0;
    return this.host.host(hi, lo, WRITE | IMPLICIT);
  }

  /** Repeats the last walk after a change on its way, from the root. */
  private walkAgain(tables: TranslationTables, hi: number, lo: number, access: number): number {
    this.record.count = this.startCount;
    this.knownLevel = NO_LEVEL;
    return this.walk(tables, hi, lo, access);
  }

  /** The frame of the page: the second stage translates its address, if there is one. */
  private output(level: number, access: number): number {
    const { host, record, outHi, outLo } = this;
    this.end(level);
    record.frame = frameAt(outHi, outLo);
    if (host === null || !this.rules.secondOn || this.stopsBeforeHost) {
      if (this.ram.hasFrame(record.frame) || this.looks) return record.frame;
      this.fail(FSC_EXTERNAL, level);
      return BUS_ERROR;
    }
    const { size, rights } = record;
    record.rows[this.lastRow() | READ_TABLE] = NO_FRAME;
    const frame = host.host(outHi, outLo, access & ~IMPLICIT);
    this.end(level);
    if (frame < 0) {
      this.fail(FSC_EXTERNAL, level);
      this.refusedBy = 'host, for the page';
      return frame;
    }
    record.frame = frame;
    record.size = Math.min(size, host.size);
    record.rights = (rights & (host.rights | ARM_RIGHT_EL0 | GLOBAL)) | (record.size < size ? FRACTURED : 0);
    return frame;
  }

  /** No translation of a descriptor's address, or no RAM there. */
  private entryRefused(status: number, level: number): number {
    this.end(level);
    this.fail(statusCode(FSC_EXTERNAL_ON_WALK, LAST_LEVEL - level), level);
    if (this.host !== null && this.rules.secondOn) this.refusedBy = 'host, for a descriptor';
    return status;
  }

  private refuse(kind: number, level: number): number {
    this.end(level);
    this.fail(statusCode(kind, LAST_LEVEL - level), level);
    return PAGE_FAULT;
  }

  private fail(fsc: number, level: number): void {
    this.fsc = fsc;
    this.level = level;
    this.refusedBy = 'tables';
  }

  private end(level: number): void {
    this.record.startLevel = this.startLevel;
    this.record.endLevel = level;
  }
}
