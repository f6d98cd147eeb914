/** Descriptors for segments: the first one, further ones to share it by, and one in the GDT for everybody. */

import { EBUSY } from '../kernel/abi/errno.js';
import type { SegmentMemory } from './memory.js';
import { dropEntry, makeOwn } from './ownership.js';
import type { SegmentProcess } from './process.js';
import type { Segment, SegmentTable } from './segment-table.js';
import { READABLE_CODE, READ_ONLY_DATA, SegmentEntry, WRITABLE_DATA } from './segment-table.js';

/** The rights of a process to a segment. */
export type SegmentKind = 'code' | 'constants' | 'data';

/** The place and the rights of a descriptor by {@link SegmentKernel.share}. */
export interface SharePlacement {
  /** Its number in the other's table. */
  readonly index: number;
  readonly kind: SegmentKind;
}

/** The type of a descriptor, by its kind. */
export const SEGMENT_TYPES: Readonly<Record<SegmentKind, number>> = {
  code: READABLE_CODE,
  constants: READ_ONLY_DATA,
  data: WRITABLE_DATA,
};

/** Describes a segment in a table with room for it. */
export function describeSegment(
  memory: SegmentMemory,
  table: SegmentTable,
  index: number,
  segment: Segment,
  type: number,
  shared: boolean,
): SegmentEntry {
  const entry = new SegmentEntry(table, index, segment, type);
  entry.shared = shared;
  memory.addEntry(entry);
  return entry;
}

/** Gives `other` a descriptor of the segment of `entry`: its selector, or ENOMEM. */
export function shareSegment(
  memory: SegmentMemory,
  entry: SegmentEntry,
  other: SegmentProcess,
  index: number,
  as: SharePlacement | undefined,
): number {
  const ready = memory.ensureRoom(other.table, index);
  if (ready < 0) return ready;
  const status = startSharing(memory, entry);
  if (status < 0) return status;
  const type = as === undefined ? entry.type : SEGMENT_TYPES[as.kind];
  return describeSegment(memory, other.table, index, entry.segment, type, true).selector;
}

/** A segment shared on purpose may not be shared by copy-on-write as well. */
function startSharing(memory: SegmentMemory, entry: SegmentEntry): number {
  if (!entry.shared && entry.mayWrite) {
    const own = makeOwn(memory, entry);
    if (own < 0) return own;
  }
  entry.shared = true;
  return 0;
}

/** Moves the descriptor of a segment from the process's table to the GDT: its selector there, EBUSY or ENOMEM. */
export function publishSegment(memory: SegmentMemory, process: SegmentProcess, entry: SegmentEntry): number {
  const ready = memory.ensureRoom(memory.gdt, memory.gdt.freeIndex);
  if (ready < 0) return ready;
  if (entry.segment.entries.size > 1 && (entry.shared || !entry.mayWrite)) return EBUSY;
  const status = startSharing(memory, entry);
  if (status < 0) return status;
  const master = describeSegment(memory, memory.gdt, memory.gdt.freeIndex, entry.segment, entry.type, true);
  dropEntry(memory, entry);
  process.masters.add(master);
  return master.selector;
}

/** Gives the process a use of a descriptor in the GDT: its selector. */
export function holdMaster(process: SegmentProcess, master: SegmentEntry): number {
  if (!process.masters.has(master)) {
    process.masters.add(master);
    master.holders++;
  }
  return master.selector;
}
