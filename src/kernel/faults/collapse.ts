/** MADV_COLLAPSE: making one huge page out of small ones, at once. */

import { PAGE_BYTES, SHIFT_2M } from '../../../hw/base/address.js';
import { alignDown, alignUp } from '../abi/layout.js';
import { EAGAIN, EINVAL, ENOMEM, isErrno } from '../abi/errno.js';
import type { CallResult, CallValue, Errno } from '../abi/errno.js';
import type { FileObject, Vma } from '../space/model.js';
import { FRAME_ANON, FRAME_DIRTY, FRAME_SWAPBACKED } from '../frames/frames.js';
import { depositTable } from '../pages/huge.js';
import { dropPage, mapHugeFilePage, mapNewHuge } from '../pages/mapping.js';
import { HUGE_BYTES, HUGE_FRAMES, HUGE_ORDER } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import { addToCache, dropCachedPage, writtenPage } from '../space/page-cache.js';
import { unmapObject } from '../pages/rmap.js';
import { VM_HUGETLB, VM_NOHUGEPAGE } from '../abi/vma-flags.js';
import { zapRange } from '../pages/zap.js';

/**
 * Collapses every whole 2 MiB in a range of the VMA. Disk files stay in 4 KiB pages here.
 * @returns 0, EINVAL (not possible in this VMA, or there is nothing to collapse), ENOMEM (no huge page) or EAGAIN
 */
export function collapse(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  if ((vma.flags & (VM_NOHUGEPAGE | VM_HUGETLB)) !== 0 || vma.space.hugePages === 'never') return EINVAL;
  if (vma.file === null ? vma.anonVma === null : !suitsObject(vma, vma.file.object)) return EINVAL;
  if (alignUp(vma.start, SHIFT_2M) + HUGE_BYTES > vma.end) return EINVAL;
  // A range inside one huge page names none, and Linux calls it a failure; an empty range is none.
  if (alignDown(end, SHIFT_2M) < alignUp(start, SHIFT_2M)) return EINVAL;
  memory.lru.drain();
  let failure: CallResult = 0;
  for (let address = alignUp(start, SHIFT_2M); address + HUGE_BYTES <= end; address += HUGE_BYTES) {
    const result =
      vma.file === null ? collapseOne(memory, vma, address) : collapseShared(memory, vma, vma.file.object, address);
    // One page in use for a moment does not keep the others from being collapsed.
    if (result < 0 && result !== EAGAIN) return result;
    if (result < 0) failure = result;
  }
  return failure;
}

function collapseOne(memory: Memory, vma: Vma, address: number): CallResult {
  const { tables, frames, counters, tlb } = memory;
  const at = tables.find(vma.space, address, SHIFT_2M);
  if (at < 0 || tables.words[at] === 0) return EINVAL;
  if (!tables.isTable(at)) return 0;
  const refusal = cannotCollapse(memory, at, address);
  if (refusal < 0) return refusal;
  if (depositTable(memory, vma.space) < 0) return ENOMEM;
  const head = frames.allocateZeroed(HUGE_ORDER, 0);
  if (head < 0) {
    tables.release(vma.space.deposit.pop() ?? 0);
    return ENOMEM;
  }
  // The table goes first: a write by another core to a page copied already would be lost. Linux: pmdp_collapse_flush.
  const table = tables.frameAt(at);
  tables.clear(at);
  tlb.all(vma.space);
  tlb.flush();
  gather(memory, vma, table, address, head);
  tlb.flush();
  tables.release(table);
  vma.space.tables--;
  mapNewHuge(memory, vma, at, head, address);
  // Dirty even in a read-only VMA. Source: Linux mm/khugepaged.c, collapse_huge_page.
  memory.entries.markDirty(at);
  counters.hugeCollapses++;
  return 0;
}

