/**
 * Repeats. Pages share the sets of a first-level TLB. A lookup is a repeat if its page, or the same piece of it, was
 * the last one looked up in its set. It hits, changes no replacement policy and reaches nothing behind that TLB. A
 * replay may count it without making it.
 */

import * as hardware from '../../../hw/base/access.js';
import * as address from '../../../hw/base/address.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import type { Placement } from '../../../hw/tlb/group.js';
import type { TlbHierarchy } from '../../../hw/tlb/hierarchy.js';
import { FETCH, KIND_MASK, LOAD, MODIFY, STORE } from '../../trace/block.js';
import * as bits from './bits.js';
import { LOOKUP_SHIFTS } from './lookups.js';

const { PAGE_OFFSET_MASK, SHIFT_1G, SHIFT_2M, SHIFT_4K, SIZE_SHIFTS } = address;
const { READ, USER, WRITE } = hardware;
const { isNotZero } = bits;
const PAGE_MASK = ~PAGE_OFFSET_MASK;
const KINDS = KIND_MASK + 1;

/** Lookups are kept apart for each of these TLBs. */
const FETCHES = 0;
const LOADS = 1;
const STORES = 2;
const TLBS = 3;

/** So many sets are told apart. In a TLB with more, some share the page looked up last. */
const MOST_SETS = 32;
const SET_MASK = MOST_SETS - 1;
/**
 * Each TLB has three parts in {@link WORDS}. The first has two words a set, low and high: the address looked up last
 * with pages of 4 KiB. The second has one word a set, the bits of the address from bit 16 on, for pages of 2 MiB. The
 * third is the same for 1 GiB.
 */
const START_2M = 2 * MOST_SETS;
const START_1G = 3 * MOST_SETS;
/** log2 of the words of a TLB. */
const TLB_SHIFT = 7;
/** Behind those every kind of access has a row: the start of its TLB, then a word for each page size. */
const ROWS = TLBS << TLB_SHIFT;
const ROW_SHIFT = 2;
/** Stands for "none yet". No address of a user has these bits. */
const NO_ADDRESS = -1;
/** Marks each remembered address, so that it equals no user's: nothing is a repeat. */
const MARK = 1 << 31;

/** Words that a filter works with. */
export const FILTER_WORDS = ROWS + (KINDS << ROW_SHIFT);
/**
 * Addresses looked up last, and the rows of the filter that began last. It is a constant: V8 then knows its place and
 * length. It would ask a field's array for both in each round of a loop.
 */
const WORDS = new Int32Array(FILTER_WORDS);

/** The bits of a user's address from this one on fit an int32, and tell pages of 2 MiB and of 1 GiB. */
const UPPER_SHIFT = 16;
export const upperOf = (hi: number, lo: number): number => (hi << UPPER_SHIFT) | (lo >>> UPPER_SHIFT);

/** The index of the row of a kind of access. */
export const rowOf = (kind: number): number => ROWS | (kind << ROW_SHIFT);

/**
 * Notes a lookup of a user's address with pages of 4 KiB, for the filter begun last.
 * @returns 0 when it is a repeat, otherwise 1
 */
export const isNew4K = (row: number, mark: number, hi: number, lo: number): number => {
  const last = WORDS[row] | ((lo >>> 11) & WORDS[row | 1]);
  const differs = ((WORDS[last] ^ lo) & PAGE_MASK) | (WORDS[last | 1] ^ hi);
  WORDS[last] = lo;
  WORDS[last | 1] = hi | mark;
  return isNotZero(differs);
};

/**
 * The same with larger pages, given the address from bit 16 on. `column` is their word of a row, `start` their part of
 * a TLB, and `shift` the first bit of a page number in `upper`.
 */
const isNewLarge = (row: number, mark: number, upper: number, column: number, start: number, shift: number): number => {
  const rule = WORDS[row | column];
  const last = WORDS[row] | start | ((upper >>> shift) & rule & SET_MASK);
  const differs = (WORDS[last] ^ upper) & rule & ~SET_MASK;
  WORDS[last] = upper | mark;
  return isNotZero(differs);
};

/** {@link isNew4K} with pages of 2 MiB, given the address from bit 16 on. */
export const isNew2M = (row: number, mark: number, upper: number): number =>
  isNewLarge(row, mark, upper, 2, START_2M, SHIFT_2M - UPPER_SHIFT);

/** {@link isNew4K} with pages of 1 GiB. */
export const isNew1G = (row: number, mark: number, upper: number): number =>
  isNewLarge(row, mark, upper, 3, START_1G, SHIFT_1G - UPPER_SHIFT);

/** A byte a kind. */
const ACCESS_SHIFT = 3;
export const accessOf = (accesses: number, kind: number): number => (accesses >>> (kind << ACCESS_SHIFT)) & 0xff;

export class RepeatFilter {
  /** For {@link isNew4K} and the others. */
  readonly mark: number;
  /** The bits from access.ts of the first lookup of an access: see {@link accessOf}. */
  readonly accesses: number;
  /** Stores have a TLB of their own. */
  readonly storesApart: boolean;
  /** Whether the store of a load-modify-store may be no repeat of its load. */
  readonly modifiesTwice: boolean;
  private readonly rows = new Int32Array(KINDS << ROW_SHIFT);

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
    for (const [i, { kind, tlb }] of rules.entries()) {
      const [of4K, of2M, of1G] = placements[i];
      this.rows.set(
        [
          tlb << TLB_SHIFT,
          (mixed ? 0 : setMask(of4K, SHIFT_4K)) << 1,
          pieceMask(of2M, SHIFT_2M) | setMask(of2M, SHIFT_2M),
          pieceMask(of1G, SHIFT_1G) | setMask(of1G, SHIFT_1G),
        ],
        kind << ROW_SHIFT,
      );
    }
  }

  /**
   * From here on {@link isNew4K} and the others answer for this filter, and no page was looked up yet.
   * @param words those of the same in WebAssembly, in their place
   */
  begin(words: Int32Array = WORDS): void {
    words.fill(NO_ADDRESS, 0, ROWS);
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
    const least = LOOKUP_SHIFTS[size] === SHIFT_4K ? SHIFT_4K : UPPER_SHIFT;
    return placements.every((one) => one !== null && one.shift >= least);
  });
}

/**
 * The mask from a page's number to its set. Pieces of a page may lie in different sets: then all pages count as one
 * set.
 */
function setMask(placements: Placements, shift: number): number {
  return Math.min(MOST_SETS, ...placements.map((one) => (one?.shift === shift ? one.sets : 1))) - 1;
}

/**
 * The bits shared by two addresses in a piece, of those from bit 16 on; all of them for pieces below 64 KiB, not told
 * apart here.
 */
function pieceMask(placements: Placements, shift: number): number {
  const piece = Math.min(shift, ...placements.map((one) => one?.shift ?? shift));
  return -(2 ** (Math.max(piece, UPPER_SHIFT) - UPPER_SHIFT));
}
