/** The lookups of the accesses of a trace block, with pages of each size. */

import * as hardware from '../../../hw/base/access.js';
import * as address from '../../../hw/base/address.js';
import type { HotMemory } from '../../../hw/memory/hot-memory.js';
import * as trace from '../../trace/block.js';
import type { AccessBlock, TraceCounts } from '../../trace/block.js';
import * as bits from './bits.js';
import { FindLoop } from './hot/find-loop.js';
import * as columns from './lookups.js';
import { LOOKUP_SHIFTS, Lookups, startOf } from './lookups.js';
import type { PageLookups } from './lookups.js';
import * as repeats from './repeats.js';
import type { RepeatFilter } from './repeats.js';

const { USER, WRITE } = hardware;
const { highWordAfter, PAGE_BYTES, PAGE_OFFSET_MASK, SHIFT_1G, SHIFT_2M, SHIFT_4K } = address;
const { ACCESS_WORDS, BLOCK_ACCESSES, FETCH, KIND_MASK, LOAD, LOW_WORD, MODIFY, OPERATION_WORD, SIZE_SHIFT, STORE } =
  trace;
const { accessOf, hiAt, note, pageAt, rowOf, takeIn } = repeats;
const { isNotZero } = bits;
const { ACCESS_COLUMN, LO_COLUMN } = columns;
const USER_WRITE = USER | WRITE;
/** A user process can own the addresses below 2^47: their high words have no more bits than these. */
const USER_HI_BITS = 15;

const SIZES = LOOKUP_SHIFTS.length;
const STARTS = LOOKUP_SHIFTS.map((_, size) => startOf(size));
const OFFSET_MASKS = LOOKUP_SHIFTS.map((shift) => 2 ** shift - 1);
const NO_PAGE = -1;
const PAGE_MASK = ~PAGE_OFFSET_MASK;

/**
 * A run is a row of accesses to one page of 4 KiB by one TLB. All but its first are repeats. Each element is the index
 * of a run's first access in the words of a block. A constant, for the reason of repeats.ts.
 */
const RUNS = new Int32Array(BLOCK_ACCESSES);

/** Accesses made: all of the trace less those left out. */
export interface Made {
  readonly data: number;
  readonly fetches: number;
}

/** Lookups of a block, data and fetches. */
interface Sides {
  data: number;
  fetches: number;
}

/** Finds the lookups of one block after the other, and counts accesses outside user space. */
export class LookupFinder {
  private lookups: Lookups | null = null;
  /** The words of {@link lookups}. */
  private words: Int32Array = new Int32Array(0);
  private loop: FindLoop | null = null;
  /** By page size, the index of the next lookup in the words of {@link lookups}. */
  private readonly ends = new Int32Array(SIZES);
  /** Lookups of the block, repeats too, but for those of second pages; and those, by page size. */
  private readonly first: Sides = { data: 0, fetches: 0 };
  private readonly second: readonly Sides[] = LOOKUP_SHIFTS.map(() => ({ data: 0, fetches: 0 }));
  /** Elements of the trace left out, and the data accesses and fetches in them. */
  outsideUserSpace = 0;
  private readonly leftOut: Sides = { data: 0, fetches: 0 };

  /**
   * @param filter made for the TLBs of the lookups
   * @param makeLoop makes a loop in WebAssembly for blocks in a memory; null if there is none
   */
  constructor(
    private readonly filter: RepeatFilter,
    private readonly makeLoop: (memory: HotMemory | null) => FindLoop | null = (memory) => FindLoop.make(memory),
  ) {}

