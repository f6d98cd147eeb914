/** From figures to words: why the page sizes differ, and whether huge pages would help. */

import type { CompareRun, CompareVerdict } from '../report/compare-result.js';
import { countOf, formatBytes, formatCount, formatShare, formatShort } from '../report/units.js';

/**
 * Model cycles saved per access that make a difference. Programs spend about two cycles an access, at an instruction a
 * cycle with an access in every other one, so these are a tenth and a twentieth. Judgement, not measurement.
 */
const WORTH_IT = 0.2;
const NOTICEABLE = 0.1;
/** The smallest page size that brings this share of the best saving is the one to advise: larger ones waste more. */
const NEARLY_ALL = 0.9;

export interface Verdict {
  readonly why: string;
  readonly verdict: CompareVerdict;
  readonly advice: string;
}

function saving(base: CompareRun, run: CompareRun): number {
  return base.perAccess.cycles - run.perAccess.cycles;
}

/** The page size to advise instead of the smallest one, or that one when nothing saves anything. */
function bestRun(base: CompareRun, others: readonly CompareRun[]): CompareRun {
  const most = Math.max(0, ...others.map((run) => saving(base, run)));
  return others.find((run) => most > 0 && saving(base, run) >= NEARLY_ALL * most) ?? base;
}

function needs({ pages, reach }: CompareRun): string {
  return `${countOf(reach.entriesNeeded, 'entry', 'entries')} of ${pages}`;
}

function holds({ pages, reach }: CompareRun): string {
  return `${formatCount(reach.entries)} of ${pages}`;
}

/** Why larger pages change little: what the small ones need fits, or no size makes it fit. */
function explainAlone(touchedBytes: number, base: CompareRun): string {
  const fits = base.reach.entriesNeeded <= base.reach.entries ? ': all fit' : '';
  return `${formatBytes(touchedBytes)} needs ${needs(base)}; the TLB holds ${holds(base)}${fits}.`;
}

function explainPair(touchedBytes: number, base: CompareRun, best: CompareRun): string {
  const instead = `${needs(best)}, not ${formatCount(base.reach.entriesNeeded)} of ${base.pages}`;
  return `${formatBytes(touchedBytes)} needs ${instead}; the TLB holds ${holds(best)} or ${holds(base)}.`;
}

function adviseAgainst(base: CompareRun, best: CompareRun): string {
  const cost = `${formatShort(base.perAccess.cycles)} model cycles an access`;
  return base.perAccess.cycles < NOTICEABLE
    ? `No, huge pages would hardly help: with ${base.pages} pages translation takes only ${cost}.`
    : `No, huge pages would hardly help: they save ${formatShort(Math.max(0, saving(base, best)))} of ${cost}.`;
}

function adviseFor(touchedBytes: number, base: CompareRun, best: CompareRun, answer: string): string {
  const cost = `${formatShort(base.perAccess.cycles)} model cycles an access`;
  const saved = formatShort(saving(base, best));
  const share = formatShare(saving(base, best) / base.perAccess.cycles);
  const { wastedBytes } = best.memory;
  const price = `${wastedBytes > touchedBytes ? 'but' : 'and'} waste ${formatBytes(wastedBytes)} of memory`;
  return `${answer}: ${best.pages} pages save ${saved} of ${cost} (${share}) ${price}.`;
}

/** Judges the runs of one trace, smallest page size first; at least one run. */
export function judge(touchedBytes: number, runs: readonly CompareRun[]): Verdict {
  const [base, ...others] = runs;
  if (runs.length === 0) throw new RangeError('a verdict needs at least one page size');
  if (others.length === 0) {
    const advice = 'none for one page size alone; compare two, as in --pages 4K,2M.';
    return { why: explainAlone(touchedBytes, base), verdict: 'unknown', advice };
  }
  const best = bestRun(base, others);
  const saved = saving(base, best);
  if (saved < NOTICEABLE) {
    return { why: explainAlone(touchedBytes, base), verdict: 'no', advice: adviseAgainst(base, best) };
  }
  const verdict = saved >= WORTH_IT ? 'yes' : 'slightly';
  const answer = verdict === 'yes' ? 'Yes, huge pages would help' : 'Huge pages would help a little';
  return {
    why: explainPair(touchedBytes, base, best),
    verdict,
    advice: adviseFor(touchedBytes, base, best, answer),
  };
}
