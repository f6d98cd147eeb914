/**
 * Page tables: four levels of 512 entries in guest RAM, written by plain stores.
 *
 * The kernel sees all of physical memory through a direct map outside of the translated space, so the words of a table
 * are `ram.words`. A place in a table is the index of the low word of an entry ("at"), the high word is at + 1.
 * Source: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging".
 */

import { highWord, lowWord, PAGE_BYTES, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import { alignDown, powerOfTwo } from '../abi/layout.js';
import type { KernelCounters } from '../frames/counters.js';
import { FRAME_TABLE } from '../frames/frames.js';
import type { Frames } from '../frames/frames.js';
import type { Entries } from './entries.js';
import type { TableRoot } from './root.js';

const SHIFT_512G = 39;
/** Entries in a table. */
export const TABLE_ENTRIES = 512;
const TABLE_WORDS = 2 * TABLE_ENTRIES;
/** Of a page number, shifted, the index in a table. Not exported: V8 would load it anew at each level. */
const INDEX_MASK = TABLE_ENTRIES - 1;

export class PageTables {
  readonly words: Int32Array;
  /** Results of {@link next}: the place of an entry of a page directory, or of a 1 GiB page. */
  at = 0;
  /** log2 of the bytes of the found entry: 21 or 30, and of {@link findLeaf} any level's. */
  shift = 0;
  /**
   * The found entry's part of the asked range. NaN before the first, no small integer: V8 would give the class another
   * shape for the first large address, and throw away all compiled code that walks, in the midst of a fork.
   */
  start = Number.NaN;
  end = Number.NaN;
  readonly #entries: Entries;
  readonly #frames: Frames;
  readonly #counters: KernelCounters;

  constructor(entries: Entries, frames: Frames, counters: KernelCounters) {
    this.words = entries.words;
    this.#entries = entries;
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
   * As {@link allocate}, contents unknown: the caller writes every entry before it links the table. It counts as
   * cleared all the same, since an operating system would clear it; only the host is spared the work.
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

  /** The frame of the entry at `at`. */
  frameAt(at: number): number {
    return this.#entries.frameAt(at);
  }

  /** Empties an entry for a table, or for nothing; that of a page goes by `Entries.take`. */
  clear(at: number): void {
    this.#entries.clear(at);
  }

  isTable(at: number): boolean {
    return this.#entries.isTable(this.words[at]);
  }

  /** Place of entry `index` of the table in this frame. */
  placeIn(table: number, index: number): number {
    return table * TABLE_WORDS + index * 2;
  }

  /** Place of the 4 KiB entry for `address` in the table below the directory entry at `at`. */
  entryIn(at: number, address: number): number {
    return this.entryOf(this.frameAt(at), address);
  }

  /** Place of the 4 KiB entry for `address` in the table in this frame. */
  entryOf(table: number, address: number): number {
    return this.placeIn(table, (lowWord(address) >>> SHIFT_4K) & INDEX_MASK);
  }

  /** The walk: from the root down to an entry for 2^shift bytes, or to one without a lower table. */
  #walk(space: TableRoot, address: number, shift: number): number {
    // Words, and only once: an address is a float64.
    const hi = highWord(address);
    const page = (hi << (32 - SHIFT_4K)) | (lowWord(address) >>> SHIFT_4K);
    let at = this.placeIn(space.root, (hi >>> (SHIFT_512G - 32)) & INDEX_MASK);
    let level = SHIFT_512G;
    while (level !== shift && this.isTable(at)) {
      level -= 9;
      at = this.placeIn(this.frameAt(at), (page >>> (level - SHIFT_4K)) & INDEX_MASK);
    }
    this.shift = level;
    return at;
  }

  /**
   * Place of the entry for `address` and 2^shift bytes (12, 21, 30); -1 when a table above is missing or a huge page
   * stands in the way.
   */
  find(space: TableRoot, address: number, shift: number): number {
    const at = this.#walk(space, address, shift);
    return this.shift === shift ? at : -1;
  }

  /**
   * Place of the last entry on the way to `address`: that of a page of any size, or an empty one. Read `shift`.
   */
  findLeaf(space: TableRoot, address: number): number {
    return this.#walk(space, address, SHIFT_4K);
  }

  /** As {@link find}, making the tables above; ENOMEM when there is no frame for one. No huge page may be in the way. */
  ensure(space: TableRoot, address: number, shift: number): number {
    for (;;) {
      const at = this.#walk(space, address, shift);
      if (this.shift === shift) return at;
      const frame = this.allocate();
      if (frame < 0) return frame;
      this.link(space, at, frame);
    }
  }

  /** Points the empty entry at `at` to a table. */
  link(space: TableRoot, at: number, table: number): void {
    this.#entries.setTable(at, table);
    space.tables++;
  }

  /**
   * Finds the first page-directory entry in use, or 1 GiB page, in `[from, end)`: false when there is none. Missing
   * tables are stepped over whole. Read `at`, `shift`, `start`, `end`, and go on from `end`.
   */
  next(space: TableRoot, from: number, end: number): boolean {
    for (let address = from; address < end;) {
      const at = this.#walk(space, address, SHIFT_2M);
      const above = alignDown(address, this.shift) + powerOfTwo(this.shift);
      if (this.words[at] !== 0) {
        this.at = at;
        this.start = address;
        this.end = Math.min(above, end);
        return true;
      }
      address = above;
    }
    return false;
  }

  /**
   * Goes on from the page-directory entry of {@link next} to the one beside it, without a walk: false when that is in
   * another table, not in use, or not before `end`. Not after a 1 GiB page.
   */
  nextBeside(end: number): boolean {
    const at = this.at + 2;
    if (this.end >= end || at % TABLE_WORDS === 0 || this.words[at] === 0) return false;
    this.at = at;
    this.start = this.end;
    this.end = Math.min(this.start + powerOfTwo(SHIFT_2M), end);
    return true;
  }

  /** Calls `visit` for the entry of every page or guard page in `[from, end)`, with the first address of its part. */
  forEachLeaf(
    space: TableRoot,
    from: number,
    end: number,
    visit: (at: number, address: number, shift: number) => void,
  ): void {
    const { words } = this;
    while (this.next(space, from, end)) {
      const { at, shift, start } = this;
      from = this.end;
      if (!this.isTable(at)) {
        visit(at, start, shift);
        continue;
      }
      let entry = this.entryIn(at, start);
      for (let address = start; address < from; address += PAGE_BYTES, entry += 2) {
        if (words[entry] !== 0) visit(entry, address, SHIFT_4K);
      }
    }
  }

  /**
   * Takes the tables of `[start, end)` alone out of the tables above: they lie wholly between `floor` and `ceiling`, the
   * end of the VMA before and the start of the next one. A walk may have begun in them, and walk caches hold them: flush
   * before the {@link release} of any.
   * @returns their frames
   */
  unlinkRange(space: TableRoot, start: number, end: number, floor: number, ceiling: number): number[] {
    const unlinked: number[] = [];
    this.#unlinkBelow(unlinked, space.root, SHIFT_512G, start, end, floor, ceiling);
    space.tables -= unlinked.length;
    return unlinked;
  }

  #unlinkBelow(
    unlinked: number[],
    table: number,
    shift: number,
    start: number,
    end: number,
    floor: number,
    ceiling: number,
  ): void {
    const { words } = this;
    const span = powerOfTwo(shift);
    const first = alignDown(start, shift);
    let at = this.placeIn(table, (first / span) & INDEX_MASK);
    for (let base = first; base < end; base += span, at += 2) {
      // Most entries are empty: this comes first, because a process runs here before V8 has compiled it.
      if (words[at] === 0 || !this.isTable(at)) continue;
      const lower = this.frameAt(at);
      if (shift > SHIFT_2M) {
        const low = Math.max(start, base);
        this.#unlinkBelow(unlinked, lower, shift - 9, low, Math.min(end, base + span), floor, ceiling);
      }
      if (base < floor || base + span > ceiling) continue;
      this.clear(at);
      unlinked.push(lower);
    }
  }
}