  /**
   * @returns the block's lookups; the same object every time
   * @throws RangeError if the block's kinds do not add up to its length
   */
  find(block: AccessBlock): Lookups {
    const { first } = this;
    const { kinds } = block;
    first.data = kinds[LOAD] + kinds[STORE] + 2 * kinds[MODIFY];
    first.fetches = kinds[FETCH];
    if (first.data - kinds[MODIFY] + first.fetches !== block.length) {
      throw new RangeError(
        `a block of ${block.length} accesses whose kinds are ${kinds.join(', ')}: clear() empties both`,
      );
    }
    const lookups = (this.lookups ??= this.begin(block));
    if (this.loop === null) this.place(block);
    else this.placeBy(this.loop, block);
    lookups.accesses = first.data + first.fetches;
    lookups.bySize.forEach((list, size) => {
      this.finish(list, size);
    });
    return lookups;
  }

  private begin({ memory }: AccessBlock): Lookups {
    this.loop = this.makeLoop(memory);
    const lookups = new Lookups(this.loop?.lookups);
    this.words = lookups.words;
    return lookups;
  }

  private placeBy(loop: FindLoop, block: AccessBlock): void {
    loop.begin(block, this.filter);
    for (let i = 0; i < block.length; i++) {
      i = loop.run(i, block.length);
      if (i < block.length) this.leaveOut(block.kind(i), block.warmUp);
    }
    this.second.forEach((sides, size) => {
      this.ends[size] = loop.end(size);
      Object.assign(sides, loop.second(size));
    });
    this.putSwapped(block, loop.filter);
  }

  private place(block: AccessBlock): void {
    this.filter.begin();
    this.ends.set(STARTS);
    for (const sides of this.second) sides.data = sides.fetches = 0;
    for (let i = 0; i < block.length; i++) {
      i = this.placePlain(block, i);
      if (i < block.length) this.placeOther(block, i);
    }
    this.putSwapped(block);
  }

  private putSwapped({ length }: AccessBlock, words?: Int32Array): void {
    const at = ACCESS_WORDS * (length - 1);
    this.filter.swapped((size, hi, page) => {
      this.write(size, at, hi, page);
    }, words);
  }

  /**
   * Places the lookups of plain accesses, from the index `from` on. A plain access is one lookup: it stays in its page
   * and in user space. The first loop finds the runs and stops at the first access of another sort. The second places
   * the first access of each run for all page sizes. Both
   * loops stand in one function: V8 would put either into its caller, and compile it worse there.
   * @returns the index of the first access of another sort, or the block's length
   */
  private placePlain({ words, length }: AccessBlock, from: number): number {
    const { filter } = this;
    const apart = filter.modifiesTwice ? MODIFY : -1;
    const mark = filter.mark | 0;
    const accesses = filter.accesses | 0;
    let runs = 0;
    let lastHi = NO_PAGE;
    let lastLo = 0;
    let lastAccess = 0;
    let at = ACCESS_WORDS * from;
    for (const end = ACCESS_WORDS * length; at < end; at += ACCESS_WORDS) {
      const hi = words[at];
      const lo = words[at + LOW_WORD];
      const operation = words[at + OPERATION_WORD];
      const kind = operation & KIND_MASK;
      const inPage = (lo & PAGE_OFFSET_MASK) + (operation >>> SIZE_SHIFT) <= PAGE_BYTES;
      if (hi >>> USER_HI_BITS !== 0 || !inPage || kind === apart) break;
      const access = accessOf(accesses, kind);
      RUNS[runs] = at;
      runs = (runs + isNotZero(((lo ^ lastLo) & PAGE_MASK) | (hi ^ lastHi) | (access ^ lastAccess))) | 0;
      lastHi = hi | mark;
      lastLo = lo;
      lastAccess = access;
    }

    for (let run = 0; run < runs; run++) {
      const start = RUNS[run];
      const hi = words[start];
      const lo = words[start + LOW_WORD];
      const kind = words[start + OPERATION_WORD] & KIND_MASK;
      const row = rowOf(kind);
      const page = (lo & PAGE_MASK) | accessOf(accesses, kind);
      const set4K = note(row, 0, SHIFT_4K, hi, lo);
      const set2M = note(row, 1, SHIFT_2M, hi, lo);
      const set1G = note(row, 2, SHIFT_1G, hi, lo);
      if (set4K >= 0) this.put(start, 0, row, set4K, hi, page);
      if (set2M >= 0) this.put(start, 1, row, set2M, hi, page);
      if (set1G >= 0) this.put(start, 2, row, set1G, hi, page);
    }
    return at / ACCESS_WORDS;
  }

