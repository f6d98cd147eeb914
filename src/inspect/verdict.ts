/**
 * Would huge pages help? Without a count of accesses nobody can say yes: a process may hold much memory and use little
 * of it. What fits into the TLB with small pages, though, gains nothing from larger ones.
 */

import { PAGE_BYTES, SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import { entriesFor } from '../../hw/tlb/words.js';
import { mainObstacle } from '../regions/backing.js';
import type { Obstacle } from '../regions/backing.js';
import type { RegionKind } from '../regions/region.js';
import type { RegionUsage } from '../regions/usage.js';
import { countOf, formatBytes, formatCount } from '../report/output/units.js';

const HUGE_BYTES = 2 ** SHIFT_2M;

/** The words of `pagewalk compare`; memory alone never makes it `yes`. */
export type BoundVerdict = 'no' | 'between' | 'none';

export interface Bound {
  readonly verdict: BoundVerdict;
  readonly why: string;
  readonly advice: string;
}

/** The memory in question. */
export interface Extent {
  /** `resident`, or `used within a second`. */
  readonly words: string;
  readonly bytes: number;
  /** Mapped by huge entries now. */
  readonly hugeBytes: number;
  /** Huge pages could hold so much more of it, be it after a change of settings or source. */
  readonly couldGainBytes: number;
}

const GAINING: readonly RegionKind[] = ['heap', 'anonymous', 'shared memory'];
/** Another place or another allocator mends these. */
const PLACED: readonly Obstacle[] = ['small', 'unaligned', 'guard', 'offset'];

/** Resident memory of a region, not huge now: a change of settings, program or allocator could make it so. */
export function couldGain({ region, backing, ...usage }: RegionUsage): number {
  const obstacle = backing.bytes > 0 ? undefined : mainObstacle(backing);
  if (!GAINING.includes(region.kind) || obstacle === 'inaccessible') return 0;
  const placed = obstacle !== undefined && PLACED.includes(obstacle);
  return Math.max(0, (placed ? usage.residentBytes : usage.wholeBytes) - usage.hugeBytes);
}

/** Judges by the entries needed for the memory, against those of the TLB's largest level. */
export function boundVerdict({ words, bytes, hugeBytes, couldGainBytes }: Extent, tlb: TlbGeometry): Bound {
  if (bytes === 0)
    return { verdict: 'none', why: `Nothing is ${words}.`, advice: 'none: there is no memory to judge.' };
  const entries = entriesFor(tlb, SHIFT_4K);
  const needed = Math.ceil((bytes - hugeBytes) / PAGE_BYTES);
  const huge = Math.ceil(hugeBytes / HUGE_BYTES);
  const also = huge === 0 ? '' : ` and ${formatCount(huge)} of 2M`;
  const needs = `${formatBytes(bytes)} ${words} needs ${countOf(needed, 'entry', 'entries')} of 4K${also}`;
  const why = `${needs}; the TLB (${tlb.name}) holds ${formatCount(entries)} of 4K.`;
  if (needed + huge <= entries) {
    return { verdict: 'no', why, advice: 'No, huge pages would hardly help: all fits into the TLB already.' };
  }
  if (couldGainBytes < HUGE_BYTES) {
    const rest = hugeBytes > 0 ? 'what could be huge is huge already' : 'none of it could be huge';
    return { verdict: 'no', why, advice: `No, huge pages would not help more: ${rest}.` };
  }
  const advice = `Between: up to ${formatBytes(couldGainBytes)} more could be huge, and how much of it is used how often is not known. Try it: pagewalk try; or record it: pagewalk record.`;
  return { verdict: 'between', why, advice };
}
