/**
 * Checks on every way into a code segment, and the loading of CS.
 * Source: Intel SDM vol. 2, "JMP—Jump", "CALL—Call Procedure"; vol. 3A, "Privilege Level Checking When Transferring
 * Program Control Between Code Segments".
 */

import { OK } from '../../base/fault.js';
import { GENERAL_PROTECTION, SEGMENT_NOT_PRESENT } from '../exception.js';
import { BIG, isCode, isConformingCode, isNull, limitOf, LONG, PRESENT } from './descriptor.js';
import { privilegeOf, requestedLevel } from './descriptor.js';
import { OUTSIDE_TABLE } from './unit.js';
import type { DescriptorCopy, SegmentationUnit } from './unit.js';

/** Reads the descriptor named by a far pointer or a gate: #GP(0) for a null selector, #GP(selector) past the table. */
export function readTarget(unit: SegmentationUnit, selector: number, copy: DescriptorCopy): number {
  if (isNull(selector)) return unit.refuse(GENERAL_PROTECTION, 0);
  const found = unit.readDescriptor(selector, 8, copy);
  return found === OUTSIDE_TABLE ? unit.refuse(GENERAL_PROTECTION, selector) : found;
}

/** Whether a far pointer may name this code segment: a conforming one from below, another one from its own level. */
export function mayEnter(unit: SegmentationUnit, selector: number, high: number): boolean {
  if (!isCode(high)) return false;
  if (unit.longModeActive && (high & LONG) !== 0 && (high & BIG) !== 0) return false;
  const privilege = privilegeOf(high);
  return isConformingCode(high)
    ? privilege <= unit.cpl
    : privilege === unit.cpl && requestedLevel(selector) <= unit.cpl;
}

/** #NP(selector) for an absent code segment. */
export function checkPresent(unit: SegmentationUnit, selector: number, high: number): number {
  return (high & PRESENT) === 0 ? unit.refuse(SEGMENT_NOT_PRESENT, selector) : OK;
}

/** Whether a code segment runs 64-bit code. */
export function isLongCode(unit: SegmentationUnit, high: number): boolean {
  return unit.longModeActive && (high & LONG) !== 0;
}

/** #GP(0) when the entry point lies past the limit, or is not canonical in a 64-bit segment. */
export function checkEntryPoint(unit: SegmentationUnit, copy: DescriptorCopy, ipHi: number, ipLo: number): number {
  const valid = isLongCode(unit, copy.hi)
    ? unit.memory.isCanonical(ipHi)
    : ipLo >>> 0 <= limitOf(copy.hi, copy.lo) >>> 0;
  return valid ? OK : unit.refuse(GENERAL_PROTECTION, 0);
}

/** Sets the accessed bit and loads CS, the CPL and RIP; the checks are done. The RPL of CS becomes the CPL. */
export function enterCode(
  unit: SegmentationUnit,
  selector: number,
  cpl: number,
  copy: DescriptorCopy,
  ipHi: number,
  ipLo: number,
): number {
  const marked = unit.markAccessed(copy);
  if (marked < 0) return marked;
  unit.ipHi = isLongCode(unit, copy.hi) ? ipHi : 0;
  unit.ipLo = ipLo;
  unit.cs.load((selector & 0xfffc) | cpl, copy.hi, copy.lo);
  unit.cpl = cpl;
  return OK;
}
