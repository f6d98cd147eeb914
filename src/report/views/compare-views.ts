/** A comparison as text for the terminal and as rows for CSV. */

import { checkResult } from '../output/check-result.js';
import pc from 'picocolors';
import type { CompareResult, CompareRun, TraceSummary } from '../results/compare-result.js';
import { coldWords, firstTouchWords, groundWords, priceWords } from './compare-words.js';
import type { CsvCell } from '../output/csv.js';
import { actionText, regionTable } from './region-views.js';
import { factTable, type Fact } from '../output/table.js';
import { wrap } from '../output/wrap.js';
import {
  countOf,
  formatBytes,
  formatCount,
  formatShare,
  formatShares,
  formatShort,
  formatTime,
} from '../output/units.js';

function fact(label: string, runs: readonly CompareRun[], cell: (run: CompareRun) => string): Fact {
  return { label, cells: runs.map(cell) };
}

function bytesOrNone(bytes: number): string {
  return bytes === 0 ? '-' : formatBytes(bytes);
}

function fetchFacts(runs: readonly CompareRun[]): Fact[] {
  const of = (label: string, cell: (fetches: NonNullable<CompareRun['fetches']>) => string): Fact =>
    fact(label, runs, (run) => (run.fetches === undefined ? '-' : cell(run.fetches)));
  return [
    of('fetch lookups', ({ counts }) => formatCount(counts.lookups)),
    of('fetch L1 hits', ({ counts }) => formatCount(counts.l1Hits)),
    of('fetch L2 hits', ({ counts }) => formatCount(counts.l2Hits)),
    of('fetch walks', ({ counts }) => formatCount(counts.walks)),
    of('entry reads per fetch', ({ perAccess }) => formatShort(perAccess.entryReads)),
  ];
}

function l3Of({ l3, contested }: CompareRun['reads']['walks']): number {
  return l3 + contested;
}

/** So many regions are named, with so many letters. */
const ROUNDED_NAME = 14;
const ROUNDED = 5;

/** The regions that pages waste most in. */
function roundingFacts(runs: readonly CompareRun[], rounding: TraceSummary['rounding']): Fact[] {
  return rounding.slice(0, ROUNDED).map(({ region, wastedBytes }) => {
    const label = region.length > ROUNDED_NAME ? `${region.slice(0, ROUNDED_NAME - 1)}…` : region;
    return fact(`  wasted: ${label}`, runs, ({ pages }) => bytesOrNone(wastedBytes[pages] ?? 0));
  });
}

function runTable(runs: readonly CompareRun[], rounding: TraceSummary['rounding']): string {
  const groups = [
    [
      fact('TLB lookups', runs, ({ counts }) => formatCount(counts.lookups)),
      fact('L1 hits', runs, ({ counts }) => formatCount(counts.l1Hits)),
      fact('L2 hits', runs, ({ counts }) => formatCount(counts.l2Hits)),
      fact('page walks', runs, ({ counts }) => formatCount(counts.walks)),
      fact('entry reads per access', runs, ({ perAccess }) => formatShort(perAccess.entryReads)),
    ],
    [
      fact('data: L2 cache', runs, ({ reads }) => formatCount(reads.data.l2 + reads.expected.l2)),
      fact('data: L3 cache', runs, ({ reads }) => formatCount(l3Of(reads.data) + l3Of(reads.expected))),
      fact('data: memory', runs, ({ reads }) => formatCount(reads.data.memory + reads.expected.memory)),
      fact('walk reads: L2 cache', runs, ({ reads }) => formatCount(reads.walks.l2)),
      fact('walk reads: L3 cache', runs, ({ reads }) => formatCount(l3Of(reads.walks))),
      fact('walk reads: memory', runs, ({ reads }) => formatCount(reads.walks.memory)),
      fact('translation, of the time', runs, ({ time }) => formatShares(time.translationShare)),
    ],
    ...(runs.some((run) => run.fetches !== undefined) ? [fetchFacts(runs)] : []),
    [
      fact('memory mapped', runs, ({ memory }) => formatBytes(memory.mappedBytes)),
      fact('wasted by the page size', runs, ({ memory }) => bytesOrNone(memory.wastedBytes)),
      ...roundingFacts(runs, rounding),
      fact('page tables', runs, ({ memory }) => formatBytes(memory.pageTableBytes)),
      fact('first touch: faults', runs, ({ firstTouch }) => formatCount(firstTouch.faults)),
      fact('first touch: time', runs, ({ firstTouch }) => formatTime(firstTouch.ns)),
    ],
    [
      fact('fork: entries copied', runs, ({ fork }) => formatCount(fork.entriesCopied)),
      fact('fork: tables copied', runs, ({ fork }) => formatBytes(fork.tableBytes)),
    ],
  ];
  return factTable(
    runs.map(({ pages, hugeShare }) => `${hugeShare === undefined ? '' : `${formatShare(hugeShare)} `}${pages} pages`),
    groups,
  );
}

