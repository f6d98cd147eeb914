/** The result of `pagewalk compare`: one object; table, JSON, CSV and plot are views of it. */

import { z } from 'zod';
import { MachinePrices } from './prices.js';
import { ActionResult, RegionResult } from './region-result.js';
import { COMPARE_VERSION } from './schema-version.js';
import { Count, PageName, Quantity } from './schema.js';

/** Bounds. */
const Range = z.strictObject({ low: Quantity, high: Quantity });

/** The counts of the TLBs. Every lookup hits the first level, hits the second, or walks. */
const TlbCounts = z
  .strictObject({
    lookups: Count,
    l1Hits: Count,
    l2Hits: Count,
    walks: Count,
    /** Page-table entries read by the walks, without those of a host below. */
    entryReads: Count,
  })
  .refine((counts) => counts.l1Hits + counts.l2Hits + counts.walks === counts.lookups, {
    error: 'L1 hits, L2 hits and walks must add up to the lookups',
  });

const Translation = z.strictObject({
  /** Loads and stores, or instruction fetches; a load-modify-store is two accesses. */
  accesses: Count,
  entryReads: Quantity.describe("page-table entries read per access, those of a virtual machine's host among them"),
});

/** Reads of lines missing in the first-level data cache, by the level with the answer. */
const Reads = z.strictObject({
  l2: Count,
  l3: Count,
  contested: Count.describe('by L3 if the program has it for itself, by memory if all cores use their share'),
  memory: Count,
});

const FirstTouch = z.strictObject({
  faults: Count.describe('one for each page'),
  zeroedBytes: Count,
  ns: Quantity.describe('system time of all of them'),
});

const HugeShare = z
  .number()
  .min(0)
  .max(1)
  .describe('with --huge-share: the share of the 2 MiB places that have such a page; the rest has pages of 4 KiB');

