/**
 * LAR, LSL, VERR and VERW: questions about a selector, without loading it and without a fault.
 * Source: Intel SDM vol. 2, "LAR—Load Access Rights", "LSL—Load Segment Limit", "VERR/VERW—Verify a Segment for Reading
 * or Writing"; vol. 3A, "Pointer Validation".
 */

import { OK } from '../../base/fault.js';
import { INVALID_OPCODE } from '../exception.js';
import { CALL_GATE_16, CALL_GATE_32, CODE_OR_DATA, isConformingCode, isNull, isReadable } from './descriptor.js';
import {
  isWritableData,
  LDT,
  limitOf,
  TASK_GATE,
  TSS_16,
  TSS_16_BUSY,
  TSS_32,
  TSS_32_BUSY,
  typeOf,
} from './descriptor.js';
import { levelsReach } from './load.js';
import type { SegmentationUnit } from './unit.js';

/** Results of a query: the processor sets ZF, or clears it. Below 0: the fault in reading the table. */
export const VISIBLE = 1;
export const HIDDEN = 0;

const LONG_SYSTEM_TYPES = [LDT, TSS_32, TSS_32_BUSY];
const LIMIT_TYPES = [TSS_16, LDT, TSS_16_BUSY, TSS_32, TSS_32_BUSY];
const RIGHTS_TYPES = [...LIMIT_TYPES, CALL_GATE_16, TASK_GATE, CALL_GATE_32];
const LONG_RIGHTS_TYPES = [...LONG_SYSTEM_TYPES, CALL_GATE_32];
/** Type, S, DPL, P, AVL, L, D/B and G. */
const RIGHTS_MASK = 0x00f0_ff00;

/** LAR: the access rights, bits 15:8 and 23:20 of the descriptor's second doubleword, are then in `unit.result`. */
export function loadAccessRights(unit: SegmentationUnit, selector: number): number {
  const status = query(unit, selector, unit.longModeActive ? LONG_RIGHTS_TYPES : RIGHTS_TYPES);
  if (status === VISIBLE) unit.result = unit.descriptor.hi & RIGHTS_MASK;
  return status;
}

/** LSL: the limit in bytes is then in `unit.result`, unsigned. */
export function loadSegmentLimit(unit: SegmentationUnit, selector: number): number {
  const status = query(unit, selector, unit.longModeActive ? LONG_SYSTEM_TYPES : LIMIT_TYPES);
  if (status === VISIBLE) unit.result = limitOf(unit.descriptor.hi, unit.descriptor.lo) >>> 0;
  return status;
}

/** VERR: whether the current level may read through the selector. */
export function verifyRead(unit: SegmentationUnit, selector: number): number {
  const status = query(unit, selector, []);
  return status === VISIBLE && !isReadable(unit.descriptor.hi) ? HIDDEN : status;
}

/** VERW: whether the current level may write through the selector. */
export function verifyWrite(unit: SegmentationUnit, selector: number): number {
  const status = query(unit, selector, []);
  return status === VISIBLE && !isWritableData(unit.descriptor.hi) ? HIDDEN : status;
}

/** Reads the descriptor when the levels reach it and it is code, data or one of `systemTypes`. P does not count. */
function query(unit: SegmentationUnit, selector: number, systemTypes: readonly number[]): number {
  if (unit.is8086) return unit.refuse(INVALID_OPCODE, 0);
  if (isNull(selector)) return HIDDEN;
  const copy = unit.descriptor;
  const found = unit.readDescriptor(selector, 8, copy);
  if (found !== OK) return found < 0 ? found : HIDDEN;
  if ((copy.hi & CODE_OR_DATA) === 0 && !systemTypes.includes(typeOf(copy.hi))) return HIDDEN;
  return isConformingCode(copy.hi) || levelsReach(unit, selector, copy.hi) ? VISIBLE : HIDDEN;
}