function notesOn(summary: TraceSummary, fetchesAsked: boolean): string[] {
  const { fetches, outsideUserSpace, skippedLines } = summary;
  const notes = groundWords(summary);
  if (outsideUserSpace > 0) {
    notes.push(
      `Left out: ${countOf(outsideUserSpace, 'access', 'accesses')} outside user space (from 0x800000000000 up).`,
    );
  }
  if (fetchesAsked && fetches === 0) notes.push('It holds no instruction fetches; record it with --fetches.');
  if (skippedLines > 0) notes.push(`Left out: ${countOf(skippedLines, 'malformed line')} (--lenient).`);
  return notes;
}

/** Percentiles of fewer blocks say nothing, and the first blocks are slow while the model itself is compiled. */
const FEWEST_BLOCKS = 10;

function hostLine(summary: TraceSummary): string {
  if (summary.host.some(({ blocks }) => blocks < FEWEST_BLOCKS)) {
    return pc.dim(wrap('Host time of this run: mostly start-up, since the trace is too short to tell ns an access.'));
  }
  const sizes = summary.host.map(({ pages, nanosecondsPerAccess: { p10, median, p90 } }) => {
    return `${pages} ${formatShort(median)} (${formatShort(p10)} to ${formatShort(p90)})`;
  });
  return pc.dim(wrap(`Host time of this run, ns an access, median (10th to 90th percentile): ${sizes.join(', ')}.`));
}

/** The regions of its largest process, with advice; nothing if the recording has none. */
function regionLines({ regions, actions, verdict }: TraceSummary): string[] {
  if (regions.length === 0) return [];
  return ['', regionTable(regions), ...(verdict === 'none' ? [] : [actionText(actions)])];
}

const VERDICT_COLORS = { yes: pc.green, between: pc.yellow, no: pc.cyan, none: pc.dim };

function traceText(summary: TraceSummary, runs: readonly CompareRun[], fetchesAsked: boolean): string {
  const { loads, stores, modifies } = summary;
  const parts = [countOf(loads, 'load'), countOf(stores, 'store'), countOf(modifies, 'load-modify-store')];
  const about = summary.about === undefined ? [] : [wrap(summary.about, '  ')];
  return [
    pc.bold(summary.trace),
    ...about,
    wrap(`${parts.join(', ')}; ${formatBytes(summary.coverage.touchedBytes)} touched.`),
    ...[...notesOn(summary, fetchesAsked), ...coldWords(runs)].map((note) => wrap(note)),
    runTable(runs, summary.rounding),
    wrap(`Why: ${summary.why}`),
    VERDICT_COLORS[summary.verdict](wrap(`Verdict: ${summary.advice}`)),
    ...firstTouchWords(summary, runs).map((words) => wrap(words)),
    hostLine(summary),
    ...regionLines(summary),
  ].join('\n');
}

/** The comparison as people read it, at most 80 columns wide for three page sizes. */
export function compareText(result: CompareResult): string {
  checkResult('compare', result);
  const sizes = result.runs.length / result.traces.length;
  const sections = result.traces.map((summary, index) => {
    const runs = result.runs.slice(index * sizes, (index + 1) * sizes);
    return traceText(summary, runs, result.fetches);
  });
  const tlb = wrap(`TLB ${result.tlb.name}: ${result.tlb.description}`, '  ');
  return `${[`${tlb}\n${wrap(priceWords(result.prices), '  ')}`, ...sections].join('\n\n')}\n`;
}

/** One row a trace and page size; modelled figures only. */
export function compareRows(result: CompareResult): Record<string, CsvCell>[] {
  checkResult('compare', result);
  const sizes = result.runs.length / result.traces.length;
  const summaryOf = (index: number): TraceSummary => result.traces[Math.floor(index / sizes)];
  return result.runs.map((run, index) => ({
    trace: run.trace,
    pages: run.pages,
    hugeShare: run.hugeShare ?? '',
    tlb: result.tlb.name,
    accesses: run.perAccess.accesses,
    ...run.counts,
    nsPerAccessLow: Math.min(...run.time.nsPerAccess),
    nsPerAccessHigh: Math.max(...run.time.nsPerAccess),
    translationShareLow: run.time.translationShare.low,
    translationShareHigh: run.time.translationShare.high,
    walkReadsL2: run.reads.walks.l2,
    walkReadsL3: l3Of(run.reads.walks),
    walkReadsMemory: run.reads.walks.memory,
    firstTouchNs: run.firstTouch.ns,
    fetchLookups: run.fetches?.counts.lookups ?? '',
    fetchL1Hits: run.fetches?.counts.l1Hits ?? '',
    fetchL2Hits: run.fetches?.counts.l2Hits ?? '',
    fetchWalks: run.fetches?.counts.walks ?? '',
    fetchEntryReads: run.fetches?.counts.entryReads ?? '',
    coldPages: run.coldPages,
    ...run.memory,
    forkEntriesCopied: run.fork.entriesCopied,
    forkTableBytes: run.fork.tableBytes,
    processes: summaryOf(index).coverage.processes,
    countedAsOne: summaryOf(index).coverage.countedAsOne,
    verdict: summaryOf(index).verdict,
    speedupLow: summaryOf(index).speedup?.low ?? '',
    speedupHigh: summaryOf(index).speedup?.high ?? '',
    reason: summaryOf(index).reason ?? '',
    machine: result.machine,
  }));
}
