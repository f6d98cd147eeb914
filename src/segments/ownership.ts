/** The owners of a segment: new ones, copies, giving up an entry. */

import type { SegmentMemory } from './memory.js';
import { findRoom, swapIn } from './arena/allocation.js';
import type { Segment, SegmentEntry } from './segment-table.js';

/** Drops `entry`; its segment goes with the last one. */
export function dropEntry(memory: SegmentMemory, entry: SegmentEntry): void {
  const { table, segment } = entry;
  segment.entries.delete(entry);
  table.clear(entry.index);
  memory.refresh(entry);
  if (segment.entries.size === 0) freeSegment(memory, segment);
}

/** Frees a segment without descriptors. */
function freeSegment(memory: SegmentMemory, segment: Segment): void {
  if (segment.present) memory.arena.release(segment.base, segment.room);
  else memory.swap.used -= segment.room;
  memory.segments.delete(segment);
  memory.counters.segmentsFreed++;
}

/**
 * Gives `entry` a segment of its own with the same contents: a copy while others reach the old one, otherwise the old
 * one itself. Returns 0, or ENOMEM with nothing changed.
 */
export function makeOwn(memory: SegmentMemory, entry: SegmentEntry): number {
  const old = entry.segment;
  if (old.entries.size > 1) {
    const copy = copySegment(memory, old);
    if (typeof copy === 'number') return copy;
    old.entries.delete(entry);
    copy.entries.add(entry);
    entry.segment = copy;
  }
  entry.cow = false;
  entry.shared = false;
  memory.update(entry);
  return 0;
}

function copySegment(memory: SegmentMemory, old: Segment): Segment | number {
  const { counters, ram } = memory;
  const brought = swapIn(memory, old);
  if (brought < 0) return brought;
  const base = findRoom(memory, old.room, old);
  if (base < 0) return base;
  // Finding room may have moved the old one.
  ram.words.copyWithin(base / 4, old.base / 4, (old.base + old.room) / 4);
  counters.segmentsCopied++;
  counters.bytesCopied += old.bytes;
  return memory.newSegment(base, old.bytes, old.asked, old.room);
}
