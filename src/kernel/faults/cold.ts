/** MADV_COLD: pages not needed soon lose their marks of use. */

import { firstFrame } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import type { Vma } from '../space/model.js';

/**
 * Clears "accessed" in the entries of a range, and "referenced" of their folios, unless somebody else maps them.
 * Source: Linux mm/madvise.c, madvise_cold_or_pageout_pte_range.
 */
export function coolDown(memory: Memory, vma: Vma, start: number, end: number): void {
  const { entries, frames, lru, tables, tlb } = memory;
  lru.drain();
  tables.forEachLeaf(vma.space, start, end, (at, address, shift) => {
    if (!entries.isCounted(entries.words[at])) return;
    const head = frames.headOf(firstFrame(tables, at, shift));
    if (frames.mappingsOf(head) !== 1) return;
    const low = entries.makeOld(at);
    lru.markUnused(head);
    if (entries.isPresent(low)) tlb.page(vma.space, address);
  });
  tlb.flush();
}
