/** Would huge pages help? Replays traces once, on one machine a page size, and sums up each machine's counts. */

import { PAGE_BYTES, pageSizeName } from '../../hw/base/address.js';
import { translationCycles, type CostTable } from '../../hw/translate/cost.js';
import type { AccessCounts } from '../../hw/translate/counters.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import type { TlbShape } from '../../hw/tlb/shape.js';
import { CompareResult, type CompareRun, type TraceSummary } from '../report/compare-result.js';
import { PageName, SCHEMA_VERSION } from '../report/schema.js';
import { AccessTally, type Trace, type TraceCounts } from '../trace/block.js';
import { RecordedTrace } from '../trace/recorded.js';
import { TraceError } from '../trace/trace-error.js';
import type { CpuProfile } from './cpu-profile.js';
import type { Made } from './lookup-finder.js';
import type { Lookups } from './lookups.js';
import { ReplayMachine } from './machine.js';
import { replay } from './replay.js';
import { Resident } from './resident.js';
import { describeTlb, entriesFor } from '../../hw/tlb/words.js';
import { judge } from './verdict.js';

/** A trace to compare on, opened only when its turn comes. */
export interface TraceSource {
  readonly name: string;
  /** A title for people; a packed recording's own command when absent. */
  readonly about?: string;
  /** Accesses to come, if known beforehand: for progress only. */
  readonly accesses?: number;
  /** Opens the trace, when its turn comes. */
  readonly open: () => Trace | Promise<Trace>;
}

/** What to compare: traces, page sizes, a TLB. */
export interface CompareOptions {
  readonly sources: readonly TraceSource[];
  /** log2 of the page sizes, smallest first. */
  readonly shifts: readonly number[];
  readonly tlb: TlbGeometry;
  /** The traces were opened to deliver instruction fetches too. Default: no. */
  readonly fetches?: boolean;
  readonly costs: CostTable;
  /** The cache of lines between walks and RAM; without one every read costs the same. */
  readonly entryCache?: TlbShape | undefined;
  /** The most RAM for the machine with pages of `2^shift` bytes, at least 1 GiB; as much as the host gives when absent. */
  readonly ramBytes?: (shift: number) => number;
  /** Told of every phase that ends, block by block. @internal */
  readonly profile?: CpuProfile;
  /** Shown each block once all machines have made its lookups; both are valid until it returns. @internal */
  readonly onBlock?: (machines: readonly ReplayMachine[], lookups: Lookups) => void;
  /** Called after each block with the accesses so far and in all. */
  readonly onProgress?: (done: number, total: number | undefined) => Promise<void>;
}

/** The number of accesses to come, if known: for a packed recording that was cut, from its first block on. */
function expected(source: TraceSource, trace: Trace): number | undefined {
  return source.accesses ?? (trace instanceof RecordedTrace ? (trace.metadata?.limit ?? undefined) : undefined);
}

async function replayTrace(
  source: TraceSource,
  trace: Trace,
  resident: Resident,
  options: CompareOptions,
): Promise<TraceCounts> {
  const { profile } = options;
  const counted = new AccessTally();
  let done = 0;
  for await (const block of trace) {
    if (!block.warmUp) counted.add(block);
    profile?.spent('reading the trace');
    const lookups = resident.prepare(block);
    profile?.spent('finding lookups and pages');
    for (const machine of resident.machines) {
      const began = performance.now();
      const make = (): void => {
        replay(machine.mmu, lookups.of(machine.shift));
      };
      if (block.warmUp) machine.processors.uncounted(make);
      else make();
      machine.timer.add(performance.now() - began, block.length);
      profile?.spent(`translating, ${pageSizeName(machine.shift)} pages`);
    }
    options.onBlock?.(resident.machines, lookups);
    done += block.length;
    await options.onProgress?.(done, expected(source, trace));
  }
  return counted;
}

function tlbCounts({ lookups, l1Hits, l2Hits, walks, entryReads }: AccessCounts): CompareRun['counts'] {
  return { lookups, l1Hits, l2Hits, walks, entryReads };
}

function perAccess(counts: AccessCounts, accesses: number, costs: CostTable): CompareRun['perAccess'] {
  const each = (amount: number): number => (accesses === 0 ? 0 : amount / accesses);
  const { total, walks } = translationCycles(counts, costs);
  return { accesses, entryReads: each(counts.entryReads), cycles: each(total), walkCycles: each(walks) };
}

