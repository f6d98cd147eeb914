/**
 * Transparent huge pages: 2 MiB of anonymous memory by one entry of a page directory.
 *
 * A huge entry may be split into 512 small ones at any time; the folio stays whole. The table for this is set aside
 * when the huge entry is made, so a split cannot fail.
 */

import { SHIFT_2M } from '../../../hw/base/address.js';
import { alignDown } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { prepareAnonVma } from '../space/anon-vma.js';
import { FRAME_DIRTY, FRAME_KERNEL, FRAME_REFERENCED } from '../frames/frames.js';
import { dropHuge, hugeFrame, mapNewHuge, mapZero, unmapHuge } from './mapping.js';
import { HUGE_BYTES, HUGE_FRAMES, HUGE_ORDER } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import { FAULT_MINOR, OOM_KILL } from '../abi/signal.js';
import { VM_HUGEPAGE, VM_HUGETLB, VM_LOCKED, VM_NOHUGEPAGE, VM_WRITE } from '../abi/vma-flags.js';

/** No huge page here: go on with 4 KiB. */
export const HUGE_FALLBACK = -0x2_0000;

/** Whether a fault at `address` may be answered with a huge page: policy, advice, and 2 MiB wholly inside the VMA. */
export function hugeAllowed(vma: Vma, address: number): boolean {
  if (!vma.isAnonymous || (vma.flags & VM_HUGETLB) !== 0) return false;
  if (vma.space.hugePages === 'madvise' && (vma.flags & VM_HUGEPAGE) === 0) return false;
  return mayMapHuge(vma, address);
}

/** Whether the 2 MiB around `address` lie in the VMA, and a huge entry is not forbidden there. */
export function mayMapHuge(vma: Vma, address: number): boolean {
  if ((vma.flags & VM_NOHUGEPAGE) !== 0 || vma.space.hugePages === 'never') return false;
  const base = alignDown(address, SHIFT_2M);
  return base >= vma.start && base + HUGE_BYTES <= vma.end;
}

/** A spare table for a new huge entry: 0 or ENOMEM. */
export function depositTable(memory: Memory, space: AddressSpace): number {
  const table = memory.tables.allocate();
  if (table < 0) return table;
  space.deposit.push(table);
  return 0;
}

function withdrawTable(space: AddressSpace): number {
  const table = space.deposit.pop();
  if (table === undefined) throw new Error('a huge entry without a spare table');
  return table;
}

/** The first touch of 2 MiB: a huge page, or for a read the huge zero page. The directory entry at `at` is empty. */
export function hugeAnonymousFault(memory: Memory, vma: Vma, at: number, address: number, write: boolean): number {
  if (prepareAnonVma(memory, vma) < 0) return OOM_KILL;
  if (depositTable(memory, vma.space) < 0) return OOM_KILL;
  const done = write ? mapFresh(memory, vma, at, address) : mapHugeZero(memory, vma, at);
  if (done) {
    memory.counters.hugeFaults++;
    return FAULT_MINOR;
  }
  memory.tables.release(withdrawTable(vma.space));
  memory.counters.hugeFallbacks++;
  return HUGE_FALLBACK;
}

function mapFresh(memory: Memory, vma: Vma, at: number, address: number): boolean {
  const head = memory.frames.allocateZeroed(HUGE_ORDER, 0);
  if (head < 0) return false;
  mapNewHuge(memory, vma, at, head, alignDown(address, SHIFT_2M));
  return true;
}

function mapHugeZero(memory: Memory, vma: Vma, at: number): boolean {
  if (memory.hugeZeroFrame === 0) {
    const head = memory.frames.allocateZeroed(HUGE_ORDER, FRAME_KERNEL);
    if (head < 0) return false;
    memory.frames.pins[head] = 1;
    memory.hugeZeroFrame = head;
    memory.counters.hugeZeroPages++;
  }
  mapZero(memory, vma, at, memory.hugeZeroFrame, true);
  return true;
}

