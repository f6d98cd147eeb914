/** From the machines of a comparison to its result: counts, time, and the ground of the answer. */

import { pageSizeName } from '../../hw/base/address.js';
import type { AccessCounts } from '../../hw/translate/counters.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import { entriesFor } from '../../hw/tlb/words.js';
import type { CompareRun, PricedReads, Range, Reads, TraceSummary } from '../report/compare-result.js';
import type { MachinePrices } from '../report/prices.js';
import { PageName } from '../report/schema.js';
import type { Made } from './lookup-finder.js';
import type { ReplayMachine } from './machine.js';
import type { MemoryPath, ReadCounts } from './memory-path.js';
import { streamPrices } from './stream-prices.js';
import { timePerAccess, timeShare } from './time.js';

/** What the runs of one trace have in common. */
export interface RunGround {
  readonly trace: string;
  readonly made: Made;
  readonly touchedBytes: number;
  /** What the program has in RAM, as far as it is known. */
  readonly memoryBytes: number;
  readonly instructions: Range;
  readonly tlb: TlbGeometry;
  readonly prices: MachinePrices;
  /** Pages came after gaps in the trace, so some walks may be hits in the whole run. */
  readonly gaps: boolean;
}

function tlbCounts({ lookups, l1Hits, l2Hits, walks, entryReads }: AccessCounts): CompareRun['counts'] {
  return { lookups, l1Hits, l2Hits, walks, entryReads };
}

function perAccess({ entryReads }: AccessCounts, accesses: number): CompareRun['perAccess'] {
  return { accesses, entryReads: accesses === 0 ? 0 : entryReads / accesses };
}

function sum(one: Reads, other: Reads): Reads {
  return {
    l2: one.l2 + other.l2,
    l3: one.l3 + other.l3,
    contested: one.contested + other.contested,
    memory: one.memory + other.memory,
  };
}

/**
 * First reads of a line in the recording come from memory, or from the third level where all memory of the program would
 * fit: it has most likely read or written the line before.
 */
function settled({ l2, l3, contested, memory, first }: ReadCounts, fits: boolean): Reads {
  return fits ? { l2, l3, contested: contested + first, memory } : { l2, l3, contested, memory: memory + first };
}

function readsOf({ counts }: MemoryPath, fits: boolean): PricedReads {
  return {
    data: settled(counts.data, fits),
    expected: settled(counts.expected, fits),
    walks: [counts.walks, counts.fetchWalks, counts.coldWalks, counts.pageEndWalks]
      .map((reads) => settled(reads, false))
      .reduce(sum),
    pageEnds: settled(counts.pageEndWalks, false),
  };
}

function firstTouch(machine: ReplayMachine, { firstTouch: prices }: MachinePrices): CompareRun['firstTouch'] {
  const { pages, mappedBytes } = machine;
  const price = prices[PageName.parse(pageSizeName(machine.shift))] ?? prices['4K'];
  const ns = price === undefined ? 0 : pages * price.faultNs + mappedBytes * price.zeroNsPerByte;
  return { faults: pages, zeroedBytes: mappedBytes, ns };
}

/** One trace on one machine. */
export function summarizeRun(machine: ReplayMachine, memory: MemoryPath, ground: RunGround): CompareRun {
  const { made, prices, touchedBytes } = ground;
  const { data, fetch } = machine.counts();
  const [pt, pd, pdpt, pml4] = data.entryReadsByLevel;
  const { mappedBytes } = machine;
  const reads = readsOf(memory, ground.memoryBytes <= (prices.caches.l3?.bytes ?? 0));
  const run = {
    instructions: ground.instructions,
    reads,
    pageEnds: memory.counts.pageEnds,
    streams: streamPrices(prices, PageName.parse(pageSizeName(machine.shift)), ground.memoryBytes),
    memoryBytes: ground.memoryBytes,
    slowTlbHits: memory.counts.slowTlbHits,
    ...(ground.gaps && { coldWalks: settled(memory.counts.coldWalks, false) }),
  };
  return {
    trace: ground.trace,
    pages: PageName.parse(pageSizeName(machine.shift)),
    counts: tlbCounts(data),
    perAccess: perAccess(data, made.data),
    entryReadsByLevel: { pml4, pdpt, pd, pt },
    ...(made.fetches > 0 && {
      fetches: { counts: tlbCounts(fetch), perAccess: perAccess(fetch, made.fetches) },
    }),
    reads,
    pageEnds: run.pageEnds,
    time: { nsPerAccess: timePerAccess(run, made.data, prices), translationShare: timeShare(run, prices) },
    firstTouch: firstTouch(machine, prices),
    memory: { mappedBytes, wastedBytes: mappedBytes - touchedBytes, pageTableBytes: machine.tableBytes },
    coldPages: machine.coldPages,
    reach: { entriesNeeded: machine.pages, entries: entriesFor(ground.tlb, machine.shift) },
    fork: machine.fork(),
  };
}

/** Host time of one machine's replay. */
export function hostTime({ shift, timer }: ReplayMachine): TraceSummary['host'][number] {
  const { blocks, ...nanosecondsPerAccess } = timer.spread();
  return { pages: PageName.parse(pageSizeName(shift)), blocks, nanosecondsPerAccess };
}
