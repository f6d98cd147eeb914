/** Would huge pages help? Replays traces once, on one machine a page size, and sums up each machine's counts. */

import { checkOptions } from '../../hw/base/arguments.js';
import { PAGE_BYTES, parsePageSize, SHIFT_2M } from '../../hw/base/address.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import { describeTlb } from '../../hw/tlb/words.js';
import type { CompareResult, CompareRun, TraceSummary } from '../report/results/compare-result.js';
import type { MachinePrices } from '../report/results/prices.js';
import { COMPARE_VERSION } from '../report/results/schema-version.js';
import type { PageName } from '../report/results/schema.js';
import { DEFAULT_POLICY, type HugePolicy } from '../regions/policy.js';
import { AccessTally, type Trace, type TraceCounts } from '../trace/block.js';
import { Recorded } from '../trace/recorded.js';
import type { NamedTrace } from '../trace/node/named.js';
import { TraceError } from '../trace/trace-error.js';
import { coverage, instructionsOf, processesOf, recordedPart } from './answer/coverage.js';
import type { CpuProfile } from './cpu-profile.js';
import { LineMisses } from './memory/line-misses.js';
import type { Made } from './lookups/lookup-finder.js';
import type { Lookups } from './lookups/lookups.js';
import type { ReplayMachine } from './machine/machine.js';
import { makeMachine } from './machine/make-machine.js';
import { DEFAULT_PAGES, pageKinds, x86Pages } from './machine/pages/page-kinds.js';
import type { MachineName, PagesKind } from './machine/pages/page-kinds.js';
import { COMPARE_REQUIRED } from './required.js';
import { MemoryPath } from './memory/memory-path.js';
import { underHost } from './machine/nested.js';
import { pricesFor } from './time/preset-prices.js';
import { judgeRegions, largestProgram } from './answer/recorded-regions.js';
import { roundingByRegion } from './answer/rounding.js';
import { replay } from './machine/replay.js';
import { Resident } from './machine/resident.js';
import { hugeShare } from './machine/pages/mixed-pages.js';
import { targetOf } from './machine/targets/targets.js';
import { hostTime, summarizeRun } from './answer/summary.js';
import { judge } from './answer/verdict.js';

/** A trace to compare on, opened only when its turn comes. */
export interface TraceSource {
  readonly name: string;
  /** A title for people; a packed recording's own command when absent. */
  readonly about?: string;
  /** Accesses to come, if known beforehand: for progress only. */
  readonly accesses?: number;
  /** Opens the trace, when its turn comes. */
  readonly open: () => Trace | Promise<Trace>;
  /** The same trace for other threads; absent where only this one can open it. */
  readonly named?: NamedTrace;
}

/** What to compare: traces, page sizes, a TLB. */
export interface CompareOptions {
  readonly sources: readonly TraceSource[];
  /** log2 of the page sizes, smallest first. Of x86; `pages` names those of every machine. */
  readonly shifts?: readonly number[];
  /** The machine. Default: x86. */
  readonly machine?: MachineName;
  /** Its pages by name: `4K`, `64K`, `4K+contig` and so on. Default: `shifts`, else those that `pagewalk compare` has. */
  readonly pages?: readonly PageName[];
  readonly tlb: TlbGeometry;
  /** The traces were opened to deliver instruction fetches too. Default: no. */
  readonly fetches?: boolean;
  /** What everything costs. Default: the prices of the processor whose TLB it is. */
  readonly prices?: MachinePrices | undefined;
  /** The settings for huge pages of the system that the answer is for. Default: those of most distributions. */
  readonly policy?: HugePolicy;
  /** Of 2 MiB pages of x86, the share of their places that gets one, 0 to 1: see {@link hugeShare}. Default: all. */
  readonly hugeShare?: { readonly share: number; readonly seed: number } | undefined;
  /** The most RAM for the machine with pages of `2^shift` bytes, at least 1 GiB; as much as the host gives when absent. */
  readonly ramBytes?: (shift: number) => number;
  /** Told of every phase that ends, block by block. @internal */
  readonly profile?: CpuProfile;
  /** Shown each block once all machines have made its lookups; both are valid until it returns. @internal */
  readonly onBlock?: (machines: readonly ReplayMachine[], lookups: Lookups) => void;
  /** Called after each block with the accesses so far and in all. */
  readonly onProgress?: (done: number, total: number | undefined) => Promise<void>;
}

