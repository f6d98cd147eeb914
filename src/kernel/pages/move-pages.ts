/** Moving pages from one place in the page tables to another, as mremap does: whole tables if both ends allow it. */

import { PAGE_BYTES, SHIFT_1G, SHIFT_2M } from '../../../hw/base/address.js';
import { alignDown, powerOfTwo } from '../abi/layout.js';
import { ENOMEM } from '../abi/errno.js';
import { splitHuge } from './huge.js';
import { HUGE_BYTES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import type { Vma } from '../space/model.js';

/**
 * Moves the pages of `[start, start + length)` of `from` to `target` and on, in `to`; the target's tables are empty
 * there. Returns 0, or ENOMEM with part of it moved: call it the other way round to undo.
 */
export function movePages(memory: Memory, from: Vma, to: Vma, start: number, target: number, length: number): number {
  const { tables, tlb } = memory;
  const end = start + length;
  let address = start - slack(from, to, start, target, length);
  let result = 0;
  while (result === 0 && tables.next(from.space, address, end)) {
    const low = tables.start;
    // One step stays within 2 MiB at either end; a hugetlb page is one step.
    const there = low - start + target;
    const room = tables.shift === SHIFT_2M ? alignDown(there, SHIFT_2M) + HUGE_BYTES - there : 2 ** SHIFT_1G;
    const high = Math.min(tables.end, low + room);
    result = moveStep(memory, from, to, low, high, there, tables.at, tables.shift);
    address = high;
  }
  tlb.flush();
  return result;
}

/**
 * Bytes by which the move may begin lower, at the beginning of a table, to move the table as a whole: both places
 * lie alike in their tables, the range reaches the end of the first one, and nothing else is mapped below in it.
 */
function slack(from: Vma, to: Vma, start: number, target: number, length: number): number {
  const inTable = start % HUGE_BYTES;
  if (inTable === 0 || inTable !== target % HUGE_BYTES || length < HUGE_BYTES - inTable) return 0;
  if (from.start !== start || to.start !== target) return 0;
  const aloneBelow = (vma: Vma): boolean => (vma.space.vmas.previous(vma)?.end ?? 0) <= vma.start - inTable;
  return aloneBelow(from) && aloneBelow(to) ? inTable : 0;
}

function moveStep(
  memory: Memory,
  from: Vma,
  to: Vma,
  start: number,
  end: number,
  target: number,
  at: number,
  shift: number,
): number {
  const { tables } = memory;
  const place = tables.ensure(to.space, target, shift);
  if (place < 0) return ENOMEM;
  if (end - start === powerOfTwo(shift) && tables.words[place] === 0) {
    moveEntry(memory, from, at, place, start, tables.isTable(at));
    return 0;
  }
  if (!tables.isTable(at) && !splitHuge(memory, from, at, start)) return 0;
  if (tables.words[place] === 0) {
    const table = tables.allocate();
    if (table < 0) return ENOMEM;
    tables.link(to.space, place, table);
  }
  let source = tables.entryIn(at, start);
  let destination = tables.entryIn(place, target);
  for (let address = start; address < end; address += PAGE_BYTES, source += 2, destination += 2) {
    if (tables.words[source] !== 0) moveEntry(memory, from, source, destination, address, false);
  }
  return 0;
}

/** Moves one entry: a page, a huge page, or with `table` a whole table. */
function moveEntry(memory: Memory, from: Vma, at: number, place: number, address: number, table: boolean): void {
  const { entries, tlb } = memory;
  const low = table ? entries.moveTable(at, place) : entries.movePage(at, place);
  if (table) tlb.all(from.space);
  else if (entries.isPresent(low)) tlb.page(from.space, address);
}
