/**
 * Far RET: back to code of the same level, or to an outer level and its stack.
 * Source: Intel SDM vol. 2, "RET—Return From Procedure", in the order of its pseudocode.
 */

import { OK } from '../../base/fault.js';
import { GENERAL_PROTECTION, STACK_FAULT } from '../exception.js';
import { checkEntryPoint, checkPresent, enterCode, isLongCode, readTarget } from './code-segment.js';
import { BIG, isCode, isConformingCode, isNull, isWritableData, PRESENT, privilegeOf } from './descriptor.js';
import { requestedLevel } from './descriptor.js';
import { CS, SS } from './register.js';
import { checkOffset8086, enter8086 } from './far-transfer.js';
import { stackAbove, stackOffset } from './stack.js';
import type { TransferSize } from './stack.js';
import { OUTSIDE_TABLE } from './unit.js';
import type { SegmentationUnit } from './unit.js';

/**
 * RETF: pops RIP and CS, then releases `release` bytes of parameters; to an outer level also pops RSP and SS, releases
 * them there too, and empties the data segment registers closed to the outer level.
 * @param size operand size in bytes: the width of each slot
 * @returns OK, or the fault with no register changed
 */
export function farReturn(unit: SegmentationUnit, size: TransferSize, release = 0): number {
  let status = popSlot(unit, size, 0);
  if (status < 0) return status;
  const { valueHi: ipHi, valueLo: ipLo } = unit.memory;
  status = popSlot(unit, size, size);
  if (status < 0) return status;
  const selector = unit.memory.valueLo & 0xffff;
  if (unit.is8086) return return8086(unit, selector, ipLo, 2 * size + release);
  const { target } = unit;
  status = readTarget(unit, selector, target);
  if (status >= 0 && !mayReturn(unit, selector, target.hi)) status = unit.refuse(GENERAL_PROTECTION, selector);
  if (status >= 0) status = checkPresent(unit, selector, target.hi);
  if (status < 0) return status;
  const level = requestedLevel(selector);
  if (level > unit.cpl) return returnOuter(unit, selector, ipHi, ipLo, size, release);
  status = checkEntryPoint(unit, target, ipHi, ipLo);
  const pointer = stackAbove(unit, unit.spHi, unit.spLo, 2 * size + release);
  if (status >= 0) status = enterCode(unit, selector, level, target, ipHi, ipLo);
  if (status < 0) return status;
  unit.spHi = pointer.hi;
  unit.spLo = pointer.lo;
  return OK;
}

/** Reads the slot `bytes` above the stack pointer. */
function popSlot(unit: SegmentationUnit, size: TransferSize, bytes: number): number {
  const { hi, lo } = stackAbove(unit, unit.spHi, unit.spLo, bytes);
  return unit.read(SS, hi, unit.is64Bit ? lo : stackOffset(unit.ss, lo), size);
}

/** Code for the selector on the stack: not of an inner level, and of exactly the level of its RPL. */
function mayReturn(unit: SegmentationUnit, selector: number, high: number): boolean {
  const level = requestedLevel(selector);
  if (!isCode(high) || level < unit.cpl) return false;
  if (isLongCode(unit, high) && (high & BIG) !== 0) return false;
  return isConformingCode(high) ? privilegeOf(high) <= level : privilegeOf(high) === level;
}

function return8086(unit: SegmentationUnit, selector: number, offset: number, bytes: number): number {
  const checked = checkOffset8086(unit, offset);
  if (checked < 0) return checked;
  const { lo } = stackAbove(unit, 0, unit.spLo, bytes);
  unit.spLo = lo;
  return enter8086(unit, selector, offset);
}

function returnOuter(
  unit: SegmentationUnit,
  selector: number,
  ipHi: number,
  ipLo: number,
  size: TransferSize,
  release: number,
): number {
  const level = requestedLevel(selector);
  let status = popSlot(unit, size, 2 * size + release);
  if (status < 0) return status;
  const { valueHi: spHi, valueLo: spLo } = unit.memory;
  status = popSlot(unit, size, 3 * size + release);
  if (status < 0) return status;
  status = readOuterStack(unit, unit.memory.valueLo & 0xffff, level);
  if (status >= 0) status = checkEntryPoint(unit, unit.target, ipHi, ipLo);
  const { innerStack: outer, innerDescriptor } = unit;
  if (status >= 0 && outer.usable) status = unit.markAccessed(innerDescriptor);
  if (status >= 0) status = enterCode(unit, selector, level, unit.target, ipHi, ipLo);
  if (status < 0) return status;
  unit.ss.copy(outer);
  const pointer = stackAbove(unit, spHi, spLo, release);
  unit.spHi = pointer.hi;
  unit.spLo = pointer.lo;
  dropInnerSegments(unit);
  return OK;
}

/** Checks the stack segment of the outer level; it is then in `innerStack`. */
function readOuterStack(unit: SegmentationUnit, selector: number, level: number): number {
  if (isNull(selector)) {
    // Only 64-bit code below CPL 3 may have a null SS.
    if (!isLongCode(unit, unit.target.hi) || level === 3 || requestedLevel(selector) !== level) {
      return unit.refuse(GENERAL_PROTECTION, 0);
    }
    unit.innerStack.loadNull(selector);
    return OK;
  }
  const copy = unit.innerDescriptor;
  const found = unit.readDescriptor(selector, 8, copy);
  if (found < 0) return found;
  const levelsAgree = requestedLevel(selector) === level && privilegeOf(copy.hi) === level;
  if (found === OUTSIDE_TABLE || !levelsAgree || !isWritableData(copy.hi)) {
    return unit.refuse(GENERAL_PROTECTION, selector);
  }
  if ((copy.hi & PRESENT) === 0) return unit.refuse(STACK_FAULT, selector);
  unit.innerStack.load(selector, copy.hi, copy.lo);
  return OK;
}

/** Empties ES, DS, FS and GS if they hold data, or code not conforming, of a more privileged level. */
function dropInnerSegments(unit: SegmentationUnit): void {
  for (const register of unit.segments) {
    if (register.number === CS || register.number === SS || !register.usable) continue;
    if (!isConformingCode(register.attributes) && register.privilege < unit.cpl) register.loadNull(0);
  }
}
