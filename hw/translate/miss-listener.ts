import type { WalkRecord } from './walk-record.js';

/**
 * Told of each translation that a first-level TLB did not answer: a model of data caches, say, in which page-table
 * entries and data compete. `index` is the place of its address in the batch, or what `lookupIndex` was set to outside
 * of batches. `side` is 0 for data, FETCH_SIDE for instruction fetches.
 */
export interface MissListener {
  /** The second level had it. */
  secondLevelHit(side: number, index: number): void;
  /** A walk found its page. */
  walked(record: WalkRecord, side: number, index: number): void;
}