/** One page size: its machine, and the data caches of it. */
interface Contender {
  readonly machine: ReplayMachine;
  readonly memory: MemoryPath;
}

/** The number of accesses to come, if known: for a packed recording that was cut, from its first block on. */
function expected(source: TraceSource, trace: Trace): number | undefined {
  return source.accesses ?? (trace instanceof Recorded ? (trace.metadata?.limit ?? undefined) : undefined);
}

/** @throws RangeError for pages that the machine does not have */
export function kindsOf({ machine = 'x86', pages, shifts, hugeShare: share }: CompareOptions): PagesKind[] {
  const kinds =
    pages === undefined && shifts !== undefined
      ? shifts.map(x86Pages)
      : pageKinds(machine, pages ?? DEFAULT_PAGES[machine]);
  if (share === undefined) return kinds;
  if (machine !== 'x86') throw new RangeError(`a share of huge pages is for x86, not ${machine}`);
  const isHuge = hugeShare(share.share, share.seed);
  return kinds.map((kind) => (kind.shift === SHIFT_2M ? { ...kind, isHuge } : kind));
}

function contendersFor(options: CompareOptions, { caches, nested }: MachinePrices): Contender[] {
  const hostShift = parsePageSize(nested) ?? null;
  const tlb = hostShift === null ? options.tlb : underHost(options.tlb, hostShift);
  return kindsOf(options).map((kind) => {
    const machine = makeMachine(kind, tlb, options.ramBytes?.(kind.shift), options.machine, hostShift);
    const { levels } = machine;
    const { pageShifts } = machine.mmu.dataPath.regime;
    const memory = new MemoryPath({ l2: caches.l2, l3: caches.l3, levels, pageShifts });
    return { memory, machine };
  });
}

async function replayTrace(
  source: TraceSource,
  trace: Trace,
  resident: Resident,
  contenders: readonly Contender[],
  misses: LineMisses,
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
    misses.find(block);
    profile?.spent('finding lines');
    for (const { machine, memory } of contenders) {
      const began = performance.now();
      const own = resident.lookupsOf(machine, block, lookups);
      const make = (): void => {
        memory.begin(misses, own, machine.coldNow);
        machine.mmu.dataPath.hearMisses(memory);
        replay(machine.mmu, own);
        memory.end();
      };
      if (block.warmUp) {
        memory.uncounted(() => {
          machine.processors.uncounted(make);
        });
      } else make();
      machine.timer.add(performance.now() - began, block.length);
      profile?.spent(`translating, ${machine.kind.name} pages`);
    }
    options.onBlock?.(resident.machines, lookups);
    done += block.length;
    await options.onProgress?.(done, expected(source, trace));
  }
  return counted;
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

/** One trace on the machines of some pages. */
export interface ReplayedPages {
  readonly runs: readonly CompareRun[];
  readonly host: TraceSummary['host'];
  /** All pages are of x86, and of one entry each. */
  readonly isPlain: boolean;
}

/** What a comparison has of one trace. */
export interface Compared {
  readonly summary: TraceSummary;
  readonly runs: readonly CompareRun[];
}

/**
 * Replays a trace on one machine a page size.
 * @returns the runs, and a function that sums them up: with those of other threads, if there are any
 * @throws TraceError, OutOfModelMemory
 */
