/** A process: an address space, a place in the tree of processes, and an end. */

import type { AddressSpace } from './model.js';

/** The largest page for a region of the process, if the region covers one. */
export type PagePolicy = '4K' | '2M' | '1G';

/** A process; its `space` is null once it has ended. */
export class Process {
  /** Null once the process has ended. */
  space: AddressSpace | null;
  readonly children = new Set<Process>();
  /** The vfork child in this process's memory, for the time being. */
  waitsFor: Process | null = null;
  /** Status given to exit, or the negated signal of signal.ts, if one killed it. */
  status = 0;

  constructor(
    readonly pid: number,
    public parent: Process | null,
    space: AddressSpace,
    readonly pages: PagePolicy,
  ) {
    this.space = space;
    parent?.children.add(this);
  }

  /** Whether it has not ended. */
  get alive(): boolean {
    return this.space !== null;
  }
}
