/** mincore(2) and msync(2): pages of a range in memory, or on their way to disk. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { alignUp, USER_END } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { EBUSY, EINVAL, ENOMEM } from '../abi/errno.js';
import type { CallResult, Errno } from '../abi/errno.js';
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC } from '../abi/flags.js';
import { isPageMapped } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { writtenPage } from '../space/page-cache.js';
import { VM_LOCKED } from '../abi/vma-flags.js';

/**
 * mincore(2): for each page whether it is in the caller's page table or in the page cache of its object.
 * @returns the pages' answers, EINVAL, or ENOMEM for a range with a hole
 */
export function mincore(memory: Memory, space: AddressSpace, address: number, length: number): boolean[] | Errno {
  if (address % PAGE_BYTES !== 0) return EINVAL;
  if (address < 0 || length < 0 || address + length > USER_END) return ENOMEM;
  const answers: boolean[] = [];
  for (let at = address; at < address + length; at += PAGE_BYTES) {
    const vma = space.vmas.at(at);
    if (vma === undefined) return ENOMEM;
    answers.push(isPageMapped(memory, space, at) || isCached(vma, at));
  }
  return answers;
}

function isCached(vma: Vma, address: number): boolean {
  const object = vma.file?.object;
  return (
    object !== undefined && object.kind !== 'hugetlb' && writtenPage(object, vma.pageOffset(address)) !== undefined
  );
}

/** msync(2). There is no disk below the page cache, so only the arguments are looked at. */
export function msync(space: AddressSpace, address: number, length: number, flags: number): CallResult {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) return EINVAL;
  if (address % PAGE_BYTES !== 0 || address < 0 || length < 0) return EINVAL;
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return EINVAL;
  const end = address + alignUp(length);
  let hole = false;
  for (let at = address; at < end;) {
    const vma = space.vmas.atOrAbove(at);
    if (vma === undefined) return ENOMEM;
    if (vma.start > at) {
      hole = true;
      if (flags === MS_ASYNC || vma.start >= end) return ENOMEM;
    }
    if ((flags & MS_INVALIDATE) !== 0 && (vma.flags & VM_LOCKED) !== 0) return EBUSY;
    at = vma.end;
  }
  return hole ? ENOMEM : 0;
}
