/**
 * The TLBs of a processor: a first level for fetches, loads and stores, and a second level behind them.
 *
 * A level may hold all page sizes in one array or have arrays of their own for some; {@link TlbGroup} is what one kind
 * of access sees of one level. Rules for counts: the second level is looked up on a miss of the first, a hit there
 * fills the first, a walk fills both, and each array evicts on its own (neither inclusive nor exclusive).
 */

import * as address from '../address.js';
import * as rightBits from '../paging/x86-rules.js';
import * as tags from './tag.js';
import { Tlb } from './tlb.js';
import type { TlbShape } from './shape.js';
import type { HitRule } from './tlb.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { PAGE_BYTES, PAGE_SIZES, SIZE_4K, SIZE_SHIFTS } = address;
const { RIGHT_DIRTY, RIGHT_FRACTURED, RIGHT_GLOBAL } = rightBits;
const { globalTag, makeTag, tagBase, tagPageHigh, tagPageLow } = tags;

/** One array of a level and the page sizes it holds (log2 of their bytes: 12, 21, 22, 30). */
export interface TlbArrayShape extends TlbShape {
  readonly pages: readonly number[];
  /** Where the numbers come from. */
  readonly source?: string;
}

/** Arrays that share a level; together they should hold 4 KiB pages at least. */
export type TlbLevelShape = readonly TlbArrayShape[];

export interface TlbGeometry {
  readonly name: string;
  /** First level for data. */
  readonly l1Data: TlbLevelShape;
  /** First level for stores, where a processor has one apart; otherwise stores use `l1Data`. */
  readonly l1Store?: TlbLevelShape;
  readonly l1Instruction: TlbLevelShape;
  /** Second level for data, and for fetches too unless `l2Instruction` is given. Empty: there is none. */
  readonly l2: TlbLevelShape;
  readonly l2Instruction?: TlbLevelShape;
  /** Entries of the paging-structure caches, fully associative unless `ways` is given; 0 or absent: there is none. */
  readonly walkCaches?: WalkCacheGeometry;
}

/** One paging-structure cache a level. Source: Intel SDM vol. 3A, "Paging-Structure Caches". */
export interface WalkCacheGeometry {
  readonly pml5e?: TlbShape;
  readonly pml4e?: TlbShape;
  readonly pdpte?: TlbShape;
  readonly pde?: TlbShape;
}

/** The 4 KiB frame of an address within its page of `2^shift` bytes, counted from the page's first. */
const frameInPage = (lo: number, shift: number): number => (lo >>> 12) & ((1 << (shift - 12)) - 1);

const PAGE_MASK = -PAGE_BYTES;
/** Equal to no address whose offset is masked off. */
const NO_MEMO = 1;

/** The arrays of one level that one kind of access looks up. */
export class TlbGroup {
  /** Result of the last lookup that hit: the 4 KiB frame of the address, its rights, the size it is kept as. */
  frame = 0;
  rights = 0;
  size = SIZE_4K;
  /** The array for each page size, or null where that size is kept as smaller pieces or not at all. */
  private readonly bySize: readonly (Tlb | null)[];
  /** A second array for the same page size, where a level has two (Ice Lake's second level). */
  private readonly twin: readonly (Tlb | null)[];
  private readonly hasTwins: boolean;
  /** The page size that a page of each size is kept as. */
  private readonly keptAs: Int32Array;
  /**
   * The 4 KiB piece looked up or filled last, whose result the fields above still hold. Its entry is the most recent
   * of its set, so to find it again changes nothing in any replacement policy, and the arrays need not be searched.
   */
  private memoHi = 0;
  private memoLo = NO_MEMO;
  /** Bit n: a page of size n may be in here. */
  private present = 0;
  /** Whether pieces of larger pages may be in here. */
  private fractured = false;

  constructor(arrays: readonly { readonly tlb: Tlb; readonly sizes: readonly number[] }[]) {
    const nth = (n: number): (Tlb | null)[] =>
      Array.from(
        { length: PAGE_SIZES },
        (_, size) => arrays.filter((array) => array.sizes.includes(size))[n]?.tlb ?? null,
      );
    this.bySize = nth(0);
    this.twin = nth(1);
    this.hasTwins = this.twin.some((tlb) => tlb !== null);
    this.keptAs = Int32Array.from({ length: PAGE_SIZES }, (_, size) => {
      while (size > SIZE_4K && this.bySize[size] === null) size--;
      return size;
    });
  }

