/** Sentences about the accesses of a comparison, for the terminal and the page alike. */

import type { CompareRun, TraceSummary } from '../results/compare-result.js';
import type { ProgramShare } from '../../trace/coverage.js';
import type { MachinePrices } from '../results/prices.js';
import { formatCount, formatShare, formatTime, formatTimes } from '../output/units.js';

/** The part of its program in a recording; nothing when it is the whole. */
function windowWords({ window }: TraceSummary): string[] {
  if (window === undefined) return [];
  const { skip, accesses, cut, chosen, interrupted } = window;
  if (interrupted === true) return ['Window: the run until somebody interrupted the recording.'];
  const end = !cut ? ', to its end' : chosen ? ', a part chosen on purpose' : ', where --limit ended the recording';
  return [`Window: accesses ${formatCount(skip + 1)} to ${formatCount(skip + accesses)} of the program${end}.`];
}

/** The effect on the figures of counting several processes as one; nothing for one process. */
export function processWords(processes: TraceSummary['coverage']['countedAsOne']): string[] {
  if (processes === 1) return [];
  return [
    processes === 'unknown'
      ? 'How many processes are in it is unknown; a page at the same address in two would count as one.'
      : `${processes} processes are in it, counted as one: a page at the same address in two counts as one, so walks and memory come out too small.`,
  ];
}

/** A part of the run is not in the trace: how far it could move the counts; nothing if all is. */
export function coldWords(runs: readonly CompareRun[]): string[] {
  if (runs.every(({ coldPages }) => coldPages === 0)) return [];
  const each = runs.map(({ pages, coldPages, counts }) => {
    return `${formatCount(coldPages)} of ${formatCount(counts.walks)} walks with ${pages} pages`;
  });
  return [
    `First touches after gaps in the recording: ${each.join(', ')}; in the whole run these may be hits, so the range holds both.`,
  ];
}

/** So many programs or prices are named. */
const NAMED = 6;

/** The programs of a run with their shares; nothing for one alone. */
export function programWords(programs: readonly ProgramShare[]): string[] {
  if (programs.reduce((sum, { addressSpaces }) => sum + addressSpaces, 0) < 2) return [];
  const words = programs.slice(0, NAMED).map(({ program, addressSpaces, share }) => {
    const times = addressSpaces > 1 ? ` (${addressSpaces} address spaces)` : '';
    return `${program}${times} ${formatShare(share)}`;
  });
  const more = programs.length > NAMED ? `, and ${programs.length - NAMED} more` : '';
  return [`Programs, by accesses: ${words.join(', ')}${more}.`];
}

/** Notes on the accesses, to be read before their figures. */
export function groundWords(summary: TraceSummary): string[] {
  const { coverage } = summary;
  return [
    ...windowWords(summary),
    ...coverageWords(summary),
    ...programWords(coverage.programs),
    ...processWords(coverage.countedAsOne),
  ];
}

/** What of its run a recording shows; nothing when it is all of it, or nothing tells. */
function coverageWords({ coverage: { windows, ofRun } }: TraceSummary): string[] {
  if (ofRun === null || ofRun >= 1) return [];
  const parts = windows === 1 ? '1 part' : `${formatCount(windows)} parts`;
  return [`Seen: ${formatShare(ofRun)} of the accesses of the run, in ${parts}.`];
}

/** System time of first touches, and what it does to a run as short as the recorded part; nothing for one page size. */
export function firstTouchWords(summary: TraceSummary, runs: readonly CompareRun[]): string[] {
  const { pages, withFirstTouch } = summary;
  const [base] = runs;
  const best = runs.find((run) => run.pages === pages);
  if (best === undefined || withFirstTouch === null) return [];
  const times = `${formatTime(base.firstTouch.ns)} of system time with ${base.pages} pages, ${formatTime(best.firstTouch.ns)} with ${best.pages}`;
  return [`First touch: ${times}; a run of this part alone is ${formatTimes(withFirstTouch)} with it.`];
}

function listed(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

/** The source of the prices, and the way to a narrow range. */
export function priceWords({ host, nested, source, file }: MachinePrices): string {
  const below = nested === 'none' ? '' : ` In a virtual machine over pages of ${nested}.`;
  if (host !== undefined) return `Prices: measured on ${host.name} (${host.cpu}).${below}`;
  const [name] = source.split(':');
  const own = file === undefined ? '' : `${listed(file.prices)} of ${file.name}, the others `;
  return `Prices: ${own}of a typical ${name}, not measured here: pagewalk calibrate makes the range narrow.${below}`;
}
