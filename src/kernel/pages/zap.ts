/** Taking a range of pages out of the page tables, as munmap, MADV_DONTNEED, truncation and exit do. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { powerOfTwo } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { FRAME_ANON, FRAME_DIRTY } from '../frames/frames.js';
import { splitHuge } from './huge.js';
import { dropHuge, dropPage, hugeFrame } from './mapping.js';
import { HUGE_BYTES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import { VM_HUGETLB, VM_RAND_READ, VM_SEQ_READ } from '../abi/vma-flags.js';

export interface ZapOptions {
  /** Leave private copies of file pages (punching a hole) instead of dropping all (truncation). */
  readonly keepCopies?: boolean;
  /** Leave guard pages alone. */
  readonly keepGuards?: boolean;
  /** Free a page table emptied over its whole 2 MiB by one call, as MADV_DONTNEED does. */
  readonly freeTables?: boolean;
}

/** Drops the pages of `[start, end)`, a range of the VMA. The invalidations stay gathered: flush afterwards. */
export function zapRange(memory: Memory, vma: Vma, start: number, end: number, options: ZapOptions): void {
  const { entries, tables, tlb } = memory;
  let from = start;
  while (tables.next(vma.space, from, end)) {
    const { at, shift, start: low, end: high } = tables;
    from = high;
    if (!tables.isTable(at)) {
      if (high - low === powerOfTwo(shift)) {
        const head = hugeFrame(tables.frameAt(at));
        const taken = entries.take(at);
        if (entries.isPresent(taken)) tlb.page(vma.space, low);
        if (vma.file !== null) keepMarks(memory, vma, taken, head);
        dropHuge(memory, vma, taken, head, shift);
        releaseDeposit(memory, vma);
        continue;
      }
      if (!splitHuge(memory, vma, at, low)) continue;
    }
    const emptied = zapTable(memory, vma, at, low, high, options);
    if (options.freeTables === true && emptied && high - low === HUGE_BYTES) freeTable(memory, vma, at, low);
  }
}

/** A huge entry has gone, and needs its spare table no more; one of an object or of VM_HUGETLB had none. */
function releaseDeposit(memory: Memory, vma: Vma): void {
  if ((vma.flags & VM_HUGETLB) !== 0 || vma.file !== null) return;
  const table = vma.space.deposit.pop();
  if (table !== undefined) memory.tables.release(table);
}

function freeTable(memory: Memory, vma: Vma, at: number, address: number): void {
  const table = memory.tables.frameAt(at);
  memory.tables.clear(at);
  memory.tlb.tables(vma.space, address);
  memory.tlb.flush();
  memory.tables.release(table);
  vma.space.tables--;
}

/** Drops the pages of one table; true when nothing is left of the range. */
function zapTable(memory: Memory, vma: Vma, at: number, start: number, end: number, options: ZapOptions): boolean {
  const { entries, tables, frames, tlb } = memory;
  const { words } = tables;
  let emptied = true;
  const first = tables.entryIn(at, start);
  // Counted in entries: V8 makes an object of each address that it hands on.
  const bound = first + 2 * ((end - start) / PAGE_BYTES);
  for (let entry = first; entry < bound; entry += 2) {
    const found = words[entry];
    if (found === 0) continue;
    if (!entries.isMapped(found)) {
      if (options.keepGuards === true) emptied = false;
      else tables.clear(entry);
      continue;
    }
    const frame = tables.frameAt(entry);
    if (options.keepCopies === true) {
      const head = frames.headOf(frame);
      if ((frames.flags[head] & FRAME_ANON) !== 0) {
        emptied = false;
        continue;
      }
    }
    const low = entries.take(entry);
    // Asked before there is an address to make.
    if (entries.isPresent(low) && !tlb.flushesAll(vma.space)) {
      tlb.page(vma.space, start + ((entry - first) / 2) * PAGE_BYTES);
    }
    if (vma.file !== null) keepMarks(memory, vma, low, frame);
    dropPage(memory, vma, low, frame);
  }
  return emptied;
}

/**
 * A page of a file or of shared memory outlives its entry, so it takes over the entry's marks: written, and used.
 * Use says nothing in a mapping read in order or at random. Source: Linux mm/memory.c, zap_present_folio_ptes.
 */
function keepMarks(memory: Memory, vma: Vma, low: number, frame: number): void {
  const { entries, frames } = memory;
  const head = frames.headOf(frame);
  if ((frames.flags[head] & FRAME_ANON) !== 0) return;
  if (entries.isDirty(low)) frames.flags[head] |= FRAME_DIRTY;
  if (entries.isAccessed(low) && (vma.flags & (VM_SEQ_READ | VM_RAND_READ)) === 0) memory.lru.markAccessed(head);
}

/**
 * Frees the tables of `[start, end)` alone, once nothing is mapped there any more, between the neighbours `floor` and
 * `ceiling`. Another core may walk them until the flush, so no frame is freed before.
 */
export function freeTablesBetween(
  memory: Memory,
  space: AddressSpace,
  start: number,
  end: number,
  floor: number,
  ceiling: number,
): void {
  const { tables, tlb } = memory;
  const unlinked = tables.unlinkRange(space, start, end, floor, ceiling);
  tlb.tables(space, start);
  tlb.flush();
  for (const table of unlinked) tables.release(table);
}