export async function replaySource(
  source: TraceSource,
  options: CompareOptions,
): Promise<{ readonly replayed: ReplayedPages; readonly sumUp: (all: ReplayedPages) => Compared }> {
  const prices = pricesIn(options);
  const trace = await source.open();
  const contenders = contendersFor(options, prices);
  const resident = new Resident(contenders.map(({ machine }) => machine));
  const misses = new LineMisses(prices.caches.l1);
  const counted = await replayTrace(source, trace, resident, contenders, misses, options);
  const touchedBytes = resident.pages * PAGE_BYTES;
  const made = resident.finder.made(counted);
  checkAnyMade(source.name, made, resident.finder.outsideUserSpace);
  const window = recordedPart(trace);
  const instructions = instructionsOf(trace, made, window);
  const covered = coverage(trace, made, touchedBytes, window);
  const memoryBytes = Math.max(touchedBytes, covered.residentBytes ?? 0);
  const touched = (shift: number): number => resident.blocks(shift);
  const of = { trace: source.name, made, touchedBytes, touched, memoryBytes, instructions };
  const ground = { ...of, tlb: options.tlb, prices, gaps: resident.hasCold, hugeShare: options.hugeShare?.share };
  const runs = contenders.map(({ machine, memory }) => summarizeRun(machine, memory, ground));
  const replayed = { runs, host: resident.machines.map(hostTime), isPlain: resident.isPlain };
  options.profile?.spent('forking and summing up');

  const sumUp = (all: ReplayedPages): Compared => {
    const { loads, stores, modifies, fetches } = counted;
    const unseen = trace instanceof Recorded && trace.unseen > 0 ? { unseen: trace.unseen } : {};
    const about = source.about ?? (trace instanceof Recorded ? trace.metadata?.command.join(' ') : undefined);
    const judgement = judge({ coverage: covered, window, ...unseen }, all.runs);
    const mayGain = judgement.verdict === 'yes' || judgement.verdict === 'between';
    const program = largestProgram(processesOf(trace), resident.footprints);
    const summary = {
      trace: source.name,
      ...(about !== undefined && { about }),
      loads,
      stores,
      modifies,
      fetches,
      outsideUserSpace: resident.finder.outsideUserSpace,
      skippedLines: trace.counts.skippedLines,
      ...(window !== undefined && { window }),
      coverage: covered,
      ...unseen,
      instructions,
      ...judgement,
      ...(program === undefined
        ? { regions: [], actions: [] }
        : judgeRegions(program, options.policy ?? DEFAULT_POLICY, mayGain)),
      rounding: program === undefined || all.isPlain ? [] : roundingByRegion(program, kindsOf(options)),
      host: all.host,
    };
    return { summary, runs: all.runs };
  };
  return { replayed, sumUp };
}

/**
 * Compares page sizes on one trace.
 * @throws TraceError for an unreadable trace, OutOfModelMemory for one too large for the model's RAM
 */
export async function compareTrace(source: TraceSource, options: CompareOptions): Promise<Compared> {
  const { replayed, sumUp } = await replaySource(source, options);
  return sumUp(replayed);
}

function pricesIn({ prices, tlb }: CompareOptions): MachinePrices {
  return prices ?? pricesFor(tlb.name);
}

/** The result of a comparison: of its traces, in the order of their sources. With prices from outside it is checked. */
export async function comparisonOf(compared: readonly Compared[], options: CompareOptions): Promise<CompareResult> {
  const prices = pricesIn(options);
  const { terms, sizes } = targetOf(options.machine ?? 'x86');
  const result: CompareResult = {
    schemaVersion: COMPARE_VERSION,
    command: 'compare',
    machine: options.machine ?? 'x86',
    tlb: { name: options.tlb.name, description: describeTlb(options.tlb, terms, sizes, prices.nested !== 'none') },
    prices,
    fetches: options.fetches ?? false,
    traces: compared.map(({ summary }) => summary),
    runs: compared.flatMap(({ runs }) => runs),
  };
  if (options.prices === undefined) return result;
  const { CompareResult: schema } = await import('../report/results/compare-result.js');
  return schema.parse(result);
}

/**
 * Compares page sizes on every trace in turn.
 *
 * @throws TraceError for an unreadable trace, OutOfModelMemory for one too large for the model's RAM, RangeError for pages
 *   that the machine does not have, TypeError for required options that are missing or of another kind
 */
export async function compare(options: CompareOptions): Promise<CompareResult> {
  checkOptions('compare: options', options, COMPARE_REQUIRED);
  const compared: Compared[] = [];
  for (const source of options.sources) compared.push(await compareTrace(source, options));
  return comparisonOf(compared, options);
}