const CompareRun = z.strictObject({
  trace: z.string(),
  pages: PageName,
  hugeShare: HugeShare.optional(),
  counts: TlbCounts.describe('data accesses'),
  perAccess: Translation,
  entryReadsByLevel: z.strictObject({ pml4: Count, pdpt: Count, pd: Count, pt: Count }),
  fetches: z.strictObject({ counts: TlbCounts, perAccess: Translation }).optional(),
  reads: z.strictObject({
    data: Reads.describe('data that no prefetcher would have expected'),
    expected: Reads.describe('data that one would have'),
    walks: Reads.describe('page-table entries, those of fetches and of the host among them'),
    pageEnds: Reads.describe('of these, the entries read for a stream that comes to its next page'),
  }),
  pageEnds: z.strictObject({
    alone: Count.describe('walks of streams at the ends of their pages, where no other goes on meanwhile'),
    together: Count.describe('the same where others do'),
  }),
  time: z.strictObject({
    nsPerAccess: z
      .array(Quantity)
      .describe(
        'user time of the program, instructions and all, in each of the cases of docs/time-model.md: 12, or 24 where first touches after gaps may be hits',
      ),
    translationShare: Range.describe('the share of it that translation takes, 0 to 1'),
  }),
  firstTouch: FirstTouch.describe('of the pages that the recorded part touched'),
  memory: z.strictObject({
    mappedBytes: Count,
    wastedBytes: Count.describe('mapped, but in no 4 KiB page that the program touched'),
    pageTableBytes: Count,
  }),
  coldPages: Count.describe(
    'pages that the counted accesses touched first after a gap: without it at most so many walks, of which counts has one each, would have been hits',
  ),
  reach: z.strictObject({
    entriesNeeded: Count.describe('TLB entries that would hold every page at once'),
    held: PageName.optional().describe(
      'what one of them holds, in a virtual machine whose host has smaller pages: pieces of its size that were touched; absent: a page',
    ),
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

/**
 * Would huge pages help? `yes`: even the low end of the speed-up gains. `no`: even the high end does not. `between`: try
 * it. `none`: the ground for an answer is missing, and `reason` says which.
 */
const Verdict = z.enum(['yes', 'no', 'between', 'none']);

/**
 * Why there is no verdict: one page size was asked for, programs were not seen, several processes count as one, `--limit`
 * or a person cut the recording, nearly all walks are the first ones to their pages, or little of the memory was touched.
 */
const NoVerdict = z.enum(['one-page-size', 'unseen', 'several-processes', 'cut', 'start-up', 'footprint']);

/** The recorded part of the program. */
const Window = z.strictObject({
  skip: Count.describe('accesses passed over before'),
  accesses: Count.describe('accesses recorded, fetches among them where they were'),
  cut: z.boolean().describe('the program went on: --limit or a person ended the recording'),
  interrupted: z.boolean().optional().describe('a person did; accesses may then be those of windows with gaps'),
  chosen: z.boolean().describe('the recording says that this part was chosen on purpose: it stands for itself'),
});

/** What pages waste in the mappings of one name. A page over the end of a mapping counts for it whole. */
const Rounding = z.strictObject({
  region: z.string().describe('name of the file, or heap, stack and the like'),
  mappings: Count,
  touchedBytes: Count.describe('in pages of 4 KiB'),
  wastedBytes: z.partialRecord(PageName, Count).describe('by page: bytes of pages touched, less the touched ones'),
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
  window: Window.optional().describe('absent when all of the program was recorded, or nothing says otherwise'),
  coverage: z.strictObject({
    accesses: Count.describe('data accesses compared; a load-modify-store is two'),
    windows: Count.describe('parts of the run that they are from'),
    ofRun: Quantity.nullable().describe('their share of the whole run, warm-ups left out; null where nothing tells'),
    touchedBytes: Count.describe('4 KiB pages touched, in bytes'),
    residentBytes: Count.nullable().describe('of the program at its largest; null where nothing tells'),
    processes: Count.or(z.literal('unknown')).describe('processes that the accesses are of'),
    programs: z
      .array(z.strictObject({ program: z.string(), addressSpaces: Count, share: Quantity }))
      .describe('by their share of the accesses of the run, 0 to 1; empty where nothing tells them apart'),
    countedAsOne: Count.or(z.literal('unknown')).describe('1 where each has its own pages, as it should'),
  }),
  unseen: Count.optional().describe('programs whose accesses are missing: they left the emulator; absent for none'),
  instructions: Range.describe('of the accesses compared: one number where they were counted, else an assumption'),
  why: z.string(),
  verdict: Verdict,
  nearly: Verdict.optional().describe(
    'the verdict that prices a tenth off would give; absent where they change nothing',
  ),
  reason: NoVerdict.optional().describe('why there is no verdict'),
  pages: PageName.optional().describe('the page size that speedup is of; absent without a second one'),
  hugeShare: HugeShare.optional(),
  speedup: Range.nullable().describe('user time with the smallest pages over that with those: above 1 they help'),
  timeShare: Range.describe('the share of user time that translation takes with the smallest pages, 0 to 1'),
  withFirstTouch: Range.nullable().describe('speedup with the system time of first touches added to both'),
  advice: z.string(),
  regions: z
    .array(RegionResult)
    .describe('mappings of the process with most memory; empty where the recording has none'),
  rounding: z
    .array(Rounding)
    .describe('of its regions, most waste first; empty for pages of x86 of one entry each, or without regions'),
  actions: z.array(ActionResult).describe('what to do for these regions; empty unless the verdict is yes or between'),
  host: z.array(HostTime),
});

/** What {@link compare} finds: the object behind table, JSON, CSV and plot. */
export const CompareResult = z.strictObject({
  schemaVersion: z.literal(COMPARE_VERSION),
  command: z.literal('compare'),
  machine: z.enum(['x86', 'riscv', 'aarch64']),
  tlb: z.strictObject({ name: z.string(), description: z.string() }),
  prices: MachinePrices.describe('what everything costs, in nanoseconds'),
  fetches: z.boolean().describe('instruction fetches were asked for'),
  traces: z.array(TraceSummary),
  runs: z.array(CompareRun).describe('trace by trace, and smallest pages first'),
});

/** What {@link compare} finds: the object behind table, JSON, CSV and plot. */
export type CompareResult = z.infer<typeof CompareResult>;
export type CompareRun = z.infer<typeof CompareRun>;
export type TraceSummary = z.infer<typeof TraceSummary>;
export type Rounding = z.infer<typeof Rounding>;
/** Reads beyond the first-level data cache. */
export type PricedReads = CompareRun['reads'];
export type Reads = z.infer<typeof Reads>;
/** Nanoseconds for each access, by case. */
export type PricedTime = CompareRun['time']['nsPerAccess'];
/** Bounds, the lower one first. */
export type Range = z.infer<typeof Range>;
export type NoVerdict = z.infer<typeof NoVerdict>;
export type CompareVerdict = z.infer<typeof Verdict>;
