/**
 * Faulting pages in without an access: MAP_POPULATE, MADV_POPULATE_READ and _WRITE, mlock, and the kernel's own
 * accesses to user memory.
 */

import { PAGE_BYTES, SHIFT_4K } from '../../../hw/base/address.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { EFAULT, EINVAL, ENOMEM } from '../abi/errno.js';
import type { CallResult } from '../abi/errno.js';
import { countFault, handleFault } from './fault.js';
import { FRAME_DIRTY } from '../frames/frames.js';
import { touchHuge } from '../pages/huge.js';
import type { Memory } from '../space/memory.js';
import { FAULT_MAJOR, FAULT_MINOR, OOM_KILL, SEGV_ACCERR } from '../abi/signal.js';
import { VM_HUGETLB, VM_LOCKONFAULT, VM_READ, VM_SHARED, VM_WRITE } from '../abi/vma-flags.js';

/** Whether the page at `address` is there, writable if asked for: no fault is needed. */
export function isReady(memory: Memory, space: AddressSpace, address: number, write: boolean): boolean {
  const { entries, tables } = memory;
  const low = tables.words[tables.findLeaf(space, address)];
  return entries.isMapped(low) && (!write || entries.isWritable(low));
}

/**
 * Makes one page ready, and counts the faults on the way.
 * @param count the most a good fault counts as: FAULT_MAJOR, as it was
 * @returns 0 or the signal a process would get
 */
export function faultIn(memory: Memory, vma: Vma, address: number, write: boolean, count = FAULT_MAJOR): number {
  while (!isReady(memory, vma.space, address, write)) {
    const result = handleFault(memory, vma, address, write);
    countFault(memory, Math.min(result, count));
    if (result < 0) return result;
  }
  return 0;
}

/**
 * Populating counts as use: the page is marked, not its entry, so as not to race with the processor's own marks. A huge
 * entry is marked itself. Source: Linux mm/gup.c, follow_page_pte with FOLL_TOUCH.
 */
function touch(memory: Memory, vma: Vma, address: number, write: boolean): void {
  const { entries, frames, tables } = memory;
  if ((vma.flags & VM_HUGETLB) !== 0) return;
  const at = tables.findLeaf(vma.space, address);
  const low = tables.words[at];
  if (tables.shift !== SHIFT_4K) touchHuge(memory, at, vma, write);
  else if (!entries.isSpecial(low)) {
    const head = frames.headOf(tables.frameAt(at));
    if (write && !entries.isDirty(low)) frames.flags[head] |= FRAME_DIRTY;
    memory.lru.markAccessed(head);
  }
}

/**
 * Faults in the pages of `[start, end)` in each VMA, writable if private and the VMA is writable. At the first page not to be had it goes
 * on with the next VMA. VMAs locked on fault are left alone. The LRU batches are emptied after
 * each VMA, but not after one without any right: recorded programs (PROT_NONE with MAP_LOCKED) show it.
 * @param strict stop there for good, as mlock does
 * @returns 0, or the signal of an access to the page not to be had
 * Source: Linux mm/gup.c, __mm_populate and populate_vma_page_range.
 */
export function populateRange(memory: Memory, space: AddressSpace, start: number, end: number, strict = false): number {
  let trouble = 0;
  for (const vma of space.vmas.overlapping(start, end)) {
    if ((vma.flags & VM_LOCKONFAULT) !== 0) continue;
    const result = vma.isAccessible ? populateVma(memory, vma, start, end) : SEGV_ACCERR;
    trouble = Math.min(trouble, result);
    if (strict && result < 0) break;
  }
  return trouble;
}

function populateVma(memory: Memory, vma: Vma, start: number, end: number): number {
  const write = (vma.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE;
  const high = Math.min(end, vma.end);
  let result = 0;
  for (let address = Math.max(start, vma.start); address < high && result === 0; address += PAGE_BYTES) {
    // After a wait for the disk the fault is begun anew, finds the page then, and is counted as minor.
    result = faultIn(memory, vma, address, write, FAULT_MINOR);
    if (result === 0) touch(memory, vma, address, write);
  }
  memory.lru.drain();
  return result;
}

/**
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE: pages populated before an error stay.
 * @returns 0, EINVAL (the mapping does not allow it), EFAULT (a signal would be sent), ENOMEM (a hole, or no memory)
 */
export function populateAdvice(
  memory: Memory,
  space: AddressSpace,
  start: number,
  end: number,
  write: boolean,
): CallResult {
  const result = populatePages(memory, space, start, end, write);
  memory.lru.drain();
  return result;
}

function populatePages(memory: Memory, space: AddressSpace, start: number, end: number, write: boolean): CallResult {
  for (let address = start; address < end; address += PAGE_BYTES) {
    const vma = space.vmas.at(address);
    if (vma === undefined) return ENOMEM;
    if ((vma.flags & (write ? VM_WRITE : VM_READ)) === 0) return EINVAL;
    const result = faultIn(memory, vma, address, write);
    if (result < 0) return result === OOM_KILL ? ENOMEM : EFAULT;
    touch(memory, vma, address, write);
  }
  return 0;
}
