/**
 * PAR_EL1 after an AT instruction.
 * Source: Arm ARM (DDI 0487), "PAR_EL1, Physical Address Register"; AArch64.EncodePAR().
 */

import { BUS_ERROR } from '../base/fault.js';
import { READ_LOW, READ_STAGE } from '../translate/walk/walk-record.js';
import { FSC_EXTERNAL, ON_WALK } from './exception.js';
import { DESC_ATTR_SHIFT, DESC_SH_SHIFT } from './format.js';
import type { AArch64Walks } from './walks.js';

/** The translation failed. */
const PAR_F = 1 << 0;
/** It was stage 2's descriptor of stage 1; and stage 2 was at fault. */
const PAR_PTW = 1 << 8;
const PAR_S = 1 << 9;
const PAR_RES1 = 1 << 11;
const PAR_SH_SHIFT = 7;
const FSC = 0x3f;
const OUTER_SHAREABLE = 2;
/** Normal memory without caches, inner and outer, as MAIR_EL1 has it. */
const NOT_CACHEABLE = 0x44;
/** Normal memory with write-back caches, inner and outer: that of HCR_EL2.DC. Source: AArch64.S1DisabledOutput(). */
const CACHEABLE = 0xff;

/** Attributes and shareability by the last descriptor of stage 1; Device memory and the like are outer shareable. */
function attributesOf(
  { addressTranslation, registers, rules }: AArch64Walks,
  hi: number,
): { attributes: number; sh: number } {
  const { record } = addressTranslation;
  if (!rules.firstOn) {
    return registers.cacheableByDefault ? { attributes: CACHEABLE, sh: 0 } : { attributes: 0, sh: OUTER_SHAREABLE };
  }
  let last = record.count - 1;
  while (last > 0 && record.at(last, READ_STAGE) !== 1) last--;
  const low = record.at(last, READ_LOW);
  const index = (low >>> DESC_ATTR_SHIFT) & 7;
  const word = index < 4 ? registers.low('MAIR_EL1') : registers.high('MAIR_EL1');
  const attributes = (word >>> (8 * (index & 3))) & 0xff;
  const everywhere = (attributes & 0xf0) === 0 || attributes === NOT_CACHEABLE;
  const sh = rules.tablesAt(hi).shareability ?? (low >>> DESC_SH_SHIFT) & 3;
  return { attributes, sh: everywhere ? OUTER_SHAREABLE : sh };
}

/** The register's words, high one first, after an AT with this status for an address with the high word `hi`. */
export function parOf(walks: AArch64Walks, status: number, hi: number): [hi: number, lo: number] {
  const { addressTranslation: walkers } = walks;
  const { errorCode, stage } = walkers.fault;
  // No RAM answers at the address found: the translation itself is good.
  const found = status >= 0 || (status === BUS_ERROR && (errorCode & FSC) === FSC_EXTERNAL);
  if (!found) {
    const onWalk = (errorCode & ON_WALK) !== 0 ? PAR_PTW : 0;
    return [0, PAR_F | ((errorCode & FSC) << 1) | onWalk | (stage === 2 ? PAR_S : 0) | PAR_RES1];
  }
  const { attributes, sh } = attributesOf(walks, hi);
  const high = (walkers.outHi & 0xf_ffff) | (attributes << 24);
  return [high, (walkers.outLo & ~0xfff) | (sh << PAR_SH_SHIFT) | PAR_RES1];
}
