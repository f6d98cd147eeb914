/** MADV_COLLAPSE: making one huge page out of small ones, at once. */

import { PAGE_BYTES, SHIFT_2M } from '../../hw/address.js';
import { PTE_D } from '../../hw/paging/x86-format.js';
import { alignDown, alignUp } from './address-space.js';
import { EAGAIN, EINVAL, ENOMEM } from './errno.js';
import { FRAME_ANON } from './frames.js';
import { depositTable } from './huge.js';
import { mapNewHuge, unmapPage } from './mapping.js';
import { HUGE_BYTES, HUGE_ORDER } from './memory.js';
import type { Memory } from './memory.js';
import { PTE_MAPPED, PTE_SOFT_DIRTY, PTE_SPECIAL } from './pte.js';
import type { Vma } from './vma.js';
import { VM_NOHUGEPAGE } from './vma-flags.js';

/**
 * Collapses every whole 2 MiB in a range of the VMA. Memory of files stays in 4 KiB pages here.
 * @returns 0, EINVAL (not possible in this VMA, or there is nothing to collapse), ENOMEM (no huge page) or EAGAIN
 */
export function collapse(memory: Memory, vma: Vma, start: number, end: number): number {
  if ((vma.flags & VM_NOHUGEPAGE) !== 0 || vma.space.hugePages === 'never' || !vma.isAnonymous) return EINVAL;
  if (vma.anonVma === null || alignUp(vma.start, SHIFT_2M) + HUGE_BYTES > vma.end) return EINVAL;
  // A range inside one huge page names none, and Linux calls that a failure; one that ends where it begins is empty.
  if (alignDown(end, SHIFT_2M) < alignUp(start, SHIFT_2M)) return EINVAL;
  memory.lru.drain();
  let failure = 0;
  for (let address = alignUp(start, SHIFT_2M); address + HUGE_BYTES <= end; address += HUGE_BYTES) {
    const result = collapseOne(memory, vma, address);
    // A page that is in use for a moment does not keep the others from being collapsed.
    if (result < 0 && result !== EAGAIN) return result;
    if (result < 0) failure = result;
  }
  return failure;
}

function collapseOne(memory: Memory, vma: Vma, address: number): number {
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
  gather(memory, vma, at, address, head);
  const table = tables.frameAt(at);
  tables.clear(at);
  tlb.all(vma.space);
  tlb.flush();
  tables.release(table);
  vma.space.tables--;
  mapNewHuge(memory, vma, at, head, address);
  // Dirty even where the VMA is read-only. Source: Linux mm/khugepaged.c, collapse_huge_page.
  tables.words[at] |= PTE_D | PTE_SOFT_DIRTY;
  counters.hugeCollapses++;
  return 0;
}

/** Copies the pages of a table into the folio and unmaps them. */
function gather(memory: Memory, vma: Vma, at: number, address: number, head: number): void {
  const { tables, frames } = memory;
  for (let i = 0; i < 512; i++) {
    const entry = tables.entryIn(at, address + i * PAGE_BYTES);
    const low = tables.words[entry];
    if (low === 0) continue;
    if ((low & PTE_SPECIAL) === 0) frames.copy(tables.frameAt(entry), head + i, 0);
    unmapPage(memory, vma, entry);
  }
}

/** Why the 2 MiB cannot become one page: a guard page or the page cache in it (EINVAL), a pinned page (EAGAIN). */
function cannotCollapse(memory: Memory, at: number, address: number): number {
  const { tables, frames } = memory;
  for (let i = 0; i < 512; i++) {
    const entry = tables.entryIn(at, address + i * PAGE_BYTES);
    const low = tables.words[entry];
    if (low === 0 || (low & PTE_SPECIAL) !== 0) continue;
    if ((low & PTE_MAPPED) === 0) return EINVAL;
    const head = frames.headOf(tables.frameAt(entry));
    if ((frames.flags[head] & FRAME_ANON) === 0) return EINVAL;
    if (frames.pins[head] > 0) return EAGAIN;
  }
  return 0;
}
