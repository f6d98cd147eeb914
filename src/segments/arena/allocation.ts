/**
 * Finding room for a segment, and swapping others out for it.
 *
 * When no hole is large enough: compact and try again; then swap segments out, one after the other, and try again; then
 * fail with ENOMEM, with every byte still in memory or on the disk.
 */

import { ENOMEM } from '../../kernel/abi/errno.js';
import { compact } from './compaction.js';
import type { SegmentMemory } from '../memory.js';
import type { Segment } from '../segment-table.js';
import { SWAPPED_OUT } from '../segment-table.js';

/** The address of `room` free bytes, or ENOMEM; `keep` stays in memory, though it may move. */
export function findRoom(memory: SegmentMemory, room: number, keep: Segment | null): number {
  const { arena } = memory;
  const base = arena.allocate(room);
  if (base >= 0) return base;
  const compacted = allocateCompacted(memory, room);
  if (compacted >= 0) return compacted;
  return allocateBySwapping(memory, room, keep);
}

function allocateCompacted(memory: SegmentMemory, room: number): number {
  const { arena } = memory;
  if (arena.free < room || !compact(memory)) return ENOMEM;
  return arena.allocate(room);
}

function allocateBySwapping(memory: SegmentMemory, room: number, keep: Segment | null): number {
  const { arena } = memory;
  if (arena.free + swappable(memory, keep) >= room) {
    for (let victim = chooseVictim(memory, keep); victim !== null; victim = chooseVictim(memory, keep)) {
      swapOut(memory, victim);
      const base = arena.allocate(room);
      if (base >= 0) return base;
      const compacted = allocateCompacted(memory, room);
      if (compacted >= 0) return compacted;
    }
  }
  memory.counters.allocationFailures++;
  return ENOMEM;
}

/** The most bytes to be freed by swapping; the swap area sets a bound. */
function swappable({ segments, swap }: SegmentMemory, keep: Segment | null): number {
  let bytes = 0;
  for (const segment of segments) if (segment.present && segment !== keep) bytes += segment.room;
  return Math.min(bytes, swap.bytes - swap.used);
}

/**
 * The next segment to swap out: the clock goes round. It passes over a segment once, if any of its descriptors was
 * loaded since the last round (A = 1). Null when nothing left fits into the swap area.
 */
function chooseVictim(memory: SegmentMemory, keep: Segment | null): Segment | null {
  const { swap } = memory;
  const ring = [...memory.segments].filter(
    (segment) => segment.present && segment !== keep && swap.hasRoom(segment.room),
  );
  if (ring.length === 0) return null;
  const start = ring.findIndex((segment) => segment.id > memory.hand);
  // In the second round every A bit has been cleared.
  for (let step = 0; step < 2 * ring.length; step++) {
    const segment = ring[(Math.max(0, start) + step) % ring.length];
    memory.hand = segment.id;
    if (!clearAccessed(memory, segment)) return segment;
  }
  return ring[0];
}

/** Clears the A bit of every descriptor of `segment`; whether one was set. */
function clearAccessed({ counters }: SegmentMemory, segment: Segment): boolean {
  let accessed = false;
  for (const entry of segment.entries) {
    if (!entry.table.accessed(entry.index)) continue;
    accessed = true;
    counters.descriptorsWritten++;
    entry.table.store(entry, false);
  }
  return accessed;
}

/** Writes a segment to the swap area and frees its room: P = 0 in all its descriptors. The area must have room. */
export function swapOut(memory: SegmentMemory, segment: Segment): void {
  const { arena, counters, ram, swap } = memory;
  segment.swapped = ram.words.slice(segment.base / 4, (segment.base + segment.room) / 4);
  arena.release(segment.base, segment.room);
  segment.base = SWAPPED_OUT;
  swap.used += segment.room;
  counters.swapOuts++;
  counters.bytesSwapped += segment.room;
  for (const entry of segment.entries) memory.update(entry);
}

/** Brings a segment back, to any room. Returns 0 or ENOMEM. */
export function swapIn(memory: SegmentMemory, segment: Segment): number {
  const { counters, ram, swap } = memory;
  if (segment.swapped === null) return 0;
  const base = findRoom(memory, segment.room, segment);
  if (base < 0) return base;
  ram.words.set(segment.swapped, base / 4);
  segment.swapped = null;
  segment.base = base;
  swap.used -= segment.room;
  counters.swapIns++;
  counters.bytesSwapped += segment.room;
  for (const entry of segment.entries) memory.update(entry);
  return 0;
}
