/**
 * The processors of one machine, each with TLBs of its own, over the same RAM.
 *
 * Every thread of a process has a processor: the first threads of all processes have the first one, the second threads
 * the second. Beyond {@link PROCESSORS} threads they share. So threads of a process, which run at once, have TLBs of
 * their own. Processes, which take turns, share theirs: a switch drops nothing, since entries are tagged with PCIDs or ASIDs.
 * Source: Intel SDM vol. 3A, "Process-Context Identifiers (PCIDs)".
 */

import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { Counters } from '../../../hw/translate/counts/counters.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import { SPACE_BITS } from './targets/target.js';
import type { LoadedSpace, ReplayTarget } from './targets/target.js';

/** The most processors of a machine. */
export const PROCESSORS = 16;

export class Processors<P extends TranslatingMachine = TranslatingMachine> {
  /** The one at work. */
  current: P;
  readonly all: P[];
  /** By processor, the space it has loaded, and the spaces that its numbers of address spaces stood for last. */
  readonly #loaded: (LoadedSpace | undefined)[] = [];
  readonly #owners: Map<number, LoadedSpace>[] = [new Map<number, LoadedSpace>()];

  /**
   * @param first the first processor; absent: one is made beside `like`
   * @param like has RAM and tables
   */
  constructor(
    readonly tlb: TlbGeometry,
    like: P,
    private readonly target: ReplayTarget<P>,
    first = target.beside(like, tlb),
  ) {
    this.current = first;
    this.all = [first];
  }

  /** A thread of the address space goes on, on its processor. */
  enter(space: LoadedSpace, thread: number): void {
    const index = thread % PROCESSORS;
    while (this.all.length <= index) {
      this.all.push(this.target.beside(this.all[0], this.tlb));
      this.#owners.push(new Map<number, LoadedSpace>());
    }
    this.current = this.all[index];
    if (this.#loaded[index] === space) return;
    const number = space.number % 2 ** SPACE_BITS;
    this.target.load(this.current, space, this.#owners[index].get(number) === space);
    this.#loaded[index] = space;
    this.#owners[index].set(number, space);
  }

  /** What all of them counted. */
  counters(): Counters {
    const sum = new Counters();
    for (const { counters } of this.all) counters.values.forEach((count, i) => (sum.values[i] += count));
    return sum;
  }

  /** Makes lookups that only warm up: the processor at work counts none of them. */
  uncounted(make: () => void): void {
    const { counters } = this.current;
    const before = counters.values.slice();
    make();
    // Hot loops may have moved the values meanwhile.
    counters.values.set(before);
  }
}
