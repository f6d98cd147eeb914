/**
 * Repeats. Pages share the sets of a first-level TLB. A lookup is a repeat if its page, or the same piece of it, was
 * the last one looked up in its set. It hits, changes no replacement policy and reaches nothing behind that TLB. A
 * replay may count it without making it.
 *
 * A lookup of the page before the last hits, too: under LRU and tree-PLRU, from two ways on. It only makes that page
 * the last, and the other the one before: they are swapped. A program goes to and fro between its stack and its heap, so
 * this lookup is a repeat as well, and one for all is made afterwards: before the next page of the set, or at the end of
 * the block.
 */

import * as hardware from '../../../hw/base/access.js';
import * as address from '../../../hw/base/address.js';
import type { Placement } from '../../../hw/tlb/array/by-size.js';
import type { TlbHierarchy } from '../../../hw/tlb/hierarchy.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import { FETCH, KIND_MASK, LOAD, MODIFY, STORE } from '../../trace/block.js';
import * as bits from './bits.js';
import { LOOKUP_SHIFTS } from './lookups.js';

const { PAGE_OFFSET_MASK, SHIFT_4K, SIZE_SHIFTS } = address;
const { READ, USER, WRITE } = hardware;
const { isNotZero } = bits;
const PAGE_MASK = ~PAGE_OFFSET_MASK;
const KINDS = KIND_MASK + 1;

/** Lookups are kept apart for each of these TLBs. */
const FETCHES = 0;
const LOADS = 1;
const STORES = 2;
const TLBS = 3;

/** So many sets are told apart. In a TLB with more, some share their pages. */
const MOST_SETS = 32;
/**
 * Each set of a TLB has words for two pages, by page size: low and high word of an address in either; which of them was
 * looked up last, 0 or 1; and which of them the TLB was told of last.
 */
const SET_SHIFT = 3;
const LAST = 4;
const TOLD = 5;
const SIZE_WORDS = MOST_SETS << SET_SHIFT;
const TLB_WORDS = LOOKUP_SHIFTS.length * SIZE_WORDS;
/**
 * Behind those every kind of access has a row: the start of its TLB, then by page size the bits of a low and of a high word
 * in which a page's addresses agree, its sets less one, and whether sets are sure to hold their last page alone.
 */
const ROWS = TLBS * TLB_WORDS;
const ROW_SHIFT = 4;
const RULES = 4;
const RULE_SHIFT = 2;
const SETS = 2;
const SINGLE = 3;
/** Stands for "none yet": no address of a user has such a high word. */
const NONE = -1;
/** Marks each remembered address, so that it equals no user's: nothing is a repeat. */
const MARK = 1 << 31;

/** Words that a filter works with. */
export const FILTER_WORDS = ROWS + (KINDS << ROW_SHIFT);
/**
 * Those of the filter that began last. It is a constant: V8 then knows its place and length. It would ask a field's array
 * for both in each round of a loop.
 */
const WORDS = new Int32Array(FILTER_WORDS);

/** The index of the row of a kind of access. */
export const rowOf = (kind: number): number => ROWS + (kind << ROW_SHIFT);

/**
 * Notes a lookup of a user's address with pages of a size, for the filter begun last.
 * @returns -1 for a repeat; otherwise its set, and {@link takeIn} has to follow
 */
export const note = (row: number, size: number, shift: number, hi: number, lo: number): number => {
  const rule = row + RULES + (size << RULE_SHIFT);
  const number = (lo >>> shift) | (hi << (32 - shift));
  const set = WORDS[row] + size * SIZE_WORDS + ((number & WORDS[rule + SETS]) << SET_SHIFT);
  const inPage = WORDS[rule];
  const notFirst = ((WORDS[set] ^ lo) & inPage) | (WORDS[set + 1] ^ hi);
  const notSecond = ((WORDS[set + 2] ^ lo) & inPage) | (WORDS[set + 3] ^ hi);
  if (notFirst !== 0 && notSecond !== 0) return set;
  WORDS[set + LAST] = isNotZero(notFirst);
  return NONE;
};

/** The place of a page that its TLB was told of before the other, though it was looked up after it; -1 if that is not so. */
const swappedIn = (words: Int32Array, set: number): number => {
  const last = words[set + LAST];
  return (last ^ words[set + TOLD]) === 1 ? set + 2 * last : NONE;
};

/**
 * Takes in a page that is none of its set's, in place of that looked up before the other.
 * @returns the place of the page to look up first: see {@link hiAt}; or -1
 */
export const takeIn = (row: number, size: number, mark: number, set: number, hi: number, lo: number): number => {
  const first = swappedIn(WORDS, set);
  // In an empty set the last is NONE: the first page gets place 0.
  const at = WORDS[row + RULES + (size << RULE_SHIFT) + SINGLE] !== 0 ? 0 : 1 - (WORDS[set + LAST] & 1);
  WORDS[set + 2 * at] = lo;
  WORDS[set + 2 * at + 1] = hi | mark;
  WORDS[set + LAST] = at;
  WORDS[set + TOLD] = at;
  return first;
};

/** The address at the place of a page: its high word, and the low one of its 4 KiB. */
export const hiAt = (at: number, words: Int32Array = WORDS): number => words[at + 1];
export const pageAt = (at: number, words: Int32Array = WORDS): number => words[at] & PAGE_MASK;

/** A byte a kind. */
const ACCESS_SHIFT = 3;
export const accessOf = (accesses: number, kind: number): number => (accesses >>> (kind << ACCESS_SHIFT)) & 0xff;

