/** From figures to an answer and its ground: would huge pages help, and by how much? */

import type {
  CompareRun,
  CompareVerdict,
  NoVerdict,
  Range,
  TraceSummary,
} from '../../report/results/compare-result.js';
import {
  countOf,
  formatBytes,
  formatCount,
  formatShare,
  formatShares,
  formatTimes,
} from '../../report/output/units.js';
import { nearlyOn, saved, verdictOn, WORTH_IT } from '../../report/results/worth-it.js';
import { speedupOf } from '../time/time.js';

/** Advice is the smallest page size with this share of the best saving: larger ones waste more. */
const NEARLY_ALL = 0.9;
/** With fewer of the misses for pages that had missed before, a recording says nothing of the time after its start. */
const LATER_MISSES = 0.5;

/** A recorded part with less of the resident memory touched is no picture of the program. */
const LEAST_TOUCHED = 0.5;
/** So many parts of a run, at even distances, are a sample of it, though they touch less. */
const SAMPLE = 8;

/** Facts about the accesses, besides their counts. */
export type Ground = Pick<TraceSummary, 'coverage' | 'window' | 'unseen'>;

/** The answer about one trace. */
export type Judgement = Pick<
  TraceSummary,
  | 'why'
  | 'verdict'
  | 'nearly'
  | 'reason'
  | 'pages'
  | 'hugeShare'
  | 'speedup'
  | 'timeShare'
  | 'withFirstTouch'
  | 'advice'
>;

function middle({ low, high }: Range): number {
  return Math.sqrt(low * high);
}

const speedup = (base: CompareRun, run: CompareRun): Range => speedupOf(base.time.nsPerAccess, run.time.nsPerAccess);

/** The page size to advise instead of the smallest one: the smallest with nearly the best gain. */
function bestRun(base: CompareRun, others: readonly CompareRun[]): CompareRun {
  const gain = (run: CompareRun): number => saved(middle(speedup(base, run)));
  const most = Math.max(...others.map(gain));
  return others.find((run) => gain(run) >= NEARLY_ALL * most) ?? others[0];
}

function needs({ pages, hugeShare, reach }: CompareRun): string {
  const kinds = hugeShare === undefined ? pages : `${pages} and 4K`;
  return `${countOf(reach.entriesNeeded, 'entry', 'entries')} of ${reach.held ?? kinds}`;
}

function holds({ pages, reach }: CompareRun): string {
  return `${formatCount(reach.entries)} of ${reach.held ?? pages}`;
}

function explain(touchedBytes: number, base: CompareRun, best: CompareRun): string {
  const touched = formatBytes(touchedBytes);
  if (base.reach.entriesNeeded <= base.reach.entries) {
    return `${touched} needs ${needs(base)}; the TLB holds ${holds(base)}: all fit.`;
  }
  if (best === base) return `${touched} needs ${needs(base)}; the TLB holds ${holds(base)}.`;
  if (best.reach.held === base.pages) {
    const same = `no entry holds more than a page of the host, and the TLB has ${holds(base)}`;
    return `${touched} needs ${needs(base)} with ${best.pages} pages too: ${same}. What they spare is reads of walks.`;
  }
  const instead = `${needs(best)}, not ${formatCount(base.reach.entriesNeeded)} of ${base.pages}`;
  return `${touched} needs ${instead}; the TLB holds ${holds(best)} or ${holds(base)}.`;
}

/** The share of the misses of the first-level TLB after the first one for their page. */
function missesAgain({ counts, reach }: CompareRun): number {
  const misses = counts.walks + counts.l2Hits;
  return misses === 0 ? 1 : Math.max(0, 1 - reach.entriesNeeded / misses);
}

