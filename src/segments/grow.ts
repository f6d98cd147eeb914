/** Making a segment longer or shorter. */

import { findRoom, swapIn } from './arena/allocation.js';
import { relocate } from './arena/compaction.js';
import type { SegmentMemory } from './memory.js';
import { makeOwn } from './ownership.js';
import type { Segment, SegmentEntry } from './segment-table.js';
import { validBytes } from './segment-table.js';

/**
 * Gives the segment of `entry` `asked` bytes: in place if the arena is free behind it, otherwise elsewhere. New bytes
 * are 0. Everyone who shares it on purpose sees the change; a segment shared by fork is copied first. Returns 0, or
 * ENOMEM with nothing changed.
 */
export function resize(memory: SegmentMemory, entry: SegmentEntry, asked: number): number {
  const { entries } = entry.segment;
  if (entries.size > 1 && [...entries].some((user) => !user.shared)) {
    const own = makeOwn(memory, entry);
    if (own < 0) return own;
  }
  const { segment } = entry;
  const brought = swapIn(memory, segment);
  if (brought < 0) return brought;
  const bytes = validBytes(asked);
  const room = memory.arena.roomFor(bytes);
  const oldBytes = segment.bytes;
  const found = room > segment.room ? extend(memory, segment, room) : shorten(memory, segment, room);
  if (found < 0) return found;
  segment.asked = asked;
  segment.bytes = bytes;
  if (bytes > oldBytes) zero(memory, segment.base + oldBytes, bytes - oldBytes);
  for (const user of segment.entries) memory.update(user);
  return 0;
}

function zero({ counters, ram }: SegmentMemory, address: number, bytes: number): void {
  counters.bytesZeroed += bytes;
  let at = address;
  const end = address + bytes;
  while (at < end && at % 4 !== 0) ram.store8(0, at++, 0);
  ram.words.fill(0, at / 4, Math.floor(end / 4));
  for (at = Math.max(at, end - (end % 4)); at < end; at++) ram.store8(0, at, 0);
}

function shorten({ arena }: SegmentMemory, segment: Segment, room: number): number {
  if (room < segment.room) {
    if (!arena.slides) return 0;
    arena.release(segment.base + room, segment.room - room);
    segment.room = room;
  }
  return 0;
}

function extend(memory: SegmentMemory, segment: Segment, room: number): number {
  const { arena } = memory;
  if (arena.take(segment.base + segment.room, room - segment.room)) {
    segment.room = room;
    return 0;
  }
  const base = findRoom(memory, room, segment);
  if (base < 0) return base;
  const [oldBase, oldRoom] = [segment.base, segment.room];
  relocate(memory, segment, base);
  segment.room = room;
  arena.release(oldBase, oldRoom);
  return 0;
}
