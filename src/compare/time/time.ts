/**
 * From counts to time, with bounds. docs/time-model.md has the reasons.
 *
 * A run is priced in cases. Overlapped: everything that can go on at once does, so the slowest of instructions, memory
 * and walkers tells. In turn: each miss and walk waits for the last, after instructions at their best, or after
 * instructions of a cycle each. And each of these with a third-level cache for itself or shared, with cheap walks or dear
 * ones. Where a recording has gaps, first touches after them walk in one half of the cases, and hit in the other. A program is somewhere between, and at the same place with any page size. So its speed-up lies between the least
 * and the most of the cases.
 */

import type { MachinePrices } from '../../report/results/prices.js';
import type { PricedReads, PricedTime, Range, Reads } from '../../report/results/compare-result.js';

/** What a run did, as far as it has a price. */
export interface PricedRun {
  /** Bounds where nobody counted them. */
  readonly instructions: Range;
  readonly reads: PricedReads;
  /** Second-level TLB hits of accesses that missed the first-level data cache too. */
  readonly slowTlbHits: number;
  /** Of the reads of walks, those that the whole run may not have: of first touches after gaps. Absent without gaps. */
  readonly coldWalks?: Reads;
}

/** One set of assumptions about what a recording does not tell. */
interface Case {
  readonly way: 'overlapped' | 'in turn' | 'in turn, slowly';
  /** Other cores use their share of the third-level cache. */
  readonly crowded: boolean;
  /** What walks take, over what their reads would take one after the other. */
  readonly walkFactor: number;
  /** First touches after gaps hit, as pages that were in use in the gap. */
  readonly warm: boolean;
}

function casesOf({ walkFactor }: MachinePrices, { coldWalks }: PricedRun): Case[] {
  return (coldWalks === undefined ? [false] : [false, true]).flatMap((warm) =>
    (['overlapped', 'in turn', 'in turn, slowly'] as const).flatMap((way) =>
      [false, true].flatMap((crowded) =>
        [walkFactor.low, walkFactor.high].map((factor) => ({ way, crowded, walkFactor: factor, warm })),
      ),
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

/** Nanoseconds of a run in one case. @param translated false: as if every translation were free */
function timeIn(
  { way, crowded, walkFactor, warm }: Case,
  run: PricedRun,
  prices: MachinePrices,
  translated: boolean,
): number {
  const { instructions, reads, coldWalks } = run;
  const ns = (counts: Reads): number => latency(counts, prices, crowded);
  const spared = warm && coldWalks !== undefined ? ns(coldWalks) : 0;
  const walks = translated ? walkFactor * (ns(reads.walks) - spared) : 0;
  const hits = translated ? run.slowTlbHits * prices.l2TlbHitNs : 0;
  const data = ns(reads.data);
  const fastest = instructions.low * prices.nsPerInstruction;
  if (way === 'overlapped') {
    const inFlight = (data + ns(reads.expected) + walks) / prices.missesInFlight;
    return Math.max(fastest, inFlight, walks / prices.walksInFlight);
  }
  const waits = data + countOf(reads.expected) * prices.caches.l2.ns + walks + hits;
  const slowest = instructions.high * Math.max(prices.nsPerCycle, prices.nsPerInstruction);
  return waits + (way === 'in turn' ? fastest : slowest);
}

/** Nanoseconds of the reads of walks, one after the other, with the third level for itself. */
export function walkNs({ walks }: PricedReads, prices: MachinePrices): number {
  return latency(walks, prices, false);
}

/** Nanoseconds of `run` for each of its accesses, by case. */
export function timePerAccess(run: PricedRun, accesses: number, prices: MachinePrices): PricedTime {
  return casesOf(prices, run).map((one) => (accesses === 0 ? 0 : timeIn(one, run, prices, true) / accesses));
}

/** The least and the most. */
function rangeOf(values: readonly number[]): Range {
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** The share of its time that a run spends on translation: 0 to 1. */
export function timeShare(run: PricedRun, prices: MachinePrices): Range {
  return rangeOf(
    casesOf(prices, run).map((one) => {
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
