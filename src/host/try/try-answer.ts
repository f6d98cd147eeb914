/** From the figures of `pagewalk try` to words. */

import type { TryResult } from '../../report/results/try-result.js';
import { countOf, formatBytes, formatShort } from '../../report/output/units.js';
import { verdictOn } from '../../report/results/worth-it.js';
import type { Run } from './launch.js';
import { loadNote } from '../other-load.js';
import type { Ratio } from '../ratio.js';
import { hasTunable } from '../thp.js';

type Figures = Pick<TryResult, 'system' | 'means' | 'pairs' | 'speedup' | 'sides'>;
type Verdict = TryResult['verdict'];

/** Fewer pairs give no verdict: their range would hold the median too seldom. */
export const LEAST_PAIRS = 5;
/** With a smaller share of anonymous memory in huge pages they were not really there. */
const LEAST_HUGE = 0.1;
/** Below this share it is worth a word: not all memory was in huge pages. */
const MOSTLY_HUGE = 0.5;
/** User time of a run in seconds; with less, clock ticks tell it from system time badly. */
const LONG_ENOUGH = 0.1;

function times({ median, low, high }: Ratio): string {
  return `${median.toFixed(2)} times as fast (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** Why huge pages were not there. */
function missingHuge({ system, means }: Figures, anonymous: number): string {
  const { hugePageBytes } = system;
  if (anonymous < 2 * hugePageBytes) {
    return `the command is too small for huge pages of ${formatBytes(hugePageBytes)}; give it more to do`;
  }
  if (!means.some((mean) => mean.includes('LD_PRELOAD')) && system.setting !== 'always') {
    return (
      'the command does not load the library that asks for them, as static programs do not; ' +
      'it has to call madvise itself, or the system be set to always'
    );
  }
  const small = `its memory comes in pieces smaller than ${formatBytes(hugePageBytes)}`;
  // Arenas of threads grow by mprotect; the request is only for their first part.
  const malloc = hasTunable(system)
    ? 'from malloc in threads (GLIBC_TUNABLES=glibc.malloc.arena_max=1 gives them one heap)'
    : 'from a malloc without a setting for huge pages';
  return `${small}, ${malloc}, or the system has no huge page free`;
}

/** Why the figures are no answer; undefined when they are. */
function whyNone(figures: Figures): string | undefined {
  const { pairs, speedup, sides } = figures;
  const [base, huge] = sides;
  if (pairs < LEAST_PAIRS) return `${countOf(pairs, 'pair')} cannot tell; give --pairs ${LEAST_PAIRS} or more`;
  if (speedup.user === null) return 'the command takes too little user time to measure; give it more to do';
  if (huge.memory === null) {
    return 'its memory could not be seen: the command ends too soon, or runs as another user';
  }
  if (base.memory !== null && base.memory.huge > 0) {
    return `with PR_SET_THP_DISABLE too, ${formatBytes(base.memory.huge)} were in huge pages: this kernel does not obey it`;
  }
  const { huge: inHuge, anonymous } = huge.memory;
  if (inHuge < LEAST_HUGE * anonymous) {
    return `${formatBytes(inHuge)} of ${formatBytes(anonymous)} were in huge pages: ${missingHuge(figures, anonymous)}`;
  }
  return undefined;
}

/** The verdict on user time, and a sentence for it. */
export function answerOf(figures: Figures): { verdict: Verdict; answer: string } {
  const none = whyNone(figures);
  const { speedup, sides, pairs } = figures;
  const { memory } = sides[1];
  if (none !== undefined || speedup.user === null || memory === null) {
    return { verdict: 'none', answer: `No answer: ${none}.` };
  }
  const verdict = verdictOn(speedup.user);
  const lead = { yes: 'Yes', no: 'No', between: 'Between yes and no' }[verdict];
  const measured = `with huge pages ${times(speedup.user)}, user time, ${countOf(pairs, 'pair')}`;
  const share = `${formatBytes(memory.huge)} of ${formatBytes(memory.anonymous)} were huge`;
  const more = verdict === 'between' ? '; more pairs narrow the range' : '';
  return { verdict, answer: `${lead}: ${measured}; ${share}${more}.` };
}

function totalNote({ speedup: { user, total } }: Figures): string[] {
  if (user === null || total === null || verdictOn(user) === verdictOn(total)) return [];
  return [`user and system time together: ${times(total)}; making huge pages is system time.`];
}

function shareNote({ sides: [, { memory }] }: Figures): string[] {
  if (memory === null || memory.huge >= MOSTLY_HUGE * memory.anonymous) return [];
  return memory.huge < LEAST_HUGE * memory.anonymous
    ? []
    : ['most memory had no huge pages; with more, more may change.'];
}

/** Facts to know before trusting the figures, a sentence each. */
export function notesOf(figures: Figures, runs: readonly Run[], others: number): string[] {
  const notes = [...totalNote(figures), ...shareNote(figures)];
  const outputs = new Set(runs.map(({ output }) => output)).size;
  if (outputs > 1) {
    notes.push(
      `the command printed ${outputs} different outputs in ${runs.length} runs: times and the like, or different work.`,
    );
  }
  const failed = runs.filter(({ exitCode, signal }) => exitCode !== 0 || signal !== 0).length;
  if (failed > 0) notes.push(`${countOf(failed, 'run')} failed, and counted nevertheless.`);
  const left = Math.max(0, ...runs.map(({ leftRunning }) => leftRunning));
  if (left > 0)
    notes.push(`${countOf(left, 'process', 'processes')} still ran when the command had ended, and were ended.`);
  const [{ user }] = figures.sides;
  if (user > 0 && user < LONG_ENOUGH) {
    notes.push(
      `a run takes ${formatShort(user)} s of user time, told from system time by clock ticks; give it more to do.`,
    );
  }
  const busy = loadNote(others);
  return busy === undefined ? notes : [...notes, `${busy}.`];
}
