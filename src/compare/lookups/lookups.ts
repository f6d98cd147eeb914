/** The lookups of the accesses of a trace block: worked out once, for the machines of all page sizes. */

import { SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import { BLOCK_ACCESSES } from '../../trace/block.js';

/** log2 of the page sizes. */
export const LOOKUP_SHIFTS: readonly number[] = [SHIFT_4K, SHIFT_2M, SHIFT_1G];

/** A load-modify-store is two lookups, and each of them may touch a second page. */
export const MOST_LOOKUPS = 4 * BLOCK_ACCESSES;

/** Not a multiple of 4 KiB: the host's core would then take a column's stores for another's. */
const COLUMN_WORDS = MOST_LOOKUPS + 80;
const COLUMNS = 3;
/** In {@link Lookups.words}: how far a lookup's low word is from its high word, and how far its access is. */
export const LO_COLUMN = COLUMN_WORDS;
export const ACCESS_COLUMN = 2 * COLUMN_WORDS;

/** Where in {@link Lookups.words} the first lookup of a page size has its high word. */
export function startOf(size: number): number {
  return COLUMNS * size * COLUMN_WORDS;
}

/** Words of {@link Lookups.words}. */
export const LOOKUPS_WORDS = startOf(LOOKUP_SHIFTS.length);

/** Lookups of a block, as a replay makes and counts them. */
export interface ReplayedLookups {
  /** log2 of the bytes of a page. */
  readonly shift: number;
  /** Lookups to be made. */
  readonly length: number;
  readonly his: Int32Array;
  /** The address of the 4 KiB page, with bits from access.ts in place of its offset. */
  readonly los: Int32Array;
  /** The access that it is of: the index of its first word in the block. */
  readonly accesses: Int32Array;
  /** Whether all of them are a user's stores, and may be made as a batch. */
  readonly allStores: boolean;
  /** Hits of a first-level TLB that are not in the list. */
  readonly dataRepeats: number;
  readonly fetchRepeats: number;
  /** Room for the frames of a batch; nobody reads them here. */
  readonly frames: Int32Array;
}

/** The lookups of a block with pages of one size, in program order, without repeats. */
export class PageLookups implements ReplayedLookups {
  /** Lookups to be made. */
  length = 0;
  readonly his: Int32Array;
  /** The address of the 4 KiB page, with bits from access.ts in place of its offset. */
  readonly los: Int32Array;
  /** The access that it is of: the index of its first word in the block. */
  readonly accesses: Int32Array;
  /** Whether all of them are a user's stores, and may be made as a batch. */
  allStores = true;
  /** Repeats, of data and of fetches: not in the list, as a first-level TLB answers them without a change. */
  dataRepeats = 0;
  fetchRepeats = 0;

  /**
   * @param shift log2 of the page size
   * @param words of the block's {@link Lookups}
   * @param frames room for the frames of a batch; nobody reads them here
   */
  constructor(
    readonly shift: number,
    words: Int32Array,
    readonly frames: Int32Array,
  ) {
    const start = startOf(LOOKUP_SHIFTS.indexOf(shift));
    this.his = words.subarray(start, start + MOST_LOOKUPS);
    this.los = words.subarray(start + LO_COLUMN, start + LO_COLUMN + MOST_LOOKUPS);
    this.accesses = words.subarray(start + ACCESS_COLUMN, start + ACCESS_COLUMN + MOST_LOOKUPS);
  }
}

/** The lookups of a block. */
export class Lookups {
  /** By {@link LOOKUP_SHIFTS}. */
  readonly bySize: readonly PageLookups[];
  /** Accesses made, a load-modify-store being two: lookups but for those of second pages. */
  accesses = 0;

  /** @param words the columns of all sizes: one array, since V8 checks each array of a loop anew in each round */
  constructor(readonly words: Int32Array = new Int32Array(LOOKUPS_WORDS)) {
    const frames = new Int32Array(MOST_LOOKUPS);
    this.bySize = LOOKUP_SHIFTS.map((shift) => new PageLookups(shift, words, frames));
  }

  /** Those with pages of 4 KiB: every such page that the block touches is among them. */
  get of4K(): PageLookups {
    return this.bySize[0];
  }

  /** @throws RangeError for a page size without a list */
  of(shift: number): PageLookups {
    const lookups = this.bySize.find((one) => one.shift === shift);
    if (lookups === undefined) throw new RangeError(`no lookups are worked out for pages of 2^${shift} bytes`);
    return lookups;
  }
}
