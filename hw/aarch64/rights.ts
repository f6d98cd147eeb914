/**
 * Rights by descriptors, as a permission code with the dirty state and GLOBAL beside it.
 *
 * The code has five bits: readable, writable, EL0's, executable at EL1, executable at EL0. All else is settled by the walk:
 * hierarchical permissions, DBM, stage 2, and SCTLR_EL1.WXN, since the manual lets a TLB keep its effect. The bits of a
 * block or page that matter are six, so tables of 64 answer for them.
 */

import { DIRTY, GLOBAL } from '../base/permission.js';
import {
  DESC_DBM,
  DESC_EL0,
  DESC_NG,
  DESC_NO_EL0_TABLE,
  DESC_PXN,
  DESC_PXN_TABLE,
  DESC_READ_ONLY,
  DESC_READ_ONLY_TABLE,
  DESC_S2_READ,
  DESC_S2_WRITE,
  DESC_S2_XN0,
  DESC_S2_XN1,
  DESC_UXN,
  DESC_UXN_TABLE,
} from './format.js';

export const ARM_RIGHT_READ = 1 << 0;
export const ARM_RIGHT_WRITE = 1 << 1;
/** EL0 may read, and write if anybody may; under PAN EL1 may not. */
export const ARM_RIGHT_EL0 = 1 << 2;
/** In stage 2, which does not tell EL0's pages: walks of stage 1 may go there. Only HCR_EL2.PTW asks for it. */
export const ARM_RIGHT_WALKS = 1 << 2;
/** Executable at EL1. */
export const ARM_RIGHT_EL1_EXECUTE = 1 << 3;
/** Executable at EL0. */
export const ARM_RIGHT_EL0_EXECUTE = 1 << 4;

const DATA_AND_EL0 = ARM_RIGHT_READ | ARM_RIGHT_WRITE | ARM_RIGHT_EL0 | ARM_RIGHT_EL0_EXECUTE;

/**
 * Rights by stage 1.
 * Source: Arm ARM (DDI 0487), chapter D8, "Direct permissions", and AArch64.S1DirectBasePermissions().
 * @param above the high words of the table descriptors on the way, together
 * @param setsDirty whether hardware manages the dirty state: then AP[2] takes no right away where DBM is set
 * @param neverBoth SCTLR_EL1.WXN: what is writable is not executable
 */
export function firstRights(high: number, low: number, above: number, setsDirty: boolean, neverBoth: boolean): number {
  const clean = (low & DESC_READ_ONLY) !== 0;
  const forbidsWrites = clean && !(setsDirty && (high & DESC_DBM) !== 0);
  const writable = !forbidsWrites && (above & DESC_READ_ONLY_TABLE) === 0;
  const el0 = (low & DESC_EL0) !== 0 && (above & DESC_NO_EL0_TABLE) === 0;
  const neverEl1 = (high & DESC_PXN) !== 0 || (above & DESC_PXN_TABLE) !== 0 || (writable && (el0 || neverBoth));
  const neverEl0 = (high & DESC_UXN) !== 0 || (above & DESC_UXN_TABLE) !== 0 || (writable && el0 && neverBoth);
  return (
    ARM_RIGHT_READ |
    (writable ? ARM_RIGHT_WRITE : 0) |
    (el0 ? ARM_RIGHT_EL0 : 0) |
    (neverEl1 ? 0 : ARM_RIGHT_EL1_EXECUTE) |
    (neverEl0 ? 0 : ARM_RIGHT_EL0_EXECUTE) |
    (clean ? 0 : DIRTY) |
    ((low & DESC_NG) !== 0 ? 0 : GLOBAL)
  );
}

/**
 * Rights by stage 2; EL0 and EL1 differ in execution alone.
 * Source: Arm ARM (DDI 0487), chapter D8, "Stage 2 permissions", and AArch64.S2DirectBasePermissions().
 * @param tellsLevels FEAT_XNX: XN[0] counts
 */
function secondRights(high: number, low: number, setsDirty: boolean, tellsLevels: boolean): number {
  const dirty = (low & DESC_S2_WRITE) !== 0;
  const writable = dirty || (setsDirty && (high & DESC_DBM) !== 0);
  const [xn1, xn0] = [(high & DESC_S2_XN1) !== 0, tellsLevels && (high & DESC_S2_XN0) !== 0];
  return (
    ((low & DESC_S2_READ) !== 0 ? ARM_RIGHT_READ : 0) |
    (writable ? ARM_RIGHT_WRITE : 0) |
    ARM_RIGHT_WALKS |
    (xn1 === xn0 ? ARM_RIGHT_EL1_EXECUTE : 0) |
    (xn1 ? 0 : ARM_RIGHT_EL0_EXECUTE) |
    (dirty ? DIRTY : 0)
  );
}

/** So many places there are in tables of rights. */
export const RIGHTS_PLACES = 64;

/** The place of a block's or page's descriptor in tables of rights: AP or S2AP, nG, DBM, and the bits of XN. */
export function rightsIndex(high: number, low: number): number {
  return ((low >>> 6) & 3) | ((low >>> 8) & 8) | ((high >>> 17) & 0x34);
}

/** The table of these rights by that place. */
function tableOf(rights: (high: number, low: number) => number): Int32Array {
  return Int32Array.from({ length: RIGHTS_PLACES }, (_, n) => {
    return rights((n & 0x34) << 17, ((n & 3) << 6) | ((n & 8) << 8));
  });
}

const FLAGS = [false, true];
const FIRST = FLAGS.map((dirty) =>
  FLAGS.map((never) => tableOf((high, low) => firstRights(high, low, 0, dirty, never))),
);
const SECOND = FLAGS.map((dirty) => FLAGS.map((xnx) => tableOf((high, low) => secondRights(high, low, dirty, xnx))));

/** By {@link rightsIndex}, the rights of stage 1 without any from table descriptors; parameters as there. */
export function firstRightsTable(setsDirty: boolean, neverBoth: boolean): Int32Array {
  return FIRST[Number(setsDirty)][Number(neverBoth)];
}

/** The same of stage 2. */
export function secondRightsTable(setsDirty: boolean, tellsLevels: boolean): Int32Array {
  return SECOND[Number(setsDirty)][Number(tellsLevels)];
}

/**
 * Rights for a TLB where EL0 is to fault (E0PD): of a page for EL1 alone, all but those of EL0; of EL0's, execution at EL1:
 * a walk decides on all else.
 */
export function withoutEl0(rights: number): number {
  return rights & ~((rights & ARM_RIGHT_EL0) === 0 ? ARM_RIGHT_EL0_EXECUTE : DATA_AND_EL0);
}
