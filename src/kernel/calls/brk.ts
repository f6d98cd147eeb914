/** brk(2): the heap's end. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import type { Address } from '../abi/errno.js';
import { alignUp, USER_END } from '../abi/layout.js';
import type { AddressSpace } from '../space/model.js';
import { isWhole } from '../abi/arguments.js';
import type { Memory } from '../space/memory.js';
import { unmapRange } from './munmap.js';
import { populateRange } from '../faults/populate.js';
import { STACK_GUARD_GAP, Vma } from '../space/model.js';
import * as vm from '../abi/vma-flags.js';
import { mergeNew } from '../vmas/vma-merge.js';
import { addVma } from '../space/vma-ops.js';

const HEAP_FLAGS =
  vm.VM_READ | vm.VM_WRITE | vm.VM_MAYREAD | vm.VM_MAYWRITE | vm.VM_MAYEXEC | vm.VM_ACCOUNT | vm.VM_SOFTDIRTY;

/** Sets the program break, if possible. Returns the break afterwards, bytes. Source: Linux manual pages, brk(2). */
export function brk(memory: Memory, space: AddressSpace, wanted: number): Address {
  if (space.brkStart < 0 || !isWhole(wanted, space.brkStart, USER_END)) return space.brkEnd;
  const before = alignUp(space.brkEnd);
  const after = alignUp(wanted);
  const done =
    after === before || (after < before ? shrink(memory, space, after, before) : grow(memory, space, before, after));
  if (done) space.brkEnd = wanted;
  if (done && (space.defaultFlags & vm.VM_LOCKED) !== 0) populateRange(memory, space, before, after);
  return space.brkEnd;
}

function shrink(memory: Memory, space: AddressSpace, after: number, before: number): boolean {
  const first = space.vmas.atOrAbove(after);
  if (first === undefined || first.start >= before) return false;
  return unmapRange(memory, space, after, before) === 0;
}

function grow(memory: Memory, space: AddressSpace, before: number, after: number): boolean {
  const next = space.vmas.atOrAbove(before);
  // One page more than asked stays free above the heap, and the guard gap if a stack lies there.
  if (
    next !== undefined &&
    next.start < after + PAGE_BYTES + STACK_GUARD_GAP &&
    after + PAGE_BYTES > next.startWithGap
  ) {
    return false;
  }
  const heapFlags = HEAP_FLAGS | space.defaultFlags;
  const pgoff = before / PAGE_BYTES;
  const range = { start: before, end: after, flags: heapFlags, pgoff, file: null, pageShift: 12 };
  const below = space.vmas.before(before);
  const heapBelow = below !== undefined && below.end > space.brkStart;
  if (heapBelow && mergeNew(memory, space, { ...range, anonVma: null, source: null }, false) !== null) return true;
  if (memory.frames.buddy.refuses()) return false;
  addVma(new Vma(space, before, after, heapFlags, pgoff, null));
  return true;
}
