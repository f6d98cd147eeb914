/**
 * Watches the working set of a live process: the pages used within a second, again and again, against the reach of the TLB.
 * This bounds the gain of huge pages, and the process runs on nearly as fast as ever.
 */

import { PAGE_BYTES, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { entriesFor } from '../../../hw/tlb/words.js';
import { ProcessGone } from '../proc-files.js';
import { boundVerdict, couldGain } from '../verdict.js';
import { actionsFor } from '../../regions/actions.js';
import type { HugePolicy } from '../../regions/policy.js';
import type { RegionKind } from '../../regions/region.js';
import { reportRegion } from '../../regions/report.js';
import type { LiveRegion } from '../../regions/smaps.js';
import { regionUsages } from '../../regions/usage.js';
import { formatShort } from '../../report/output/units.js';
import type { Sampler } from './sampler.js';
import type { WatchedRegion, WatchResult, WatchSample } from './watch-result.js';

const HUGE_BYTES = 2 ** SHIFT_2M;
/** The process loses at most this share of its time. */
const MOST_SLOWDOWN = 0.05;
/**
 * Time lost for each page used in a sample: the next access walks, and the processor sets the bit. Measured: 0.28 us of CPU
 * time. docs/live-processes.md has the figures.
 */
const BIT_MS = 0.0003;

/** Time as the watching sees it. */
export interface Clock {
  /** Milliseconds from any start. */
  now(): number;
  /** Milliseconds of CPU time taken by this process so far. */
  spent(): number;
  /** Ends early when the signal comes. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface WatchOptions {
  readonly pid: number;
  /** Name of the program. */
  readonly name: string;
  readonly sampler: Sampler;
  readonly clock: Clock;
  readonly seconds: number;
  readonly intervalMs: number;
  readonly tlb: TlbGeometry;
  readonly policy: HugePolicy;
  /** Ends the watching; the samples until then are the result. */
  readonly signal: AbortSignal;
  readonly onProgress?: (doneMs: number, totalMs: number) => Promise<void>;
}

/** The regions of one sample, and when and how they were read. */
interface Reading extends Pick<WatchSample, 'atMs' | 'spanMs' | 'costMs'> {
  readonly regions: readonly LiveRegion[];
}

function hugeBytes({ anonymousHuge, fileHuge }: LiveRegion): number {
  return anonymousHuge + fileHuge;
}

/** A huge page has one referenced bit: used is used whole. */
function usedHuge(region: LiveRegion): number {
  return Math.min(hugeBytes(region), region.referenced);
}

function sumOf(regions: readonly LiveRegion[], of: (region: LiveRegion) => number): number {
  return regions.reduce((sum, region) => sum + of(region), 0);
}

/** TLB entries for all pages used, as they are mapped. */
function entriesOf(regions: readonly LiveRegion[]): number {
  const huge = sumOf(regions, usedHuge);
  const small = sumOf(regions, ({ referenced }) => referenced) - huge;
  return Math.ceil(small / PAGE_BYTES) + Math.ceil(huge / HUGE_BYTES);
}

function sampleOf({ regions, ...times }: Reading, entries: number): WatchSample {
  const usedBytes = sumOf(regions, ({ referenced }) => referenced);
  const usedByKind: Partial<Record<RegionKind, number>> = {};
  for (const { kind, referenced } of regions) {
    if (referenced > 0) usedByKind[kind] = (usedByKind[kind] ?? 0) + referenced;
  }
  const entriesNeeded = entriesOf(regions);
  const residentBytes = sumOf(regions, ({ resident }) => resident);
  return { ...times, residentBytes, usedBytes, usedByKind, entriesNeeded, beyondReach: entriesNeeded > entries };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** A region stays the same one while it grows at its end. */
function keyOf({ start, name }: LiveRegion): string {
  return `${start} ${name}`;
}

/** Bytes used in each reading, by region; 0 in readings without it. */
function usedByRegion(readings: readonly Reading[]): Map<string, number[]> {
  const used = new Map<string, number[]>();
  readings.forEach(({ regions }, index) => {
    for (const region of regions) {
      const all = used.get(keyOf(region)) ?? Array.from(readings, () => 0);
      all[index] = region.referenced;
      used.set(keyOf(region), all);
    }
  });
  return used;
}

/** Time lost by the process, whose bits were cleared. A huge page has one bit. */
function lostMs(regions: readonly LiveRegion[]): number {
  return entriesOf(regions) * BIT_MS;
}

interface Sampled {
  readonly readings: readonly Reading[];
  readonly ended: WatchResult['ended'];
  readonly stretched: boolean;
}

/** @throws InspectError when the process ends before there is a sample, or must not be looked at */
async function sample(options: WatchOptions): Promise<Sampled> {
  const { sampler, clock, seconds, intervalMs, signal, onProgress } = options;
  const readings: Reading[] = [];
  const began = clock.now();
  let spanMs = intervalMs;
  let lost = 0;
  let stretched = false;
  const result = (ended: WatchResult['ended']): Sampled => ({ readings, ended, stretched });
  while (clock.now() - began < seconds * 1000) {
    try {
      const before = clock.spent();
      sampler.clear();
      const cleared = clock.now();
      const spent = clock.spent() - before;
      await clock.sleep(spanMs, signal);
      const woken = clock.now();
      // Half a span would look like a smaller working set.
      if (signal.aborted) return result('interrupted');
      const again = clock.spent();
      const regions = sampler.read();
      const costMs = spent + clock.spent() - again;
      readings.push({ atMs: woken - began, spanMs: woken - cleared, costMs, regions });
      lost += costMs + lostMs(regions);
      spanMs = Math.max(intervalMs, lost / readings.length / MOST_SLOWDOWN);
      stretched ||= spanMs > intervalMs;
    } catch (error) {
      if (error instanceof ProcessGone && readings.length > 0) return result('process');
      throw error;
    }
    await onProgress?.(clock.now() - began, seconds * 1000);
  }
  return result('time');
}

/** Without a sample there is nothing to say: interrupted at once. */
export async function watch(options: WatchOptions): Promise<WatchResult | undefined> {
  const { readings, ended, stretched } = await sample(options);
  if (readings.length === 0) return undefined;
  const { tlb, policy, pid, name } = options;
  const entries = entriesFor(tlb, SHIFT_4K);
  const samples = readings.map((reading) => sampleOf(reading, entries));
  return {
    schemaVersion: 1,
    command: 'watch',
    pid,
    name,
    tlb: tlb.name,
    reach: { '4K': entries * PAGE_BYTES, '2M': entriesFor(tlb, SHIFT_2M) * HUGE_BYTES },
    ended,
    stretched,
    samples,
    slowdown:
      samples.reduce((sum, { entriesNeeded }) => sum + entriesNeeded * BIT_MS, 0) /
      samples.reduce((sum, { spanMs }) => sum + spanMs, 0),
    beyondReach: samples.filter(({ beyondReach }) => beyondReach).length / samples.length,
    policy,
    ...judgeMost(options, readings, samples),
  };
}

/** The regions of the largest sample, and the answer by them. */
function judgeMost(
  { tlb, policy, name }: WatchOptions,
  readings: readonly Reading[],
  samples: readonly WatchSample[],
): Pick<WatchResult, 'verdict' | 'why' | 'advice' | 'regions' | 'actions'> {
  const most = samples.reduce(
    (best, { entriesNeeded }, i) => (entriesNeeded > samples[best].entriesNeeded ? i : best),
    0,
  );
  const { regions, spanMs } = readings[most];
  const usages = regionUsages(
    regions.map((region) => ({ region, residentBytes: region.resident, hugeBytes: hugeBytes(region) })),
    policy,
  );
  const gains = usages.map((usage, i) => Math.min(couldGain(usage), regions[i].referenced - usedHuge(regions[i])));
  const bound = boundVerdict(
    {
      words: `used within ${formatShort(spanMs / 1000)} s`,
      bytes: samples[most].usedBytes,
      hugeBytes: sumOf(regions, usedHuge),
      couldGainBytes: gains.reduce((a, b) => a + b, 0),
    },
    tlb,
  );
  const byRegion = usedByRegion(readings);
  const watched = usages.map((usage, i): WatchedRegion => {
    const used = byRegion.get(keyOf(regions[i])) ?? [];
    return { ...reportRegion(usage), usedBytes: { median: median(used), most: Math.max(...used) } };
  });
  return {
    ...bound,
    regions: watched.filter((region) => region.usedBytes.most > 0).sort((a, b) => b.usedBytes.most - a.usedBytes.most),
    // Unused memory needs no action.
    actions: actionsFor({
      program: name,
      usages: usages.filter(({ region }, i) => region.kind === 'library' || regions[i].referenced > 0),
      policy,
      mayGain: bound.verdict === 'between',
    }),
  };
}
