/**
 * The processors of one machine, each with TLBs of its own, over the same RAM.
 *
 * Every thread of a process has a processor: the first threads of all processes have the first one, the second threads
 * the second. Beyond {@link PROCESSORS} threads they share. So threads of a process, which run at once, have TLBs of
 * their own. Processes, which take turns, share theirs: a switch drops nothing, since entries are tagged with PCIDs.
 * Source: Intel SDM vol. 3A, "Process-Context Identifiers (PCIDs)".
 */

import { Counters } from '../../../hw/translate/counts/counters.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { CR4_PCIDE, PCID_MASK } from '../../../hw/x86/registers.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';

/** The most processors of a machine. */
export const PROCESSORS = 16;
/** Bit 31 of CR3's high word: keep what the TLB has of the address space. */
const KEEP = 1 << 31;

/** An address space to load. */
export interface LoadedSpace {
  /** Counts from 0 by machine; those that are equal in their low 12 bits share a PCID. */
  readonly number: number;
  /** Frame of its root table. */
  readonly root: number;
}

/** An MMU over the same RAM and tables as another. */
function mmuBeside(first: Mmu, tlb: TlbGeometry): Mmu {
  const mmu = new Mmu({ ram: first.ram, tlb });
  mmu.writeCr3(first.cr3Hi, first.cr3Lo & ~PCID_MASK);
  // PCIDs need long mode first: enter() turns them on.
  mmu.writeCr4(first.cr4 & ~CR4_PCIDE);
  mmu.writeEfer(first.efer);
  mmu.writeCr0(first.cr0);
  return mmu;
}

export class Processors {
  /** The one at work. */
  current: Mmu;
  readonly all: Mmu[];
  /** By processor, the space it has loaded, and the spaces that its PCIDs stood for last. */
  readonly #loaded: (LoadedSpace | undefined)[] = [];
  readonly #owners: Map<number, LoadedSpace>[] = [new Map<number, LoadedSpace>()];

  /**
   * @param first the first processor; absent: one is made beside `like`
   * @param like has RAM and tables
   */
  constructor(
    readonly tlb: TlbGeometry,
    like: Mmu,
    first = mmuBeside(like, tlb),
  ) {
    this.current = first;
    this.all = [first];
  }

  /** A thread of the address space goes on, on its processor. */
  enter(space: LoadedSpace, thread: number): void {
    const index = thread % PROCESSORS;
    while (this.all.length <= index) {
      this.all.push(mmuBeside(this.all[0], this.tlb));
      this.#owners.push(new Map<number, LoadedSpace>());
    }
    this.current = this.all[index];
    if (this.#loaded[index] === space) return;
    const pcid = space.number & PCID_MASK;
    const keep = this.#owners[index].get(pcid) === space ? KEEP : 0;
    const { current } = this;
    if ((current.cr4 & CR4_PCIDE) === 0) current.writeCr4(current.cr4 | CR4_PCIDE);
    current.writeCr3((space.root >>> 20) | keep, (space.root << 12) | pcid);
    this.#loaded[index] = space;
    this.#owners[index].set(pcid, space);
  }

  /** What all of them counted. */
  counters(): Counters {
    const sum = new Counters();
    for (const { counters } of this.all) counters.values.forEach((count, i) => (sum.values[i] += count));
    return sum;
  }

  /** Makes lookups that only warm up: the processor at work counts none of them. */
  uncounted(make: () => void): void {
    const { values } = this.current.counters;
    const before = values.slice();
    make();
    values.set(before);
  }
}
