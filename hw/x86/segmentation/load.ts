/**
 * Loading DS, ES, FS, GS and SS, as MOV, POP and LSS do.
 * Source: Intel SDM vol. 2, "MOV—Move", in the order of its pseudocode; vol. 3A, "Privilege Level Checking When
 * Accessing Data Segments" and "Privilege Level Checking When Loading the SS Register".
 */

import { OK } from '../../base/fault.js';
import { GENERAL_PROTECTION, INVALID_OPCODE, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../exception.js';
import {
  isConformingCode,
  isNull,
  isReadable,
  isWritableData,
  PRESENT,
  privilegeOf,
  requestedLevel,
} from './descriptor.js';
import { CS, SS } from './register.js';
import type { FS, GS, SegmentRegister } from './register.js';
import { OUTSIDE_TABLE } from './unit.js';
import type { SegmentationUnit } from './unit.js';

/**
 * Loads a segment register by its number, CS excepted (#UD: a far transfer loads CS).
 * @returns OK, or the fault with nothing changed: #GP, #NP, #SS with the selector as error code, or #PF from the table.
 */
export function loadSegment(unit: SegmentationUnit, segment: number, selector: number): number {
  if (segment === CS) return unit.refuse(INVALID_OPCODE, 0);
  const register = unit.segments[segment];
  if (unit.vm) register.load8086(selector);
  else if (unit.is8086) register.loadReal(selector);
  else if (isNull(selector)) return loadNull(unit, register, selector);
  else return loadProtected(unit, register, selector);
  return OK;
}

/**
 * WRFSBASE, WRGSBASE, or WRMSR to their MSRs: a 64-bit base for FS or GS. No descriptor can give one.
 * @returns OK, or #GP(0) unless the base is canonical. Source: SDM vol. 3A, "Segmentation in 64-Bit Mode".
 */
export function setSegmentBase(unit: SegmentationUnit, segment: typeof FS | typeof GS, hi: number, lo: number): number {
  if (!unit.memory.isCanonical(hi)) return unit.refuse(GENERAL_PROTECTION, 0);
  const register = unit.segments[segment];
  register.baseHi = hi;
  register.baseLo = lo;
  return OK;
}

/** Only in 64-bit mode, below CPL 3 and with RPL = CPL, may SS be null. */
function loadNull(unit: SegmentationUnit, register: SegmentRegister, selector: number): number {
  if (register.number === SS) {
    const allowed = unit.is64Bit && unit.cpl < 3 && requestedLevel(selector) === unit.cpl;
    if (!allowed) return unit.refuse(GENERAL_PROTECTION, 0);
  }
  register.loadNull(selector);
  return OK;
}

function loadProtected(unit: SegmentationUnit, register: SegmentRegister, selector: number): number {
  const copy = unit.descriptor;
  const found = unit.readDescriptor(selector, 8, copy);
  if (found < 0) return found;
  const isStack = register.number === SS;
  if (found === OUTSIDE_TABLE || !(isStack ? fitsStack(unit, selector, copy.hi) : fitsData(unit, selector, copy.hi))) {
    return unit.refuse(GENERAL_PROTECTION, selector);
  }
  if ((copy.hi & PRESENT) === 0) return unit.refuse(isStack ? STACK_FAULT : SEGMENT_NOT_PRESENT, selector);
  const marked = unit.markAccessed(copy);
  if (marked < 0) return marked;
  register.load(selector, copy.hi, copy.lo);
  return OK;
}

function fitsStack(unit: SegmentationUnit, selector: number, high: number): boolean {
  return isWritableData(high) && requestedLevel(selector) === unit.cpl && privilegeOf(high) === unit.cpl;
}

/** Data, or readable code; RPL and CPL both reach the DPL, except for conforming code. */
function fitsData(unit: SegmentationUnit, selector: number, high: number): boolean {
  return isReadable(high) && (isConformingCode(high) || levelsReach(unit, selector, high));
}

/** Whether neither the CPL nor the selector's RPL is less privileged than the DPL. */
export function levelsReach(unit: SegmentationUnit, selector: number, high: number): boolean {
  return Math.max(unit.cpl, requestedLevel(selector)) <= privilegeOf(high);
}
