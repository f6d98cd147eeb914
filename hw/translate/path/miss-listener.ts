import type { WalkRecord } from '../walk/walk-record.js';

/**
 * Told of each translation without an answer in a first-level TLB: a model of data caches, say, with page-table entries
 * and data in competition. `index` is the place of its address in the batch, or the value of `lookupIndex` outside of
 * batches. `side` is 0 for data, FETCH_SIDE for instruction fetches.
 */
export interface MissListener {
  /** The second level had it. */
  secondLevelHit(side: number, index: number): void;
  /** A walk found its page. */
  walked(record: WalkRecord, side: number, index: number): void;
}
