/**
 * Memory mapped with huge pages alone (MAP_HUGETLB), of 2 MiB or 1 GiB: nothing in such a VMA is ever split, so a page
 * is copied whole if at all, and addresses and lengths are multiples of the page.
 */

import { alignDown } from '../abi/layout.js';
import { prepareAnonVma } from '../space/anon-vma.js';
import { takeOver, touchHuge } from '../pages/huge.js';
import { hugeFrame, mapHugeFilePage, mapNewHuge, unmapHuge } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { addToCache } from '../space/page-cache.js';
import { BUS_ADRERR, FAULT_MINOR, OOM_KILL } from '../abi/signal.js';
import type { Vma } from '../space/model.js';

/** Answers a fault in a VM_HUGETLB VMA. No free huge page is SIGBUS, as with an empty pool. */
export function hugetlbFault(memory: Memory, vma: Vma, address: number, write: boolean): number {
  const { entries, frames, tables, counters } = memory;
  const base = alignDown(address, vma.pageShift);
  const at = tables.ensure(vma.space, base, vma.pageShift);
  if (at < 0) return OOM_KILL;
  const object = vma.file?.object;
  if (object === undefined && prepareAnonVma(memory, vma) < 0) return OOM_KILL;
  if (tables.words[at] === 0) {
    const index = vma.pageOffset(base);
    const cached = object?.pages.get(index);
    const head = cached ?? frames.allocateZeroed(vma.pageShift - 12, 0);
    if (head < 0) return BUS_ADRERR;
    if (object !== undefined && cached === undefined) addToCache(memory, object, index, head);
    // Private memory becomes writable by a fault of its own, even if this process read it first.
    if (object === undefined) mapNewHuge(memory, vma, at, head, base, write);
    else mapHugeFilePage(memory, vma, at, head, write);
    counters.hugeFaults++;
    return FAULT_MINOR;
  }
  if (write && !entries.isWritable(tables.words[at])) return copyOrReuse(memory, vma, at, base);
  touchHuge(memory, at, vma, write);
  return FAULT_MINOR;
}

function copyOrReuse(memory: Memory, vma: Vma, at: number, base: number): number {
  const { entries, frames, tables, tlb, counters } = memory;
  const order = vma.pageShift - 12;
  const head = hugeFrame(tables.frameAt(at));
  if (frames.isExclusive(head) || frames.references(head) === 1) {
    takeOver(memory, vma, head);
    entries.markTouched(at, true);
    counters.reuseFaults++;
    return FAULT_MINOR;
  }
  const copy = frames.allocate(order, 0);
  if (copy < 0) return BUS_ADRERR;
  frames.copy(head, copy, order);
  unmapHuge(memory, vma, at, vma.pageShift, base);
  tlb.flush();
  mapNewHuge(memory, vma, at, copy, base);
  counters.cowFaults++;
  return FAULT_MINOR;
}
