/**
 * LGDT, LLDT and LTR: the places of descriptors and of the task-state segment.
 * Source: Intel SDM vol. 2, "LGDT/LIDT—Load Global/Interrupt Descriptor Table Register", "LLDT—Load Local Descriptor
 * Table Register" and "LTR—Load Task Register"; vol. 3A, "Memory-Management Registers".
 */

import { OK } from '../../base/fault.js';
import { GENERAL_PROTECTION, INVALID_OPCODE, SEGMENT_NOT_PRESENT } from '../exception.js';
import { BUSY, CODE_OR_DATA, isNull, LDT, LONG_UPPER_ZERO, namesLdt, PRESENT, TSS_16, TSS_32 } from './descriptor.js';
import { typeOf } from './descriptor.js';
import { OUTSIDE_TABLE } from './unit.js';
import type { SegmentationUnit } from './unit.js';

/** LGDT: `limit` (0 to 65535) is the offset of the last valid byte. #GP(0) above CPL 0, and unless the base is canonical. */
export function loadGdt(unit: SegmentationUnit, baseHi: number, baseLo: number, limit: number): number {
  const badBase = unit.is64Bit && !unit.memory.isCanonical(baseHi);
  if (unit.cpl !== 0 || badBase) return unit.refuse(GENERAL_PROTECTION, 0);
  unit.gdtr.set(0, unit.is64Bit ? baseHi : 0, baseLo, limit & 0xffff);
  return OK;
}

/** LLDT: a null selector leaves no LDT: every selector with TI = 1 is refused. */
export function loadLdt(unit: SegmentationUnit, selector: number): number {
  if (unit.is8086) return unit.refuse(INVALID_OPCODE, 0);
  if (unit.cpl !== 0) return unit.refuse(GENERAL_PROTECTION, 0);
  if (isNull(selector)) {
    unit.ldtr.set(selector, 0, 0, -1);
    return OK;
  }
  const status = readSystemDescriptor(unit, selector, isLdt);
  if (status < 0) return status;
  const { hi, lo, upperLo } = unit.descriptor;
  unit.ldtr.load(selector, hi, lo, unit.longModeActive ? upperLo : 0);
  return OK;
}

/** LTR: the TSS must be available, and is marked busy in its descriptor. */
export function loadTaskRegister(unit: SegmentationUnit, selector: number): number {
  if (unit.is8086) return unit.refuse(INVALID_OPCODE, 0);
  if (unit.cpl !== 0 || isNull(selector)) return unit.refuse(GENERAL_PROTECTION, 0);
  const copy = unit.descriptor;
  let status = readSystemDescriptor(unit, selector, isAvailableTss);
  if (status >= 0) status = unit.mark(copy, BUSY);
  if (status < 0) return status;
  unit.tr.load(selector, copy.hi, copy.lo, unit.longModeActive ? copy.upperLo : 0);
  return OK;
}

function isLdt(high: number): boolean {
  return (high & CODE_OR_DATA) === 0 && typeOf(high) === LDT;
}

/** In IA-32e mode the 16-bit form is invalid. */
function isAvailableTss(high: number, longModeActive: boolean): boolean {
  const type = typeOf(high);
  return (high & CODE_OR_DATA) === 0 && (type === TSS_32 || (type === TSS_16 && !longModeActive));
}

/** Reads an LDT or TSS descriptor from the GDT: #GP(selector) unless `fits`, then #NP(selector) unless present. */
function readSystemDescriptor(
  unit: SegmentationUnit,
  selector: number,
  fits: (high: number, longModeActive: boolean) => boolean,
): number {
  const long = unit.longModeActive;
  const copy = unit.descriptor;
  if (namesLdt(selector)) return unit.refuse(GENERAL_PROTECTION, selector);
  const found = unit.readDescriptor(selector, long ? 16 : 8, copy);
  if (found < 0) return found;
  const upperFits = !long || ((copy.upperHi & LONG_UPPER_ZERO) === 0 && unit.memory.isCanonical(copy.upperLo));
  if (found === OUTSIDE_TABLE || !fits(copy.hi, long) || !upperFits) return unit.refuse(GENERAL_PROTECTION, selector);
  return (copy.hi & PRESENT) === 0 ? unit.refuse(SEGMENT_NOT_PRESENT, selector) : OK;
}
