/**
 * One worker's share of a sweep: a trace, a page size and some TLB shapes, replayed together in one pass.
 *
 * The shapes share RAM and page tables. All entries are accessed and dirty before any shape looks: so no shape can
 * change the counts of another, and its company does not matter.
 */

import { pageSizeName } from '../../../hw/base/address.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { AccessTally } from '../../trace/block.js';
import { openNamed, type NamedTrace } from '../../trace/node/named.js';
import { Recorded } from '../../trace/recorded.js';
import type { SweepCounts } from '../../report/results/sweep-result.js';
import { ReplayMachine, OutOfModelMemory } from '../machine/machine.js';
import { Processors } from '../machine/processors.js';
import { replay } from '../machine/replay.js';
import { Resident } from '../machine/resident.js';

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
export default async function runSweepTask({ trace: source, shift, tlbs }: SweepTask): Promise<SweepCounts[]> {
  const machine = new ReplayMachine(shift, parseTlb(tlbs[0]));
  const all = tlbs.map((tlb, i) => (i === 0 ? machine.processors : new Processors(parseTlb(tlb), machine.mmu)));
  const resident = new Resident([machine], { beside: all.slice(1).map(({ current }) => current) });
  const trace = openNamed(source);
  const counted = new AccessTally();
  try {
    for await (const block of trace) {
      if (!block.warmUp) counted.add(block);
      const lookups = resident.prepare(block).of(shift);
      for (const processors of all) {
        processors.enter(machine.loaded, block.thread);
        const make = (): void => {
          replay(processors.current, lookups);
        };
        if (block.warmUp) processors.uncounted(make);
        else make();
      }
    }
  } catch (error) {
    // Classes of errors do not survive the way back from a worker thread; words do.
    if (!(error instanceof OutOfModelMemory)) throw error;
    const size = pageSizeName(shift);
    throw new Error(
      `--pages ${size}: the model's RAM holds too few ${size} pages for '${source.name}'; leave ${size} out`,
      { cause: error },
    );
  }
  const { data: accesses } = resident.finder.made(counted);
  const { processes, countedAsOne } = trace instanceof Recorded ? trace : { processes: 1, countedAsOne: 1 };
  return all.map((processors) => {
    const { lookups, l1Hits, l2Hits, walks, entryReads } = processors.counters().snapshot().data;
    return { processes, countedAsOne, accesses, lookups, l1Hits, l2Hits, walks, entryReads };
  });
}
