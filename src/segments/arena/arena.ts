/**
 * The arena: one contiguous piece of physical memory, cut into segments, and the holes between them.
 *
 * Holes are kept in a list, most often in address order, and freed neighbours coalesce. The fit chooses the hole for a
 * request. Source: Knuth, The Art of Computer Programming vol. 1, "Dynamic Storage Allocation".
 */

import { ENOMEM } from '../../kernel/abi/errno.js';

/** The hole to cut: of those large enough the first, the smallest, the largest, or the first after the last cut. */
export type Fit = (typeof FITS)[number];
export const FITS = ['first', 'best', 'next', 'worst'] as const;

/**
 * The place of a freed block in the list of holes: by address, by size with the smallest or the largest first, at the
 * front, or at the back. Source: Arpaci-Dusseau, Operating Systems: Three Easy Pieces, "Free-Space Management".
 */
export type HoleOrder = (typeof HOLE_ORDERS)[number];
export const HOLE_ORDERS = ['address', 'smallest', 'largest', 'front', 'back'] as const;

/** The list's order, address when absent, and whether neighbours in the list become one hole, true when absent. */
export interface HoleList {
  readonly order?: HoleOrder;
  readonly coalesce?: boolean;
}

/** Addresses and sizes are multiples of this: contents move by whole words. */
const GRANULE = 16;

export interface Hole {
  base: number;
  bytes: number;
}

/** The source of the room of segments: what {@link HoleArena} and {@link BuddyArena} offer. All in bytes. */
export interface Arena {
  readonly base: number;
  readonly bytes: number;
  /** Bytes in holes. */
  readonly free: number;
  /** The holes, in the order of the list. */
  readonly holes: readonly Readonly<Hole>[];
  /** Whether compaction can slide segments together. */
  readonly slides: boolean;
  /** The room of a request of `bytes`. */
  roomFor(bytes: number): number;
  /** Takes `room` bytes; the address, or ENOMEM when no hole is large enough. */
  allocate(room: number): number;
  /** Takes exactly `[base, base + room)`; false unless all of it is free. */
  take(base: number, room: number): boolean;
  release(base: number, room: number): void;
}

/** `bytes` rounded up to whole granules, at least one. */
export function roundUp(bytes: number, unit = GRANULE): number {
  return Math.max(1, Math.ceil(bytes / unit)) * unit;
}

/** Bytes of the largest hole; 0 when there is none. */
export function largestHole(arena: Arena): number {
  return arena.holes.reduce((most, hole) => Math.max(most, hole.bytes), 0);
}

/** Share of the free bytes out of reach of a request for one contiguous piece: 0 when all is one hole. */
export function externalFragmentation(arena: Arena): number {
  return arena.free === 0 ? 0 : 1 - largestHole(arena) / arena.free;
}

/** Share of the room of segments nobody asked for: the cost of rounding up. */
export function internalFragmentation(segments: Iterable<{ readonly asked: number; readonly room: number }>): number {
  let asked = 0;
  let room = 0;
  for (const segment of segments) {
    asked += segment.asked;
    room += segment.room;
  }
  return room === 0 ? 0 : 1 - asked / room;
}

export class HoleArena implements Arena {
  readonly slides = true;
  /** Holes looked at by all requests so far: the cost of a fit. */
  probes = 0;
  readonly #holes: Hole[];
  readonly #order: HoleOrder;
  readonly #coalesces: boolean;
  /** The end of the last cut: next fit goes on from here, so it wants holes in address order. */
  #rover: number;

  /** Segments want `base` and `bytes` to be multiples of {@link GRANULE}. */
  constructor(
    readonly base: number,
    readonly bytes: number,
    private readonly fit: Fit = 'first',
    { order = 'address', coalesce = true }: HoleList = {},
  ) {
    this.#holes = [{ base, bytes }];
    this.#order = order;
    this.#coalesces = coalesce;
    this.#rover = base;
  }

  get holes(): readonly Readonly<Hole>[] {
    return this.#holes;
  }

  get free(): number {
    return this.#holes.reduce((sum, hole) => sum + hole.bytes, 0);
  }

  roomFor(bytes: number): number {
    return roundUp(bytes);
  }

  allocate(room: number): number {
    const index = this.#choose(room);
    if (index < 0) return ENOMEM;
    const { base } = this.#holes[index];
    this.#cut(index, base, room);
    this.#rover = base + room;
    return base;
  }

  take(base: number, room: number): boolean {
    const index = this.#holes.findIndex((hole) => hole.base <= base && base + room <= hole.base + hole.bytes);
    if (index < 0) return false;
    this.#cut(index, base, room);
    return true;
  }

  release(base: number, room: number): void {
    const holes = this.#holes;
    if (this.#order === 'address') {
      const above = holes.findIndex((hole) => hole.base > base);
      const index = above < 0 ? holes.length : above;
      holes.splice(index, 0, { base, bytes: room });
      if (!this.#coalesces) return;
      this.#coalesce(index);
      if (index > 0) this.#coalesce(index - 1);
      return;
    }
    holes.splice(this.#order === 'front' ? 0 : holes.length, 0, { base, bytes: room });
    // Holes cut since the last time are put into their places, too.
    if (this.#order === 'smallest') holes.sort((a, b) => a.bytes - b.bytes);
    if (this.#order === 'largest') holes.sort((a, b) => b.bytes - a.bytes);
    if (!this.#coalesces) return;
    for (let index = holes.length - 2; index >= 0; index--) this.#coalesce(index);
  }

  /** Makes everything from `end` on one hole: after compaction. */
  pack(end: number): void {
    this.#holes.length = 0;
    if (end < this.base + this.bytes) this.#holes.push({ base: end, bytes: this.base + this.bytes - end });
    this.#rover = end;
  }

  /** The hole's number, or -1. */
  #choose(room: number): number {
    const holes = this.#holes;
    if (this.fit === 'first' || this.fit === 'next')
      return this.#firstFrom(this.fit === 'next' ? this.#rover : 0, room);
    let chosen = -1;
    for (let i = 0; i < holes.length; i++) {
      this.probes++;
      const { bytes } = holes[i];
      if (bytes < room) continue;
      const better = chosen < 0 || (this.fit === 'best' ? bytes < holes[chosen].bytes : bytes > holes[chosen].bytes);
      if (better) chosen = i;
    }
    return chosen;
  }

  /** The first hole large enough from `start` on, then from the bottom. */
  #firstFrom(start: number, room: number): number {
    const holes = this.#holes;
    const found = holes.findIndex((hole) => hole.base >= start);
    const from = found < 0 ? 0 : found;
    for (let step = 0; step < holes.length; step++) {
      const index = (from + step) % holes.length;
      this.probes++;
      if (holes[index].bytes >= room) return index;
    }
    return -1;
  }

  #cut(index: number, base: number, room: number): void {
    const hole = this.#holes[index];
    const after = { base: base + room, bytes: hole.base + hole.bytes - base - room };
    const before = { base: hole.base, bytes: base - hole.base };
    this.#holes.splice(index, 1, ...[before, after].filter((rest) => rest.bytes > 0));
  }

  /** Joins hole `index` with the one after it when they touch. */
  #coalesce(index: number): void {
    const holes = this.#holes;
    if (index + 1 >= holes.length || holes[index].base + holes[index].bytes !== holes[index + 1].base) return;
    holes[index].bytes += holes[index + 1].bytes;
    holes.splice(index + 1, 1);
  }
}
