/** Splitting a huge folio for good, frames and all; splitting only its entry is in huge.ts. */

import { PAGE_BYTES, SHIFT_4K } from '../../../hw/base/address.js';
import { FRAME_DIRTY } from '../frames/frames.js';
import { dropPage, mapZero } from './mapping.js';
import { HUGE_FRAMES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import type { Vma } from '../space/model.js';
import { mappingsOf } from './rmap.js';
import { VM_LOCKED } from '../abi/vma-flags.js';

/**
 * Makes 512 pages of a huge folio without huge entries. Parts without a mapping are freed. Parts with nothing
 * but zeros, as most of a huge page with little in it, give way to the zero page unless they are locked.
 * Source: Linux, Documentation/mm/transhuge.rst, "split_huge_page"; mm/migrate.c, try_to_map_unused_to_zeropage.
 */
export function splitHugeFolio(memory: Memory, head: number): void {
  const { frames, tlb } = memory;
  if (isWritten(memory, head)) frames.flags[head] |= FRAME_DIRTY;
  frames.splitFolio(head);
  const taken: TakenPage[] = [];
  for (let frame = head; frame < head + HUGE_FRAMES; frame++) {
    if (frames.references(frame) !== 0 && holdsZeros(memory, frame)) take(memory, frame, taken);
  }
  // Another core may have written meanwhile, and can do so until the flush. After it the contents stay.
  tlb.flush();
  for (const { vma, at, frame, high, low } of taken) {
    if (holdsZeros(memory, frame)) {
      dropPage(memory, vma, low, frame);
      mapZero(memory, vma, at, memory.zeroFrame, false);
    } else memory.entries.putBack(at, high, low);
  }
  tlb.flush();
}

/** A page out of its entry for a moment, and the words of the entry. */
interface TakenPage {
  readonly vma: Vma;
  readonly at: number;
  readonly frame: number;
  readonly high: number;
  readonly low: number;
}

/** Takes a page out of all its entries but locked ones. */
function take(memory: Memory, frame: number, taken: TakenPage[]): void {
  const { entries, tables, tlb } = memory;
  for (const { vma, address } of mappingsOf(memory, frame)) {
    if ((vma.flags & VM_LOCKED) !== 0) continue;
    const at = tables.find(vma.space, address, SHIFT_4K);
    const high = tables.words[at + 1];
    taken.push({ vma, at, frame, high, low: entries.take(at) });
    tlb.page(vma.space, address);
  }
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
