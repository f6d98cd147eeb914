/**
 * The operand of TLBI by range (FEAT_TLBIRANGE).
 *
 *     63:48  47:46  45:44  43:39  38:37  36:0
 *     ASID   TG     SCALE  NUM    TTL    BaseADDR
 *
 * Source: Arm ARM (DDI 0487), chapter C5, "TLBI RVAE1, TLBI RVAE1NXS".
 */

import { fromBigInt } from '../base/address.js';

/** log2 of the granule by TG; 0 is reserved. */
const GRANULES = [0, 12, 14, 16];
const BASE_BITS = 37;
/** Under DS (FEAT_LPA2) BaseADDR counts in 64 KiB, whatever the granule. */
const DS_SHIFT = 16;

/** Addresses from a first one on. */
export interface TlbiRange {
  readonly asid: number;
  /** log2 of the bytes of a page. */
  readonly granule: number;
  readonly pages: number;
  /** The first address: of virtual ones bits above its field repeat the highest. */
  readonly first: bigint;
}

const field = (operand: bigint, shift: bigint, bits: number): number => Number(BigInt.asUintN(bits, operand >> shift));

/** The fields of an operand; null under a reserved granule: nothing needs to be dropped. @param ds of TCR_EL1, or VTCR_EL2 */
export function tlbiRangeOf(operand: bigint, isVirtual: boolean, ds: boolean): TlbiRange | null {
  const granule = GRANULES[field(operand, 46n, 2)];
  if (granule === 0) return null;
  const [scale, num] = [field(operand, 44n, 2), field(operand, 39n, 5)];
  const base = isVirtual ? BigInt.asIntN(BASE_BITS, operand) : BigInt.asUintN(BASE_BITS, operand);
  return {
    asid: field(operand, 48n, 16),
    granule,
    pages: (num + 1) * 2 ** (5 * scale + 1),
    first: base << BigInt(ds ? DS_SHIFT : granule),
  };
}

/** The address of page `n`, as two words. */
export function addressInRange({ first, granule }: TlbiRange, n: number): { hi: number; lo: number } {
  return fromBigInt(BigInt.asUintN(64, first + (BigInt(n) << BigInt(granule))));
}
