/**
 * Putting a page into a table and taking it out: entry, mapping count and resident size change together here. No
 * other part has to keep them in step.
 */

import { PAGE_BYTES, SHIFT_4K } from '../../../hw/base/address.js';
import { powerOfTwo } from '../abi/layout.js';
import { FRAME_ANON, FRAME_SWAPBACKED } from '../frames/frames.js';
import type { AddressSpace, AnonVma, Vma } from '../space/model.js';
import { HUGE_FRAMES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import type { PageTables } from '../tables/page-table.js';
import { pageRights } from '../space/protection.js';
import { PAGE_HUGE, PAGE_SPECIAL, PAGE_TOUCHED, PAGE_WRITTEN } from '../tables/entries.js';
import { VM_HUGETLB, VM_LOCKED, VM_WRITE } from '../abi/vma-flags.js';

/** PAGE_ bits of a page about to be used; with `write` it is written, and so writable, if the VMA is. */
function touched(vma: Vma, write: boolean): number {
  const page = pageRights(vma) | PAGE_TOUCHED;
  return write && (vma.flags & VM_WRITE) !== 0 ? page | PAGE_WRITTEN : page;
}

/** Makes a new folio the VMA's: anonymous, exclusive, at the place of `address` in the VMA's anon_vma. */
function adoptAnonymous(memory: Memory, vma: Vma, head: number, address: number): void {
  const { frames } = memory;
  const owner: AnonVma | null = vma.anonVma;
  if (owner === null) throw new Error('an anonymous page needs an anon_vma');
  frames.flags[head] |= FRAME_ANON | FRAME_SWAPBACKED;
  frames.setOwner(head, owner.id, vma.pageOffset(address));
  frames.setExclusive(head, true);
}

/** Starts a new anonymous folio on its way to an LRU list; pages of VM_HUGETLB are on none. */
function toLru(memory: Memory, vma: Vma, head: number): void {
  if ((vma.flags & VM_LOCKED) !== 0) memory.lru.addNewLocked(head);
  else if ((vma.flags & VM_HUGETLB) === 0) memory.lru.addNew(head);
}

/** Maps a new anonymous 4 KiB page, exclusive to the process; the entry at `at` must be empty. */
export function mapNewAnonymous(memory: Memory, vma: Vma, at: number, frame: number, address: number): void {
  adoptAnonymous(memory, vma, frame, address);
  memory.frames.addMapping(frame, vma.space.id);
  toLru(memory, vma, frame);
  memory.entries.setPage(at, frame, touched(vma, true));
  vma.space.residentPages++;
}

/** Maps a new anonymous folio of a huge page's size by one entry of a directory; `write` when it is about to be written. */
export function mapNewHuge(memory: Memory, vma: Vma, at: number, head: number, address: number, write = true): void {
  adoptAnonymous(memory, vma, head, address);
  memory.frames.addWholeMapping(head, vma.space.id);
  toLru(memory, vma, head);
  memory.entries.setPage(at, head, touched(vma, write) | PAGE_HUGE);
  vma.space.residentPages += 1 << memory.frames.order[head];
}

/** Maps a frame without counting it: the zero page, or with `huge` the huge zero page. */
export function mapZero(memory: Memory, vma: Vma, at: number, frame: number, huge: boolean): void {
  memory.entries.setPage(at, frame, touched(vma, false) | PAGE_SPECIAL | (huge ? PAGE_HUGE : 0));
}

/** Maps a page of a file or of shared memory; `write` when it is about to be written. */
export function mapFilePage(memory: Memory, vma: Vma, at: number, frame: number, write: boolean): void {
  memory.frames.addMapping(frame, vma.space.id);
  if ((vma.flags & VM_LOCKED) !== 0 && memory.frames.order[frame] === 0) memory.lru.lock(frame);
  memory.entries.setPage(at, frame, touched(vma, write));
  vma.space.residentPages++;
}

/** Maps a folio of an object, of a huge page's size, by one entry; `write` when it is about to be written. */
export function mapHugeFilePage(memory: Memory, vma: Vma, at: number, head: number, write: boolean): void {
  memory.frames.addWholeMapping(head, vma.space.id);
  if ((vma.flags & VM_LOCKED) !== 0) memory.lru.lock(head);
  memory.entries.setPage(at, head, touched(vma, write) | PAGE_HUGE);
  vma.space.residentPages += 1 << memory.frames.order[head];
}

/** Clears the entry at `at`, of the 4 KiB page at `address`, and drops the page: flush afterwards. */
export function unmapPage(memory: Memory, vma: Vma, at: number, address: number): void {
  const frame = memory.tables.frameAt(at);
  const low = memory.entries.take(at);
  memory.tlb.page(vma.space, address);
  dropPage(memory, vma, low, frame);
}

/** The rest to do for a page, once its entry with this low word is taken out, and noted in the batch. */
export function dropPage(memory: Memory, vma: Vma, low: number, frame: number): void {
  const { entries, frames, tlb } = memory;
  if (entries.isSpecial(low)) return;
  vma.space.residentPages--;
  const head = frames.headOf(frame);
  if ((vma.flags & VM_LOCKED) !== 0) memory.lru.unlock(head);
  if (frames.removeMapping(frame, vma.space.id)) tlb.release(head);
}

/** Clears the huge entry at `at`, for `address`, and drops the folio: flush afterwards. */
export function unmapHuge(memory: Memory, vma: Vma, at: number, shift: number, address: number): void {
  const head = hugeFrame(memory.tables.frameAt(at));
  const low = memory.entries.take(at);
  memory.tlb.page(vma.space, address);
  dropHuge(memory, vma, low, head, shift);
}

/** As {@link dropPage} for the folio of a huge entry. */
export function dropHuge(memory: Memory, vma: Vma, low: number, head: number, shift: number): void {
  const { entries, frames, tlb } = memory;
  if (entries.isSpecial(low)) return;
  vma.space.residentPages -= powerOfTwo(shift - 12);
  if ((vma.flags & VM_LOCKED) !== 0) memory.lru.unlock(head);
  if (frames.removeWholeMapping(head, vma.space.id)) tlb.release(head);
}

/** Whether a page, of any size, is in the page tables at `address`. */
export function isPageMapped({ entries, tables }: Memory, space: AddressSpace, address: number): boolean {
  return entries.isMapped(entries.words[tables.findLeaf(space, address)]);
}

/** The head of a huge entry's folio. Bits below are no address there, such as x86's PAT. */
export function hugeFrame(frame: number): number {
  return frame & -HUGE_FRAMES;
}

/** The first frame of the page of 2^shift bytes mapped by the entry at `at`. */
export function firstFrame(tables: PageTables, at: number, shift: number): number {
  return shift === SHIFT_4K ? tables.frameAt(at) : hugeFrame(tables.frameAt(at));
}

/** The frame of the 4 KiB around `address` in that page. */
export function frameBehind(tables: PageTables, at: number, shift: number, address: number): number {
  return firstFrame(tables, at, shift) + Math.floor((address % powerOfTwo(shift)) / PAGE_BYTES);
}