function summarizeRun(
  trace: string,
  machine: ReplayMachine,
  made: Made,
  touchedBytes: number,
  options: CompareOptions,
): CompareRun {
  const { data, fetch } = machine.counts();
  const [pt, pd, pdpt, pml4] = data.entryReadsByLevel;
  const { mappedBytes } = machine;
  return {
    trace,
    pages: PageName.parse(pageSizeName(machine.shift)),
    counts: tlbCounts(data),
    perAccess: perAccess(data, made.data, options.costs),
    entryReadsByLevel: { pml4, pdpt, pd, pt },
    ...(made.fetches > 0 && {
      fetches: { counts: tlbCounts(fetch), perAccess: perAccess(fetch, made.fetches, options.costs) },
    }),
    memory: { mappedBytes, wastedBytes: mappedBytes - touchedBytes, pageTableBytes: machine.tableBytes },
    reach: { entriesNeeded: machine.pages, entries: entriesFor(options.tlb, machine.shift) },
    fork: machine.fork(),
  };
}

function hostTime({ shift, timer }: ReplayMachine): TraceSummary['host'][number] {
  const { blocks, ...nanosecondsPerAccess } = timer.spread();
  return { pages: PageName.parse(pageSizeName(shift)), blocks, nanosecondsPerAccess };
}

/** The part of its program in a packed trace; undefined for the whole, and if nothing tells. */
function windowOf(trace: Trace): TraceSummary['window'] {
  if (!(trace instanceof RecordedTrace) || trace.metadata === undefined) return undefined;
  const { skip, limit, fetches, windowChosen } = trace.metadata;
  const accesses = trace.counts.accesses + (fetches ? trace.counts.droppedFetches : 0);
  const cut = accesses === limit;
  return skip > 0 || cut ? { skip, accesses, cut, chosen: windowChosen === true } : undefined;
}

/** @throws TraceError when all accesses were left out: no verdict can be given on nothing. */
function checkAnyMade(name: string, made: Made, leftOut: number): void {
  if (leftOut === 0 || made.data + made.fetches > 0) return;
  throw new TraceError(
    name,
    'end',
    `expected accesses of a program, below 0x800000000000, found only ${leftOut} above`,
  );
}

async function compareTrace(
  source: TraceSource,
  options: CompareOptions,
): Promise<{ summary: TraceSummary; runs: CompareRun[] }> {
  const trace = await source.open();
  const resident = new Resident(
    options.shifts.map((shift) => new ReplayMachine(shift, options.tlb, options.entryCache, options.ramBytes?.(shift))),
  );
  const counted = await replayTrace(source, trace, resident, options);
  const { loads, stores, modifies, fetches } = counted;
  const { skippedLines } = trace.counts;
  const touchedBytes = resident.pages * PAGE_BYTES;
  const made = resident.finder.made(counted);
  checkAnyMade(source.name, made, resident.finder.outsideUserSpace);
  const runs = resident.machines.map((machine) => summarizeRun(source.name, machine, made, touchedBytes, options));
  options.profile?.spent('forking and summing up');
  const window = windowOf(trace);
  const processes = trace instanceof RecordedTrace ? trace.countedAsOne : 1;
  const unseen = trace instanceof RecordedTrace && trace.unseen > 0 ? { unseen: trace.unseen } : {};
  const about = source.about ?? (trace instanceof RecordedTrace ? trace.metadata?.command.join(' ') : undefined);
  const summary = {
    trace: source.name,
    ...(about !== undefined && { about }),
    loads,
    stores,
    modifies,
    fetches,
    outsideUserSpace: resident.finder.outsideUserSpace,
    skippedLines,
    touchedBytes,
    ...(window !== undefined && { window }),
    processes,
    ...unseen,
    ...judge({ touchedBytes, processes, window, ...unseen }, runs),
    host: resident.machines.map(hostTime),
  };
  return { summary, runs };
}

/**
 * Compares page sizes on every trace in turn.
 *
 * @throws TraceError for an unreadable trace, OutOfModelMemory for one too large for the model's RAM
 */
export async function compare(options: CompareOptions): Promise<CompareResult> {
  const traces: TraceSummary[] = [];
  const runs: CompareRun[] = [];
  for (const source of options.sources) {
    const compared = await compareTrace(source, options);
    traces.push(compared.summary);
    runs.push(...compared.runs);
  }
  return CompareResult.parse({
    schemaVersion: SCHEMA_VERSION,
    command: 'compare',
    tlb: { name: options.tlb.name, description: describeTlb(options.tlb) },
    costs: options.costs,
    ...(options.entryCache !== undefined && { entryCache: options.entryCache }),
    fetches: options.fetches ?? false,
    traces,
    runs,
  });
}
