/**
 * The page-table walker of RISC-V: from an address to a frame, through entries in RAM.
 *
 * One loop for all modes. It reads an entry, checks V and the reserved bits, and goes on to the next table or stops at a
 * page; then the rights are checked and the accessed and dirty bits set. The second stage's tables are walked by it too:
 * their root is four tables in a row, and the address chooses one of them before the walk.
 * Source: RISC-V privileged specification, "Virtual Address Translation Process": its steps are named below.
 *
 * Only the last entry has accessed and dirty bits. On shared RAM they are set only in the very entry read: if
 * another hart changed it, the walk starts anew (step 9).
 */

import * as accesses from '../base/access.js';
import * as faults from '../base/fault.js';
import * as permission from '../base/permission.js';
import type { Ram } from '../memory/ram.js';
import * as sharedMemory from '../memory/shared-memory.js';
import { tellReads } from '../translate/walk/events.js';
import type { TranslationListener } from '../translate/walk/events.js';
import * as walkRecord from '../translate/walk/walk-record.js';
import type { WalkRecord } from '../translate/walk/walk-record.js';
import * as format from './format.js';
import * as ruleBits from './rules.js';
import type { RiscvRules, RiscvStage } from './rules.js';
import * as words from './words.js';

const { WRITE } = accesses;
const { BUS_ERROR, PAGE_FAULT } = faults;
const { DIRTY } = permission;
const { isMixed } = sharedMemory;
const { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW, READ_RIGHTS, READ_STAGE, READ_TABLE, ROW_SHIFT } = walkRecord;
const { RISCV_PTE_A, RISCV_PTE_D, RISCV_PTE_N, RISCV_PTE_V } = format;
const { SIZE_NAPOT } = ruleBits;
const { entryFrame, globalIn, isPage, isPointer, isReserved, pageFrame, entryRights, tableIndex } = words;

/** Words of a row of the record. */
const ROW = 1 << ROW_SHIFT;
const SET_BITS = [
  [RISCV_PTE_A, 'accessed'],
  [RISCV_PTE_D, 'dirty'],
] as const;

/**
 * Sets accessed, and dirty too if `bits` say so, in the entry read into `row` (step 9).
 * @returns false, with nothing set, when another hart has changed the entry
 */
export function setBits(
  ram: Ram,
  record: WalkRecord,
  row: number,
  wide: boolean,
  bits: number,
  listener: TranslationListener | null,
): boolean {
  const { rows } = record;
  const at = rows[row | READ_INDEX] >>> 0;
  const low = rows[row | READ_LOW];
  const done = wide
    ? ram.replaceEntry(at, rows[row | READ_HIGH], low, low | bits)
    : ram.replaceWord(at, low, low | bits);
  if (!done || listener === null) return done;
  for (const [mask, bit] of SET_BITS) {
    if ((bits & ~low & mask) !== 0)
      listener({ kind: 'set', bit, address: at * 4, mask, level: rows[row | READ_LEVEL] });
  }
  return true;
}

export class RiscvWalker {
  /** Hears of entries read and bits set; null while nobody listens. */
  listener: TranslationListener | null = null;
  private readonly ram: Ram;
  private readonly rules: RiscvRules;
  private readonly stage: RiscvStage;
  private readonly stageNumber: number;
  private readonly record: WalkRecord;
  private readonly observing: boolean;
  /** The bit of an entry for its use as read: V; none on shared RAM. */
  private readonly trusted: number;
  /** The rights at the start of the last walk, and its first row. */
  private startRights = 0;
  private startCount = 0;

  /**
   * @param stage 1 or 2
   * @param record takes the findings; rows are put behind those it has
   * @param observing only look: set no accessed or dirty bit, and let every access through if it finds a page
   */
  constructor(ram: Ram, rules: RiscvRules, stage: 1 | 2, record: WalkRecord, observing = false) {
    this.ram = ram;
    this.rules = rules;
    this.stage = stage === 1 ? rules.first : rules.second;
    this.stageNumber = stage;
    this.record = record;
    this.observing = observing;
    this.trusted = ram.shared ? 0 : RISCV_PTE_V;
  }

