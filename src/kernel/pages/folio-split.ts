/** Splitting a huge folio for good, frames and all; splitting only its entry is in huge.ts. */

import { PAGE_BYTES, SHIFT_4K } from '../../../hw/base/address.js';
import { FRAME_DIRTY } from '../frames/frames.js';
import { mapZero, unmapPage } from './mapping.js';
import { HUGE_FRAMES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import { mappingsOf } from './rmap.js';
import { VM_LOCKED } from '../abi/vma-flags.js';

/**
 * Makes 512 pages of a huge folio without huge entries. Parts without a mapping are freed. Parts with nothing
 * but zeros, as most of a huge page with little in it, give way to the zero page unless they are locked.
 * Source: Linux, Documentation/mm/transhuge.rst, "split_huge_page"; mm/migrate.c, try_to_map_unused_to_zeropage.
 */
export function splitHugeFolio(memory: Memory, head: number): void {
  const { frames, tables, tlb } = memory;
  if (isWritten(memory, head)) frames.flags[head] |= FRAME_DIRTY;
  frames.splitFolio(head);
  for (let frame = head; frame < head + HUGE_FRAMES; frame++) {
    if (frames.references(frame) === 0 || !holdsZeros(memory, frame)) continue;
    for (const { vma, address } of mappingsOf(memory, frame)) {
      if ((vma.flags & VM_LOCKED) !== 0) continue;
      const at = tables.find(vma.space, address, SHIFT_4K);
      unmapPage(memory, vma, at);
      mapZero(memory, vma, at, memory.zeroFrame, false);
      tlb.page(vma.space, address);
    }
  }
  tlb.flush();
}

/** Whether an entry of the folio is dirty: unmapping it for the split makes the folio dirty. Source: mm/rmap.c, try_to_migrate_one. */
function isWritten(memory: Memory, head: number): boolean {
  const { entries, tables } = memory;
  for (let frame = head; frame < head + HUGE_FRAMES; frame++) {
    for (const { vma, address } of mappingsOf(memory, frame)) {
      if (entries.isDirty(tables.words[tables.find(vma.space, address, SHIFT_4K)])) return true;
    }
  }
  return false;
}

function holdsZeros(memory: Memory, frame: number): boolean {
  const words = PAGE_BYTES / 4;
  const first = frame * words;
  for (let i = first; i < first + words; i++) if (memory.ram.words[i] !== 0) return false;
  return true;
}
