/**
 * Ring brackets: the rights of a ring to a segment.
 *
 * A segment has three numbers R1 <= R2 <= R3. Rings up to R1 may write, rings up to R2 may read; a procedure executes
 * in rings R1 to R2, and rings above R2 up to R3 may call it at its gates. Such a call goes to ring R2.
 * Source: Schroeder and Saltzer, "A Hardware Architecture for Implementing Protection Rings" (1972).
 */

import type { SegmentKind } from '../sharing.js';

/** Rings 0 (the supervisor's core) to 7. */
export const RINGS = 8;

export interface RingBrackets {
  readonly r1: number;
  readonly r2: number;
  readonly r3: number;
}

/** A segment of code, or one of data. */
export type MulticsKind = 'procedure' | 'data';

/** How a ring gets into a called procedure. */
export type Entry = 'direct' | 'gate' | 'refused';

/**
 * The descriptor of a ring: the rights that need no question to the gatekeeper. Undefined if the ring may do nothing on
 * its own: it then has no descriptor at all.
 */
export function descriptorKind(ring: number, { r1, r2 }: RingBrackets, kind: MulticsKind): SegmentKind | undefined {
  if (ring > r2) return undefined;
  if (kind === 'data') return ring <= r1 ? 'data' : 'constants';
  // Below R1 a procedure is only read: calls outward are not supported.
  return ring >= r1 ? 'code' : 'constants';
}

/** The sort of a call from `ring` to a procedure. */
export function entryFrom(ring: number, { r1, r2, r3 }: RingBrackets): Entry {
  if (ring >= r1 && ring <= r2) return 'direct';
  return ring > r2 && ring <= r3 ? 'gate' : 'refused';
}
