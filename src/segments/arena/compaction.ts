/** Moving segments: one to another place, or all of them together to make the holes one. */

import type { Segment } from '../segment-table.js';
import type { SegmentMemory } from '../memory.js';
import { HoleArena } from './arena.js';

/** Copies the contents of `segment` to `base` (the areas may overlap) and has every descriptor of it point there. */
export function relocate(memory: SegmentMemory, segment: Segment, base: number): void {
  const { counters, ram } = memory;
  const from = segment.base / 4;
  ram.words.copyWithin(base / 4, from, from + segment.room / 4);
  segment.base = base;
  counters.segmentsMoved++;
  counters.bytesMoved += segment.room;
  for (const entry of segment.entries) memory.update(entry);
}

/**
 * Slides all segments to the bottom of the arena, in address order: the free bytes become one hole.
 * @returns whether anything moved
 */
export function compact(memory: SegmentMemory): boolean {
  const { arena, counters } = memory;
  if (!(arena instanceof HoleArena)) return false;
  const present = [...memory.segments].filter((segment) => segment.present).sort((a, b) => a.base - b.base);
  const moved = counters.segmentsMoved;
  let end = arena.base;
  for (const segment of present) {
    if (segment.base !== end) relocate(memory, segment, end);
    end += segment.room;
  }
  arena.pack(end);
  if (counters.segmentsMoved === moved) return false;
  counters.compactions++;
  return true;
}
