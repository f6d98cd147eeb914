/**
 * From counts to model cycles.
 *
 * A model cycle is a weight, not a time: the addition of a translation to an access, on a processor that does one
 * thing after another. Real processors hide much of it by doing other work meanwhile. The weights are stated, and
 * every one can be replaced.
 */

import * as count from './counters.js';
import type { AccessCounts } from './counters.js';
import type { TranslationListener } from '../walk/events.js';
import type { WalkRecord } from '../walk/walk-record.js';
import { tagBase } from '../../tlb/tag.js';
import { Tlb } from '../../tlb/array/tlb.js';
import type { TlbShape } from '../../tlb/shape.js';

/** The price of each event, in model cycles. */
export interface CostTable {
  /** A first-level hit; 0, because its lookup runs beside the data cache's. */
  readonly l1Hit: number;
  /** A second-level hit. */
  readonly l2Hit: number;
  /** Every walk, before its first entry is read. */
  readonly walk: number;
  /** An entry read when no cache of entries is modelled. */
  readonly entryRead: number;
  /** An entry read answered by the modelled cache of entries, and one not answered by it. */
  readonly entryCacheHit: number;
  readonly entryCacheMiss: number;
}

/**
 * The model's own weights. An L2 TLB hit costs 7 cycles on Golden Cove, Zen 4 and Zen 5 (jia.je 2025-01-10); the rest
 * are model defaults: a level-2 cache hit of about 14 cycles and a read from memory of about 80 for entries.
 */
export const DEFAULT_COSTS: CostTable = {
  l1Hit: 0,
  l2Hit: 7,
  walk: 0,
  entryRead: 20,
  entryCacheHit: 14,
  entryCacheMiss: 80,
};

/** Model default: 512 lines of 64 bytes, 8 ways, for page-table entries alone (in a real cache data competes). */
export const DEFAULT_ENTRY_CACHE: TlbShape = { entries: 512, ways: 8 };

/** Model cycles spent on translation, split by cause. */
export interface TranslationCycles {
  readonly l1: number;
  readonly l2: number;
  readonly walks: number;
  readonly total: number;
}

/** The counts with a price; those of the cache of entries may be left out if there is none. */
export type PricedCounts = Pick<AccessCounts, 'l1Hits' | 'l2Hits' | 'walks' | 'entryReads'> &
  Partial<Pick<AccessCounts, 'entryCacheHits' | 'entryCacheMisses'>>;

/** Prices one side's counts. Entry reads are priced by the cache when one was modelled, else flat. */
export function translationCycles(counts: PricedCounts, costs: CostTable): TranslationCycles {
  const { entryCacheHits = 0, entryCacheMisses = 0 } = counts;
  const cached = entryCacheHits + entryCacheMisses > 0;
  const reads = cached
    ? entryCacheHits * costs.entryCacheHit + entryCacheMisses * costs.entryCacheMiss
    : counts.entryReads * costs.entryRead;
  const l1 = counts.l1Hits * costs.l1Hit;
  const l2 = counts.l2Hits * costs.l2Hit;
  const walks = counts.walks * costs.walk + reads;
  return { l1, l2, walks, total: l1 + l2 + walks };
}

/** Words of 4 bytes in a cache line of 64. */
const LINE_SHIFT = 4;
const LINE_TAG = tagBase(0, 0);

/** A small cache of the lines of page-table entries. */
export class EntryCache {
  private readonly lines: Tlb;

  /** @throws RangeError for an impossible shape. */
  constructor(shape: TlbShape) {
    this.lines = new Tlb(shape, 'entry cache');
  }

  /** Looks up every entry of the last walk and counts hits and misses on `side` of `values`. */
  read(record: WalkRecord, values: Float64Array, side: number, listener: TranslationListener | null): void {
    for (let n = 0; n < record.count; n++) {
      const line = record.index(n) >>> LINE_SHIFT;
      const hit = this.lines.lookup(line, LINE_TAG) >= 0;
      if (!hit) this.lines.insert(line, LINE_TAG, 0, 0);
      values[side + (hit ? count.ENTRY_CACHE_HITS : count.ENTRY_CACHE_MISSES)]++;
      if (listener !== null) listener({ kind: 'entry cache', address: record.index(n) * 4, hit });
    }
  }
}