  /** Looks a linear address up in every array that may hold it; a hit leaves frame, rights and size in the fields. */
  lookup(hi: number, lo: number, pcid: number): boolean {
    return ((lo & PAGE_MASK) === this.memoLo && hi === this.memoHi) || this.search(hi, lo, pcid);
  }

  private search(hi: number, lo: number, pcid: number): boolean {
    let present = this.present;
    for (let size = 0; present !== 0; size++, present >>>= 1) {
      if ((present & 1) !== 0 && this.searchSize(hi, lo, pcid, size)) return true;
    }
    return false;
  }

  private searchSize(hi: number, lo: number, pcid: number, size: number): boolean {
    const shift = SIZE_SHIFTS[size];
    const pageLow = (hi << (32 - shift)) | (lo >>> shift);
    const tlb = this.arrayFor(size, pageLow);
    if (tlb === null) return false;
    const cell = tlb.lookup(pageLow, tagBase(pcid, size) | tagPageHigh(hi >>> shift));
    if (cell < 0) return false;
    this.frame = tlb.frameAt(cell) | frameInPage(lo, shift);
    this.rights = tlb.rightsAt(cell);
    this.size = size;
    this.memoHi = hi;
    this.memoLo = lo & PAGE_MASK;
    return true;
  }

  /**
   * Looks up addresses `from` to `length - 1` until one misses or is refused, where that is simple: pages of one size
   * in one array. `rule` gives all but page size and tag.
   * @returns the index of the first address that was not translated, or `length`
   */
  translateHits(
    rule: HitRule,
    pcid: number,
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    frames: Int32Array,
  ): number {
    const size = 31 - Math.clz32(this.present);
    const tlb = this.present === 1 << size && !this.hasTwins ? this.bySize[size] : null;
    if (tlb === null) return from;
    rule.shift = SIZE_SHIFTS[size];
    rule.base = tagBase(pcid, size);
    // The page that is remembered may no longer be the most recent of its set.
    this.forget();
    return tlb.translateHits(rule, his, los, from, length, frames);
  }

  private arrayFor(size: number, pageLow: number): Tlb | null {
    return this.hasTwins ? this.oneOfTwo(size, pageLow) : this.bySize[size];
  }

  /**
   * With two arrays for a page size the page-number bit above the set index chooses, so that together they act as one
   * of twice the sets: a model default, the real choice being unpublished.
   */
  private oneOfTwo(size: number, pageLow: number): Tlb | null {
    const tlb = this.bySize[size];
    const twin = this.twin[size];
    return twin === null || tlb === null || ((pageLow / tlb.sets) & 1) === 0 ? tlb : twin;
  }

  /** After entries were dropped: the last page may be one of them. */
  forget(): void {
    this.memoLo = NO_MEMO;
  }

  /**
   * Puts in the translation of an address that was just looked up in vain: its 4 KiB frame, rights and page size. A size
   * that no array of the level holds is kept as pieces of the next smaller one that is held.
   * Source: Intel SDM vol. 3A, "Use of TLBs with Large Pages".
   */
  fill(hi: number, lo: number, pcid: number, frame: number, rights: number, size: number): void {
    const kept = this.keptAs[size];
    const shift = SIZE_SHIFTS[kept];
    const pageLow = tagPageLow(hi, lo, shift);
    const tlb = this.arrayFor(kept, pageLow);
    if (tlb === null) return;
    const tag = makeTag(hi, shift, pcid, kept);
    const first = frame - frameInPage(lo, shift);
    if (kept !== size) {
      rights |= RIGHT_FRACTURED;
      this.fractured = true;
    }
    tlb.insert(pageLow, (rights & RIGHT_GLOBAL) !== 0 ? globalTag(tag) : tag, first, rights);
    this.present |= 1 << kept;
    this.frame = frame;
    this.rights = rights;
    this.size = kept;
    this.memoHi = hi;
    this.memoLo = lo & PAGE_MASK;
  }

