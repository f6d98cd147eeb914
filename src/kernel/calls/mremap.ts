/** mremap(2): shrinking, growing and moving mappings. Source: Linux manual pages, mremap(2); the order is Linux 6.18's. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { alignUp, USER_END } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { cloneChain, unlinkAnonVmas } from '../space/anon-vma.js';
import { EFAULT, EINVAL, ENOMEM, isErrno } from '../abi/errno.js';
import type { Address, CallResult, Errno } from '../abi/errno.js';
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../abi/flags.js';
import type { Memory } from '../space/memory.js';
import { chooseAddress } from './mmap.js';
import { movePages } from '../pages/move-pages.js';
import { unmapRange } from './munmap.js';
import { populateRange } from '../faults/populate.js';
import * as vm from '../abi/vma-flags.js';
import { mergeNew } from '../vmas/vma-merge.js';
import { addVma } from '../space/vma-ops.js';

/** Arguments of mremap(2). */
export interface MremapRequest {
  readonly address: Address;
  readonly oldLength: number;
  readonly newLength: number;
  readonly flags: number;
  /** With MREMAP_FIXED: the target; with MREMAP_DONTUNMAP alone: a hint. */
  readonly newAddress: Address;
}

/** One move or resize with page-aligned lengths, within one VMA. */
interface Step {
  readonly address: Address;
  readonly oldLength: number;
  readonly newLength: number;
  readonly flags: number;
  readonly target: Address;
}

/** Returns the new address, EINVAL, EFAULT (not mapped, or not by one mapping) or ENOMEM. */
export function mremap(memory: Memory, space: AddressSpace, request: MremapRequest): Address | Errno {
  const { address, flags } = request;
  const oldLength = alignUp(request.oldLength);
  const newLength = alignUp(request.newLength);
  const step = { address, oldLength, newLength, flags, target: request.newAddress };
  if (refused(step)) return EINVAL;
  if ((flags & MREMAP_FIXED) !== 0 && oldLength === newLength) return moveAll(memory, space, step);
  const vma = space.vmas.at(address);
  const check = checkVma(vma, step);
  if (vma === undefined || check < 0) return check;
  return (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) === 0
    ? resizeInPlace(memory, vma, step)
    : moveTo(memory, space, step);
}

/** Arguments without sense, with any mappings. */
function refused(step: Step): boolean {
  const { address, flags, newLength, oldLength, target } = step;
  if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0) return true;
  if (address % PAGE_BYTES !== 0 || address < 0 || !(newLength > 0) || !(oldLength >= 0)) return true;
  if (newLength > USER_END || target > USER_END - newLength) return true;
  if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) === 0) return false;
  if ((flags & MREMAP_MAYMOVE) === 0) return true;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLength !== newLength) return true;
  if (target % PAGE_BYTES !== 0 || target < 0) return true;
  return address + oldLength > target && target + newLength > address;
}

/** Whether one VMA holds the whole source; a mere resize does not look beyond the first page. */
function checkVma(vma: Vma | undefined, step: Step): CallResult {
  if (vma === undefined) return EFAULT;
  const { address, flags, newLength, oldLength } = step;
  const size = 2 ** vma.pageShift;
  if (address % size !== 0 || oldLength % size !== 0 || newLength % size !== 0) return EINVAL;
  if ((vma.flags & vm.VM_HUGETLB) !== 0 && newLength > oldLength) return EINVAL;
  const moves = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (newLength <= oldLength && !moves) return 0;
  // Old length 0 asks for a second mapping of a shared object.
  if (oldLength === 0 && (vma.flags & (vm.VM_SHARED | vm.VM_MAYSHARE)) === 0) return EINVAL;
  return Math.min(oldLength, newLength) > vma.end - address ? EFAULT : 0;
}

/** MREMAP_FIXED with equal lengths: every mapping of the range moves, and the gaps between them stay as they are. */
function moveAll(memory: Memory, space: AddressSpace, step: Step): Address | Errno {
  const end = step.address + step.oldLength;
  let at = step.address;
  let first = true;
  if (step.oldLength === 0) return EINVAL;
  while (at < end) {
    const vma = space.vmas.atOrAbove(at);
    if (vma === undefined || vma.start >= end) break;
    if (first && vma.start > step.address) return EFAULT;
    const address = Math.max(at, vma.start);
    const length = Math.min(end, vma.end) - address;
    const target = step.target + address - step.address;
    const piece = { ...step, address, oldLength: length, newLength: length, target };
    const check = checkVma(vma, piece);
    const result = check < 0 ? check : moveTo(memory, space, piece);
    if (result < 0) return result;
    at = address + length;
    first = false;
  }
  return first ? EFAULT : step.target;
}

