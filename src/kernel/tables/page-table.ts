/**
 * Page tables: 4-level x86-64 tables in guest RAM, written by plain stores.
 *
 * The kernel sees all of physical memory through a direct map outside of the translated space, so the words of a table
 * are `ram.words`. A place in a table is the index of the low word of an entry ("at"), the high word is at + 1.
 * Source: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging".
 */

import { highWord, lowWord, SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';
import { alignDown } from '../abi/layout.js';
import type { KernelCounters } from '../frames/counters.js';
import { FRAME_TABLE } from '../frames/frames.js';
import type { Frames } from '../frames/frames.js';
import { frameOfEntry, highOf, PTE_PRESENT, TABLE_BITS, TABLE_ENTRY } from './entries-x86.js';
import type { EntryMemory } from './entries-x86.js';
import type { TableRoot } from './root.js';

const SHIFT_512G = 39;
/** Entries in a table, and words of 4 bytes. */
const ENTRIES = 512;
const TABLE_WORDS = 1024;

/** Index of the entry for `address` in a table whose entries cover 2^shift bytes: 12, 21, 30 or 39. */
function indexAt(address: number, shift: number): number {
  const hi = highWord(address);
  if (shift === SHIFT_512G) return (hi >>> 7) & (ENTRIES - 1);
  return ((hi << (32 - shift)) | (lowWord(address) >>> shift)) & (ENTRIES - 1);
}

export class PageTables implements EntryMemory {
  readonly words: Int32Array;
  readonly shared: boolean;
  /** Results of {@link next}: the place of an entry of a page directory, or of a 1 GiB page. */
  at = 0;
  /** log2 of the bytes that the found entry covers: 21 or 30, and of {@link findLeaf} any level's. */
  shift = 0;
  /** The part of the asked range that the found entry covers. */
  start = 0;
  end = 0;
  readonly #frames: Frames;
  readonly #counters: KernelCounters;

  constructor(ram: Ram, frames: Frames, counters: KernelCounters) {
    this.words = ram.words;
    this.shared = ram.shared;
    this.#frames = frames;
    this.#counters = counters;
  }

  /** The frame of a new, empty table; or ENOMEM. */
  allocate(): number {
    const frame = this.#frames.allocateZeroed(0, FRAME_TABLE);
    if (frame >= 0) this.#counters.tablesAllocated++;
    return frame;
  }

  /**
   * As {@link allocate}, contents unknown: for a caller that writes every entry before it links the table. It counts as
   * cleared all the same, since that is what an operating system does; only the host is spared the work.
   */
  allocateUnwritten(): number {
    const frame = this.#frames.allocate(0, FRAME_TABLE);
    if (frame < 0) return frame;
    this.#counters.tablesAllocated++;
    this.#counters.framesZeroed++;
    return frame;
  }

  release(frame: number): void {
    this.#counters.tablesFreed++;
    this.#frames.release(frame);
  }

  frameAt(at: number): number {
    return frameOfEntry(this.words[at + 1], this.words[at]);
  }

  /** Writes an entry: `frame` with `low` and `high` bits. One store makes it visible to the walker: the low word last. */
  set(at: number, frame: number, low: number, high: number): void {
    this.words[at + 1] = highOf(frame) | high;
    this.words[at] = (frame << 12) | low;
  }

  /** Empties an entry that leads to a table, or to nothing; one that maps a page goes by `takeEntry`. */
  clear(at: number): void {
    this.words[at] = 0;
    this.words[at + 1] = 0;
  }

  isTable(at: number): boolean {
    return (this.words[at] & TABLE_BITS) === PTE_PRESENT;
  }

  /** Place of the first entry of the table that the entry at `at` points to. */
  tableAt(at: number): number {
    return this.frameAt(at) * TABLE_WORDS;
  }

  /** Place of the 4 KiB entry for `address` in the table that the directory entry at `at` points to. */
  entryIn(at: number, address: number): number {
    return this.entryOf(this.frameAt(at), address);
  }

  /** Place of the 4 KiB entry for `address` in the table in this frame. */
  entryOf(table: number, address: number): number {
    return table * TABLE_WORDS + ((lowWord(address) >>> SHIFT_4K) & (ENTRIES - 1)) * 2;
  }

  /**
   * Place of the entry for `address` at the level whose entries cover 2^shift bytes (12, 21, 30); -1 where a table
   * above is missing or a huge page stands in the way.
   */
  find(space: TableRoot, address: number, shift: number): number {
    let table = space.root * TABLE_WORDS;
    for (let level = SHIFT_512G; ; level -= 9) {
      const at = table + indexAt(address, level) * 2;
      if (level === shift) return at;
      if (!this.isTable(at)) return -1;
      table = this.tableAt(at);
    }
  }

  /**
   * Place of the entry that says what is at `address`: that of a page of any size, or an empty one at the level where
   * tables end. Read `shift`.
   */
  findLeaf(space: TableRoot, address: number): number {
    let table = space.root * TABLE_WORDS;
    for (let level = SHIFT_512G; ; level -= 9) {
      const at = table + indexAt(address, level) * 2;
      if (level === SHIFT_4K || !this.isTable(at)) {
        this.shift = level;
        return at;
      }
      table = this.tableAt(at);
    }
  }

  /** As {@link find}, making the tables above; ENOMEM when there is no frame for one. No huge page may be in the way. */
  ensure(space: TableRoot, address: number, shift: number): number {
    let table = space.root * TABLE_WORDS;
    for (let level = SHIFT_512G; ; level -= 9) {
      const at = table + indexAt(address, level) * 2;
      if (level === shift) return at;
      if (this.words[at] === 0) {
        const frame = this.allocate();
        if (frame < 0) return frame;
        this.link(space, at, frame);
      }
      table = this.tableAt(at);
    }
  }

  /** Points the empty entry at `at` to a table. */
  link(space: TableRoot, at: number, table: number): void {
    this.set(at, table, TABLE_ENTRY, 0);
    space.tables++;
  }

  /**
   * Finds the first entry of a page directory that is not empty, or 1 GiB page, in `[from, end)`: false when there is
   * none. Missing tables are stepped over whole. Read `at`, `shift`, `start`, `end`, and go on from `end`.
   */
  next(space: TableRoot, from: number, end: number): boolean {
    const words = this.words;
    let address = from;
    while (address < end) {
      const hi = highWord(address);
      const lo = lowWord(address);
      let at = space.root * TABLE_WORDS + ((hi >>> 7) & 511) * 2;
      let shift = SHIFT_512G;
      if (words[at] !== 0) {
        at = this.tableAt(at) + (((hi << 2) | (lo >>> 30)) & 511) * 2;
        shift = SHIFT_1G;
        if (this.isTable(at)) {
          at = this.tableAt(at) + ((lo >>> 21) & 511) * 2;
          shift = SHIFT_2M;
        }
      }
      const above = alignDown(address, shift) + 2 ** shift;
      if (words[at] !== 0) {
        this.at = at;
        this.shift = shift;
        this.start = address;
        this.end = Math.min(above, end);
        return true;
      }
      address = above;
    }
    return false;
  }

  /**
   * Frees the tables that served only `[start, end)`: those that lie wholly between `floor` and `ceiling`, the end of
   * the VMA before and the start of the next one. True when a table was freed (the walk caches may hold it).
   */
  freeRange(space: TableRoot, start: number, end: number, floor: number, ceiling: number): boolean {
    const before = space.tables;
    this.#freeBelow(space, space.root, SHIFT_512G, start, end, floor, ceiling);
    return space.tables !== before;
  }

  #freeBelow(
    space: TableRoot,
    table: number,
    shift: number,
    start: number,
    end: number,
    floor: number,
    ceiling: number,
  ): void {
    const span = 2 ** shift;
    for (let base = alignDown(start, shift); base < end; base += span) {
      const at = table * TABLE_WORDS + indexAt(base, shift) * 2;
      if (!this.isTable(at)) continue;
      const lower = this.frameAt(at);
      if (shift > SHIFT_2M) {
        const low = Math.max(start, base);
        this.#freeBelow(space, lower, shift - 9, low, Math.min(end, base + span), floor, ceiling);
      }
      if (base < floor || base + span > ceiling) continue;
      this.clear(at);
      this.release(lower);
      space.tables--;
    }
  }
}
