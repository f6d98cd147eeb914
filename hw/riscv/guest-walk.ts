/**
 * The walk of a guest's address: through the guest's tables, with each entry at a guest-physical address, and
 * last of the page's own. The second stage translates all of them.
 *
 * The steps are those of walk.ts. Source: RISC-V privileged specification, "Two-Stage Address Translation".
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
import * as ruleBits from './rules.js';
import type { RiscvRules } from './rules.js';
import { setBits } from './walk.js';
import * as words from './words.js';

const { IMPLICIT, READ, WRITE } = accesses;
const { NO_FRAME } = address;
const { PAGE_FAULT } = faults;
const { DIRTY, FRACTURED, GLOBAL } = permission;
const { isMixed } = sharedMemory;
const { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW, READ_RIGHTS, READ_STAGE, READ_TABLE, ROW_SHIFT } = walkRecord;
const { ENTRY_READ, ENTRY_WRITE } = exceptions;
const { RISCV_PTE_A, RISCV_PTE_D, RISCV_PTE_N, RISCV_PTE_V } = format;
const { RISCV_RIGHT_EXECUTE, RISCV_RIGHT_MXR, RISCV_RIGHT_READ, RISCV_RIGHT_USER, RISCV_RIGHT_WRITE, SIZE_NAPOT } =
  ruleBits;
const { addressHigh, addressLow, globalIn, isPage, isPointer, isReserved, pageHigh, pageLow, entryRights, tableIndex } =
  words;

const CODE = RISCV_RIGHT_READ | RISCV_RIGHT_WRITE | RISCV_RIGHT_EXECUTE;
const READ_TO_MXR = RISCV_RIGHT_MXR / RISCV_RIGHT_READ;

/** Rights from both stages. The guest's MXR reads pages executable for the guest and readable for the host. */
const combine = (guest: number, host: number): number =>
  guest & ((host & (CODE | DIRTY)) | RISCV_RIGHT_USER | GLOBAL | ((host & RISCV_RIGHT_READ) * READ_TO_MXR));

export class GuestWalker {
  /** As of RiscvWalker. */
  listener: TranslationListener | null = null;
  /** Of the last failed walk: whether the second stage refused, and then ENTRY_READ, ENTRY_WRITE or 0 for the page. */
  refusedByHost = false;
  onEntry = 0;
  private readonly ram: Ram;
  private readonly rules: RiscvRules;
  private readonly second: SecondStage;
  private readonly record: WalkRecord;
  private readonly observing: boolean;
  /** Of the entry read last: its guest-physical address, and whether the host is known to let it be changed. */
  private entryHi = 0;
  private entryLo = 0;
  private mayMark = false;
  private startLevel = 0;

  /** @param observing as for RiscvWalker */
  constructor(ram: Ram, rules: RiscvRules, second: SecondStage, record: WalkRecord, observing = false) {
    this.ram = ram;
    this.rules = rules;
    this.second = second;
    this.record = record;
    this.observing = observing;
  }

  /** Walks from the root. @returns the 4 KiB frame, PAGE_FAULT, or BUS_ERROR if an entry or the page is not in RAM */
  walk(hi: number, lo: number, access: number): number {
    return this.walkFrom(this.rules.first.rootLevel, NO_FRAME, 0, hi, lo, access);
  }

