/**
 * The data caches of one machine from the second level on. Data and page-table entries compete in them: each walk reads
 * its entries at its place among the data reads; in a virtual machine, those of the host's tables too.
 */

import { SIZE_SHIFTS, toNumber } from '../../../hw/base/address.js';
import { FETCH_SIDE } from '../../../hw/translate/counts/counters.js';
import type { MissListener } from '../../../hw/translate/path/miss-listener.js';
import * as walkRecord from '../../../hw/translate/walk/walk-record.js';
import type { WalkRecord } from '../../../hw/translate/walk/walk-record.js';
import { LineCache, type LineCacheShape } from '../../../hw/memory/line-cache.js';
import * as lineMisses from './line-misses.js';
import type { LineMisses } from './line-misses.js';
import type { ReplayedLookups } from '../lookups/lookups.js';
import * as streams from './streams.js';

const { FIRST } = lineMisses;
const { ALONE, EXPECTED, PAGE_END } = streams;
const { READ_LEVEL, READ_STAGE } = walkRecord;

/** Reads by who answered them. */
export interface ReadCounts {
  l2: number;
  l3: number;
  /** By the third level if this core has it for itself, by memory if all cores use their share. */
  contested: number;
  memory: number;
  /** By no cache, as nothing had read the line before in the recording: the program itself may have. */
  first: number;
}

/** Reads from the second level on. */
export interface MemoryCounts {
  /** Data not expected by any prefetcher. */
  readonly data: ReadCounts;
  /** Data expected by a prefetcher: in time if memory keeps up. */
  readonly expected: ReadCounts;
  /** Page-table entries, of the machine and of its host. */
  readonly walks: ReadCounts;
  /** The same for walks of instruction fetches. */
  readonly fetchWalks: ReadCounts;
  /** The same for the first walks to pages that came after a gap. */
  readonly coldWalks: ReadCounts;
  /** The same for walks of streams that come to their next page. */
  readonly pageEndWalks: ReadCounts;
  /** These walks, by whether other streams went on meanwhile. */
  readonly pageEnds: { alone: number; together: number };
  /** Second-level TLB hits of accesses that missed the first-level data cache too. */
  slowTlbHits: number;
  /** Of the entries read by walks, those of the host: by walks of data accesses, and of instruction fetches. */
  hostReads: number;
  hostFetchReads: number;
}

/** Lines of page tables have the sign bit, which data's have not. */
const TABLES = 1 << 31;
/** log2 of the words of 4 bytes in a line. */
const LINE_WORDS_SHIFT = 4;

const noReads = (): ReadCounts => ({ l2: 0, l3: 0, contested: 0, memory: 0, first: 0 });

const noCounts = (): MemoryCounts => ({
  data: noReads(),
  expected: noReads(),
  walks: noReads(),
  fetchWalks: noReads(),
  coldWalks: noReads(),
  pageEndWalks: noReads(),
  pageEnds: { alone: 0, together: 0 },
  slowTlbHits: 0,
  hostReads: 0,
  hostFetchReads: 0,
});

/** The caches behind the first-level data cache of one machine. */
export interface MemoryShape {
  readonly l2: LineCacheShape;
  readonly l3: (LineCacheShape & { readonly shareBytes?: number | undefined }) | null;
  /** Levels of the processor's tables: entries above them are no part of its walks. */
  readonly levels: number;
  /** log2 of the bytes of a page, as {@link Regime.pageShifts}; x86's when absent. */
  readonly pageShifts?: readonly number[];
}

/** Second and third level of one machine, and who read from them. */
export class MemoryPath implements MissListener {
  counts = noCounts();
  private readonly l2: LineCache;
  private readonly l3: LineCache | null;
  /** One core's share of it if all of them use theirs; null if it is not shared. */
  private readonly l3Share: LineCache | null;
  private readonly levels: number;
  private readonly pageShifts: readonly number[];
  /** The block under way: its misses, those that were read already, its lookups, and pages new after a gap. */
  private misses: LineMisses | null = null;
  private nextMiss = 0;
  private accesses: Int32Array = new Int32Array(0);
  private lookups: ReplayedLookups | null = null;
  private cold = new Set<number>();

  /** @throws RangeError for a shape that cannot be built */
  constructor({ l2, l3, levels, pageShifts = SIZE_SHIFTS }: MemoryShape) {
    this.levels = levels;
    this.pageShifts = pageShifts;
    this.l2 = new LineCache(l2, 'L2 data cache');
    this.l3 = l3 === null ? null : new LineCache(l3, 'L3 data cache');
    const bytes = l3?.shareBytes;
    this.l3Share = l3 === null || bytes === undefined ? null : new LineCache({ bytes, ways: l3.ways }, 'L3 share');
  }

