/**
 * The machine's counts: exact, deterministic, always on.
 *
 * Completed translations and faulting attempts are counted apart: so a restarted access counts once:
 *
 *     lookups = l1Hits + l2Hits + walks                  of completed translations, data and fetches each
 *     entryReads = the sum of entryReadsByLevel          of the walks above
 *     faults = faultsOnWalk + faultsOnHit + ...          attempts that ended in an exception
 *
 * The sums are made of the others. {@link Counters.check} tests on every run whether these can be so. Entries read to
 * set a dirty bit after a hit on a clean entry are counted apart as well.
 */

import type { HotMemory } from '../../memory/hot-memory.js';

/** Counts of one side, data or instruction fetches. */
export interface AccessCounts {
  readonly lookups: number;
  readonly l1Hits: number;
  readonly l1Misses: number;
  readonly l2Hits: number;
  readonly l2Misses: number;
  readonly walks: number;
  readonly entryReads: number;
  /** The last level of tables first. */
  readonly entryReadsByLevel: readonly number[];
  /** Walks shortened by a walk cache. */
  readonly shortenedWalks: number;
  /** Entry reads answered by the cache of page-table entries, or not; both 0 when there is none. */
  readonly entryCacheHits: number;
  readonly entryCacheMisses: number;
  /** Entries of a second stage's tables, read by walks besides. */
  readonly secondStageReads: number;
}

/** All counts of an MMU, as they stood at one moment. */
export interface CounterValues {
  readonly data: AccessCounts;
  readonly fetch: AccessCounts;
  /** Stores with a hit on a clean entry, so with a second walk to set D in RAM, and the entries they read. */
  readonly dirtyUpdates: number;
  readonly dirtyUpdateReads: number;
  readonly faultsOnWalk: number;
  readonly faultsOnHit: number;
  /** Entries read by faulting walks. */
  readonly faultReads: number;
  /** Instructions to drop the translations of a page, such as INVLPG. */
  readonly pageInvalidations: number;
  /** Instructions to drop translations by their address space, if an architecture has them apart. */
  readonly spaceInvalidations: number;
  /** Writes of the register for the root of the tables. */
  readonly rootWrites: number;
  /** Invalidations of a whole address space or more, by any instruction. */
  readonly flushes: number;
}

export const L1_HITS = 0;
export const L2_HITS = 1;
export const WALKS = 2;
export const SHORTENED_WALKS = 3;
/** The first of five, page table first. */
export const ENTRY_READS = 4;
export const ENTRY_CACHE_HITS = 9;
export const ENTRY_CACHE_MISSES = 10;
export const SECOND_STAGE_READS = 11;
const SIDE = 16;
/** Add this for instruction fetches. */
export const FETCH_SIDE = SIDE;
export const DIRTY_UPDATES = 2 * SIDE;
export const DIRTY_UPDATE_READS = DIRTY_UPDATES + 1;
export const FAULTS_ON_WALK = DIRTY_UPDATES + 2;
export const FAULTS_ON_HIT = DIRTY_UPDATES + 3;
export const FAULT_READS = DIRTY_UPDATES + 4;
export const PAGE_INVALIDATIONS = DIRTY_UPDATES + 5;
export const SPACE_INVALIDATIONS = DIRTY_UPDATES + 6;
export const ROOT_WRITES = DIRTY_UPDATES + 7;
export const FLUSHES = DIRTY_UPDATES + 8;
const LENGTH = DIRTY_UPDATES + 16;
const LEVELS = 5;

/** The counts of an MMU. A completed translation is counted once; faults are counted apart. */
export class Counters {
  /** Indexed by the constants of this file; float64, so exact to 2^53. */
  values: Float64Array = new Float64Array(LENGTH);

  /** Moves them to where hot loops reach them, too. @returns false if there is no room @internal */
  moveTo(memory: HotMemory): boolean {
    const room = memory.take(2 * LENGTH);
    if (room === null) return false;
    const values = new Float64Array(room.buffer, room.byteOffset, LENGTH);
    values.set(this.values);
    this.values = values;
    return true;
  }

  /** The place in bytes of the counts of a side, for hot loops. */
  placeOf(side: number): number {
    return this.values.byteOffset + side * Float64Array.BYTES_PER_ELEMENT;
  }

  /** Sets every count to 0. */
  reset(): void {
    this.values.fill(0);
  }

  /** Counts translations answered by a first-level TLB; `side` is 0 for data, FETCH_SIDE for fetches. */
  addL1Hits(side: number, hits: number): void {
    this.values[side + L1_HITS] += hits;
  }

  #side(base: number): AccessCounts {
    const at = (index: number): number => this.values[base + index];
    const [l1Hits, l2Hits, walks] = [at(L1_HITS), at(L2_HITS), at(WALKS)];
    const entryReadsByLevel = Array.from({ length: LEVELS }, (_, level) => at(ENTRY_READS + level));
    return {
      lookups: l1Hits + l2Hits + walks,
      l1Hits,
      l1Misses: l2Hits + walks,
      l2Hits,
      l2Misses: walks,
      walks,
      entryReads: entryReadsByLevel.reduce((sum, reads) => sum + reads, 0),
      entryReadsByLevel,
      shortenedWalks: at(SHORTENED_WALKS),
      entryCacheHits: at(ENTRY_CACHE_HITS),
      entryCacheMisses: at(ENTRY_CACHE_MISSES),
      secondStageReads: at(SECOND_STAGE_READS),
    };
  }

  /** The counts as they stand, as a plain object. */
  snapshot(): CounterValues {
    const at = (index: number): number => this.values[index];
    return {
      data: this.#side(0),
      fetch: this.#side(FETCH_SIDE),
      dirtyUpdates: at(DIRTY_UPDATES),
      dirtyUpdateReads: at(DIRTY_UPDATE_READS),
      faultsOnWalk: at(FAULTS_ON_WALK),
      faultsOnHit: at(FAULTS_ON_HIT),
      faultReads: at(FAULT_READS),
      pageInvalidations: at(PAGE_INVALIDATIONS),
      spaceInvalidations: at(SPACE_INVALIDATIONS),
      rootWrites: at(ROOT_WRITES),
      flushes: at(FLUSHES),
    };
  }

  /** The broken sums, in words; empty when all is well. */
  check(): readonly string[] {
    const problems: string[] = [];
    const expect = (what: string, left: number, right: number): void => {
      if (left !== right) problems.push(`${what}: ${left} against ${right}`);
    };
    const { data, fetch } = this.snapshot();
    for (const [name, side] of [
      ['data', data],
      ['fetch', fetch],
    ] as const) {
      const cached = side.entryCacheHits + side.entryCacheMisses;
      const reads = side.entryReads + side.secondStageReads;
      if (cached > 0) expect(`${name}: entry cache hits + misses = entry reads`, cached, reads);
      const perWalk = side.walks === 0 ? 0 : side.entryReads / side.walks;
      if (perWalk > LEVELS) problems.push(`${name}: ${perWalk} entries read per walk, more than there are levels`);
      if (side.walks > 0 && side.entryReads < side.walks) problems.push(`${name}: walks that read no entry`);
    }
    return problems;
  }
}