  /**
   * Walks from `table` at `level` down. `rights` is GLOBAL or 0 by the levels above.
   * @returns the 4 KiB frame of the address, PAGE_FAULT, or BUS_ERROR if an entry or the page is not in RAM
   */
  walk(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { trusted, record, stage } = this;
    const { rows } = record;
    const { wide } = stage;
    let row = record.count << ROW_SHIFT;
    record.startLevel = level;
    this.startCount = record.count;
    this.startRights = rights;
    for (;;) {
      if (!this.ram.hasFrame(table)) return this.end(row - ROW, level, BUS_ERROR);
      const index = tableIndex(wide, hi, lo, level);
      const at = ((table << 10) | (wide ? index << 1 : index)) >>> 0;
      const low = words[at];
      const high = wide ? words[at + 1] : 0;
      rows[row | READ_INDEX] = at;
      rows[row | READ_LOW] = low;
      rows[row | READ_HIGH] = high;
      rows[row | READ_LEVEL] = level;
      rows[row | READ_STAGE] = this.stageNumber;
      if ((low & trusted) === 0) {
        if (wide && isMixed(words, at, high, low)) continue;
        if ((low & RISCV_PTE_V) === 0) {
          rows[row | READ_RIGHTS] = 0;
          return this.end(row, level, PAGE_FAULT);
        }
      }
      rights |= globalIn(low);
      rows[row | READ_RIGHTS] = rights;
      if (isPage(low)) return this.page(row, level, rights, hi, lo, access);
      if (level === 0 || !isPointer(high, low)) return this.end(row, level, PAGE_FAULT);
      table = entryFrame(high, low);
      rows[row | READ_TABLE] = table;
      level--;
      row += ROW;
    }
  }

  /** Steps 5 to 10, for the entry of `row`. */
  private page(row: number, level: number, global: number, hi: number, lo: number, access: number): number {
    const { record, stage, rules } = this;
    const { rows } = record;
    const high = rows[row | READ_HIGH];
    const low = rows[row | READ_LOW];
    if (isReserved(stage, level, high, low)) return this.end(row, level, PAGE_FAULT);
    const rights = global | entryRights(low);
    record.rights = rights;
    record.size = (high & RISCV_PTE_N) !== 0 ? SIZE_NAPOT : rules.sizes[level];
    record.frame = pageFrame(stage.wide, level, high, low, hi, lo);
    this.end(row, level, 0);
    if (this.observing) return record.frame;
    if (((stage.permitted[access] >>> rights) & 1) === 0) return PAGE_FAULT;
    const needed = (access & WRITE) !== 0 ? RISCV_PTE_A | RISCV_PTE_D : RISCV_PTE_A;
    if ((low & needed) !== needed) {
      if (!stage.setsBits) return PAGE_FAULT;
      if (!setBits(this.ram, record, row, stage.wide, needed, this.listener)) return this.walkAgain(hi, lo, access);
      if ((access & WRITE) !== 0) record.rights |= DIRTY;
    }
    return this.ram.hasFrame(record.frame) ? record.frame : BUS_ERROR;
  }

  /** Repeats the last walk after a change on its way. */
  private walkAgain(hi: number, lo: number, access: number): number {
    const { record, startCount } = this;
    record.count = startCount;
    return this.walk(record.startLevel, record.index(startCount) >>> 10, this.startRights, hi, lo, access);
  }

  /** The walk ended at `level`, with the entry of `row` if it read any. */
  private end(row: number, level: number, status: number): number {
    const { record } = this;
    record.endLevel = level;
    record.count = (row >> ROW_SHIFT) + 1;
    if (this.listener !== null) tellReads(this.listener, record, this.startCount);
    return status;
  }
}