export class RepeatFilter {
  /** For {@link takeIn}. */
  readonly mark: number;
  /** The bits from access.ts of the first lookup of an access: see {@link accessOf}. */
  readonly accesses: number;
  /** Stores have a TLB of their own. */
  readonly storesApart: boolean;
  /** Whether the store of a load-modify-store may be no repeat of its load. */
  readonly modifiesTwice: boolean;
  private readonly rows = new Int32Array(KINDS << ROW_SHIFT);
  /** By TLB, the bits from access.ts of its lookups. */
  private readonly accessesOfTlbs = new Int32Array(TLBS);

  /**
   * @param mmus by page size: they will make the lookups, and nothing else meanwhile. If only some have a TLB for
   *   stores alone, nothing is left out
   * @param leaveOut false when every lookup is to be made, though it is a repeat
   * @param mixed the lookups with pages of 4 KiB are made by an MMU with pages of 2 MiB among them, too. Then all pages
   *   count as one set: a repeat is of the page looked up last, and hits in whatever set that is
   */
  constructor(mmus: (shift: number) => readonly Pick<TranslatingMachine, 'tlb'>[], leaveOut = true, mixed = false) {
    const tlbs = LOOKUP_SHIFTS.map((shift) => mmus(shift).map(({ tlb }) => tlb));
    const apart = tlbs.flat().map(({ l1Store, l1Load }) => l1Store !== l1Load);
    this.storesApart = apart.includes(true);
    const alike = new Set(apart).size < 2;
    // Data pages are dirty, so loads and stores do the same to a shared TLB: all are made as stores.
    const load = USER | (this.storesApart ? READ : WRITE);
    const rules = [
      { kind: FETCH, tlb: FETCHES, access: USER | hardware.FETCH },
      { kind: LOAD, tlb: LOADS, access: load },
      { kind: MODIFY, tlb: LOADS, access: load },
      { kind: STORE, tlb: this.storesApart ? STORES : LOADS, access: USER | WRITE },
    ];
    const placements = rules.map(({ tlb }) => tlbs.map((some, size) => placementsIn(some, tlb, size)));
    this.mark = leaveOut && alike && placements.every(isTold) ? 0 : MARK;
    this.modifiesTwice = this.storesApart || this.mark !== 0;
    this.accesses = rules.reduce((bytes, { kind, access }) => bytes | (access << (kind << ACCESS_SHIFT)), 0);
    for (const [i, { kind, tlb, access }] of rules.entries()) {
      const [of4K, of2M, of1G] = placements[i];
      this.accessesOfTlbs[tlb] = access;
      const rules = [of4K, of2M, of1G].flatMap((some, size) => {
        const shift = LOOKUP_SHIFTS[size];
        const isMixed = mixed && shift === SHIFT_4K;
        const sets = isMixed ? 1 : setsOf(some, shift);
        return [-(2 ** pieceShift(some, shift)), -1, sets - 1, Number(isMixed || !keepTwo(some))];
      });
      this.rows.set([tlb * TLB_WORDS, 0, 0, 0, ...rules], kind << ROW_SHIFT);
    }
  }

  /** The lookups left at the end of a block, with the bits of their access beside the page: of pages swapped since. */
  swapped(make: (size: number, hi: number, page: number) => void, words: Int32Array = WORDS): void {
    for (let set = 0; set < ROWS; set += 1 << SET_SHIFT) {
      const at = swappedIn(words, set);
      if (at < 0) continue;
      const tlb = Math.floor(set / TLB_WORDS);
      const size = Math.floor((set % TLB_WORDS) / SIZE_WORDS);
      make(size, hiAt(at, words), pageAt(at, words) | this.accessesOfTlbs[tlb]);
    }
  }

  /**
   * From here on {@link note} and {@link takeIn} answer for this filter, and no page was looked up yet.
   * @param words those of the same in WebAssembly, in their place
   */
  begin(words: Int32Array = WORDS): void {
    words.fill(NONE, 0, ROWS);
    words.set(this.rows, ROWS);
  }
}

/** How the pages of one size are placed in each of some TLBs. */
type Placements = readonly (Placement | null)[];

function placementsIn(tlbs: readonly TlbHierarchy[], which: number, size: number): Placements {
  const pageSize = SIZE_SHIFTS.indexOf(LOOKUP_SHIFTS[size]);
  return tlbs.map(({ l1Fetch, l1Load, l1Store, l2Data, l2Fetch }) => {
    const group = which === FETCHES ? l1Fetch : which === LOADS ? l1Load : l1Store;
    return group.placement(pageSize, which === FETCHES ? l2Fetch : l2Data);
  });
}

/** Can repeats be told, by page size? Not if a TLB keeps nothing of a page, or small pieces of a large one. */
function isTold(bySize: readonly Placements[]): boolean {
  return bySize.every((placements, size) => {
    return placements.every((one) => one !== null && (LOOKUP_SHIFTS[size] === SHIFT_4K || one.shift > SHIFT_4K));
  });
}

function keepTwo(placements: Placements): boolean {
  return placements.every((one) => one?.keepsTwo === true);
}

/** Sets by a page's number, a power of two. Pieces of a page may lie in different sets: then all pages count as one set. */
function setsOf(placements: Placements, shift: number): number {
  return Math.min(MOST_SETS, ...placements.map((one) => (one?.shift === shift ? one.sets : 1)));
}

/** log2 of the bytes of the smallest piece of a page. */
function pieceShift(placements: Placements, shift: number): number {
  return Math.min(shift, ...placements.map((one) => one?.shift ?? shift));
}
