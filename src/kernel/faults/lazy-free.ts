/** MADV_FREE: pages to be taken away when memory is short, unless they are written before. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { splitHugeFolio } from '../pages/folio-split.js';
import { FRAME_ANON, FRAME_DIRTY, FRAME_SWAPBACKED } from '../frames/frames.js';
import { splitHuge } from '../pages/huge.js';
import { hugeFrame } from '../pages/mapping.js';
import { HUGE_FRAMES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import type { Vma } from '../space/model.js';

/** Marks the anonymous pages of a range as free for the taking; there is no reclaim yet to take them. */
export function freeLazily(memory: Memory, vma: Vma, start: number, end: number): void {
  const { tables } = memory;
  memory.lru.drain();
  let from = start;
  while (tables.next(vma.space, from, end)) {
    const { at, start: low, end: high } = tables;
    from = high;
    if (tables.isTable(at) || freeHuge(memory, vma, at, low, high)) freeSmall(memory, vma, at, low, high);
  }
  memory.tlb.flush();
}

/** A huge entry: marked as a whole, or left alone when others map it too; true when it was split, to free a part. */
function freeHuge(memory: Memory, vma: Vma, at: number, low: number, high: number): boolean {
  const { tables } = memory;
  const head = hugeFrame(tables.frameAt(at));
  if (memory.entries.isSpecial(tables.words[at]) || isShared(memory, head)) return false;
  if (high - low === HUGE_FRAMES * PAGE_BYTES) {
    memory.frames.flags[head] &= ~FRAME_DIRTY;
    markFree(memory, vma, at, low, head);
    return false;
  }
  splitHuge(memory, vma, at, low);
  splitHugeFolio(memory, head);
  return true;
}

/** The pages of one table. A huge folio only partly in the range is split, if it is the process's alone. */
function freeSmall(memory: Memory, vma: Vma, at: number, low: number, high: number): void {
  const { tables, frames } = memory;
  for (let address = low; address < high;) {
    const entry = tables.entryIn(at, address);
    const head = isPage(memory, entry) ? frames.headOf(tables.frameAt(entry)) : -1;
    const large = head >= 0 && frames.order[head] !== 0;
    const pages = large ? runOf(memory, entry, head, (high - address) / PAGE_BYTES) : 1;
    const part = large && pages < HUGE_FRAMES;
    if (part && !isShared(memory, head)) {
      splitHugeFolio(memory, head);
      continue;
    }
    const free = head >= 0 && !part && makeClean(memory, head, pages);
    for (let i = 0; i < pages && free; i++) markFree(memory, vma, entry + i * 2, address + i * PAGE_BYTES, head);
    address += pages * PAGE_BYTES;
  }
}

function isPage(memory: Memory, entry: number): boolean {
  return memory.entries.isCounted(memory.tables.words[entry]);
}

/** How many entries from `entry` on, at most `most`, map the folio's frames one after the other. */
function runOf(memory: Memory, entry: number, head: number, most: number): number {
  const { tables, frames } = memory;
  const first = tables.frameAt(entry);
  let run = 1;
  while (run < most && isPage(memory, entry + run * 2)) {
    const frame = tables.frameAt(entry + run * 2);
    if (frame !== first + run || frames.headOf(frame) !== head) break;
    run++;
  }
  return run;
}

function isShared(memory: Memory, head: number): boolean {
  const folio = memory.frames.largeAt(head);
  return folio.total > 1 && folio.maybeShared;
}

/**
 * Makes a folio clean if the range maps all there is of it, `pages`; false when it is dirty and others map it, too.
 * Source: Linux mm/madvise.c, madvise_free_pte_range.
 */
function makeClean(memory: Memory, head: number, pages: number): boolean {
  const { frames } = memory;
  if ((frames.flags[head] & FRAME_DIRTY) === 0) return true;
  if (frames.folioMappings(head) !== pages) return false;
  frames.flags[head] &= ~FRAME_DIRTY;
  return true;
}

/**
 * Makes a page without swap behind it clean: a later write makes it dirty, and so keeps it. Shared or not, the contents go
 * only once every process has given them up.
 */
function markFree(memory: Memory, vma: Vma, at: number, address: number, head: number): void {
  const { entries, frames, tlb } = memory;
  if ((frames.flags[head] & FRAME_ANON) === 0) return;
  if (entries.isPresent(entries.makeOldAndClean(at))) tlb.page(vma.space, address);
  if ((frames.flags[head] & FRAME_SWAPBACKED) !== 0) memory.lru.addLazyFree(head);
}