  /** The same from the table in frame `table` at `level`, a walk cache's; NO_FRAME stands for the root. */
  walkFrom(level: number, table: number, above: number, hi: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { record } = this;
    const { rows } = record;
    const { wide, rootHi, rootLo } = this.rules.first;
    let tableHi = rootHi;
    let tableLo = rootLo;
    let frame = table;
    let rights = above;
    let previous = -1;
    record.count = 0;
    this.startLevel = level;
    // Only such tables are in walk caches.
    this.mayMark = true;
    for (; ; level--) {
      const entryLo = tableLo | (tableIndex(wide, hi, lo, level) << (wide ? 3 : 2));
      if (frame === NO_FRAME) frame = this.askHost(previous, tableHi, entryLo);
      if (frame < 0) return this.refused(frame, level, ENTRY_READ);
      const at = ((frame << 10) | ((entryLo & 0xfff) >>> 2)) >>> 0;
      let low = words[at];
      let high = wide ? words[at + 1] : 0;
      while (wide && isMixed(words, at, high, low)) {
        low = words[at];
        high = words[at + 1];
      }
      const row = record.count++ << ROW_SHIFT;
      rights = (low & RISCV_PTE_V) === 0 ? 0 : rights | globalIn(low);
      rows[row | READ_INDEX] = at;
      rows[row | READ_LOW] = low;
      rows[row | READ_HIGH] = high;
      rows[row | READ_LEVEL] = level;
      rows[row | READ_STAGE] = 1;
      rows[row | READ_RIGHTS] = rights;
      rows[row | READ_TABLE] = NO_FRAME;
      if (this.listener !== null) tellReads(this.listener, record, record.count - 1);
      if ((low & RISCV_PTE_V) === 0) return this.end(level, PAGE_FAULT);
      if (isPage(low)) return this.page(row, rights, hi, lo, access);
      if (level === 0 || !isPointer(high, low)) return this.end(level, PAGE_FAULT);
      tableHi = addressHigh(high, low);
      tableLo = addressLow(low);
      previous = row;
      frame = NO_FRAME;
    }
  }

  /**
   * The frame of the entry at an address. A walk cache may keep it as the table of the entry before, in row `previous`, if
   * the host lets entries there be changed: a walk from there does not ask again.
   */
  private askHost(previous: number, hi: number, lo: number): number {
    const { second, record } = this;
    const frame = second.host(hi, lo, READ | IMPLICIT);
    if (frame < 0) return frame;
    this.entryHi = hi;
    this.entryLo = lo;
    this.mayMark = second.allows(WRITE | IMPLICIT) && (second.rights & DIRTY) !== 0;
    if (this.mayMark && previous >= 0) record.rows[previous | READ_TABLE] = frame;
    return frame;
  }

  /** Steps 5 to 10 for the entry of `row`. */
  private page(row: number, global: number, hi: number, lo: number, access: number): number {
    const { rows } = this.record;
    const { first } = this.rules;
    const level = rows[row | READ_LEVEL];
    const high = rows[row | READ_HIGH];
    const low = rows[row | READ_LOW];
    if (isReserved(first, level, high, low)) return this.end(level, PAGE_FAULT);
    let rights = global | entryRights(low);
    const needed = (access & WRITE) !== 0 ? RISCV_PTE_A | RISCV_PTE_D : RISCV_PTE_A;
    if (!this.observing) {
      if (((first.permitted[access] >>> rights) & 1) === 0) return this.end(level, PAGE_FAULT);
      if ((low & needed) !== needed) {
        if (!first.setsBits) return this.end(level, PAGE_FAULT);
        const frame = this.mayMark ? 0 : this.second.host(this.entryHi, this.entryLo, WRITE | IMPLICIT);
        if (frame < 0) return this.refused(frame, level, ENTRY_WRITE);
        if (!setBits(this.ram, this.record, row, first.wide, needed, this.listener)) return this.walk(hi, lo, access);
        if ((access & WRITE) !== 0) rights |= DIRTY;
      }
    }
    return this.translatePage(level, high, low, rights, hi, lo, access);
  }

  /** The last translation: of the address within an entry's page. */
  private translatePage(
    level: number,
    high: number,
    low: number,
    rights: number,
    hi: number,
    lo: number,
    access: number,
  ): number {
    const { second, record, rules } = this;
    const { wide } = rules.first;
    const frame = second.host(pageHigh(level, high, low, hi), pageLow(wide, level, high, low, lo), access);
    if (frame < 0) return this.refused(frame, level, 0);
    const size = (high & RISCV_PTE_N) !== 0 ? SIZE_NAPOT : rules.sizes[level];
    record.frame = frame;
    record.size = Math.min(size, second.size);
    record.rights = combine(rights, second.rights) | (record.size < size ? FRACTURED : 0);
    return this.end(level, frame);
  }

  /** The second stage did not translate: an entry, or the page. */
  private refused(status: number, level: number, onEntry: number): number {
    this.end(level, status);
    this.refusedByHost = true;
    this.onEntry = onEntry;
    return status;
  }

  private end(level: number, result: number): number {
    this.record.startLevel = this.startLevel;
    this.record.endLevel = level;
    this.refusedByHost = false;
    return result;
  }
}