/** Copies the pages of a table into the folio and drops them. No core reaches the table any more. */
function gather(memory: Memory, vma: Vma, table: number, address: number, head: number): void {
  const { entries, tables, frames } = memory;
  for (let i = 0; i < HUGE_FRAMES; i++) {
    const entry = tables.entryOf(table, address + i * PAGE_BYTES);
    if (tables.words[entry] === 0) continue;
    const frame = tables.frameAt(entry);
    const low = entries.take(entry);
    if (!entries.isSpecial(low)) frames.copy(frame, head + i, 0);
    dropPage(memory, vma, low, frame);
  }
}

/** Why the 2 MiB cannot become one page: a guard page or the page cache in it (EINVAL), a pinned page (EAGAIN). */
function cannotCollapse(memory: Memory, at: number, address: number): CallResult {
  const { tables, frames } = memory;
  for (let i = 0; i < 512; i++) {
    const entry = tables.entryIn(at, address + i * PAGE_BYTES);
    const low = tables.words[entry];
    if (low === 0 || memory.entries.isSpecial(low)) continue;
    if (!memory.entries.isMapped(low)) return EINVAL;
    const head = frames.headOf(tables.frameAt(entry));
    if ((frames.flags[head] & FRAME_ANON) === 0) return EINVAL;
    if (frames.pins[head] > 0) return EAGAIN;
  }
  return 0;
}

/** Whether 2 MiB of the VMA are 2 MiB of an object in memory. */
function suitsObject(vma: Vma, object: FileObject): boolean {
  return object.kind === 'shmem' && (vma.start / PAGE_BYTES - vma.pgoff) % HUGE_FRAMES === 0;
}

/**
 * Makes one folio of 2 MiB of an object, holes filled with zeros, and maps it in the caller; others will by a fault.
 * An object with nothing there is EINVAL. Source: Linux mm/khugepaged.c, collapse_file and collapse_pte_mapped_thp.
 */
function collapseShared(memory: Memory, vma: Vma, object: FileObject, address: number): CallResult {
  const { frames, tables } = memory;
  const index = vma.pageOffset(address);
  let head = object.pages.get(index) ?? 0;
  if (frames.order[head] !== HUGE_ORDER) {
    const gathered = gatherObject(memory, object, index);
    if (isErrno(gathered)) return gathered;
    head = gathered;
  }
  const at = tables.ensure(vma.space, address, SHIFT_2M);
  if (at < 0) return ENOMEM;
  if (tables.isTable(at) && !holdsOnly(memory, at, address, head)) return EINVAL;
  zapRange(memory, vma, address, address + HUGE_BYTES, { freeTables: true });
  memory.tlb.flush();
  mapHugeFilePage(memory, vma, at, head, false);
  return 0;
}

/** Whether the entries of a table are empty or lead to this folio: private copies and guard pages do not. */
function holdsOnly(memory: Memory, at: number, address: number, head: number): boolean {
  const { tables, frames } = memory;
  for (let i = 0; i < HUGE_FRAMES; i++) {
    const entry = tables.entryIn(at, address + i * PAGE_BYTES);
    if (tables.words[entry] === 0) continue;
    if (!memory.entries.isMapped(tables.words[entry]) || frames.headOf(tables.frameAt(entry)) !== head) return false;
  }
  return true;
}

/** Replaces pages `[index, index + 512)` of an object by one folio. Returns its head, EINVAL or ENOMEM. */
function gatherObject(memory: Memory, object: FileObject, index: number): CallValue | Errno {
  const { frames } = memory;
  const present: number[] = [];
  for (let page = index; page < index + HUGE_FRAMES; page++) if (object.pages.has(page)) present.push(page);
  if (present.length === 0) return EINVAL;
  const head = frames.allocateZeroed(HUGE_ORDER, FRAME_SWAPBACKED | FRAME_DIRTY);
  if (head < 0) return ENOMEM;
  unmapObject(memory, object, index, index + HUGE_FRAMES, true);
  for (const page of present) {
    const frame = writtenPage(object, page);
    if (frame !== undefined) frames.copy(frame, head + page - index, 0);
    dropCachedPage(memory, object, page);
  }
  addToCache(memory, object, index, head);
  memory.lru.addNew(head);
  memory.counters.hugeCollapses++;
  return head;
}
