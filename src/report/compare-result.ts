/** The result of `pagewalk compare`: one object; table, JSON, CSV and plot are views of it. */

import { z } from 'zod';
import { Count, PageName, Quantity, SCHEMA_VERSION } from './schema.js';

/** The counts of the TLBs. Every lookup hits the first level, hits the second, or walks. */
const TlbCounts = z
  .strictObject({
    lookups: Count,
    l1Hits: Count,
    l2Hits: Count,
    walks: Count,
    /** Page-table entries read by the walks. */
    entryReads: Count,
  })
  .refine((counts) => counts.l1Hits + counts.l2Hits + counts.walks === counts.lookups, {
    error: 'L1 hits, L2 hits and walks must add up to the lookups',
  });

const Translation = z.strictObject({
  /** Loads and stores, or instruction fetches; a load-modify-store is two accesses. */
  accesses: Count,
  entryReads: Quantity.describe('page-table entries read per access'),
  cycles: Quantity.describe('model cycles of translation per access'),
  walkCycles: Quantity.describe('those of them that walks take'),
});

const CompareRun = z.strictObject({
  trace: z.string(),
  pages: PageName,
  counts: TlbCounts.describe('data accesses'),
  perAccess: Translation,
  entryReadsByLevel: z.strictObject({ pml4: Count, pdpt: Count, pd: Count, pt: Count }),
  fetches: z.strictObject({ counts: TlbCounts, perAccess: Translation }).optional(),
  memory: z.strictObject({
    mappedBytes: Count,
    wastedBytes: Count.describe('mapped, but in no 4 KiB page that the program touched'),
    pageTableBytes: Count,
  }),
  reach: z.strictObject({
    entriesNeeded: Count.describe('TLB entries that would hold every page at once'),
    entries: Count.describe('entries that the largest TLB level has for this page size'),
  }),
  fork: z.strictObject({ entriesCopied: Count, tableBytes: Count }),
});

/** Time on the host of the model: it says nothing about the program, and varies from run to run. */
const HostTime = z.strictObject({
  pages: PageName,
  blocks: Count.describe('measurements, one a block of the trace'),
  nanosecondsPerAccess: z.strictObject({ p10: Quantity, median: Quantity, p90: Quantity }),
});

/** Whether huge pages would help; `unknown` is no verdict, and comes with a reason. */
const Verdict = z.enum(['yes', 'slightly', 'no', 'unknown']);

/**
 * Why there is no verdict: one page size was asked for, programs were not seen, several processes count as one, `--limit` cut the recording, or
 * nearly all walks are the first ones to their pages.
 */
const NoVerdict = z.enum(['one-page-size', 'unseen', 'several-processes', 'cut', 'first-touches']);

/** The recorded part of the program. */
const Window = z.strictObject({
  skip: Count.describe('accesses passed over before'),
  accesses: Count.describe('accesses recorded, fetches among them where they were'),
  cut: z.boolean().describe('the program went on: --limit ended the recording'),
  chosen: z.boolean().describe('the recording says that this part was chosen on purpose: it stands for itself'),
});

const TraceSummary = z.strictObject({
  trace: z.string(),
  about: z.string().optional().describe('the command that was recorded, or the generator and its options'),
  loads: Count,
  stores: Count,
  modifies: Count,
  fetches: Count,
  outsideUserSpace: Count.describe('accesses left out: no user process can own their address'),
  skippedLines: Count.describe('malformed lines left out by --lenient'),
  touchedBytes: Count.describe('4 KiB pages touched, in bytes'),
  window: Window.optional().describe('absent when all of the program was recorded, or nothing says otherwise'),
  processes: Count.or(z.literal('unknown')).describe('processes counted as one'),
  unseen: Count.optional().describe('programs whose accesses are missing: they left the emulator; absent for none'),
  why: z.string(),
  verdict: Verdict,
  reason: NoVerdict.optional().describe('why the verdict is unknown'),
  advice: z.string(),
  host: z.array(HostTime),
});

/** What {@link compare} finds: the object behind table, JSON, CSV and plot. */
export const CompareResult = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  command: z.literal('compare'),
  tlb: z.strictObject({ name: z.string(), description: z.string() }),
  costs: z.record(z.string(), Quantity).describe('the cost table, in model cycles'),
  entryCache: z
    .strictObject({ entries: Count, ways: Count })
    .optional()
    .describe('the cache that walks read entries through; absent, every read costs the same'),
  fetches: z.boolean().describe('instruction fetches were asked for'),
  traces: z.array(TraceSummary),
  runs: z.array(CompareRun).describe('trace by trace, and smallest pages first'),
});

/** What {@link compare} finds: the object behind table, JSON, CSV and plot. */
export type CompareResult = z.infer<typeof CompareResult>;
export type CompareRun = z.infer<typeof CompareRun>;
export type TraceSummary = z.infer<typeof TraceSummary>;
export type NoVerdict = z.infer<typeof NoVerdict>;
export type CompareVerdict = z.infer<typeof Verdict>;
