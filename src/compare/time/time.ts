/**
 * From counts to time, with bounds. docs/time-model.md has the reasons.
 *
 * A run is priced in cases. Overlapped: everything that can go on at once does, so the slowest of instructions, memory
 * and walkers tells. In turn: each miss and walk waits for the last, after instructions at their best, or after
 * instructions of a cycle each. And each of these with a third-level cache for itself or shared, with cheap walks or dear
 * ones. Where a recording has gaps, first touches after them walk in one half of the cases, and hit in the other. A
 * program is somewhere between, and at the same place with any page size. So its speed-up lies between the least and the
 * most of the cases.
 */

import type { MachinePrices } from '../../report/results/prices.js';
import type { PricedReads, PricedTime, Range, Reads, CompareRun } from '../../report/results/compare-result.js';
import { nearestRow } from './nearest-row.js';
import type { StreamPrices } from './stream-prices.js';

/** The counts of a run with a price. */
export interface PricedRun {
  /** Bounds, unless they were counted. */
  readonly instructions: Range;
  readonly reads: PricedReads;
  /** Walks of streams at the ends of their pages. */
  readonly pageEnds: CompareRun['pageEnds'];
  /** The costs of streams with these pages; absent unless measured. */
  readonly streams?: StreamPrices | undefined;
  /** The program's memory: prices by array are those of one as large. */
  readonly memoryBytes: number;
  /** Second-level TLB hits of accesses with a miss in the first-level data cache, too. */
  readonly slowTlbHits: number;
  /** Reads of walks for first touches after gaps: the whole run may not have them. Absent without gaps. */
  readonly coldWalks?: Reads;
}

/** One set of assumptions for all that a recording does not tell. */
interface Case {
  readonly way: 'overlapped' | 'in turn' | 'in turn, slowly';
  /** Other cores use their share of the third-level cache. */
  readonly crowded: boolean;
  /** Walks and page ends cost the most possible, otherwise the least. */
  readonly dear: boolean;
  /** First touches after gaps hit, as pages in use during the gap. */
  readonly warm: boolean;
}

function casesOf({ coldWalks }: PricedRun): Case[] {
  return (coldWalks === undefined ? [false] : [false, true]).flatMap((warm) =>
    (['overlapped', 'in turn', 'in turn, slowly'] as const).flatMap((way) =>
      [false, true].flatMap((crowded) => [false, true].map((dear) => ({ way, crowded, dear, warm }))),
    ),
  );
}

/** Nanoseconds of reads, if each waits for the last. */
function latency({ l2, l3, contested, memory }: Reads, prices: MachinePrices, crowded: boolean): number {
  const { caches, memoryNs } = prices;
  const l3Ns = caches.l3?.ns ?? memoryNs;
  return l2 * caches.l2.ns + l3 * l3Ns + contested * (crowded ? memoryNs : l3Ns) + memory * memoryNs;
}

function countOf({ l2, l3, contested, memory }: Reads): number {
  return l2 + l3 + contested + memory;
}

/** Misses under way at once, of loads without a wait for others. */
interface Overlap {
  /** The time that walks add, over that of their reads one after the other. */
  readonly factor: number;
  readonly misses: number;
}

function overlapOf(dear: boolean, { memoryBytes }: PricedRun, prices: MachinePrices): Overlap {
  const { walkFactor, missesInFlight, walksInFlight } = prices;
  const { low, high, overlapped = [] } = walkFactor;
  // At best walks are under way as any other miss.
  if (!dear) return { factor: low / missesInFlight, misses: missesInFlight };
  return nearestRow(overlapped, memoryBytes) ?? { factor: high / walksInFlight, misses: missesInFlight };
}

/** Nanoseconds of walks in one case. */
interface WalkTime {
  /** Wherever they are. */
  readonly walks: number;
  /** Of page ends with nothing else going on; not in `walks`. */
  readonly exposed: number;
}

/**
 * A stream stands still at the end of its page. Without a measured cost, all of it is hidden in the cheap case, and
 * nothing in the dear one.
 * @param elsewhere nanoseconds of the reads of all other walks, one after the other
 * @param atEnds the same for those at page ends
 * @param factor the cost of a walk, over its reads
 */
