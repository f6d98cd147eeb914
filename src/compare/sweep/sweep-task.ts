/** One worker's share of a sweep: a trace, a page size and some TLB shapes, replayed together in one pass. */

import { pageSizeName } from '../../../hw/base/address.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { openNamed, type NamedTrace } from '../../trace/node/named.js';
import type { SweepCounts } from '../../report/results/sweep-result.js';
import { countLookups } from '../machine/counting.js';
import { OutOfModelMemory } from '../machine/machine.js';
import { makeMachine } from '../machine/make-machine.js';

/** A trace, to be opened by every worker for itself. */
export type SweepTrace = NamedTrace;

export interface SweepTask {
  readonly trace: SweepTrace;
  /** log2 of the page size. */
  readonly shift: number;
  /** TLB shapes as text. */
  readonly tlbs: readonly string[];
}

/**
 * Counts of every shape of the task, in their order.
 * @throws TraceError, OutOfModelMemory as compare does
 */
export default async function runSweepTask({ trace: source, shift, tlbs }: SweepTask): Promise<readonly SweepCounts[]> {
  const machine = makeMachine(shift, parseTlb(tlbs[0]));
  const all = tlbs.map((tlb, i) => (i === 0 ? machine.processors : machine.beside(parseTlb(tlb))));
  try {
    return (await countLookups(openNamed(source), [machine], () => all)).counts[0];
  } catch (error) {
    // Classes of errors do not survive the way back from a worker thread; words do.
    if (!(error instanceof OutOfModelMemory)) throw error;
    const size = pageSizeName(shift);
    throw new Error(
      `--pages ${size}: the model's RAM holds too few ${size} pages for '${source.name}'; leave ${size} out`,
      { cause: error },
    );
  }
}
