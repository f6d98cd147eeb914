/** From the machines of a comparison to its result: counts, time, and the ground of the answer. */

import { PAGE_BYTES, pageSizeName, parsePageSize } from '../../../hw/base/address.js';
import type { AccessCounts } from '../../../hw/translate/counts/counters.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { entriesFor } from '../../../hw/tlb/words.js';
import type { CompareRun, PricedReads, Range, Reads, TraceSummary } from '../../report/results/compare-result.js';
import type { MachinePrices } from '../../report/results/prices.js';
import type { PageName } from '../../report/results/schema.js';
import type { Made } from '../lookups/lookup-finder.js';
import type { ReplayMachine } from '../machine/machine.js';
import type { MemoryPath, ReadCounts } from '../memory/memory-path.js';
import { streamPrices } from '../time/stream-prices.js';
import { timePerAccess, timeShare } from '../time/time.js';
import { underHost } from '../machine/nested.js';

/** What the runs of one trace have in common. */
export interface RunGround {
  readonly trace: string;
  readonly made: Made;
  readonly touchedBytes: number;
  /** Blocks of `2^shift` bytes, 4 KiB or 2 MiB, with a touched page. */
  readonly touched: (shift: number) => number;
  /** What the program has in RAM, as far as it is known. */
  readonly memoryBytes: number;
  readonly instructions: Range;
  readonly tlb: TlbGeometry;
  readonly prices: MachinePrices;
  /** Of 2 MiB pages, the share of their places with one; undefined for all. */
  readonly hugeShare: number | undefined;
  /** Pages came after gaps in the trace, so some walks may be hits in the whole run. */
  readonly gaps: boolean;
}

function tlbCounts({ lookups, l1Hits, l2Hits, walks, entryReads }: AccessCounts): CompareRun['counts'] {
  return { lookups, l1Hits, l2Hits, walks, entryReads };
}

function perAccess({ entryReads }: AccessCounts, hostReads: number, accesses: number): CompareRun['perAccess'] {
  return { accesses, entryReads: accesses === 0 ? 0 : (entryReads + hostReads) / accesses };
}

/** A folio that no array holds whole takes an entry for each of its coalesced parts, or of its pages. */
function ownReach({ pages, kind: { shift, entryShift }, mmu }: ReplayMachine, tlb: TlbGeometry): CompareRun['reach'] {
  const known = mmu.dataPath.regime.pageShifts.filter((size) => size >= entryShift && size <= shift);
  const held =
    known
      .filter((size) => entriesFor(tlb, size) > 0)
      .sort((a, b) => b - a)
      .at(0) ?? shift;
  return { entriesNeeded: pages * 2 ** (shift - held), entries: entriesFor(tlb, held) };
}

/** A virtual machine's TLB keeps no more of a page than its host has in one piece. */
function reachOf(machine: ReplayMachine, { tlb, prices, touched }: RunGround): CompareRun['reach'] {
  const hostShift = parsePageSize(prices.nested);
  if (hostShift === undefined || hostShift >= machine.shift) return ownReach(machine, tlb);
  return {
    entriesNeeded: touched(hostShift),
    entries: entriesFor(underHost(tlb, hostShift), hostShift),
    held: pageSizeName(hostShift) as PageName,
  };
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
  const { pages, smallPages, mappedBytes, kind } = machine;
  const cost = (some: number, bytes: number, name: PageName): number => {
    const price = prices[name] ?? prices['4K'];
    return price === undefined ? 0 : some * price.faultNs + bytes * price.zeroNsPerByte;
  };
  const smallBytes = smallPages * PAGE_BYTES;
  const ns = cost(smallPages, smallBytes, '4K') + cost(pages - smallPages, mappedBytes - smallBytes, kind.name);
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
    streams: streamPrices(prices, machine.kind.name, ground.memoryBytes),
    memoryBytes: ground.memoryBytes,
    slowTlbHits: memory.counts.slowTlbHits,
    ...(ground.gaps && { coldWalks: settled(memory.counts.coldWalks, false) }),
  };
  return {
    trace: ground.trace,
    pages: machine.kind.name,
    ...(machine.kind.isHuge !== undefined && { hugeShare: ground.hugeShare }),
    counts: tlbCounts(data),
    perAccess: perAccess(data, memory.counts.hostReads, made.data),
    entryReadsByLevel: { pml4, pdpt, pd, pt },
    ...(made.fetches > 0 && {
      fetches: {
        counts: tlbCounts(fetch),
        perAccess: perAccess(fetch, memory.counts.hostFetchReads, made.fetches),
      },
    }),
    reads,
    pageEnds: run.pageEnds,
    time: { nsPerAccess: timePerAccess(run, made.data, prices), translationShare: timeShare(run, prices) },
    firstTouch: firstTouch(machine, prices),
    memory: { mappedBytes, wastedBytes: mappedBytes - touchedBytes, pageTableBytes: machine.tableBytes },
    coldPages: machine.coldPages,
    reach: reachOf(machine, ground),
    fork: machine.fork(),
  };
}

/** Host time of one machine's replay. */
export function hostTime({ kind, timer }: ReplayMachine): TraceSummary['host'][number] {
  const { blocks, ...nanosecondsPerAccess } = timer.spread();
  return { pages: kind.name, blocks, nanosecondsPerAccess };
}
