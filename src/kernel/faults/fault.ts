/**
 * Page faults: from "the processor could not complete this access" to a present page, or to a signal.
 *
 * The rules are Linux's: a read of untouched anonymous memory maps the one zero page; whoever first writes a shared
 * private page copies it; a page exclusive to one process is made writable in place.
 */

import { SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import { alignDown } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { prepareAnonVma } from '../space/anon-vma.js';
import { fileFault, mapHugeFolio, sharedWriteFault } from './file-fault.js';
import { FRAME_ANON } from '../frames/frames.js';
import { HUGE_FALLBACK, hugeAllowed, hugeAnonymousFault, hugeWriteFault, takeOver, touchHuge } from '../pages/huge.js';
import { hugetlbFault } from './hugetlb.js';
import { isPageMapped, mapNewAnonymous, mapZero, unmapPage } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { CAUSE_FETCH, CAUSE_WRITE } from '../tables/privileged.js';
import { FAULT_MAJOR, FAULT_MARKS, FAULT_MINOR, OOM_KILL, SEGV_ACCERR, SEGV_MAPERR } from '../abi/signal.js';
import { growDown } from '../vmas/stack.js';
import { VM_EXEC, VM_HUGETLB, VM_WRITE } from '../abi/vma-flags.js';

/**
 * The page-fault exception of an access in user mode: linear address, and CAUSE_ bits for the processor's account of it.
 * @returns FAULT_MINOR, FAULT_MAJOR or FAULT_MARKS to restart the access, or the signal of signal.ts for the process.
 */
export function pageFault(memory: Memory, space: AddressSpace, address: number, cause: number): number {
  const result = resolve(memory, space, address, cause);
  countFault(memory, result);
  return result;
}

/** Counts a fault by its end; the kernel's own faults (populate, copyIn) are counted alike. */
export function countFault(memory: Memory, result: number): void {
  const { counters } = memory;
  if (result === FAULT_MAJOR) counters.majorFaults++;
  else if (result === FAULT_MARKS) counters.markFaults++;
  else if (result >= 0) counters.minorFaults++;
  else counters.failedFaults++;
}

function resolve(memory: Memory, space: AddressSpace, address: number, cause: number): number {
  const vma = findOrGrow(memory, space, address);
  if (vma === undefined) return SEGV_MAPERR;
  const write = (cause & CAUSE_WRITE) !== 0;
  if (!vma.isAccessible || (write && (vma.flags & VM_WRITE) === 0)) return SEGV_ACCERR;
  // A page fetched from without the right is brought in first; only then the fetch is refused, as on Linux for x86.
  if ((cause & CAUSE_FETCH) !== 0 && (vma.flags & VM_EXEC) === 0 && isPageMapped(memory, space, address)) {
    return SEGV_ACCERR;
  }
  if (!memory.privileged.setsMarks && setMarks(memory, space, address, write)) return FAULT_MARKS;
  return handleFault(memory, vma, address, write);
}

/**
 * Sets the marks of an access that the entry allows, as another processor would have done itself; false when the fault was
 * not about them.
 */
function setMarks({ entries, tables }: Memory, space: AddressSpace, address: number, write: boolean): boolean {
  const at = tables.findLeaf(space, address);
  const low = tables.words[at];
  if (!entries.isPresent(low) || (write && !entries.isWritable(low))) return false;
  if (entries.isAccessed(low) && (!write || entries.isDirty(low))) return false;
  entries.markAccess(at, write);
  return true;
}

/** The VMA around `address`, or the stack above it grown down to it. */
export function findOrGrow(memory: Memory, space: AddressSpace, address: number): Vma | undefined {
  const vma = space.vmas.atOrAbove(address);
  if (vma === undefined || vma.start <= address) return vma;
  return growDown(memory, vma, address) === 0 ? vma : undefined;
}

/** Makes the page at `address` present, and writable for a write. The VMA must hold it and allow the access. */
export function handleFault(memory: Memory, vma: Vma, address: number, write: boolean): number {
  if ((vma.flags & VM_HUGETLB) !== 0) return hugetlbFault(memory, vma, address, write);
  const { tables } = memory;
  const directory = tables.ensure(vma.space, address, SHIFT_2M);
  if (directory < 0) return OOM_KILL;
  if (tables.words[directory] === 0) {
    if (hugeAllowed(vma, address)) {
      const result = hugeAnonymousFault(memory, vma, directory, address, write);
      if (result !== HUGE_FALLBACK) return result;
    } else if (mapHugeFolio(memory, vma, directory, address, write)) return FAULT_MINOR;
  } else if (!tables.isTable(directory)) {
    const result = presentHuge(memory, vma, directory, address, write);
    if (result !== HUGE_FALLBACK) return result;
  }
  const at = tables.ensure(vma.space, address, SHIFT_4K);
  if (at < 0) return OOM_KILL;
  return smallFault(memory, vma, at, address, write);
}

function presentHuge(memory: Memory, vma: Vma, at: number, address: number, write: boolean): number {
  if (write && !memory.entries.isWritable(memory.tables.words[at])) return hugeWriteFault(memory, vma, at, address);
  touchHuge(memory, at, vma, write);
  return FAULT_MINOR;
}

/** Aligns the address only where it is needed: V8 would make an object of it on the way. */
function smallFault(memory: Memory, vma: Vma, at: number, address: number, write: boolean): number {
  const { entries, tables } = memory;
  const low = tables.words[at];
  if (low === 0) {
    const page = alignDown(address);
    return vma.isAnonymous ? anonymousFault(memory, vma, at, page, write) : fileFault(memory, vma, at, page, write);
  }
  // Neither empty nor a page: a guard page.
  if (!entries.isMapped(low)) return SEGV_MAPERR;
  if (write && !entries.isWritable(low)) return writeFault(memory, vma, at, address);
  // The entry is right already: the TLB held an older, stricter one. It is dropped before the access starts again.
  entries.markTouched(at, write);
  return FAULT_MINOR;
}

/** First touch of anonymous memory. */
function anonymousFault(memory: Memory, vma: Vma, at: number, address: number, write: boolean): number {
  const { counters, frames } = memory;
  if (!write) {
    mapZero(memory, vma, at, memory.zeroFrame, false);
    counters.zeroPageFaults++;
    return FAULT_MINOR;
  }
  if (prepareAnonVma(memory, vma) < 0) return OOM_KILL;
  const frame = frames.allocateZeroed(0, 0);
  if (frame < 0) return OOM_KILL;
  mapNewAnonymous(memory, vma, at, frame, address);
  counters.anonymousFaults++;
  return FAULT_MINOR;
}

/** A write to a present, read-only page. */
function writeFault(memory: Memory, vma: Vma, at: number, address: number): number {
  const { entries, frames, tables, counters } = memory;
  if (vma.isShared) return sharedWriteFault(memory, at);
  const frame = tables.frameAt(at);
  const head = frames.headOf(frame);
  const counted = !entries.isSpecial(tables.words[at]);
  if (
    counted &&
    (frames.flags[head] & FRAME_ANON) !== 0 &&
    (frames.isExclusive(frame) || canReuse(memory, vma, frame))
  ) {
    frames.setExclusive(frame, true);
    entries.markTouched(at, true);
    counters.reuseFaults++;
    return FAULT_MINOR;
  }
  return copyPage(memory, vma, at, alignDown(address), counted ? frame : -1);
}

/**
 * Whether an anonymous page, though not marked exclusive, has no other owner left. Part of a large folio is re-used only
 * while one process has all mappings of it, more than this one: a last part is copied, to free the rest.
 */
function canReuse(memory: Memory, vma: Vma, frame: number): boolean {
  const { frames } = memory;
  const head = frames.headOf(frame);
  if (frames.order[head] !== 0) {
    const folio = frames.largeAt(head);
    return folio.total > 1 && !folio.maybeShared && frames.pins[head] === 0;
  }
  if (isReferenced(memory, frame)) return false;
  takeOver(memory, vma, frame);
  return true;
}

/** With more references a page is not re-used, for all the batches may hold. */
const MOST_REFERENCES = 3;

/**
 * Whether something beside one mapping refers to a small page. The batches of {@link LruBatches} count; they are emptied
 * first for a page on no LRU list yet. Source: Linux mm/memory.c, wp_can_reuse_anon_folio.
 */
function isReferenced(memory: Memory, frame: number): boolean {
  const { frames, lru } = memory;
  const references = frames.references(frame);
  if (references > MOST_REFERENCES) return true;
  const waiting = lru.references(frame);
  if (waiting === 0) return references > 1;
  if (references + waiting > MOST_REFERENCES) return true;
  if (lru.isNew(frame)) lru.drain();
  return references + lru.references(frame) > 1;
}

/** Replaces the page at `at` by a copy of the process's own; `from` is -1 for the zero page. */
function copyPage(memory: Memory, vma: Vma, at: number, address: number, from: number): number {
  const { counters, frames, tlb } = memory;
  if (prepareAnonVma(memory, vma) < 0) return OOM_KILL;
  const frame = from < 0 ? frames.allocateZeroed(0, 0) : frames.allocate(0, 0);
  if (frame < 0) return OOM_KILL;
  if (from >= 0) {
    frames.copy(from, frame, 0);
    counters.cowFaults++;
  } else counters.anonymousFaults++;
  unmapPage(memory, vma, at, address);
  tlb.flush();
  mapNewAnonymous(memory, vma, at, frame, address);
  return FAULT_MINOR;
}
