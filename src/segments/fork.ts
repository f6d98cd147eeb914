/**
 * fork by segments: the child gets a copy of the segment table. Segments writable by one process alone become
 * copy-on-write in both: one descriptor each, at any size; shared and read-only ones stay as they are.
 */

import type { SegmentMemory } from './memory.js';
import { dropEntry } from './ownership.js';
import type { SegmentProcess } from './process.js';
import { SegmentEntry } from './segment-table.js';
import type { SegmentTable } from './segment-table.js';

/** The child's table; or ENOMEM with nothing changed. */
export function forkTable(memory: SegmentMemory, parent: SegmentProcess): SegmentTable | number {
  const table = memory.newTable(parent.table.capacity);
  if (typeof table === 'number') return table;
  for (const entry of parent.table.used) copyEntry(memory, entry, table);
  memory.counters.forks++;
  return table;
}

function copyEntry(memory: SegmentMemory, entry: SegmentEntry, table: SegmentTable): void {
  const { counters } = memory;
  const copy = new SegmentEntry(table, entry.index, entry.segment, entry.type);
  copy.shared = entry.shared;
  if (entry.mayWrite && !entry.shared) {
    copy.cow = true;
    if (!entry.cow) {
      entry.cow = true;
      counters.forkDescriptorsProtected++;
      memory.update(entry);
    }
  }
  counters.forkDescriptorsCopied++;
  memory.addEntry(copy);
}

/** Gives up everything in reach of a process, and its table. */
export function releaseTable(memory: SegmentMemory, process: SegmentProcess): void {
  for (const entry of process.table.used) dropEntry(memory, entry);
  for (const master of process.masters) {
    master.holders--;
    if (master.holders === 0) dropEntry(memory, master);
  }
  process.masters.clear();
  memory.freeTable(process.table);
}
