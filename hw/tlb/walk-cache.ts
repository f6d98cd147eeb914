/**
 * Paging-structure caches: what the upper levels of a walk found, so that the next walk starts further down.
 *
 * A PDE cache entry gives the page table and the combined rights above it for a 2 MiB (4 MiB in 32-bit paging) piece
 * of the address space, a PDPTE cache entry the page directory for 1 GiB, and so on up. Entries are of one PCID, never
 * global, and are made only from table entries whose accessed bit is set.
 * Source: Intel SDM vol. 3A, "Paging-Structure Caches".
 */

import { SHIFT_4M } from '../base/address.js';
import type { WalkCacheGeometry } from './hierarchy.js';
import * as tags from './tag.js';
import { Tlb } from './tlb.js';
import type { TlbShape } from './shape.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { makeTag, tagPageLow } = tags;

const NAMES = ['', 'PDE cache', 'PDPTE cache', 'PML4E cache', 'PML5E cache'];
/** log2 of what one entry of a level covers with tables of 512 entries. */
const WIDE_SHIFTS: readonly number[] = [12, 21, 30, 39, 48];

export class WalkCaches {
  /** Result of the last lookup that hit: the table to go on with, and the rights of the levels above it. */
  table = 0;
  rights = 0;
  /** The cache of entries at each level, from 1 for PDEs up. */
  private readonly byLevel: readonly (Tlb | null)[];

  /** @throws RangeError for a shape that cannot be built. */
  constructor(geometry: WalkCacheGeometry) {
    const make = (shape: TlbShape | undefined, level: number): Tlb | null =>
      shape === undefined ? null : new Tlb(shape, NAMES[level]);
    const { pde, pdpte, pml4e, pml5e } = geometry;
    this.byLevel = [null, make(pde, 1), make(pdpte, 2), make(pml4e, 3), make(pml5e, 4)];
  }

  /**
   * The deepest level at which a walk may start, for a walk whose root is at `rootLevel`; `rootLevel` itself when
   * nothing is cached. A result below `rootLevel` leaves the table and rights in the fields.
   */
  lookup(hi: number, lo: number, pcid: number, rootLevel: number, wide: boolean): number {
    for (let level = 1; level <= rootLevel; level++) {
      const cache = this.byLevel[level];
      if (cache === null) continue;
      const shift = wide ? WIDE_SHIFTS[level] : SHIFT_4M;
      const cell = cache.lookup(tagPageLow(hi, lo, shift), makeTag(hi, shift, pcid, 0));
      if (cell < 0) continue;
      this.table = cache.frameAt(cell);
      this.rights = cache.rightsAt(cell);
      return level - 1;
    }
    return rootLevel;
  }

  /** Keeps that the entry at `level` for this address points to `table`, with the rights of all levels down to it. */
  fill(hi: number, lo: number, pcid: number, level: number, wide: boolean, table: number, rights: number): void {
    const cache = this.byLevel[level];
    if (cache === null) return;
    const shift = wide ? WIDE_SHIFTS[level] : SHIFT_4M;
    cache.replace(tagPageLow(hi, lo, shift), makeTag(hi, shift, pcid, 0), table, rights);
  }

  /** Drops what a walk of this address would use. */
  dropAddress(hi: number, lo: number, pcid: number, wide: boolean): void {
    for (let level = 1; level < this.byLevel.length; level++) {
      const shift = wide ? WIDE_SHIFTS[level] : SHIFT_4M;
      this.byLevel[level]?.drop(tagPageLow(hi, lo, shift), makeTag(hi, shift, pcid, 0), true);
    }
  }

  /** Drops everything of one PCID. */
  dropPcid(pcid: number): void {
    for (const cache of this.byLevel) cache?.dropAllNonGlobal(pcid);
  }

  /** Drops everything. */
  dropAll(): void {
    for (const cache of this.byLevel) cache?.dropAll();
  }
}
