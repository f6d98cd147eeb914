/**
 * Granules: levels, blocks and contiguous sets of their tables, and the place of an address in a descriptor.
 *
 * Source: Arm ARM (DDI 0487), chapter D8, "VMSAv8-64 descriptor formats" (blocks); "The Contiguous bit".
 */

import type { AArch64Features } from './features.js';

/** log2 of the page sizes: pages and blocks of all granules, and sets of contiguous ones. */
export const AARCH64_PAGE_SHIFTS: readonly number[] = [12, 14, 16, 21, 25, 29, 30, 34];
const sizesOf = (...shifts: readonly number[]): Int32Array =>
  Int32Array.from(shifts, (shift) => AARCH64_PAGE_SHIFTS.indexOf(shift));

/**
 * The place of an address's high word in a descriptor: bits of the descriptor's high word, and bits of its low word
 * shifted left. Source: AArch64.NextTableBase() and AArch64.LeafBase().
 */
export interface AddressPlace {
  readonly bits: number;
  readonly high: number;
  readonly low: number;
  readonly shift: number;
}

const PLACE_48: AddressPlace = { bits: 48, high: 0xffff, low: 0, shift: 0 };
/** FEAT_LPA: bits 15:12 are bits 51:48 of the address. */
const PLACE_LPA: AddressPlace = { bits: 52, high: 0xffff, low: 0xf000, shift: 4 };
/** FEAT_LPA2: bits 9:8 are bits 51:50 of the address, and bits 49:48 stand where they are. */
const PLACE_LPA2: AddressPlace = { bits: 52, high: 0x3_ffff, low: 0x300, shift: 10 };

/** What a granule makes of a table. */
export interface GranuleRules {
  readonly shift: number;
  /** log2 of the bytes covered by one entry of each level, the last level first. */
  readonly levelShifts: readonly number[];
  /** Bit n: level n has blocks, or pages. */
  readonly leafLevels: number;
  /** The page size of each level. A block larger than RAM can be is kept in pieces of 16 GiB. */
  readonly sizes: Int32Array;
  /** The page size of a contiguous set of each level; at levels without one, the level's own. */
  readonly contiguousSizes: Int32Array;
  readonly address: AddressPlace;
  /** TCR_EL1.DS or VTCR_EL2.DS is in effect: bits 9:8 of a descriptor are no shareability. */
  readonly ds: boolean;
}

const GRANULE_4K: GranuleRules = {
  shift: 12,
  levelShifts: [12, 21, 30, 39],
  leafLevels: 0b111,
  sizes: sizesOf(12, 21, 30),
  contiguousSizes: sizesOf(16, 25, 34),
  address: PLACE_48,
  ds: false,
};
/** With a fifth level: the manual's level -1. */
const GRANULE_4K_DS: GranuleRules = {
  shift: 12,
  levelShifts: [12, 21, 30, 39, 48],
  leafLevels: 0b1111,
  sizes: sizesOf(12, 21, 30, 34),
  contiguousSizes: sizesOf(16, 25, 34, 34),
  address: PLACE_LPA2,
  ds: true,
};
const GRANULE_16K: GranuleRules = {
  shift: 14,
  levelShifts: [14, 25, 36, 47],
  leafLevels: 0b011,
  sizes: sizesOf(14, 25),
  contiguousSizes: sizesOf(21, 30),
  address: PLACE_48,
  ds: false,
};
const GRANULE_16K_DS: GranuleRules = {
  ...GRANULE_16K,
  leafLevels: 0b111,
  sizes: sizesOf(14, 25, 34),
  contiguousSizes: sizesOf(21, 30, 34),
  address: PLACE_LPA2,
  ds: true,
};
const GRANULE_64K: GranuleRules = {
  shift: 16,
  levelShifts: [16, 29, 42],
  leafLevels: 0b011,
  sizes: sizesOf(16, 29),
  contiguousSizes: sizesOf(21, 34),
  address: PLACE_48,
  ds: false,
};
const GRANULE_64K_LPA: GranuleRules = {
  ...GRANULE_64K,
  leafLevels: 0b111,
  sizes: sizesOf(16, 29, 34),
  contiguousSizes: sizesOf(21, 34, 34),
  address: PLACE_LPA,
};

/** log2 of the bytes of a granule by TG0 and VTCR_EL2.TG0, and by TG1. A reserved value is taken as 4 KiB. */
export const TG0: readonly number[] = [12, 16, 14, 12];
export const TG1: readonly number[] = [12, 14, 12, 16];

/** The rules of a granule on a processor. One that it has not is taken as 4 KiB. @param ds the bit DS of TCR_EL1 or VTCR_EL2 */
export function granuleRules(shift: number, features: AArch64Features, ds: boolean): GranuleRules {
  if (shift === 16) return features.paBits === 52 ? GRANULE_64K_LPA : GRANULE_64K;
  const wide = ds && features.LPA2;
  if (shift === 14 && features.TGran16) return wide ? GRANULE_16K_DS : GRANULE_16K;
  return wide ? GRANULE_4K_DS : GRANULE_4K;
}
