/**
 * Result and reads of a walk: TLBs, walk caches, counters, the checking mode and explanations see nothing else of it.
 *
 * Every walker fills one of these. Entries lie in one array, a row each in the order of reading, because a walk stores
 * a row a level and V8 checks each array anew at each store.
 */

import { SIZE_4K } from '../../base/address.js';

/** Most entries of one walk: 5 levels under 5 levels of a host. */
const MOST_READS = 40;

/** Columns of a row of {@link WalkRecord.rows}. */
/** Index of the entry in `ram.words`, to be read as unsigned. */
export const READ_INDEX = 0;
/** The entry's words; `READ_HIGH` is 0 for entries of 4 bytes. */
export const READ_LOW = 1;
export const READ_HIGH = 2;
/** Level of the table, 0 being the last. */
export const READ_LEVEL = 3;
/** Rights after this entry, as {@link WalkRead.rights}. */
export const READ_RIGHTS = 4;
/** Frame of the next table, if the entry leads to one. */
export const READ_TABLE = 5;
/** 1 for the machine's own tables, 2 for a host's. */
export const READ_STAGE = 6;
/** log2 of the words of a row. */
export const ROW_SHIFT = 3;

/** One entry read by a walk, as a value. */
export interface WalkRead {
  /** Physical address of the entry. */
  readonly address: number;
  readonly high: number;
  readonly low: number;
  readonly level: number;
  readonly stage: number;
  /**
   * What it and the entries above leave of rights to those below, as walk caches keep it. x86 narrows it level by level; on
   * RISC-V it is GLOBAL alone, on Arm what tables take away. 0 for an entry that is not valid. A page's own are in `walked`.
   */
  readonly rights: number;
}

/** Result and reads of a walk. */
export class WalkRecord {
  /** Of the last walk with a page as its end: the 4 KiB frame of the address, or -1 when no RAM can be there. */
  frame = 0;
  /** Its rights: see permission.ts. */
  rights = 0;
  /** Its size, an index of address.ts' tables. */
  size = SIZE_4K;
  /** The levels of the last walk, `startLevel` down to `endLevel`, faulting or not. */
  startLevel = 0;
  endLevel = 0;
  /** Entries read by the last walk. */
  count = 0;
  /** A row an entry. */
  readonly rows = new Int32Array(MOST_READS << ROW_SHIFT);

  constructor() {
    this.forOneStage();
  }

  /** From now on walks may leave the stage out: it is 1. */
  forOneStage(): void {
    for (let at = READ_STAGE; at < this.rows.length; at += 1 << ROW_SHIFT) this.rows[at] = 1;
  }

  /** Number of levels of the last walk; 0 when it ended before the first. */
  get levelsPassed(): number {
    return Math.max(0, this.startLevel - this.endLevel + 1);
  }

  /** The word of column `column` of the entry read as number `n`. */
  at(n: number, column: number): number {
    return this.rows[(n << ROW_SHIFT) | column];
  }

  /** Index into `ram.words` of the entry read as number `n`. */
  index(n: number): number {
    return this.at(n, READ_INDEX) >>> 0;
  }

  /** Every entry read, in order. */
  reads(): WalkRead[] {
    return Array.from({ length: this.count }, (_, n) => ({
      address: this.index(n) * 4,
      high: this.at(n, READ_HIGH),
      low: this.at(n, READ_LOW),
      level: this.at(n, READ_LEVEL),
      stage: this.at(n, READ_STAGE),
      rights: this.at(n, READ_RIGHTS),
    }));
  }
}