  /** Places any access: also one across two pages, one of two lookups, or one outside user space. */
  private placeOther(block: AccessBlock, i: number): void {
    const hi = block.addressHi(i);
    const lo = block.addressLo(i);
    const size = block.size(i);
    const kind = block.kind(i);
    if ((hi | highWordAfter(hi, lo, size - 1)) >>> USER_HI_BITS !== 0) {
      this.leaveOut(kind, block.warmUp);
      return;
    }
    const at = ACCESS_WORDS * i;
    this.placePages(at, kind, accessOf(this.filter.accesses, kind), hi, lo, size);
    if (kind === MODIFY) this.placePages(at, STORE, USER_WRITE, hi, lo, size);
  }

  private leaveOut(kind: number, warmUp: boolean): void {
    const side = kind === FETCH ? 'fetches' : 'data';
    const lookups = kind === MODIFY ? 2 : 1;
    this.first[side] -= lookups;
    if (warmUp) return;
    this.outsideUserSpace++;
    this.leftOut[side] += lookups;
  }

  private placePages(at: number, kind: number, access: number, hi: number, lo: number, size: number): void {
    const last = size - 1;
    for (let n = 0; n < SIZES; n++) {
      this.placeOne(at, n, kind, access, hi, lo);
      // No access is longer than the smallest page, so it touches at most two.
      if ((lo & OFFSET_MASKS[n]) + last <= OFFSET_MASKS[n]) continue;
      this.placeOne(at, n, kind, access, highWordAfter(hi, lo, last), (lo + last) | 0);
      this.second[n][kind === FETCH ? 'fetches' : 'data']++;
    }
  }

  private placeOne(at: number, n: number, kind: number, access: number, hi: number, lo: number): void {
    const row = rowOf(kind);
    const set = note(row, n, LOOKUP_SHIFTS[n], hi, lo);
    if (set >= 0) this.put(at, n, row, set, hi, (lo & PAGE_MASK) | access);
  }

  /** Puts a lookup that is no repeat at the end of its list, after the one that comes first. */
  private put(at: number, n: number, row: number, set: number, hi: number, page: number): void {
    const first = takeIn(row, n, this.filter.mark, set, hi, page);
    if (first >= 0) this.write(n, at, hiAt(first), pageAt(first) | (page & PAGE_OFFSET_MASK));
    this.write(n, at, hi, page);
  }

  private write(size: number, at: number, hi: number, page: number): void {
    const end = this.ends[size]++;
    this.words[end] = hi;
    this.words[end + LO_COLUMN] = page;
    this.words[end + ACCESS_COLUMN] = at;
  }

  private finish(list: PageLookups, size: number): void {
    const { first, filter } = this;
    const second = this.second[size];
    const length = this.ends[size] - STARTS[size];
    let fetches = 0;
    if (first.fetches > 0) for (let i = 0; i < length; i++) fetches += (list.los[i] & hardware.FETCH) !== 0 ? 1 : 0;
    list.length = length;
    list.allStores = first.fetches === 0 && !filter.storesApart;
    list.fetchRepeats = first.fetches + second.fetches - fetches;
    list.dataRepeats = first.data + second.data - (length - fetches);
  }

  /** The accesses made, of all in a trace; a load-modify-store is two. */
  made({ loads, stores, modifies, fetches }: TraceCounts): Made {
    return {
      data: loads + stores + 2 * modifies - this.leftOut.data,
      fetches: fetches - this.leftOut.fetches,
    };
  }
}
