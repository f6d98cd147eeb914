/** The arrays of one level by page size, and where among them a page lies. */

import * as address from '../../base/address.js';
import type { HeldEntry, TlbListener } from '../events.js';
import type { Tlb } from './tlb.js';

const { SIZE_4K, SIZE_SHIFTS } = address;

/** How a level places the pages of one size. */
export interface Placement {
  /** log2 of the bytes of the pieces of a page; the page's own when it is kept whole. */
  readonly shift: number;
  /** A power of two modulo which the numbers of two pieces are equal when they share a set. */
  readonly sets: number;
  /** Whether the last two pieces looked up in a set are always in it. */
  readonly keepsTwo: boolean;
}

/** Pages of 4 GiB or more are kept in pieces, so that the number of a page is one shift of each word. */
const MOST_SHIFT = 32;

export class ArraysBySize {
  /** The level and its use, such as `L2 TLB`. */
  readonly name: string;
  protected readonly arrays: readonly Tlb[];
  /** log2 of the bytes of a page, by page size. */
  protected readonly shifts: readonly number[];
  /** The array for each page size, or null if that size is kept as smaller pieces or not at all. */
  protected readonly bySize: readonly (Tlb | null)[];
  /** The second array for the same page size, if a level has two for some (Ice Lake's second level); else null. */
  protected readonly twins: readonly (Tlb | null)[] | null;
  /** The sizes of pages: those before one that is out of order, of coalesced pages. */
  protected readonly pageSizes: number;
  /** The page size to keep a page of each size as. */
  protected readonly keptAs: Int32Array;

  /** @param shifts as {@link Regime.pageShifts} */
  constructor(arrays: readonly { readonly tlb: Tlb; readonly sizes: readonly number[] }[], shifts = SIZE_SHIFTS) {
    const nth = (n: number): (Tlb | null)[] =>
      shifts.map((shift, size) => {
        const held = shift < MOST_SHIFT ? arrays.filter((array) => array.sizes.includes(size)) : [];
        return held[n]?.tlb ?? null;
      });
    this.name = arrays.at(0)?.tlb.name ?? '';
    this.arrays = arrays.map(({ tlb }) => tlb);
    this.shifts = shifts;
    this.bySize = nth(0);
    const second = nth(1);
    this.twins = second.some((tlb) => tlb !== null) ? second : null;
    const last = shifts.findIndex((shift, size) => shift < shifts[size - 1]);
    this.pageSizes = last < 0 ? shifts.length : last;
    this.keptAs = Int32Array.from(shifts, (_, size) => {
      // Without an array for coalesced pages there is an entry a page.
      if (size >= this.pageSizes && this.bySize[size] === null) return SIZE_4K;
      while (size > SIZE_4K && this.bySize[size] === null) size--;
      return size;
    });
  }

  /** From now on `listener` hears the fate of entries; null ends it. */
  listen(listener: TlbListener | null, holds: HeldEntry['holds']): void {
    for (const tlb of this.arrays) tlb.listen(listener, ({ size }) => this.shifts[size], holds);
  }

  /**
   * The places of pages of a size (an index of address.ts' tables), or null when nothing is kept of some. A piece may
   * share its set with others. If it was the last of them to be looked up, a new lookup finds it and changes no
   * replacement policy.
   *
   * @param behind the second level; it may keep smaller pieces than this one and fill it with them
   */
  placement(size: number, behind: ArraysBySize): Placement | null {
    const there = behind.keptAs[size];
    const kept = this.keptAs[behind.bySize[there] === null ? size : there];
    const tlb = this.bySize[kept];
    if (tlb === null) return null;
    // A page among coalesced ones lies in a set of their number.
    const coalesces = kept === SIZE_4K && this.bySize.slice(this.pageSizes).some((one) => one !== null);
    const twin = this.twins?.[kept] ?? tlb;
    const sets = coalesces ? 1 : tlb.sets | twin.sets;
    const keepsTwo = !coalesces && tlb.keepsTwo && twin.keepsTwo;
    return { shift: this.shifts[kept], sets: sets & -sets, keepsTwo };
  }

  /** The array for a page by the low bits of its number; null if its size has none. */
  protected arrayFor(size: number, pageLow: number): Tlb | null {
    return this.twins !== null ? this.oneOfTwo(this.twins[size], size, pageLow) : this.bySize[size];
  }

  /**
   * With two arrays for a page size the page-number bit above the set index chooses, so together they act as one
   * of twice the sets: a model default, the real choice being unpublished.
   */
  private oneOfTwo(twin: Tlb | null, size: number, pageLow: number): Tlb | null {
    const tlb = this.bySize[size];
    return twin === null || tlb === null || ((pageLow / tlb.sets) & 1) === 0 ? tlb : twin;
  }
}
