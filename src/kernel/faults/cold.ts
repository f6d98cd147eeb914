/** MADV_COLD: pages that will not be needed soon lose their marks of use. */

import { alignDown } from '../abi/layout.js';
import { firstFrame } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { isCounted, isPresent, makeOld } from '../tables/entries-x86.js';
import type { Vma } from '../space/model.js';

/**
 * Clears "accessed" in the entries of a range, and "referenced" of their folios, where nobody else maps them.
 * Source: Linux mm/madvise.c, madvise_cold_or_pageout_pte_range.
 */
export function coolDown(memory: Memory, vma: Vma, start: number, end: number): void {
  const { frames, lru, tables, tlb } = memory;
  lru.drain();
  for (let address = start; address < end;) {
    const at = tables.findLeaf(vma.space, address);
    const { shift } = tables;
    if (isCounted(tables.words[at])) {
      const head = frames.headOf(firstFrame(tables, at, shift));
      if (frames.mappingsOf(head) === 1) {
        const low = makeOld(tables, at);
        lru.markUnused(head);
        if (isPresent(low)) tlb.page(vma.space, address);
      }
    }
    address = alignDown(address, shift) + 2 ** shift;
  }
  tlb.flush();
}
