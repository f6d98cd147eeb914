/** MADV_FREE: pages that may be taken away when memory is short, unless they are written before. */

import { PAGE_BYTES } from '../../hw/address.js';
import { PTE_A, PTE_D, PTE_P } from '../../hw/paging/x86-format.js';
import { FRAME_ANON, FRAME_SWAPBACKED } from './frames.js';
import { splitHuge } from './huge.js';
import { hugeFrame } from './mapping.js';
import type { Memory } from './memory.js';
import { PTE_MAPPED, PTE_SPECIAL } from './pte.js';
import type { Vma } from './vma.js';

/** Marks the anonymous pages of a range as free for the taking; there is no reclaim yet that would take them. */
export function freeLazily(memory: Memory, vma: Vma, start: number, end: number): void {
  const { tables, frames } = memory;
  let from = start;
  while (tables.next(vma.space, from, end)) {
    const { at, shift, start: low, end: high } = tables;
    from = high;
    if (!tables.isTable(at)) {
      const head = hugeFrame(tables.frameAt(at));
      const zero = (tables.words[at] & PTE_SPECIAL) !== 0;
      if (!zero && frames.references(head) === 1 && high - low === 2 ** shift) {
        markFree(memory, vma, at, low, head);
        continue;
      }
      if (zero || frames.references(head) > 1) continue;
      splitHuge(memory, vma, at, low);
      frames.splitFolio(head);
    }
    let entry = tables.entryIn(at, low);
    for (let address = low; address < high; address += PAGE_BYTES, entry += 2) {
      const word = tables.words[entry];
      if ((word & PTE_MAPPED) === 0 || (word & PTE_SPECIAL) !== 0) continue;
      const head = frames.headOf(tables.frameAt(entry));
      if (frames.order[head] === 0 && frames.references(head) === 1) markFree(memory, vma, entry, address, head);
    }
  }
  memory.tlb.flush();
}

/** A clean page that no swap backs: a later write makes it dirty, and so keeps it. */
function markFree(memory: Memory, vma: Vma, at: number, address: number, head: number): void {
  const { frames, tables, tlb } = memory;
  if ((frames.flags[head] & FRAME_ANON) === 0) return;
  const low = tables.words[at];
  tables.words[at] = low & ~(PTE_A | PTE_D);
  if ((low & PTE_P) !== 0) tlb.page(vma.space, address);
  frames.flags[head] &= ~FRAME_SWAPBACKED;
}