  /** Marks the entry of an address dirty, unused in the eyes of replacement; false when none leads to `frame`. */
  markDirty(hi: number, lo: number, pcid: number, frame: number): boolean {
    this.forget();
    for (let size = 0; size < PAGE_SIZES; size++) {
      const shift = SIZE_SHIFTS[size];
      const pageLow = tagPageLow(hi, lo, shift);
      const tlb = this.arrayFor(size, pageLow);
      const cell = tlb?.find(pageLow, makeTag(hi, shift, pcid, size)) ?? -1;
      if (tlb === null || cell < 0 || (tlb.frameAt(cell) | frameInPage(lo, shift)) !== frame) continue;
      tlb.addRights(cell, RIGHT_DIRTY);
      return true;
    }
    return false;
  }

  /**
   * Drops what is held for an address, of every size: global entries too, or only others. Pieces of a larger page
   * cannot be told from the address alone, so all pieces go: more than asked may always be dropped.
   */
  dropAddress(hi: number, lo: number, pcid: number, globals: boolean): void {
    this.forget();
    for (let size = 0; size < PAGE_SIZES; size++) {
      const shift = SIZE_SHIFTS[size];
      const pageLow = tagPageLow(hi, lo, shift);
      const tlb = this.arrayFor(size, pageLow);
      if (tlb === null) continue;
      const tag = makeTag(hi, shift, pcid, size);
      tlb.drop(pageLow, tag, globals);
      if (this.fractured) tlb.dropWithRights(RIGHT_FRACTURED);
    }
  }
}

/** One array of a processor's TLBs. */
export interface TlbPart {
  /** Its level and what it serves, such as `L1 data TLB`. */
  readonly name: string;
  readonly tlb: Tlb;
  /** The page sizes it holds, as indexes of address.ts' tables. */
  readonly sizes: readonly number[];
}

function makePart(shape: TlbArrayShape, name: string): TlbPart {
  const sizes = shape.pages.map((shift) => SIZE_SHIFTS.indexOf(shift));
  if (sizes.includes(-1)) {
    throw new RangeError(`${name}: pages ${shape.pages.join(', ')} must each be 12, 21, 22 or 30`);
  }
  return { name, tlb: new Tlb(shape, name), sizes };
}

export class TlbHierarchy {
  readonly geometry: TlbGeometry;
  readonly l1Load: TlbGroup;
  readonly l1Store: TlbGroup;
  readonly l1Fetch: TlbGroup;
  readonly l2Data: TlbGroup;
  readonly l2Fetch: TlbGroup;
  private readonly groups: readonly TlbGroup[];
  /** Every array: the first level's, then the second's. */
  readonly parts: readonly TlbPart[];

  /** @throws RangeError for a shape that cannot be built. */
  constructor(geometry: TlbGeometry) {
    const parts: TlbPart[] = [];
    const group = (level: TlbLevelShape, name: string): TlbGroup => {
      const made = level.map((shape) => makePart(shape, name));
      parts.push(...made);
      return new TlbGroup(made);
    };
    this.geometry = geometry;
    this.parts = parts;
    this.l1Load = group(geometry.l1Data, 'L1 data TLB');
    this.l1Store = geometry.l1Store ? group(geometry.l1Store, 'L1 store TLB') : this.l1Load;
    this.l1Fetch = group(geometry.l1Instruction, 'L1 instruction TLB');
    this.l2Data = group(geometry.l2, 'L2 TLB');
    this.l2Fetch = geometry.l2Instruction ? group(geometry.l2Instruction, 'L2 instruction TLB') : this.l2Data;
    this.groups = [...new Set([this.l1Load, this.l1Store, this.l1Fetch, this.l2Data, this.l2Fetch])];
  }

  /** Drops what is held for an address in one PCID and, with `globals`, its global translation. */
  dropAddress(hi: number, lo: number, pcid: number, globals: boolean): void {
    for (const group of this.groups) group.dropAddress(hi, lo, pcid, globals);
  }

  /** Makes every group search again: after a change of PCID. */
  forgetLast(): void {
    for (const group of this.groups) group.forget();
  }

  /** Drops everything, global translations too. */
  dropAll(): void {
    this.forgetLast();
    for (const { tlb } of this.parts) tlb.dropAll();
  }

  /** Drops what is not global, of one PCID or of all when `pcid` is negative. */
  dropAllNonGlobal(pcid: number): void {
    this.forgetLast();
    for (const { tlb } of this.parts) tlb.dropAllNonGlobal(pcid);
  }
}
