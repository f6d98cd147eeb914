/**
 * Walk caches: the results of the upper levels of a walk, for a start further down in the next walk.
 *
 * An entry of the cache of level 1 gives the last table and the combined rights above it for the reach of one entry of
 * level 1, 2 MiB of the address space for example; the cache of level 2 does so for 1 GiB, and so on up. Entries are of
 * one address space, never global, and are made only from table entries with their accessed bit set. By level,
 * `shifts` are log2 of the bytes covered by one entry. x86 calls them paging-structure caches.
 * Source: Intel SDM vol. 3A, "Paging-Structure Caches".
 */

import { checkChoice } from '../base/arguments.js';
import type { HotMemory } from '../memory/hot-memory.js';
import type { WalkCacheGeometry } from './hierarchy.js';
import * as tags from './tag.js';
import type { TlbEntry } from './entry.js';
import type { TlbListener } from './events.js';
import { Tlb } from './array/tlb.js';
import type { TlbShape } from './shape.js';

const { NO_SPACE, makeTag, tagPageLow } = tags;

/** Levels with a possible cache: from 1, the one above the last, to this one. */
const MOST_LEVEL = 4;

/** The shifts of an address space, by half of the addresses: tables of the upper half may be others. */
interface Halves {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

/**
 * Whether an entry tells its half by the number of its page: in the upper half bit 63 of the address is set, in the lower
 * one all from bit `bits` on are clear. Else one of the lower half could be found for an address of the upper.
 */
export function tellsHalf(lower: readonly number[], upper: readonly number[], bits: number): boolean {
  return lower === upper || !lower.some((shift, level) => upper[level] - shift > 63 - bits);
}

const keyOf = (level: number): string => `level${level}`;
const nameKeyOf = (level: number, names: readonly string[]): string => (names[level] ?? keyOf(level)).toLowerCase();

/**
 * The shape of the walk cache of a level, asked for as `level1` or, in small letters, by the architecture's name for its
 * entries.
 */
export function walkCacheShape(
  caches: WalkCacheGeometry,
  level: number,
  names: readonly string[] = [],
): TlbShape | undefined {
  return caches[nameKeyOf(level, names)] ?? caches[keyOf(level)];
}

export class WalkCaches {
  /** Result of the last hit: the table to go on with, and the rights of the levels above it. */
  table = 0;
  rights = 0;
  /** The cache of entries at each level, from 1 up. */
  private readonly byLevel: readonly (Tlb | null)[];
  /** By space number, the shifts of all of its entries. */
  private readonly spaces = new Map<number, Halves>();

  /**
   * @param names by level, the architecture's names for entries: see `Walks.terms`
   * @param stage before the level in the name of each; without it a cache is called by its entries
   * @throws RangeError for a shape that cannot be built, or a cache of no level
   */
  constructor(caches: WalkCacheGeometry, names: readonly string[] = [], stage?: string) {
    const levels = Array.from({ length: MOST_LEVEL }, (_, i) => i + 1);
    const known = levels.flatMap((level) => [...new Set([nameKeyOf(level, names), keyOf(level)])]);
    for (const key of Object.keys(caches)) checkChoice('walk cache', key, known);
    const make = (level: number): Tlb | null => {
      const shape = walkCacheShape(caches, level, names);
      const name = stage === undefined ? (names[level] ?? `level ${level}`) : `${stage} level ${level}`;
      return shape === undefined ? null : new Tlb(shape, `${name} cache`);
    };
    this.byLevel = [null, ...levels.map(make)];
  }

  /**
   * Fills are from now on by tables of these shifts in address space `space`. Entries by others go: only its shift says
   * what an entry covers, and more than asked may always be dropped.
   */
  enter(space: number, lower: readonly number[], upper = lower): void {
    const known = this.spaces.get(space);
    if (known?.lower === lower && known.upper === upper) return;
    this.byLevel.forEach((cache, level) => {
      const same = known === undefined || (known.lower[level] === lower[level] && known.upper[level] === upper[level]);
      if (!same) cache?.dropSpace(space, NO_SPACE);
    });
    this.spaces.set(space, { lower, upper });
  }

  /**
   * The deepest possible start level of a walk, for a walk with its root at `rootLevel`; `rootLevel` itself when
   * nothing is cached. A result below `rootLevel` leaves the table and rights in the fields.
   */
  lookup(hi: number, lo: number, space: number, rootLevel: number, shifts: readonly number[]): number {
    for (let level = 1; level <= rootLevel; level++) {
      const cache = this.byLevel[level];
      if (cache === null) continue;
      const shift = shifts[level];
      const cell = cache.lookup(tagPageLow(hi, lo, shift), makeTag(hi, shift, space, 0));
      if (cell < 0) continue;
      this.table = cache.frameAt(cell);
      this.rights = cache.rightsAt(cell);
      return level - 1;
    }
    return rootLevel;
  }

  /** Keeps `table` as the target of the entry at `level` for this address, with the rights of all levels down to it. */
  fill(hi: number, lo: number, space: number, level: number, shift: number, table: number, rights: number): void {
    const cache = this.byLevel[level];
    if (cache === null) return;
    cache.replace(tagPageLow(hi, lo, shift), makeTag(hi, shift, space, 0), table, rights);
  }

  /** Moves all to where hot loops reach it. @returns false where they cannot use it @internal */
  moveTo(memory: HotMemory): boolean {
    return this.byLevel.every((cache) => cache?.moveTo(memory) ?? true);
  }

  /** Lets hot loops use the cache of a level up to `ticks` times. @returns the place of its block, or 0 without one */
  lend(level: number, ticks: number): number {
    return this.byLevel[level]?.lend(ticks) ?? 0;
  }

  /** From now on `listener` hears the fate of entries; null ends it. */
  listen(listener: TlbListener | null, holds: 'table' | 'guest-physical table' = 'table'): void {
    this.byLevel.forEach((cache, level) => cache?.listen(listener, (entry) => this.shiftOf(entry, level), holds));
  }

  private shiftOf({ page, space }: TlbEntry, level: number): number {
    const { lower = [], upper = lower } = this.spaces.get(space) ?? {};
    return page >= 2 ** (63 - upper[level]) ? upper[level] : lower[level];
  }

  /** The name of the cache behind the last lookup's result `level`. */
  nameAbove(level: number): string {
    return this.byLevel[level + 1]?.name ?? '';
  }

  /** Drops everything of use to a walk of this address. */
  dropAddress(hi: number, lo: number, space: number, shifts: readonly number[]): void {
    for (let level = 1; level < shifts.length; level++) {
      const shift = shifts[level];
      this.byLevel[level]?.drop(tagPageLow(hi, lo, shift), makeTag(hi, shift, 0, 0), space, NO_SPACE);
    }
  }

  /** Drops everything of an address space, or of all: see tag.ts. */
  dropSpace(space: number): void {
    for (const cache of this.byLevel) cache?.dropSpace(space, NO_SPACE);
  }

  /** Drops everything. */
  dropAll(): void {
    for (const cache of this.byLevel) cache?.dropAll();
  }
}
