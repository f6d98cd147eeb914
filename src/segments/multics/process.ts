/** A Multics process: a descriptor segment per ring, a table of known segments, linkage sections and stacks. */

import type { SegmentProcess } from '../process.js';
import type { NamedSegment } from './directory.js';
import { descriptorKind } from './rings.js';
import type { RingBrackets } from './rings.js';
import type { SegmentKind } from '../sharing.js';

/** A segment with a number in this process: a named one, or one of the process's own (stacks, linkage sections). */
export class KnownSegment {
  /**
   * @param holder its table has the segment under `selector`: the storage system's, or the process's own
   * @param named null for a segment of the process's own: data for its ring and the rings within
   */
  constructor(
    readonly number: number,
    readonly holder: SegmentProcess,
    readonly selector: number,
    readonly named: NamedSegment | null,
    readonly brackets: RingBrackets,
  ) {}

  /** The rights of the descriptor for `ring`; undefined for none. */
  kindFor(ring: number): SegmentKind | undefined {
    return descriptorKind(ring, this.brackets, this.named?.kind ?? 'data');
  }
}

/** A call through a gate, not returned yet. */
export interface GateFrame {
  readonly ring: number;
  /** Number of the caller's code, its next offset, and its stack pointer. */
  readonly procedure: number;
  readonly offset: number;
  readonly stackPointer: number;
}

export class MulticsProcess {
  /** By ring; a ring gets its table when the process first runs in it. */
  readonly rings: (SegmentProcess | null)[];
  /** The known-segment table. */
  readonly known: KnownSegment[] = [];
  /** Numbers of linkage sections, by ring and number of the procedure. */
  readonly linkage = new Map<string, number>();
  /** Number of the stack segment and stack pointer, by ring. */
  readonly stacks: { number: number; pointer: number }[] = [];
  readonly gateFrames: GateFrame[] = [];
  ring = 0;
  /** Number of the running procedure, and its offset. */
  procedure = 0;
  offset = 0;

  /** @param home holds the segments of the process's own */
  constructor(
    readonly home: SegmentProcess,
    rings: number,
  ) {
    this.rings = new Array<SegmentProcess | null>(rings).fill(null);
  }

  /** The number of a named segment; undefined while it is not known. */
  numberOf(name: string): number | undefined {
    return this.known.find((segment) => segment.named?.name === name)?.number;
  }
}
