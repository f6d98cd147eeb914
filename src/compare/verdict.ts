/** From figures to words: why the page sizes differ, and whether huge pages would help. */

import type { CompareRun, CompareVerdict, NoVerdict, TraceSummary } from '../report/compare-result.js';
import { countOf, formatBytes, formatCount, formatShare, formatShort } from '../report/units.js';

/**
 * The least saving of walks to make a difference, in model cycles per access. Programs spend about two cycles an
 * access, at an instruction a cycle with an access in every other one, so these are a tenth and a twentieth. Judgement,
 * not measurement.
 */
const WORTH_IT = 0.2;
const NOTICEABLE = 0.1;
/** The smallest page size that brings this share of the best saving is the one to advise: larger ones waste more. */
const NEARLY_ALL = 0.9;

/** Facts about the accesses, besides their counts. */
export type Ground = Pick<TraceSummary, 'touchedBytes' | 'processes' | 'window' | 'unseen'>;

export interface Verdict {
  readonly why: string;
  readonly verdict: CompareVerdict;
  /** Why there is none. */
  readonly reason?: NoVerdict;
  readonly advice: string;
}

function saving(base: CompareRun, run: CompareRun): number {
  return base.perAccess.cycles - run.perAccess.cycles;
}

/**
 * The part of a saving felt by a program: walks. Hits of the second level are no part of it, since processors hide
 * their few cycles behind other work: programs with no other saving ran 0.999 and 1.02 times as fast.
 */
function walksSaved(base: CompareRun, run: CompareRun): number {
  return base.perAccess.walkCycles - run.perAccess.walkCycles;
}

/** The same without the first walk for each page. A page comes once; the less is recorded, the more its walk weighs. */
function laterWalksSaved(base: CompareRun, run: CompareRun): number {
  const later = ({ counts, reach, perAccess }: CompareRun): number =>
    counts.walks === 0 ? 0 : perAccess.walkCycles * Math.max(0, 1 - reach.entriesNeeded / counts.walks);
  return later(base) - later(run);
}

type Gain = (base: CompareRun, run: CompareRun) => number;

function bestBy(gain: Gain, base: CompareRun, others: readonly CompareRun[]): CompareRun {
  const most = Math.max(0, ...others.map((run) => gain(base, run)));
  return others.find((run) => most > 0 && gain(base, run) >= NEARLY_ALL * most) ?? base;
}

/** The page size to advise instead of the smallest one, or that one when nothing saves anything. */
function bestRun(base: CompareRun, others: readonly CompareRun[]): CompareRun {
  const best = bestBy(walksSaved, base, others);
  return walksSaved(base, best) >= NOTICEABLE ? best : bestBy(saving, base, others);
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
  const saved = formatShort(Math.max(0, saving(base, best)));
  const cost = `${formatShort(base.perAccess.cycles)} model cycles an access`;
  const why =
    base.perAccess.cycles < NOTICEABLE
      ? `with ${base.pages} pages translation takes only ${cost}`
      : saving(base, best) < NOTICEABLE
        ? `they save ${saved} of ${cost}`
        : `of the ${saved} model cycles an access that ${best.pages} pages save, ` +
          `${formatShort(Math.max(0, walksSaved(base, best)))} are walks; the rest are L2 TLB hits, which processors hide`;
  return `No, huge pages would hardly help: ${why}.`;
}

function adviseFor(touchedBytes: number, base: CompareRun, best: CompareRun, answer: string): string {
  const saved = formatShort(walksSaved(base, best));
  const cost = `${formatShort(base.perAccess.cycles)} model cycles of translation an access`;
  const share = `${formatShare(walksSaved(base, best) / base.perAccess.cycles)} of those, not of run time`;
  const { wastedBytes } = best.memory;
  const price = `${wastedBytes > touchedBytes ? 'but' : 'and'} waste ${formatBytes(wastedBytes)} of memory`;
  return `${answer}: ${best.pages} pages save walks, ${saved} of ${cost} (${share}), ${price}.`;
}

/** Why the ground for a verdict is missing, in a word and in a sentence; undefined when it is there. */
function missingGround(
  { processes, window, unseen = 0 }: Ground,
  base: CompareRun,
  best: CompareRun | undefined,
): { reason: NoVerdict; advice: string } | undefined {
  if (best === undefined) {
    return { reason: 'one-page-size', advice: 'none for one page size alone; compare two, as in --pages 4K,2M.' };
  }
  if (unseen > 0) {
    const advice = `none: ${countOf(unseen, 'program')} left the emulator, and what came after is missing; record with --engine valgrind.`;
    return { reason: 'unseen', advice };
  }
  if (processes !== 'unknown' && processes > 1) {
    const advice = `none: ${processes} processes are counted as one, as if they shared their pages; record one alone.`;
    return { reason: 'several-processes', advice };
  }
  if (window?.cut === true && !window.chosen) {
    const advice = `none: --limit cut the recording at ${formatCount(window.accesses)} accesses, and the program may do otherwise later; record all of it.`;
    return { reason: 'cut', advice };
  }
  if (walksSaved(base, best) >= NOTICEABLE && laterWalksSaved(base, best) < NOTICEABLE) {
    const advice = 'none: nearly all walks are the first ones to their pages, which come once; take a longer run.';
    return { reason: 'first-touches', advice };
  }
  return undefined;
}

/** Judges the runs of one trace, smallest page size first; at least one run. */
export function judge(ground: Ground, runs: readonly CompareRun[]): Verdict {
  const [base, ...others] = runs;
  if (runs.length === 0) throw new RangeError('a verdict needs at least one page size');
  const { touchedBytes } = ground;
  const best = bestRun(base, others);
  const helps = Math.max(saving(base, best), walksSaved(base, best)) >= NOTICEABLE;
  const why = helps ? explainPair(touchedBytes, base, best) : explainAlone(touchedBytes, base);
  const missing = missingGround(ground, base, others.length === 0 ? undefined : best);
  if (missing !== undefined) return { why, verdict: 'unknown', ...missing };
  const saved = Math.min(walksSaved(base, best), laterWalksSaved(base, best));
  if (saved < NOTICEABLE) return { why, verdict: 'no', advice: adviseAgainst(base, best) };
  const verdict = saved >= WORTH_IT ? 'yes' : 'slightly';
  const answer = verdict === 'yes' ? 'Yes, huge pages would help' : 'Huge pages would help a little';
  return { why, verdict, advice: adviseFor(touchedBytes, base, best, answer) };
}
