/** A process of the segmented kernel: a segment table of its own, and its part of the common one. */

import type { SegmentEntry, SegmentTable } from './segment-table.js';

export class SegmentProcess {
  /** The process's descriptors in the GDT: segments with one master descriptor for all sharers. */
  readonly masters = new Set<SegmentEntry>();
  alive = true;

  constructor(
    readonly pid: number,
    readonly parent: SegmentProcess | null,
    readonly table: SegmentTable,
  ) {}

  /** The process's entry under `selector`. */
  entry(selector: number): SegmentEntry | undefined {
    const local = this.table.at(selector);
    if (local?.selector === selector) return local;
    for (const master of this.masters) if (master.selector === selector) return master;
    return undefined;
  }
}
