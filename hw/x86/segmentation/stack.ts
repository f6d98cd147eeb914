/**
 * The pushes of a far CALL: on the current stack, or on the one of an inner level, not loaded yet.
 * Source: Intel SDM vol. 3A, "Stack Switching"; vol. 2, "PUSH—Push Word, Doubleword, or Quadword Onto the Stack".
 */

import { WRITE } from '../../base/access.js';
import { highWordAfter } from '../../base/address.js';
import type { Word64 } from '../../base/address.js';
import { OK } from '../../base/fault.js';
import { GENERAL_PROTECTION, STACK_FAULT } from '../exception.js';
import type { SegmentRegister } from './register.js';
import type { SegmentationUnit } from './unit.js';

/** Operand size of a far transfer in bytes: the width of the offset, and of each slot pushed by CALL. */
export type TransferSize = 2 | 4 | 8;

/** A stack to push on. */
export interface TargetStack {
  readonly register: SegmentRegister;
  /** Flat 64-bit stack: neither base nor limit counts. */
  readonly flat: boolean;
  /** Access bits of the pushing level. */
  readonly levelBits: number;
  /** Named in the error code when the stack is too small: the new stack's selector, 0 for the current stack. */
  readonly blame: number;
  /** The stack pointer before the pushes. */
  readonly hi: number;
  readonly lo: number;
}

/** The stack in use; `flat` when the transfer ends in 64-bit mode. */
export function currentStack(unit: SegmentationUnit, flat: boolean): TargetStack {
  return { register: unit.ss, flat, levelBits: unit.levelBits, blame: 0, hi: unit.spHi, lo: unit.spLo };
}

/** The low word of the stack pointer `bytes` below: 64, 32 or 16 bits of it change. */
function lowBelow(stack: TargetStack, bytes: number): number {
  const lower = (stack.lo - bytes) | 0;
  return stack.flat || stack.register.isBig ? lower : (stack.lo & 0xffff_0000) | (lower & 0xffff);
}

function highBelow(stack: TargetStack, bytes: number): number {
  return highWordAfter((stack.hi - 1) | 0, stack.lo, 2 ** 32 - bytes);
}

/** The offset in the segment for a low word of the stack pointer. */
export function stackOffset(register: SegmentRegister, low: number): number {
  return register.isBig ? low : low & 0xffff;
}

/** The stack pointer `bytes` above `(hi, lo)` on the stack in use: 64, 32 or 16 bits of it change. */
export function stackAbove(unit: SegmentationUnit, hi: number, lo: number, bytes: number): Word64 {
  const higher = (lo + bytes) | 0;
  if (unit.is64Bit) return { hi: highWordAfter(hi, lo, bytes), lo: higher };
  return { hi: 0, lo: unit.ss.isBig ? higher : (lo & 0xffff_0000) | (higher & 0xffff) };
}

/** Whether `count` slots of `size` bytes fit; #SS otherwise. Nothing is written. */
export function checkRoom(unit: SegmentationUnit, stack: TargetStack, size: TransferSize, count: number): number {
  for (let slot = 1; slot <= count; slot++) {
    const low = lowBelow(stack, slot * size);
    const fits = stack.flat
      ? unit.memory.isCanonical(highBelow(stack, slot * size))
      : stack.register.allows(WRITE) && stack.register.covers(stackOffset(stack.register, low), size);
    if (!fits) return unit.refuse(STACK_FAULT, stack.blame);
  }
  return OK;
}

/** Writes `values`, as (hi, lo) pairs, the first one highest. A page fault leaves the registers as they were. */
export function writeSlots(
  unit: SegmentationUnit,
  stack: TargetStack,
  size: TransferSize,
  values: readonly number[],
): number {
  for (let slot = 1; slot * 2 <= values.length; slot++) {
    const low = lowBelow(stack, slot * size);
    const hi = stack.flat ? highBelow(stack, slot * size) : 0;
    const lo = stack.flat ? low : (stack.register.baseLo + stackOffset(stack.register, low)) | 0;
    const [valueHi, valueLo] = [values[slot * 2 - 2], values[slot * 2 - 1]];
    const status = unit.memory.write(hi, lo, size, valueHi, valueLo, WRITE | stack.levelBits);
    if (status === GENERAL_PROTECTION) return unit.refuse(STACK_FAULT, stack.blame);
    if (status < 0) return unit.passOn(status);
  }
  return OK;
}

/** Loads the stack pointer, `bytes` below `stack`. */
export function setStackPointer(unit: SegmentationUnit, stack: TargetStack, bytes: number): void {
  unit.spHi = stack.flat ? highBelow(stack, bytes) : 0;
  unit.spLo = lowBelow(stack, bytes);
}
