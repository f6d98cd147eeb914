/** A process of the segmented kernel: a segment table of its own, and what it reaches through the common one. */

import type { SegmentEntry, SegmentTable } from './segment-table.js';

export class SegmentProcess {
  /** Descriptors in the GDT that the process holds: segments with one master descriptor for all who share them. */
  readonly masters = new Set<SegmentEntry>();
  alive = true;

  constructor(
    readonly pid: number,
    readonly parent: SegmentProcess | null,
    readonly table: SegmentTable,
  ) {}

  /** The entry that the process may name by `selector`. */
  entry(selector: number): SegmentEntry | undefined {
    const local = this.table.at(selector);
    if (local?.selector === selector) return local;
    for (const master of this.masters) if (master.selector === selector) return master;
    return undefined;
  }
}
