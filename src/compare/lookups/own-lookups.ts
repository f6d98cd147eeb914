/**
 * The lookups of a block with pages of any size: from those with 4 KiB pages, no repeat left out. Of pages that tables or
 * TLBs of x86 do not know, nothing else is worked out ahead.
 */

import { FETCH } from '../../../hw/base/access.js';
import * as address from '../../../hw/base/address.js';
import { MOST_LOOKUPS } from './lookups.js';
import type { ReplayedLookups } from './lookups.js';

const { PAGE_BYTES, PAGE_OFFSET_MASK, toNumber } = address;
const NO_PAGE = -1;
/** Bits from access.ts fit in here. */
const ACCESSES = 64;

export class OwnLookups implements ReplayedLookups {
  length = 0;
  allStores = false;
  dataRepeats = 0;
  fetchRepeats = 0;
  readonly his = new Int32Array(MOST_LOOKUPS);
  readonly los = new Int32Array(MOST_LOOKUPS);
  readonly accesses = new Int32Array(MOST_LOOKUPS);
  /** By the bits of an access, its TLB's last piece. */
  private readonly last = new Float64Array(ACCESSES);

  /**
   * @param shift log2 of the bytes of a page
   * @param pieceShift log2 of the bytes that every first-level TLB keeps in one entry; null where that cannot be told
   */
  constructor(
    readonly shift: number,
    private readonly pieceShift: number | null,
    readonly frames: Int32Array,
  ) {}

  /**
   * Takes the lookups of a block. A row of lookups of one piece by one TLB counts its first alone: the others hit, and change
   * nothing. The second half of an access over the end of a 4 KiB page is no lookup if it stays in its page.
   * @param all with 4 KiB pages, without anything left out
   */
  take(all: ReplayedLookups): void {
    const { last, shift, pieceShift } = this;
    const piece = pieceShift === null ? 0 : 2 ** pieceShift;
    last.fill(NO_PAGE);
    let length = 0;
    let fetchRepeats = 0;
    let repeats = 0;
    let before = NO_PAGE;
    for (let i = 0; i < all.length; i++) {
      const hi = all.his[i];
      const lo = all.los[i];
      const access = lo & PAGE_OFFSET_MASK;
      const start = toNumber(hi, lo - access);
      const isSecondHalf = i > 0 && all.accesses[i] === all.accesses[i - 1] && start === before + PAGE_BYTES;
      before = start;
      if (isSecondHalf && start % 2 ** shift !== 0) continue;
      const number = piece === 0 ? NO_PAGE : Math.floor(start / piece);
      if (piece !== 0 && last[access] === number) {
        if ((access & FETCH) !== 0) fetchRepeats++;
        else repeats++;
        continue;
      }
      last[access] = number;
      this.his[length] = hi;
      this.los[length] = lo;
      this.accesses[length] = all.accesses[i];
      length++;
    }
    this.length = length;
    this.allStores = all.allStores;
    this.dataRepeats = all.dataRepeats + repeats;
    this.fetchRepeats = all.fetchRepeats + fetchRepeats;
  }
}
