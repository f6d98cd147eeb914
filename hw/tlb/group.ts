/**
 * One level of a processor's TLBs as one kind of access sees it: an array for all page sizes, or arrays of their own
 * for some.
 */

import * as address from '../base/address.js';
import * as permission from '../base/permission.js';
import type { HotMemory } from '../memory/hot-memory.js';
import * as tags from './tag.js';
import { SizesByRegion } from './regions.js';
import { ArraysBySize } from './array/by-size.js';
import type { HitBatch, HitRule } from './array/hits.js';
import type { Tlb } from './array/tlb.js';

const { PAGE_BYTES, SHIFT_4K, SIZE_4K, SIZE_SHIFTS } = address;
const { DIRTY, FRACTURED, GLOBAL } = permission;
const { makeTag, tagBase, tagPageHigh, tagPageLow } = tags;

/** The 4 KiB frame of an address within its page of `2^shift` bytes, counted from the page's first. */
const frameInPage = (lo: number, shift: number): number => (lo >>> 12) & ((1 << (shift - 12)) - 1);

/** The smallest of page sizes given as bits, at least one. */
const lowestSize = (sizes: number): number => 31 - Math.clz32(sizes & -sizes);

/** Number of addresses to search one by one at a change of the page size. */
const SEARCHED_ALONE = 4;

const PAGE_MASK = -PAGE_BYTES;
/** Equal to no address with its offset masked off. */
const NO_MEMO = 1;

/** Words of the block for hot loops, as hot/source/tlb.ts has them in bytes: by page size from ARRAYS and SHIFTS on. */
const FIRST_SIZE = 0;
const REGIONS = 1;
const ARRAYS = 4;
const SHIFTS = 12;
const BLOCK_WORDS = 20;

/** The arrays of one level for one kind of access. */
export class TlbGroup extends ArraysBySize {
  /** Result of the last hit: the 4 KiB frame of the address, its rights, the size it is kept as. */
  frame = 0;
  rights = 0;
  size = SIZE_4K;
  /** The page size to search first, its log2, and its array if that is one. */
  private firstSize = SIZE_4K;
  private firstShift = SHIFT_4K;
  private firstTlb: Tlb | null;
  /**
   * The 4 KiB piece looked up or filled last: the fields above still hold its result. Its entry is the most recent
   * of its set, so to find it again changes nothing in any replacement policy, and the arrays need not be searched.
   */
  private memoHi = 0;
  private memoLo = NO_MEMO;
  /** The page sizes in here. The size found last is one of them, unless there is none. */
  private readonly sizes: SizesByRegion;
  /** What hot loops have to know of it, once they may reach it. */
  private block: Int32Array | null = null;
  /** FRACTURED when pieces of larger pages may be in here, else 0. */
  private fractures = 0;

  /** @param shifts as {@link Regime.pageShifts} */
  constructor(arrays: readonly { readonly tlb: Tlb; readonly sizes: readonly number[] }[], shifts = SIZE_SHIFTS) {
    super(arrays, shifts);
    this.sizes = new SizesByRegion(shifts);
    this.firstTlb = this.twins !== null ? null : this.bySize[SIZE_4K];
  }

  /** Moves all to where hot loops reach it; `first` for a first level. @returns false where they cannot use it @internal */
  moveTo(memory: HotMemory, first: boolean): boolean {
    if (this.block !== null) return true;
    const block = memory.take(BLOCK_WORDS);
    const regions = this.sizes.moveTo(memory);
    if (block === null || regions === 0 || this.twins !== null || this.bySize[SIZE_4K] === null) return false;
    if (!this.arrays.every((tlb) => tlb.moveTo(memory, first))) return false;
    block[FIRST_SIZE] = this.firstSize;
    block[REGIONS] = regions;
    block.set(this.shifts, SHIFTS);
    this.block = block;
    return true;
  }

  /** Lets hot loops use all up to `ticks` times. @returns the place of the block for them, or 0: not now */
  lend(ticks: number): number {
    const { block, bySize } = this;
    if (block === null || this.fractures !== 0) return 0;
    // Pages of sizes without an array are left to the plain path.
    for (let size = 0; size < bySize.length; size++) block[ARRAYS + size] = bySize[size]?.lend(ticks) ?? 0;
    return block[ARRAYS] === 0 ? 0 : block.byteOffset;
  }

  /** After hot loops used it. */
  takeBack(): void {
    const { block } = this;
    this.forget();
    if (block !== null && block[FIRST_SIZE] !== this.firstSize) this.found(block[FIRST_SIZE]);
  }