/** A write to a read-only huge entry: re-used by its last owner, otherwise split, and 4 KiB are copied. */
export function hugeWriteFault(memory: Memory, vma: Vma, at: number, address: number): number {
  const { frames, tables, tlb, counters } = memory;
  const head = hugeFrame(tables.frameAt(at));
  const base = alignDown(address, SHIFT_2M);
  if (memory.isHugeZero(head)) {
    if (prepareAnonVma(memory, vma) < 0) return OOM_KILL;
    const fresh = frames.allocateZeroed(HUGE_ORDER, 0);
    if (fresh >= 0) {
      unmapHuge(memory, vma, at, SHIFT_2M, base);
      tlb.flush();
      mapNewHuge(memory, vma, at, fresh, base);
      counters.hugeFaults++;
      return FAULT_MINOR;
    }
    counters.hugeFallbacks++;
  } else if (frames.isExclusive(head) || frames.references(head) === 1) {
    takeOver(memory, vma, head);
    memory.entries.markTouched(at, true);
    counters.reuseFaults++;
    return FAULT_MINOR;
  }
  splitHuge(memory, vma, at, base);
  return HUGE_FALLBACK;
}

/** The folio belongs to nobody else any more: it becomes the VMA's own. */
export function takeOver(memory: Memory, vma: Vma, head: number): void {
  if (vma.anonVma !== null) memory.frames.owner[head] = vma.anonVma.id;
  memory.frames.setExclusive(head, true);
}

/** A huge entry is written to by nobody but marked accessed (and dirty for a write). */
export function touchHuge(memory: Memory, at: number, vma: Vma, write: boolean): void {
  const mayDirty = write && (vma.flags & VM_WRITE) !== 0;
  memory.entries.markTouched(at, mayDirty);
}

/**
 * Splits the huge entry at `at` into 512 entries of 4 KiB with the same rights. `address` is anywhere in its 2 MiB.
 * Exclusive stays exclusive, page by page. A dirty entry makes the folio dirty, for good. Memory of an object is only
 * unmapped: a fault will find its pages.
 * @returns whether small entries are there now
 * Source: Linux mm/huge_memory.c, __split_huge_pmd_locked.
 */
export function splitHuge(memory: Memory, vma: Vma, at: number, address: number): boolean {
  if (vma.file !== null) {
    const head = hugeFrame(memory.tables.frameAt(at));
    const taken = memory.entries.take(at);
    keepSplitMarks(memory, taken, head);
    memory.tlb.page(vma.space, alignDown(address, SHIFT_2M));
    dropHuge(memory, vma, taken, head, SHIFT_2M);
    memory.tlb.flush();
    return false;
  }
  const { entries, frames, tables, tlb } = memory;
  const high = tables.words[at + 1];
  const head = hugeFrame(tables.frameAt(at));
  const table = withdrawTable(vma.space);
  const low = entries.take(at);
  const zero = entries.isSpecial(low);
  tlb.page(vma.space, alignDown(address, SHIFT_2M));
  tlb.flush();
  for (let i = 0; i < HUGE_FRAMES; i++) {
    const frame = zero ? memory.zeroFrame : head + i;
    entries.setPartOfHuge(tables.placeIn(table, i), frame, high, low);
  }
  tables.link(vma.space, at, table);
  if (!zero) {
    if (entries.isDirty(low)) frames.flags[head] |= FRAME_DIRTY;
    spreadMapping(memory, vma, head, frames.isExclusive(head));
  }
  memory.counters.hugeSplits++;
  return true;
}

/** The marks of an object's entry stay with the folio. */
function keepSplitMarks(memory: Memory, low: number, head: number): void {
  const { entries, frames } = memory;
  if (entries.isDirty(low)) frames.flags[head] |= FRAME_DIRTY;
  if (entries.isAccessed(low)) frames.flags[head] |= FRAME_REFERENCED;
}

/** One mapping of the whole becomes 512 mappings of parts. */
function spreadMapping(memory: Memory, vma: Vma, head: number, exclusive: boolean): void {
  const { frames } = memory;
  for (let frame = head; frame < head + HUGE_FRAMES; frame++) {
    frames.addMapping(frame, vma.space.id);
    if (exclusive) frames.setExclusive(frame, true);
  }
  // The parts hold the folio now, so this cannot be its last mapping; and `removeWholeMapping` clears the head's mark.
  frames.removeWholeMapping(head, vma.space.id);
  if ((vma.flags & VM_LOCKED) !== 0) memory.lru.unlock(head);
  if (exclusive) frames.setExclusive(head, true);
}

/** Splits the huge entry around `address`, if there is one: a VMA is going to begin or end there. */
export function splitHugeAt(memory: Memory, vma: Vma, address: number): void {
  if (address % HUGE_BYTES === 0 || (vma.flags & VM_HUGETLB) !== 0) return;
  const at = memory.tables.find(vma.space, address, SHIFT_2M);
  if (at >= 0 && memory.tables.words[at] !== 0 && !memory.tables.isTable(at)) splitHuge(memory, vma, at, address);
}