  /**
   * A block begins, whose lookups are about to be made.
   * @param cold addresses of pages that come after a gap: each is taken out at its first walk
   */
  begin(misses: LineMisses, lookups: ReplayedLookups, cold = new Set<number>()): void {
    this.misses = misses;
    this.lookups = lookups;
    this.cold = cold;
    this.accesses = lookups.accesses;
    this.nextMiss = 0;
  }

  /** All lookups of the block were made: the rest of its data is read. */
  end(): void {
    this.readData(Infinity);
    this.misses = null;
  }

  /** Makes reads that only warm up. */
  uncounted(make: () => void): void {
    const { counts } = this;
    this.counts = noCounts();
    make();
    this.counts = counts;
  }

  /** Notes whether the access has to wait for its line besides: then nothing hides the TLB's second level. */
  secondLevelHit(side: number, index: number): void {
    const { misses } = this;
    if (misses === null || side === FETCH_SIDE) return;
    this.readData(this.accesses[index]);
    const { nextMiss } = this;
    if (nextMiss < misses.length && misses.accesses[nextMiss] === this.accesses[index]) this.counts.slowTlbHits++;
  }

  /** Reads what a walk reads, after the data of all accesses before its own. */
  walked(record: WalkRecord, side: number, index: number): void {
    if (this.misses !== null) this.readData(this.accesses[index]);
    const counts = this.walkCounts(side, index, this.pageShifts[record.size]);
    let hostReads = 0;
    for (let n = this.firstRead(record); n < record.count; n++) {
      if (record.at(n, READ_LEVEL) >= this.levels) continue;
      if (record.at(n, READ_STAGE) === 2) hostReads++;
      this.readLine(TABLES | (record.index(n) >>> LINE_WORDS_SHIFT), counts);
    }
    if (side === FETCH_SIDE) this.counts.hostFetchReads += hostReads;
    else this.counts.hostReads += hostReads;
  }

  /** The first entry read below those of levels that the processor does not have: on the way to these, a host's count no more. */
  private firstRead(record: WalkRecord): number {
    let first = 0;
    if (record.startLevel < this.levels) return first;
    for (let n = 0; n < record.count; n++) {
      if (record.at(n, READ_STAGE) === 1 && record.at(n, READ_LEVEL) >= this.levels) first = n + 1;
    }
    return first;
  }

  /** @param shift log2 of the size of the page walked to */
  private walkCounts(side: number, index: number, shift: number): ReadCounts {
    const { cold, lookups, counts } = this;
    let isCold = false;
    if (cold.size > 0 && lookups !== null) {
      const address = toNumber(lookups.his[index], lookups.los[index]);
      isCold = cold.delete(address - (address % 2 ** shift));
    }
    if (side === FETCH_SIDE) return isCold ? counts.coldWalks : counts.fetchWalks;
    // Cold or not: a stream comes to a page that it left a whole array ago.
    const flags = this.missFlags(index);
    if ((flags & PAGE_END) === 0) return isCold ? counts.coldWalks : counts.walks;
    counts.pageEnds[(flags & ALONE) !== 0 ? 'alone' : 'together']++;
    return counts.pageEndWalks;
  }

  /** What is known of the line of the access behind a lookup; 0 if the first-level data cache has it. */
  private missFlags(index: number): number {
    const { misses, nextMiss } = this;
    if (misses === null || nextMiss >= misses.length) return 0;
    return misses.accesses[nextMiss] === this.accesses[index] ? misses.flags[nextMiss] : 0;
  }

  /** Reads the data of the accesses before the one at `end`. */
  private readData(end: number): void {
    const { misses, counts } = this;
    if (misses === null) return;
    const { lines, accesses, flags, length } = misses;
    let i = this.nextMiss;
    for (; i < length && accesses[i] < end; i++) {
      const flag = flags[i];
      this.readLine(lines[i], (flag & EXPECTED) !== 0 ? counts.expected : counts.data, (flag & FIRST) !== 0);
    }
    this.nextMiss = i;
  }

  private readLine(line: number, counts: ReadCounts, first = false): void {
    if (this.l2.read(line)) {
      counts.l2++;
      return;
    }
    const inShare = this.l3Share?.read(line) === true;
    const inL3 = this.l3?.read(line) === true;
    if (!inL3 && first) counts.first++;
    else if (!inL3) counts.memory++;
    else if (inShare || this.l3Share === null) counts.l3++;
    else counts.contested++;
  }
}