  /**
   * Looks a linear address up in every array with a chance of it; a hit leaves frame, rights and size in the fields.
   */
  lookup(hi: number, lo: number, space: number): boolean {
    return this.wasLast(hi, lo) || this.search(hi, lo, space);
  }

  /** Whether an address lies in the 4 KiB piece found or filled last: to look it up again changes nothing. */
  wasLast(hi: number, lo: number): boolean {
    return (lo & PAGE_MASK) === this.memoLo && hi === this.memoHi;
  }

  /**
   * The 4 KiB frame of an address in the shortest way to most hits; -1 when it takes more to know, and nothing has
   * changed then. Of the fields only {@link size} is set.
   */
  hitFrame(hi: number, lo: number, rule: HitRule): number {
    if (this.wasLast(hi, lo)) return rule.allows(this.rights) ? this.frame : -1;
    const { firstTlb: tlb, firstShift: shift } = this;
    if (tlb === null || !rule.isCanonical(hi)) return -1;
    const tag = tagBase(rule.space, this.firstSize) | tagPageHigh(hi >>> shift);
    const cell = tlb.hitGuess((hi << (32 - shift)) | (lo >>> shift), tag, rule);
    if (cell < 0) return -1;
    // The page that is remembered may no longer be the most recent of its set.
    this.memoLo = NO_MEMO;
    this.size = this.firstSize;
    return tlb.frameAt(cell) | frameInPage(lo, shift);
  }

  private search(hi: number, lo: number, space: number): boolean {
    const { firstSize: first } = this;
    const there = this.sizes.at(hi, lo);
    if (((there >>> first) & 1) !== 0 && this.searchSize(hi, lo, space, first)) return true;
    return this.searchOthers(hi, lo, space, there & ~(1 << first));
  }

  /**
   * The page size to search first: the one found last, since the next address most often has it too. If a page may be
   * in here both whole and in pieces it is the smallest: so an earlier find does not decide between them.
   */
  private found(size: number): void {
    this.size = size;
    const first = this.fractures !== 0 ? lowestSize(this.sizes.any) : size;
    if (first === this.firstSize) return;
    if (this.block !== null) this.block[FIRST_SIZE] = first;
    this.firstSize = first;
    this.firstShift = this.shifts[first];
    this.firstTlb = this.twins !== null ? null : this.bySize[first];
  }

  /** Searches the page sizes with their bits in `others`. */
  private searchOthers(hi: number, lo: number, space: number, others: number): boolean {
    for (let size = 0; others !== 0; size++, others >>>= 1) {
      if ((others & 1) !== 0 && this.searchSize(hi, lo, space, size)) return true;
    }
    return false;
  }

  private searchSize(hi: number, lo: number, space: number, size: number): boolean {
    const shift = this.shifts[size];
    const pageLow = (hi << (32 - shift)) | (lo >>> shift);
    const tlb = this.arrayFor(size, pageLow);
    if (tlb === null) return false;
    const cell = tlb.lookup(pageLow, tagBase(space, size) | tagPageHigh(hi >>> shift));
    if (cell < 0) return false;
    this.frame = tlb.frameAt(cell) | frameInPage(lo, shift);
    this.rights = tlb.rightsAt(cell);
    this.found(size);
    this.memoHi = hi;
    this.memoLo = lo & PAGE_MASK;
    return true;
  }

  /**
   * Looks up addresses `from` to `length - 1` until one misses or is refused. Pages of the size found last are looked up
   * in a loop of their own. One of another size is searched for, and so are a few after it, since after one change of
   * size another is likely.
   * @returns the index of the first address without a translation, or `length`
   */
  translateHits(
    batch: HitBatch,
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    frames: Int32Array,
  ): number {
    if (this.twins !== null) return from;
    const { rule } = batch;
    const { space } = rule;
    let i = from;
    for (;;) {
      i = this.translateRun(batch, his, los, i, length, frames);
      if (!batch.missed) return i;
      const others = this.sizes.at(his[i], los[i]) & ~(1 << batch.size);
      let found = this.searchOthers(his[i], los[i], space, others);
      const end = Math.min(i + SEARCHED_ALONE, length);
      for (;;) {
        if (!found) return i;
        if (!rule.allows(this.rights)) {
          batch.missed = false;
          return i;
        }
        frames[i++] = this.frame;
        if (i === end || batch.stopsAt(his[i], los[i])) break;
        found = this.lookup(his[i], los[i], space);
      }
    }
  }

