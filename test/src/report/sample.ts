import { pricesFor } from '../../../src/compare/time/preset-prices.js';
import type { CompareResult, CompareRun } from '../../../src/report/results/compare-result.js';

const NONE = { l2: 0, l3: 0, contested: 0, memory: 0 };

/** A run of `ns` an access, whatever the case; a test may change other figures one at a time. */
export function sampleRun(
  pages: CompareRun['pages'],
  ns: number | number[],
  changes: Partial<CompareRun> = {},
): CompareRun {
  return {
    trace: 'db.pwt',
    pages,
    counts: { lookups: 1_000_000, l1Hits: 540_000, l2Hits: 60_000, walks: 400_000, entryReads: 1_600_000 },
    perAccess: { accesses: 1_000_000, entryReads: 1.6 },
    entryReadsByLevel: { pml4: 400_000, pdpt: 400_000, pd: 400_000, pt: 400_000 },
    reads: { data: NONE, expected: NONE, walks: { ...NONE, l2: 1_600_000 }, pageEnds: NONE },
    pageEnds: { alone: 0, together: 0 },
    time: { nsPerAccess: [ns].flat(), translationShare: { low: 0.3, high: 0.5 } },
    firstTouch: { faults: 65_536, zeroedBytes: 2 ** 28, ns: 5e7 },
    memory: { mappedBytes: 2 ** 28, wastedBytes: 0, pageTableBytes: 536_576 },
    coldPages: 0,
    reach: { entriesNeeded: 65_536, entries: 1536 },
    fork: { entriesCopied: 65_536, tableBytes: 536_576 },
    ...changes,
  };
}

/** One trace at two page sizes. */
export function sampleResult(): CompareResult {
  return {
    schemaVersion: 2,
    command: 'compare',
    machine: 'x86',
    tlb: { name: 'small', description: 'L1 64x4 for 4K/2M/1G; L2 1536x12 for 4K/2M/1G' },
    prices: pricesFor('skylake'),
    fetches: false,
    traces: [
      {
        trace: 'db.pwt',
        loads: 700_000,
        stores: 200_000,
        modifies: 50_000,
        fetches: 0,
        outsideUserSpace: 0,
        skippedLines: 0,
        coverage: {
          accesses: 1_000_000,
          windows: 1,
          ofRun: 1,
          touchedBytes: 2 ** 28,
          residentBytes: null,
          processes: 1,
          programs: [],
          countedAsOne: 1,
        },
        instructions: { low: 2_000_000, high: 4_000_000 },
        why: '256 MiB needs 128 entries of 2M, not 65,536 of 4K.',
        verdict: 'yes',
        pages: '2M',
        speedup: { low: 1.5, high: 2 },
        timeShare: { low: 0.3, high: 0.5 },
        withFirstTouch: { low: 1.2, high: 1.4 },
        advice: 'Yes.',
        regions: [],
        rounding: [],
        actions: [],
        host: [{ pages: '4K', blocks: 60, nanosecondsPerAccess: { p10: 20, median: 25, p90: 31.5 } }],
      },
    ],
    runs: [sampleRun('4K', 2), sampleRun('2M', 1)],
  };
}
