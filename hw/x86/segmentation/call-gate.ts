/**
 * Call gates: entry points for a less privileged caller, on a stack of the inner level.
 * Source: Intel SDM vol. 3A, "Accessing a Code Segment Through a Call Gate", "Stack Switching" and "Stack Switching in
 * IA-32e Mode"; vol. 2, "CALL—Call Procedure", labels CALL-GATE, MORE-PRIVILEGE and SAME-PRIVILEGE.
 */

import { OK } from '../../base/fault.js';
import { GENERAL_PROTECTION, INVALID_TSS, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../exception.js';
import { USER } from '../../base/access.js';
import { highWordAfter } from '../../base/address.js';
import { checkEntryPoint, checkPresent, enterCode, isLongCode, mayEnter, readTarget } from './code-segment.js';
import { BIG, CALL_GATE_16, CALL_GATE_32, CODE_OR_DATA, isCode, isConformingCode, isNull } from './descriptor.js';
import { isWritableData, LONG_UPPER_ZERO, PRESENT, privilegeOf, requestedLevel, typeOf } from './descriptor.js';
import { TSS_16, TSS_16_BUSY } from './descriptor.js';
import { levelsReach } from './load.js';
import { SS } from './register.js';
import { checkRoom, currentStack, setStackPointer, stackOffset, writeSlots } from './stack.js';
import type { TargetStack, TransferSize } from './stack.js';
import { OUTSIDE_TABLE } from './unit.js';
import type { SegmentationUnit } from './unit.js';

/** Whether the descriptor is a call gate of the mode: in IA-32e mode type 12 is the 64-bit form, and 4 is invalid. */
export function isCallGate(unit: SegmentationUnit, high: number): boolean {
  if ((high & CODE_OR_DATA) !== 0) return false;
  const type = typeOf(high);
  return type === CALL_GATE_32 || (type === CALL_GATE_16 && !unit.longModeActive);
}

/** JMP through the gate in `unit.descriptor`: only to code of the own level, or conforming code. */
export function jumpThroughGate(unit: SegmentationUnit, gateSelector: number): number {
  let status = openGate(unit, gateSelector);
  if (status < 0) return status;
  const { entry, target } = unit;
  // The gate's own RPL has been checked; the RPL of the selector in the gate does not count.
  const selector = entry.selector & 0xfffc;
  if (!mayEnter(unit, selector, target.hi) || !fitsGate(unit, target.hi)) {
    return unit.refuse(GENERAL_PROTECTION, selector);
  }
  status = checkPresent(unit, selector, target.hi);
  if (status >= 0) status = checkEntryPoint(unit, target, entry.hi, entry.lo);
  return status < 0 ? status : enterCode(unit, selector, unit.cpl, target, entry.hi, entry.lo);
}

/** CALL through the gate in `unit.descriptor`: to code of the own level or an inner one. */
export function callThroughGate(unit: SegmentationUnit, gateSelector: number): number {
  let status = openGate(unit, gateSelector);
  if (status < 0) return status;
  const { entry, target } = unit;
  const selector = entry.selector & 0xfffc;
  const privilege = privilegeOf(target.hi);
  if (!isCode(target.hi) || privilege > unit.cpl || !fitsGate(unit, target.hi)) {
    return unit.refuse(GENERAL_PROTECTION, selector);
  }
  status = checkPresent(unit, selector, target.hi);
  if (status < 0) return status;
  if (!isConformingCode(target.hi) && privilege < unit.cpl) return callInner(unit, selector, privilege);
  const { size } = entry;
  const stack = currentStack(unit, isLongCode(unit, target.hi));
  status = checkRoom(unit, stack, size, 2);
  if (status >= 0) status = checkEntryPoint(unit, target, entry.hi, entry.lo);
  if (status >= 0) status = writeSlots(unit, stack, size, [0, unit.cs.selector, unit.ipHi, unit.ipLo]);
  if (status >= 0) status = enterCode(unit, selector, unit.cpl, target, entry.hi, entry.lo);
  if (status >= 0) setStackPointer(unit, stack, 2 * size);
  return status;
}

/** Checks the gate and reads the descriptor of its code segment into `unit.target`. */
function openGate(unit: SegmentationUnit, gateSelector: number): number {
  const gate = unit.descriptor;
  if (!levelsReach(unit, gateSelector, gate.hi)) return unit.refuse(GENERAL_PROTECTION, gateSelector);
  if ((gate.hi & PRESENT) === 0) return unit.refuse(SEGMENT_NOT_PRESENT, gateSelector);
  const { entry } = unit;
  entry.selector = gate.lo >>> 16;
  entry.hi = 0;
  entry.lo = (gate.hi & 0xffff_0000) | (gate.lo & 0xffff);
  entry.parameters = gate.hi & 31;
  entry.size = 4;
  if (unit.longModeActive) {
    const found = unit.readDescriptor(gateSelector, 16, gate);
    if (found < 0) return found;
    if (found === OUTSIDE_TABLE || (gate.upperHi & LONG_UPPER_ZERO) !== 0) {
      return unit.refuse(GENERAL_PROTECTION, gateSelector);
    }
    entry.hi = gate.upperLo;
    entry.parameters = 0;
    entry.size = 8;
  } else if (typeOf(gate.hi) === CALL_GATE_16) {
    entry.lo &= 0xffff;
    entry.size = 2;
  }
  return readTarget(unit, entry.selector, unit.target);
}

/** In IA-32e mode a gate leads to 64-bit code only. */
function fitsGate(unit: SegmentationUnit, high: number): boolean {
  return !unit.longModeActive || (isLongCode(unit, high) && (high & BIG) === 0);
}

/** MORE-PRIVILEGE: a call on the stack named by the TSS for the inner level. */
function callInner(unit: SegmentationUnit, selector: number, privilege: number): number {
  let status = readInnerStack(unit, privilege);
  if (status < 0) return status;
  const { entry, target, innerStack, innerPointer } = unit;
  const { size } = entry;
  const stack: TargetStack = {
    register: innerStack,
    flat: unit.longModeActive,
    levelBits: privilege === 3 ? USER : 0,
    blame: innerStack.selector,
    hi: innerPointer.hi,
    lo: innerPointer.lo,
  };
  const slots = 4 + entry.parameters;
  status = checkRoom(unit, stack, size, slots);
  if (status >= 0) status = checkEntryPoint(unit, target, entry.hi, entry.lo);
  if (status < 0) return status;
  const values = [0, unit.ss.selector, unit.spHi, unit.spLo];
  status = copyParameters(unit, size, entry.parameters, values);
  values.push(0, unit.cs.selector, unit.ipHi, unit.ipLo);
  if (status >= 0) status = writeSlots(unit, stack, size, values);
  if (status >= 0 && !unit.longModeActive) status = unit.markAccessed(unit.innerDescriptor);
  if (status >= 0) status = enterCode(unit, selector, privilege, target, entry.hi, entry.lo);
  if (status < 0) return status;
  unit.ss.copy(innerStack);
  setStackPointer(unit, stack, slots * size);
  return OK;
}

/** Appends the parameters on the caller's stack to `values`, the one pushed first (at the highest address) first. */
function copyParameters(unit: SegmentationUnit, size: TransferSize, count: number, values: number[]): number {
  for (let i = count - 1; i >= 0; i--) {
    const status = unit.read(SS, 0, stackOffset(unit.ss, (unit.spLo + i * size) | 0), size);
    if (status < 0) return status;
    values.push(0, unit.memory.valueLo);
  }
  return OK;
}

/** Reads stack segment and pointer of the inner level from the TSS into `innerStack` and `innerPointer`. */
function readInnerStack(unit: SegmentationUnit, privilege: number): number {
  if (unit.longModeActive) return readLongPointer(unit, privilege);
  const narrow = unit.tr.type === TSS_16 || unit.tr.type === TSS_16_BUSY;
  const pointerBytes = narrow ? 2 : 4;
  const offset = narrow ? privilege * 4 + 2 : privilege * 8 + 4;
  let status = readInTss(unit, offset, pointerBytes, pointerBytes + 2);
  if (status < 0) return status;
  unit.innerPointer.hi = 0;
  unit.innerPointer.lo = narrow ? unit.memory.valueLo & 0xffff : unit.memory.valueLo;
  status = readInTss(unit, offset + pointerBytes, 2, 2);
  if (status < 0) return status;
  const selector = unit.memory.valueLo & 0xffff;
  const copy = unit.innerDescriptor;
  if (isNull(selector)) return unit.refuse(INVALID_TSS, selector);
  const found = unit.readDescriptor(selector, 8, copy);
  if (found < 0) return found;
  const levelsAgree = requestedLevel(selector) === privilege && privilegeOf(copy.hi) === privilege;
  if (found === OUTSIDE_TABLE || !levelsAgree || !isWritableData(copy.hi)) return unit.refuse(INVALID_TSS, selector);
  if ((copy.hi & PRESENT) === 0) return unit.refuse(STACK_FAULT, selector);
  unit.innerStack.load(selector, copy.hi, copy.lo);
  return OK;
}

/** IA-32e mode: RSP0 to RSP2 lie in the TSS, and SS becomes null with the new CPL as its RPL. */
function readLongPointer(unit: SegmentationUnit, privilege: number): number {
  const status = readInTss(unit, privilege * 8 + 4, 8, 8);
  if (status < 0) return status;
  unit.innerPointer.hi = unit.memory.valueHi;
  unit.innerPointer.lo = unit.memory.valueLo;
  unit.innerStack.loadNull(privilege);
  return OK;
}

/** Reads from the TSS; `needed` bytes from `offset` must lie inside it, or #TS names it. */
function readInTss(unit: SegmentationUnit, offset: number, size: number, needed: number): number {
  const { tr } = unit;
  if (offset + needed - 1 > tr.limit) return unit.refuse(INVALID_TSS, tr.selector);
  return readTss(unit, offset, size);
}

/** Reads from the TSS (the caller has checked the limit) into the data path's value; or the status of the fault. */
export function readTss(unit: SegmentationUnit, offset: number, size: number): number {
  const { tr } = unit;
  const hi = unit.longModeActive ? highWordAfter(tr.baseHi, tr.baseLo, offset) : 0;
  return unit.readSystem(hi, (tr.baseLo + offset) | 0, size);
}