  /** The same for pages of the size to search first. */
  private translateRun(
    batch: HitBatch,
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    frames: Int32Array,
  ): number {
    const size = this.firstSize;
    const tlb = this.bySize[size];
    batch.missed = false;
    if (tlb === null) return from;
    batch.sizes = this.sizes;
    batch.size = size;
    batch.shift = this.shifts[size];
    batch.base = tagBase(batch.rule.space, size);
    // The page that is remembered may no longer be the most recent of its set.
    this.forget();
    return tlb.translateHits(batch, his, los, from, length, frames);
  }

  /** After entries were dropped: the last page may be one of them. */
  forget(): void {
    this.memoLo = NO_MEMO;
  }

  /**
   * Puts in the translation of an address just looked up in vain: its 4 KiB frame, rights and page size. A size without
   * an array in the level is kept as pieces of the next smaller one with an array.
   * Source: Intel SDM vol. 3A, "Use of TLBs with Large Pages".
   */
  fill(hi: number, lo: number, space: number, frame: number, rights: number, size: number): void {
    const kept = this.keptAs[size];
    const shift = this.shifts[kept];
    const pageLow = tagPageLow(hi, lo, shift);
    const tlb = this.arrayFor(kept, pageLow);
    if (tlb === null) return;
    const tag = makeTag(hi, shift, space, kept);
    const first = frame - frameInPage(lo, shift);
    if (kept !== size) rights |= FRACTURED;
    // The second level may have given a piece of a page; this level holds the page whole.
    if ((rights & FRACTURED) !== 0) this.fracture();
    tlb.insert(pageLow, (rights & GLOBAL) !== 0 ? tlb.globalTag(tag) : tag, first, rights);
    this.sizes.add(hi, lo, kept);
    this.frame = frame;
    this.rights = rights;
    this.found(kept);
    this.memoHi = hi;
    this.memoLo = lo & PAGE_MASK;
  }

  /** From now on pieces of larger pages may be in here. Hot loops know nothing of them. */
  private fracture(): void {
    this.fractures = FRACTURED;
    this.block?.fill(0, ARRAYS, SHIFTS);
  }

  /**
   * Marks the entry of an address dirty, unused in the eyes of replacement; false when none leads to `frame`, or when it
   * holds several coalesced pages.
   */
  markDirty(hi: number, lo: number, space: number, frame: number): boolean {
    this.forget();
    for (let size = 0; size < this.pageSizes; size++) {
      const shift = this.shifts[size];
      const pageLow = tagPageLow(hi, lo, shift);
      const tlb = this.arrayFor(size, pageLow);
      const cell = tlb?.find(pageLow, makeTag(hi, shift, space, size)) ?? -1;
      if (tlb === null || cell < 0 || (tlb.frameAt(cell) | frameInPage(lo, shift)) !== frame) continue;
      tlb.addRights(cell, DIRTY);
      return true;
    }
    return false;
  }

  /** Lookups and fills are for a virtual machine from now on: see {@link Tlb.enterMachine}. */
  enterMachine(machine: number): void {
    this.forget();
    for (const tlb of this.arrays) tlb.enterMachine(machine);
  }

  /**
   * Drops everything held for an address, of every size, in the reach of `space` and `machine`: see tag.ts. Pieces of a
   * larger page cannot be told from the address alone, so all pieces go: more than asked may always be dropped.
   */
  dropAddress(hi: number, lo: number, space: number, machine: number): void {
    this.forget();
    for (let size = 0; size < this.shifts.length; size++) {
      const shift = this.shifts[size];
      const pageLow = tagPageLow(hi, lo, shift);
      const tlb = this.arrayFor(size, pageLow);
      if (tlb === null) continue;
      tlb.drop(pageLow, makeTag(hi, shift, 0, size), space, machine);
    }
    if (this.fractures === 0) return;
    for (const tlb of this.arrays) tlb.dropWithRights(FRACTURED);
    this.fractures = 0;
    this.found(this.size);
  }

  /** Drops everything. */
  dropAll(): void {
    for (const tlb of this.arrays) tlb.dropAll();
    this.keep(0);
  }

  /** Drops everything in the reach of `space` and `machine`: see tag.ts. */
  dropSpace(space: number, machine: number): void {
    let left = 0;
    for (const tlb of this.arrays) left |= tlb.dropSpace(space, machine);
    this.keep(left);
  }

  /** After a flush: only pages of these sizes, a bit each, are left. */
  private keep(left: number): void {
    this.takeBack();
    this.sizes.keep(left);
    if (left === 0) this.fractures = 0;
    const here = (left & (1 << this.size)) !== 0;
    this.found(here ? this.size : left === 0 ? SIZE_4K : lowestSize(left));
  }
}
