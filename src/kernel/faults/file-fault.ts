/** Page faults in mappings of files and of shared memory. */

import { PAGE_BYTES, SHIFT_2M } from '../../../hw/base/address.js';
import { alignDown } from '../abi/layout.js';
import { prepareAnonVma } from '../space/anon-vma.js';
import { FRAME_DIRTY } from '../frames/frames.js';
import { mayMapHuge } from '../pages/huge.js';
import { mapFilePage, mapHugeFilePage, mapNewAnonymous } from '../pages/mapping.js';
import type { FileObject, Vma } from '../space/model.js';
import { HUGE_ORDER } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import { cachePage, pagesOf, readAround, readOnward, writtenPage } from '../space/page-cache.js';
import { TABLE_ENTRIES } from '../tables/page-table.js';
import { BUS_ADRERR, FAULT_MAJOR, FAULT_MINOR, OOM_KILL } from '../abi/signal.js';
import { VM_EXEC } from '../abi/vma-flags.js';

/** Pages mapped at most by a read fault, around the one asked for. Linux: fault_around_bytes = 65536. */
const FAULT_AROUND = 16;

/** The entry at `at`, for the page at `address`, is empty. */
export function fileFault(memory: Memory, vma: Vma, at: number, address: number, write: boolean): number {
  if (vma.file === null) throw new Error('a file fault needs a file');
  if (write && !vma.isShared) return copyFault(memory, vma, at, address);
  const { counters, frames } = memory;
  const index = vma.pageOffset(address);
  if (!write && mapAround(memory, vma, at, address)) return FAULT_MINOR;
  const kind = faultKind(vma, index);
  const found = pageForFault(memory, vma, index);
  if (found < 0) return found;
  // After waiting for the disk the fault begins anew, and now finds the neighbours read with the page.
  if (!write && kind === FAULT_MAJOR && mapAround(memory, vma, at, address)) return kind;
  mapFilePage(memory, vma, at, found, write);
  if (write) frames.flags[frames.headOf(found)] |= FRAME_DIRTY;
  counters.fileFaults++;
  return kind;
}

/**
 * Maps the folio around `address` by the empty directory entry at `at`, if it is one of 2 MiB and lies in the VMA as a
 * huge entry needs it. A write to a private mapping is not for it, since it copies 4 KiB.
 */
export function mapHugeFolio(memory: Memory, vma: Vma, at: number, address: number, write: boolean): boolean {
  const object = vma.file?.object;
  if (object === undefined || (write && !vma.isShared) || !mayMapHuge(vma, address)) return false;
  const head = object.pages.get(vma.pageOffset(alignDown(address, SHIFT_2M)));
  const { counters, frames } = memory;
  if (head === undefined || frames.order[head] !== HUGE_ORDER || frames.headOf(head) !== head) return false;
  if (vma.pageOffset(address) >= pagesOf(object)) return false;
  mapHugeFilePage(memory, vma, at, head, write);
  if (write) frames.flags[head] |= FRAME_DIRTY;
  counters.fileFaults++;
  return true;
}

/** FAULT_MAJOR when page `index` will have to come from a disk. */
function faultKind(vma: Vma, index: number): number {
  const object = vma.file?.object;
  return object?.kind === 'disk' && !object.pages.has(index) ? FAULT_MAJOR : FAULT_MINOR;
}

/** The cached frame of page `index`, read or made if need be; or the signal of the fault. */
function pageForFault(memory: Memory, vma: Vma, index: number): number {
  const object = vma.file?.object;
  if (object === undefined || index >= pagesOf(object)) return BUS_ADRERR;
  const frame = object.kind === 'disk' ? readForFault(memory, vma, object, index) : cachePage(memory, object, index);
  return frame < 0 ? OOM_KILL : frame;
}

function readForFault(memory: Memory, vma: Vma, object: FileObject, index: number): number {
  const executable = (vma.flags & VM_EXEC) !== 0;
  return executable ? readOnward(memory, object, index, vma.pageOffset(vma.end)) : readAround(memory, object, index);
}

/** A write to a private mapping: the process gets a copy of the file's page at once. */
function copyFault(memory: Memory, vma: Vma, at: number, address: number): number {
  const { counters, frames } = memory;
  // The anon_vma and the copy come first: a write ending in SIGBUS then has made the anon_vma all the same.
  if (prepareAnonVma(memory, vma) < 0) return OOM_KILL;
  const copy = frames.allocate(0, 0);
  if (copy < 0) return OOM_KILL;
  const kind = faultKind(vma, vma.pageOffset(address));
  const page = pageForFault(memory, vma, vma.pageOffset(address));
  if (page < 0) {
    frames.release(copy);
    return page;
  }
  frames.copy(page, copy, 0);
  mapNewAnonymous(memory, vma, at, copy, address);
  counters.cowFaults++;
  return kind;
}

/** A write to a present, read-only shared page: now it is known to be dirty. */
export function sharedWriteFault(memory: Memory, at: number): number {
  const { counters, entries, frames, tables } = memory;
  entries.markTouched(at, true);
  frames.flags[frames.headOf(tables.frameAt(at))] |= FRAME_DIRTY;
  counters.reuseFaults++;
  return FAULT_MINOR;
}

/** The folio of page `index`: its begin in the object, and its pages; a page not cached is one by itself. */
function largeFolioOf(memory: Memory, object: FileObject, index: number): { index: number; pages: number } {
  const { frames } = memory;
  const frame = object.pages.get(index);
  if (frame === undefined || frames.order[frame] === 0) return { index, pages: 1 };
  return { index: index - (frame - frames.headOf(frame)), pages: 2 ** frames.order[frame] };
}

/**
 * Maps the cached pages around `address`, cut at the VMA, the page table and the end of the file.
 * @returns whether the page at `address` itself is mapped now.
 */
function mapAround(memory: Memory, vma: Vma, at: number, address: number): boolean {
  const object = vma.file?.object;
  if (object === undefined) return false;
  const { tables, counters } = memory;
  const inTable = (address / PAGE_BYTES) % TABLE_ENTRIES;
  const inVma = (address - vma.start) / PAGE_BYTES;
  const wanted = vma.pageOffset(address);
  const folio = largeFolioOf(memory, object, wanted);
  const inFolio = wanted - folio.index;
  // A large folio comes whole if it lies in the VMA; a table has room for any.
  const whole = folio.pages > FAULT_AROUND && inVma >= inFolio && inVma - inFolio + folio.pages <= vma.pages;
  const first = Math.max(inTable & -FAULT_AROUND, inTable - Math.min(inTable, inVma));
  const from = whole ? inTable - inFolio : first;
  const to = Math.min(from + (whole ? folio.pages : FAULT_AROUND), TABLE_ENTRIES, inTable + vma.pages - inVma);
  const limit = pagesOf(object);
  for (let entry = from; entry < to; entry++) {
    const place = at + (entry - inTable) * 2;
    const index = wanted + entry - inTable;
    if (tables.words[place] !== 0 || index >= limit || object.readAheadMarks.has(index)) continue;
    const frame = writtenPage(object, index);
    if (frame !== undefined) mapFilePage(memory, vma, place, frame, false);
  }
  if (tables.words[at] === 0) return false;
  counters.fileFaults++;
  return true;
}
