/**
 * Far JMP and far CALL to a selector and offset.
 * Source: Intel SDM vol. 2, "JMP—Jump" and "CALL—Call Procedure", in the order of their pseudocode.
 *
 * Task switches are not modelled: a selector of a TSS or a task gate is refused with #GP(selector), as IA-32e mode does.
 */

import { OK } from '../../base/fault.js';
import { GENERAL_PROTECTION } from '../exception.js';
import { callThroughGate, isCallGate, jumpThroughGate } from './call-gate.js';
import { checkEntryPoint, checkPresent, enterCode, isLongCode, mayEnter, readTarget } from './code-segment.js';
import { checkRoom, currentStack, setStackPointer, writeSlots } from './stack.js';
import type { TransferSize } from './stack.js';
import type { SegmentationUnit } from './unit.js';

/** The low and high word of the offset in a far pointer: it has `size` bytes, the operand size. */
const pointerLow = (offsetLo: number, size: TransferSize): number => (size === 2 ? offsetLo & 0xffff : offsetLo);
const pointerHigh = (offsetHi: number, size: TransferSize): number => (size === 8 ? offsetHi : 0);

/**
 * JMP selector:offset, `size` being its operand size in bytes. Through a call gate the offset is ignored.
 * @returns OK with CS and RIP changed, or the fault with nothing changed.
 */
export function farJump(
  unit: SegmentationUnit,
  selector: number,
  offsetHi: number,
  offsetLo: number,
  size: TransferSize,
): number {
  const entry = pointerLow(offsetLo, size);
  const entryHi = pointerHigh(offsetHi, size);
  if (unit.is8086) {
    const checked = checkOffset8086(unit, entry);
    return checked < 0 ? checked : enter8086(unit, selector, entry);
  }
  const copy = unit.descriptor;
  const found = readTarget(unit, selector, copy);
  if (found < 0) return found;
  if (isCallGate(unit, copy.hi)) return jumpThroughGate(unit, selector);
  let status = checkCode(unit, selector, copy.hi);
  if (status >= 0) status = checkEntryPoint(unit, copy, entryHi, entry);
  return status < 0 ? status : enterCode(unit, selector, unit.cpl, copy, entryHi, entry);
}

/**
 * CALL selector:offset, `size` being its operand size in bytes. CS and RIP, the return address, are pushed.
 * @returns OK with CS, RIP and RSP changed (and SS, through a gate to an inner level), or the fault with no register changed.
 */
export function farCall(
  unit: SegmentationUnit,
  selector: number,
  offsetHi: number,
  offsetLo: number,
  size: TransferSize,
): number {
  const entry = pointerLow(offsetLo, size);
  const entryHi = pointerHigh(offsetHi, size);
  if (unit.is8086) return call8086(unit, selector, entry, size);
  const copy = unit.descriptor;
  const found = readTarget(unit, selector, copy);
  if (found < 0) return found;
  if (isCallGate(unit, copy.hi)) return callThroughGate(unit, selector);
  const stack = currentStack(unit, isLongCode(unit, copy.hi));
  let status = checkCode(unit, selector, copy.hi);
  if (status >= 0) status = checkRoom(unit, stack, size, 2);
  if (status >= 0) status = checkEntryPoint(unit, copy, entryHi, entry);
  if (status >= 0) status = writeSlots(unit, stack, size, [0, unit.cs.selector, unit.ipHi, unit.ipLo]);
  if (status >= 0) status = enterCode(unit, selector, unit.cpl, copy, entryHi, entry);
  if (status >= 0) setStackPointer(unit, stack, 2 * size);
  return status;
}

function checkCode(unit: SegmentationUnit, selector: number, high: number): number {
  if (!mayEnter(unit, selector, high)) return unit.refuse(GENERAL_PROTECTION, selector);
  return checkPresent(unit, selector, high);
}

/** #GP(0) when the offset lies past the limit of CS. */
export function checkOffset8086(unit: SegmentationUnit, offset: number): number {
  return unit.cs.covers(offset, 1) ? OK : unit.refuse(GENERAL_PROTECTION, 0);
}

/** Loads CS with selector x 16, and IP. */
export function enter8086(unit: SegmentationUnit, selector: number, offset: number): number {
  if (unit.vm) unit.cs.load8086(selector);
  else unit.cs.loadReal(selector);
  unit.ipHi = 0;
  unit.ipLo = offset;
  return OK;
}

function call8086(unit: SegmentationUnit, selector: number, offset: number, size: TransferSize): number {
  const stack = currentStack(unit, false);
  let status = checkRoom(unit, stack, size, 2);
  if (status >= 0) status = checkOffset8086(unit, offset);
  if (status >= 0) status = writeSlots(unit, stack, size, [0, unit.cs.selector, 0, unit.ipLo]);
  if (status < 0) return status;
  setStackPointer(unit, stack, 2 * size);
  return enter8086(unit, selector, offset);
}
