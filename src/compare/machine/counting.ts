/** TLB counts of a trace alone: no caches of data, so nobody listens to misses. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import type { SweepCounts } from '../../report/results/sweep-result.js';
import { AccessTally, type Trace } from '../../trace/block.js';
import { Recorded } from '../../trace/recorded.js';
import type { ReplayMachine } from './machine.js';
import type { Processors } from './processors.js';
import { replay } from './replay.js';
import { Resident } from './resident.js';

/** What the machines counted. */
export interface Counted {
  /** By machine, and by its processors. */
  readonly counts: readonly (readonly SweepCounts[])[];
  /** Bytes of the 4 KiB pages touched. */
  readonly touchedBytes: number;
}

/**
 * Replays a trace in one pass on some machines, or on one with several kinds of processors. These share RAM and page tables.
 * All entries are accessed and dirty before any processor looks: so none can change the counts of another.
 * @param processorsOf a machine: its own first
 * @param onBlock called after each block with the accesses so far
 * @throws TraceError, OutOfModelMemory
 */
export async function countLookups(
  trace: Trace,
  machines: readonly ReplayMachine[],
  processorsOf: (machine: ReplayMachine) => readonly Processors[] = ({ processors }) => [processors],
  onBlock?: (done: number) => Promise<void>,
): Promise<Counted> {
  const beside = machines.flatMap((machine) => processorsOf(machine).slice(1));
  const resident = new Resident(machines, { beside: beside.map(({ current }) => current) });
  const counted = new AccessTally();
  let done = 0;
  for await (const block of trace) {
    if (!block.warmUp) counted.add(block);
    const lookups = resident.prepare(block);
    for (const machine of machines) {
      const own = resident.lookupsOf(machine, block, lookups);
      for (const processors of processorsOf(machine)) {
        processors.enter(machine.loaded, block.thread);
        const make = (): void => {
          replay(processors.current, own);
        };
        if (block.warmUp) processors.uncounted(make);
        else make();
      }
    }
    done += block.length;
    await onBlock?.(done);
  }
  const { data: accesses } = resident.finder.made(counted);
  const { processes, countedAsOne } = trace instanceof Recorded ? trace : { processes: 1, countedAsOne: 1 };
  const counts = machines.map((machine) =>
    processorsOf(machine).map((processors) => {
      const { lookups, l1Hits, l2Hits, walks, entryReads } = machine.countsOf(processors).data;
      return { processes, countedAsOne, accesses, lookups, l1Hits, l2Hits, walks, entryReads };
    }),
  );
  return { counts, touchedBytes: resident.pages * PAGE_BYTES };
}
