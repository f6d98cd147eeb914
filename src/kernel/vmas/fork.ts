/**
 * fork: a second address space with the same contents, sharing every page until somebody writes.
 *
 * Tables are copied only if a fault could not rebuild them: for VMAs with an anon_vma or guard pages. Whole tables are
 * copied in one pass over their words; a page costs one addition to its map word and one entry.
 */

import { PAGE_BYTES, SHIFT_2M } from '../../../hw/base/address.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { forkAnonVma } from '../space/anon-vma.js';
import { ENOMEM } from '../abi/errno.js';
import { depositTable } from '../pages/huge.js';
import { hugeFrame } from '../pages/mapping.js';
import { HUGE_BYTES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import type { EntryUpdate } from '../tables/entries.js';
import type { PageTables } from '../tables/page-table.js';
import { destroySpace } from './teardown.js';
import { VM_DONTCOPY, VM_HUGETLB, VM_LOCKED_MASK, VM_MAYBE_GUARD, VM_WIPEONFORK } from '../abi/vma-flags.js';

/** The child's address space; or ENOMEM with the child undone, the parent's pages perhaps left to be re-used by a fault. */
export function forkSpace(memory: Memory, parent: AddressSpace): AddressSpace | typeof ENOMEM {
  const { counters, tlb } = memory;
  const tablesBefore = counters.tablesAllocated;
  const child = memory.newSpace(parent.hugePages);
  if (typeof child === 'number') return child;
  child.brkStart = parent.brkStart;
  child.brkEnd = parent.brkEnd;
  child.mmapBase = parent.mmapBase;
  const copies: Vma[] = [];
  const complete = copyVmas(memory, parent, child, copies);
  child.vmas.fill(copies);
  if (!complete) {
    destroySpace(memory, child);
    return ENOMEM;
  }
  tlb.flush();
  counters.forks++;
  counters.forkTableBytes += (counters.tablesAllocated - tablesBefore) * 4096;
  return child;
}

/** Adds the child's VMAs to `copies`, with their pages; false when memory ran out on the way. */
function copyVmas(memory: Memory, parent: AddressSpace, child: AddressSpace, copies: Vma[]): boolean {
  for (const vma of parent.vmas) {
    if ((vma.flags & VM_DONTCOPY) === 0 && copyVma(memory, vma, child, copies) < 0) return false;
  }
  return true;
}

function copyVma(memory: Memory, vma: Vma, child: AddressSpace, copies: Vma[]): number {
  if (memory.frames.buddy.refuses()) return ENOMEM;
  const copy = vma.slice(child, vma.start, vma.end);
  // V8 takes flags for constant until some change, and then throws all compiled code of page faults away.
  if ((copy.flags & VM_LOCKED_MASK) !== 0) copy.flags &= ~VM_LOCKED_MASK;
  const wiped = (vma.flags & VM_WIPEONFORK) !== 0;
  if (!wiped && forkAnonVma(memory, copy, vma) < 0) return ENOMEM;
  copies.push(copy);
  copy.file?.object.vmas.add(copy);
  const rebuilt = vma.anonVma === null && (vma.flags & VM_MAYBE_GUARD) === 0;
  return wiped || rebuilt ? 0 : copyPages(memory, vma, copy);
}

function copyPages(memory: Memory, from: Vma, to: Vma): number {
  const { entries, tables } = memory;
  // A shared mapping keeps its rights; the child's entries are clean, since the parent's remember the writes.
  const change = entries.changeAtFork(from.isCow);
  let address = from.start;
  while (tables.next(from.space, address, from.end)) {
    const { shift } = tables;
    let place = tables.ensure(to.space, tables.start, shift);
    if (place < 0) return place;
    do {
      const status = tables.isTable(tables.at)
        ? copyTable(memory, from, to, place, change)
        : copyHuge(memory, from, to, tables.at, place, tables.start);
      if (status < 0) return status;
      place += 2;
    } while (shift === SHIFT_2M && tables.nextBeside(from.end));
    address = tables.end;
  }
  return 0;
}

/** A table for copies of entries for `bytes`: one to be filled need not hold zeros first. */
function newTable(tables: PageTables, bytes: number): number {
  return bytes === HUGE_BYTES ? tables.allocateUnwritten() : tables.allocate();
}

/** Shares one huge page: of 2 MiB, to be split perhaps, or any page of VM_HUGETLB. */
function copyHuge(memory: Memory, from: Vma, to: Vma, at: number, place: number, address: number): number {
  const { counters, entries, frames, tables } = memory;
  // Memory of an object is found again by a fault.
  if (from.file !== null) return 0;
  if ((from.flags & VM_HUGETLB) === 0 && depositTable(memory, to.space) < 0) return ENOMEM;
  const { words } = tables;
  const found = words[at];
  counters.forkEntriesVisited++;
  counters.forkEntriesCopied++;
  if (!entries.isSpecial(found)) {
    const head = hugeFrame(tables.frameAt(at));
    frames.addWholeMapping(head, to.space.id);
    frames.setExclusive(head, false);
    to.space.residentPages += 1 << frames.order[head];
  }
  let low = found;
  if (entries.isWritable(found)) {
    low = entries.makeReadOnly(at);
    counters.forkEntriesProtected++;
    memory.tlb.page(from.space, address);
  }
  entries.setCopy(at, place, low, entries.readOnly, false);
  return 0;
}

/** Copies what the found table has for the VMA into the child's, below the directory entry at `place`. */
function copyTable(memory: Memory, from: Vma, to: Vma, place: number, change: EntryUpdate): number {
  const { counters, entries, frames, tableCopy, tables } = memory;
  const { at, start, end } = tables;
  const missing = tables.words[place] === 0;
  const table = missing ? newTable(tables, end - start) : tables.frameAt(place);
  if (table < 0) return table;
  const [source, target] = [tables.entryIn(at, start), tables.entryOf(table, start)];
  // An int32: a float64 would give the counters another shape, and V8 throws away all code that counts.
  const count = ((end - start) / PAGE_BYTES) | 0;
  tableCopy.run(entries, frames.map, source, target, count, change, from.isShared);
  for (let i = 0; i < tableCopy.large; i++) {
    frames.largeAt(frames.headOf(tableCopy.largeFrames[i])).add(1, to.space.id);
  }
  noteChanges(memory, from.space, start);
  to.space.residentPages += tableCopy.counted;
  counters.forkEntriesVisited += count;
  counters.forkEntriesCopied += tableCopy.copied;
  counters.forkEntriesProtected += tableCopy.changed;
  if (missing) tables.link(to.space, place, table);
  return 0;
}

/** Notes the entries of the parent that have lost rights, from `start` on, until all of it is to be flushed. */
function noteChanges({ tableCopy, tlb }: Memory, space: AddressSpace, start: number): void {
  for (let run = 0; run < tableCopy.changedRuns; run++) {
    for (let i = tableCopy.changedFrom[run]; i < tableCopy.changedEnd[run]; i += 2) {
      if (!tlb.page(space, start + (i / 2) * PAGE_BYTES)) return;
    }
  }
}
