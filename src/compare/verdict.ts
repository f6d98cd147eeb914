/** From figures to words: why the page sizes differ, and whether huge pages would help. */

import type { CompareRun, CompareVerdict } from '../report/compare-result.js';
import { countOf, formatBytes, formatCount, formatShare, formatShort } from '../report/units.js';

/**
 * Model cycles saved per access that make a difference: programs make an access every one to three cycles, so half a
 * cycle is tens of per cent of such a program, and a tenth of a cycle a few. Judgement, not measurement.
 */
const WORTH_IT = 0.5;
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

function explainReach(touchedBytes: number, base: CompareRun, best: CompareRun): string {
  const touched = formatBytes(touchedBytes);
  const need = (run: CompareRun): string => countOf(run.reach.entriesNeeded, 'entry', 'entries');
  const held = ({ pages, reach }: CompareRun): string => `${formatCount(reach.entries)} of ${pages}`;
  if (base === best) return `${touched} needs ${need(base)} of ${base.pages}; the TLB holds ${held(base)}.`;
  const instead = `${need(best)} of ${best.pages}, not ${formatCount(base.reach.entriesNeeded)} of ${base.pages}`;
  return `${touched} needs ${instead}; the TLB holds ${held(best)} or ${held(base)}.`;
}

function advise(touchedBytes: number, base: CompareRun, best: CompareRun, verdict: CompareVerdict): string {
  const cost = `${formatShort(base.perAccess.cycles)} model cycles an access`;
  if (verdict === 'no') {
    return `No, huge pages would hardly help: translation with ${base.pages} pages takes ${cost}, and at most ${formatShort(Math.max(0, saving(base, best)))} of them could be saved.`;
  }
  const saved = formatShort(saving(base, best));
  const share = formatShare(saving(base, best) / base.perAccess.cycles);
  const { wastedBytes } = best.memory;
  const price = `${wastedBytes > touchedBytes ? 'but' : 'and'} waste ${formatBytes(wastedBytes)} of memory`;
  const answer = verdict === 'yes' ? 'Yes, huge pages would help' : 'Huge pages would help a little';
  return `${answer}: ${best.pages} pages save ${saved} of ${cost} (${share}) ${price}.`;
}

/** Judges the runs of one trace, smallest page size first; at least one run. */
export function judge(touchedBytes: number, runs: readonly CompareRun[]): Verdict {
  const [base, ...others] = runs;
  if (runs.length === 0) throw new RangeError('a verdict needs at least one page size');
  const best = bestRun(base, others);
  const why = explainReach(touchedBytes, base, best);
  if (others.length === 0) {
    return { why, verdict: 'unknown', advice: 'compare two page sizes or more to get one, as in --pages 4K,2M.' };
  }
  const saved = saving(base, best);
  const verdict = saved >= WORTH_IT ? 'yes' : saved >= NOTICEABLE ? 'slightly' : 'no';
  return { why, verdict, advice: advise(touchedBytes, base, best, verdict) };
}