function walkTime(
  { dear, way }: Case,
  { pageEnds: { alone, together }, streams }: PricedRun,
  elsewhere: number,
  atEnds: number,
  factor: number,
  { walkFactor }: MachinePrices,
): WalkTime {
  if (streams === undefined) {
    const hidden = !dear || way !== 'overlapped';
    return {
      walks: factor * (hidden ? elsewhere + atEnds : elsewhere),
      exposed: hidden ? 0 : walkFactor.high * atEnds,
    };
  }
  const { pageEndNs } = streams;
  const togetherNs = dear ? pageEndNs.together.high : pageEndNs.together.low;
  return {
    walks: factor * elsewhere,
    exposed: Math.max(alone * pageEndNs.alone + together * togetherNs, factor * atEnds),
  };
}

/** Nanoseconds of a run in one case. @param translated false: as if every translation were free */
function timeIn(one: Case, run: PricedRun, prices: MachinePrices, translated: boolean): number {
  const { way, crowded, dear, warm } = one;
  const { instructions, reads, coldWalks } = run;
  const ns = (counts: Reads): number => latency(counts, prices, crowded);
  const { walkFactor, walksInFlight } = prices;
  const overlap = overlapOf(dear, run, prices);
  const factor = way === 'overlapped' ? overlap.factor : dear ? walkFactor.high : walkFactor.low;
  // The factors were fitted to walks of a machine as crowded as it is.
  const walkNsOf = (counts: Reads): number => (translated ? latency(counts, prices, false) : 0);
  const atEnds = walkNsOf(reads.pageEnds);
  const elsewhere = walkNsOf(reads.walks) - atEnds - (warm && coldWalks !== undefined ? walkNsOf(coldWalks) : 0);
  const none = { walks: 0, exposed: 0 };
  const { walks, exposed } = translated ? walkTime(one, run, elsewhere, atEnds, factor, prices) : none;
  const data = ns(reads.data);
  const fastest = instructions.low * prices.nsPerInstruction;
  if (way === 'overlapped') {
    const limit = (walkFactor.low * (elsewhere + atEnds)) / walksInFlight;
    return Math.max(fastest, data / overlap.misses + streamNs(run, prices, ns) + walks, limit) + exposed;
  }
  const hits = translated ? run.slowTlbHits * prices.l2TlbHitNs : 0;
  const waits = data + countOf(reads.expected) * prices.caches.l2.ns + walks + exposed + hits;
  const slowest = instructions.high * Math.max(prices.nsPerCycle, prices.nsPerInstruction);
  return waits + (way === 'in turn' ? fastest : slowest);
}

/** Nanoseconds of expected lines when all overlaps: memory has to deliver them. */
function streamNs({ reads, streams }: PricedRun, { missesInFlight }: MachinePrices, ns: (of: Reads) => number): number {
  if (streams === undefined) return ns(reads.expected) / missesInFlight;
  return (countOf(reads.expected) - reads.expected.l2) * streams.lineNs;
}

/** Nanoseconds of the reads of walks, one after the other, with the third level for itself. */
export function walkNs({ walks }: PricedReads, prices: MachinePrices): number {
  return latency(walks, prices, false);
}

/** Nanoseconds of `run` for each of its accesses, by case. */
export function timePerAccess(run: PricedRun, accesses: number, prices: MachinePrices): PricedTime {
  return casesOf(run).map((one) => (accesses === 0 ? 0 : timeIn(one, run, prices, true) / accesses));
}

/** The least and the most. */
function rangeOf(values: readonly number[]): Range {
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** The share of a run's time for translation: 0 to 1. */
export function timeShare(run: PricedRun, prices: MachinePrices): Range {
  return rangeOf(
    casesOf(run).map((one) => {
      const all = timeIn(one, run, prices, true);
      return all === 0 ? 0 : 1 - timeIn(one, run, prices, false) / all;
    }),
  );
}

/**
 * How many times as fast the program runs with the pages of `other`: a program is the same case with any page size.
 * Each may take system time besides, in nanoseconds an access.
 */
export function speedupOf(base: PricedTime, other: PricedTime, system = { base: 0, other: 0 }): Range {
  const ratio = (from: number, to: number): number => (to === 0 ? 1 : from / to);
  return rangeOf(base.map((ns, i) => ratio(ns + system.base, other[i] + system.other)));
}
