/** Sentences about the accesses of a comparison, for the terminal and the page alike. */

import type { TraceSummary } from '../compare-result.js';
import { formatCount } from '../units.js';

/** The part of its program in a recording; nothing when it is the whole. */
function windowWords({ window }: TraceSummary): string[] {
  if (window === undefined) return [];
  const { skip, accesses, cut, chosen } = window;
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

/** Notes on the accesses, to be read before their figures. */
export function groundWords(summary: TraceSummary): string[] {
  return [...windowWords(summary), ...processWords(summary.coverage.countedAsOne)];
}