/** Why the ground for a verdict is missing, in a word and in a sentence; undefined when it is there. */
function missingGround(
  { coverage, window, unseen = 0 }: Ground,
  base: CompareRun,
  verdict: CompareVerdict,
): { reason: NoVerdict; advice: string } | undefined {
  const { countedAsOne: processes, touchedBytes, residentBytes, windows } = coverage;
  if (unseen > 0) {
    const advice = `none: ${countOf(unseen, 'program')} left the emulator, and what came after is missing; record with --engine valgrind.`;
    return { reason: 'unseen', advice };
  }
  if (processes !== 'unknown' && processes > 1) {
    const advice = `none: ${processes} processes are counted as one, as if they shared their pages; record one alone.`;
    return { reason: 'several-processes', advice };
  }
  if (window?.interrupted === true) {
    const advice =
      'none: the recording was interrupted, and the program may do otherwise later; let it come to its end, or end the program itself.';
    return { reason: 'cut', advice };
  }
  if (window?.cut === true && !window.chosen) {
    const advice = `none: --limit cut the recording at ${formatCount(window.accesses)} accesses, and the program may do otherwise later; record all of it.`;
    return { reason: 'cut', advice };
  }
  if (residentBytes !== null && windows < SAMPLE && touchedBytes < LEAST_TOUCHED * residentBytes) {
    const touched = `${formatBytes(touchedBytes)} of ${formatBytes(residentBytes)} resident`;
    const advice = `none: the recorded part touched ${touched}, so most of the memory was not seen; record more of the run.`;
    return { reason: 'footprint', advice };
  }
  // Parts of all of a run are no start-up. Their first misses may be hits in the whole run, and the range holds both.
  const sampled = windows >= SAMPLE && base.coldPages > 0;
  if (verdict !== 'no' && !sampled && missesAgain(base) < LATER_MISSES) {
    const advice = 'none: most TLB misses are the first ones of their pages, which come once; record a longer run.';
    return { reason: 'start-up', advice };
  }
  return undefined;
}

/** Says that hundredths decide: by which bound, and the verdict at prices a tenth off. */
function nearness(verdict: CompareVerdict, { low, high }: Range): string {
  const nearly = nearlyOn({ low, high });
  if (nearly === undefined) return '';
  const [end, times] = verdict === 'yes' || nearly === 'yes' ? ['low', low] : ['high', high];
  return ` Near the threshold of ${formatShare(WORTH_IT)}: the ${end} end saves ${formatShare(saved(times))}, and prices a tenth off would make it ${nearly}.`;
}

/** Memory taken by pages on top; page tables only when they take more. */
function priceOf({ memory: before }: CompareRun, { memory }: CompareRun): string {
  const { wastedBytes, pageTableBytes } = memory;
  const [now, then] = [formatBytes(pageTableBytes), formatBytes(before.pageTableBytes)];
  const tables = pageTableBytes > before.pageTableBytes ? ` Their page tables take ${now}, not ${then}.` : '';
  return `${wastedBytes === 0 ? '' : ` They waste ${formatBytes(wastedBytes)} of memory.`}${tables}`;
}

function adviseOn(verdict: CompareVerdict, base: CompareRun, best: CompareRun, times: Range): string {
  const { translationShare: share } = base.time;
  const places = best.hugeShare === undefined ? '' : ` in ${formatShare(best.hugeShare)} of their places`;
  const gain = `${best.pages} pages${places}: ${formatTimes(times)} in the steady phase`;
  const stake = `translation takes ${formatShares(share)} of the time with ${base.pages} pages`;
  const price = priceOf(base, best);
  const near = nearness(verdict, times);
  if (verdict === 'yes') return `Yes. ${gain}; ${stake}.${near}${price}`;
  if (verdict === 'no') return `No. ${gain}; ${stake}.${near}`;
  return `Between: try it. ${gain}; ${stake}.${near}${price}`;
}

function withFirstTouch(base: CompareRun, best: CompareRun): Range {
  const each = ({ firstTouch, perAccess }: CompareRun): number => firstTouch.ns / Math.max(1, perAccess.accesses);
  return speedupOf(base.time.nsPerAccess, best.time.nsPerAccess, { base: each(base), other: each(best) });
}

/** Judges the runs of one trace, smallest page size first; at least one run. */
export function judge(ground: Ground, runs: readonly CompareRun[]): Judgement {
  const [base, ...others] = runs;
  if (runs.length === 0) throw new RangeError('a verdict needs at least one page size');
  const { touchedBytes } = ground.coverage;
  const timeShare = base.time.translationShare;
  if (others.length === 0) {
    const advice = 'none for one page size alone; compare two, as in --pages 4K,2M.';
    const why = explain(touchedBytes, base, base);
    return { why, verdict: 'none', reason: 'one-page-size', speedup: null, timeShare, withFirstTouch: null, advice };
  }
  const best = bestRun(base, others);
  const times = speedup(base, best);
  const verdict = verdictOn(times);
  const found = {
    why: explain(touchedBytes, base, best),
    pages: best.pages,
    ...(best.hugeShare !== undefined && { hugeShare: best.hugeShare }),
    speedup: times,
    timeShare,
    withFirstTouch: withFirstTouch(base, best),
  };
  const missing = missingGround(ground, base, verdict);
  if (missing !== undefined) return { ...found, verdict: 'none', ...missing };
  const nearly = nearlyOn(times);
  return {
    ...found,
    verdict,
    ...(nearly !== undefined && { nearly }),
    advice: adviseOn(verdict, base, best, times),
  };
}
