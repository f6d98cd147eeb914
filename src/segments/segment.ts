/** A segment: one contiguous piece of memory, and everyone with access. */

import type { SegmentEntry } from './segment-table.js';

/** {@link Segment.base} of a segment that is swapped out. */
export const SWAPPED_OUT = -1;

export class Segment {
  /** Physical address of byte 0, or {@link SWAPPED_OUT}. */
  base = SWAPPED_OUT;
  /** The entries with descriptors to it: when the segment moves, all of them are written again. */
  readonly entries = new Set<SegmentEntry>();
  /** The contents, while they are not in memory. */
  swapped: Int32Array | null = null;

  /**
   * @param bytes valid bytes: the limit is one less
   * @param asked bytes the program asked for; the rest is lost inside
   * @param room bytes taken from the arena
   */
  constructor(
    readonly id: number,
    public bytes: number,
    public asked: number,
    public room: number,
  ) {}

  get present(): boolean {
    return this.swapped === null;
  }

  /** Processes with access to the segment, by any entry. */
  get references(): number {
    let count = 0;
    for (const entry of this.entries) count += entry.holders;
    return count;
  }
}