function resizeInPlace(memory: Memory, vma: Vma, step: Step): Address | Errno {
  const { address, oldLength, newLength, flags } = step;
  const { space } = vma;
  if (newLength === oldLength) return address;
  if (newLength < oldLength) {
    const result = unmapRange(memory, space, address + newLength, address + oldLength);
    return result < 0 ? result : address;
  }
  const grow = newLength - oldLength;
  const above = space.vmas.next(vma);
  const fits = vma.end + grow <= USER_END && (above === undefined || above.start >= vma.end + grow);
  if (vma.end - address === oldLength && fits) return growInPlace(memory, vma, grow, address);
  if ((flags & MREMAP_MAYMOVE) === 0) return ENOMEM;
  const target = chooseAddress(space, 0, newLength, vma.pageShift);
  return isErrno(target) ? target : moveVma(memory, vma, { ...step, target });
}

function growInPlace(memory: Memory, vma: Vma, grow: number, address: number): Address | Errno {
  const { flags, file, pageShift, anonVma, end } = vma;
  const pgoff = vma.pageOffset(end);
  // Linux looks at the neighbour only here, not at the origin of this VMA's anon_vma.
  const range = { start: end, end: end + grow, flags, pgoff, file, pageShift, anonVma, source: null };
  if (mergeNew(memory, vma.space, range) === null) return ENOMEM;
  if ((flags & vm.VM_LOCKED) !== 0) populateRange(memory, vma.space, end, end + grow);
  return address;
}

function moveTo(memory: Memory, space: AddressSpace, step: Step): Address | Errno {
  let { oldLength, target } = step;
  if ((step.flags & MREMAP_FIXED) !== 0) {
    const unmapped = unmapRange(memory, space, target, target + step.newLength);
    if (unmapped < 0) return unmapped;
  }
  if (step.newLength < oldLength) {
    const shrunk = unmapRange(memory, space, step.address + step.newLength, step.address + oldLength);
    if (shrunk < 0) return shrunk;
    oldLength = step.newLength;
  }
  const vma = space.vmas.at(step.address);
  if (vma === undefined) return EFAULT;
  if ((step.flags & MREMAP_FIXED) === 0) {
    const place = chooseAddress(space, target, step.newLength, vma.pageShift);
    if (isErrno(place)) return place;
    target = place;
  }
  return moveVma(memory, vma, { ...step, oldLength, target });
}

/** Makes the mapping at the target, moves the pages there, and takes the old one away unless it shall stay. */
function moveVma(memory: Memory, vma: Vma, step: Step): Address | Errno {
  const { address, oldLength, newLength, target, flags } = step;
  const { space } = vma;
  const copy = copyVma(memory, vma, address, target, newLength);
  if (copy === null) return ENOMEM;
  // The merge may have swallowed or moved the edge of the source; its pages have not moved.
  const source = space.vmas.at(address) ?? vma;
  if (movePages(memory, source, copy, address, target, oldLength) < 0) {
    movePages(memory, copy, source, target, address, oldLength);
    unmapRange(memory, space, target, target + newLength);
    return ENOMEM;
  }
  if ((flags & MREMAP_DONTUNMAP) !== 0) {
    const whole = source.start === address && source.end === address + oldLength;
    if (whole && source !== copy) unlinkAnonVmas(memory, source);
    source.flags &= ~vm.VM_LOCKED_MASK;
  } else if (oldLength > 0) {
    const result = unmapRange(memory, space, address, address + oldLength);
    if (result < 0) return result;
  }
  // Only the part beyond the old length is new: the rest moved as it was, present or not.
  if ((copy.flags & vm.VM_LOCKED) !== 0) populateRange(memory, space, target + oldLength, target + newLength);
  return target;
}

/** The VMA over the target: a neighbour extended, or a new one. Null when there is no memory for it. */
function copyVma(memory: Memory, vma: Vma, address: number, target: number, length: number): Vma | null {
  const { flags, file, pageShift, anonVma, space } = vma;
  // Anonymous memory never written has no pages to remember their offset: it takes the one of its new place.
  const pgoff = vma.isAnonymous && anonVma === null ? target / PAGE_BYTES : vma.pageOffset(address);
  const end = target + length;
  const range = { start: target, end, flags, pgoff, file, pageShift, anonVma, source: vma };
  const merged = mergeNew(memory, space, range);
  if (merged !== null) return merged;
  if (memory.frames.buddy.refuses()) return null;
  const copy = vma.slice(space, target, end);
  copy.pgoff = pgoff;
  copy.anonVma = anonVma;
  cloneChain(copy, vma);
  addVma(copy);
  return copy;
}
