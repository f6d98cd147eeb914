import type { CompareResult, CompareRun } from '../../../src/report/compare-result.js';

/** A run whose figures a test may change one at a time. */
export function sampleRun(pages: CompareRun['pages'], cycles: number, changes: Partial<CompareRun> = {}): CompareRun {
  return {
    trace: 'db.pwt',
    pages,
    counts: { lookups: 1_000_000, l1Hits: 540_000, l2Hits: 60_000, walks: 400_000, entryReads: 1_600_000 },
    perAccess: { accesses: 1_000_000, entryReads: 1.6, cycles, walkCycles: cycles },
    entryReadsByLevel: { pml4: 400_000, pdpt: 400_000, pd: 400_000, pt: 400_000 },
    memory: { mappedBytes: 2 ** 28, wastedBytes: 0, pageTableBytes: 536_576 },
    reach: { entriesNeeded: 65_536, entries: 1536 },
    fork: { entriesCopied: 65_536, tableBytes: 536_576 },
    ...changes,
  };
}

/** One trace at two page sizes. */
export function sampleResult(): CompareResult {
  return {
    schemaVersion: 1,
    command: 'compare',
    tlb: { name: 'small', description: 'L1 64x4 for 4K/2M/1G; L2 1536x12 for 4K/2M/1G' },
    costs: { l2Hit: 7 },
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
        touchedBytes: 2 ** 28,
        processes: 1,
        why: '256 MiB needs 128 entries of 2M, not 65,536 of 4K.',
        verdict: 'yes',
        advice: 'Yes.',
        host: [{ pages: '4K', blocks: 60, nanosecondsPerAccess: { p10: 20, median: 25, p90: 31.5 } }],
      },
    ],
    runs: [sampleRun('4K', 3.4), sampleRun('2M', 0.2)],
  };
}
