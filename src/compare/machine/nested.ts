/** TLBs of a virtual machine: they hold the guest's translation and the host's in one, so no more than the smaller page. */

import { SHIFT_4K } from '../../../hw/base/address.js';
import type { TlbGeometry, TlbLevelShape } from '../../../hw/tlb/hierarchy.js';

/** The arrays that hold pages of at most `2^shift` bytes. Larger pages are then kept in pieces. */
function upTo(level: TlbLevelShape, shift: number): TlbLevelShape {
  return level
    .map((array) => ({ ...array, pages: array.pages.filter((page) => page <= Math.max(shift, SHIFT_4K)) }))
    .filter(({ pages }) => pages.length > 0);
}

/**
 * The TLBs of a guest whose host has pages of `2^shift` bytes. Larger entries never come up, and arrays without them say which
 * lookups repeat. Adjacent pages of a guest are kept apart.
 */
export function underHost(tlb: TlbGeometry, shift: number): TlbGeometry {
  return {
    ...tlb,
    coalesces: undefined,
    l1Instruction: upTo(tlb.l1Instruction, shift),
    l1Data: upTo(tlb.l1Data, shift),
    l2: upTo(tlb.l2, shift),
    ...(tlb.l1Store !== undefined && { l1Store: upTo(tlb.l1Store, shift) }),
    ...(tlb.l2Instruction !== undefined && { l2Instruction: upTo(tlb.l2Instruction, shift) }),
  };
}

/** log2 of the bytes of a page of `2^shift` that one TLB entry holds. @param hostShift of the host's pages; null: no host */
export function pieceShift(shift: number, hostShift: number | null): number {
  return hostShift === null ? shift : Math.min(shift, Math.max(hostShift, SHIFT_4K));
}
