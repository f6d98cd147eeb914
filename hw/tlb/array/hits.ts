/** What a hit must fulfil: one access, or a batch of accesses of one kind. */

import { SizesByRegion } from '../regions.js';

/** The demands of a kind of access on a hit, under the registers of the moment. */
export class HitRule {
  /** The number of the address space. */
  space = 0;
  /** Bits of the high word above this one must equal it. */
  canonicalShift = 31;
  /** Bit n: a page with permission code n allows the access; and the other bits its rights must have. */
  permitted = 0;
  needed = 0;

  isCanonical(hi: number): boolean {
    return ((hi >> this.canonicalShift) + 1) >>> 0 <= 1;
  }

  allows(rights: number): boolean {
    return ((this.permitted >>> rights) & 1) !== 0 && (~rights & this.needed) === 0;
  }
}

/** A batch of lookups: the common part of all of them, and how they ended. */
export class HitBatch {
  rule = new HitRule();
  /** The page size, its log2, and the tag of address space and size. */
  size = 0;
  shift = 12;
  base = 0;
  /** Regions with pages in them, and the sizes of these. */
  sizes = new SizesByRegion();
  /** An address with any of these bits ends the batch. */
  align = 0;
  /** Result: whether the batch ended because a page was not found. */
  missed = false;

  /** Whether an address ends the batch before it is looked up. */
  stopsAt(hi: number, lo: number): boolean {
    return (lo & this.align) !== 0 || !this.rule.isCanonical(hi);
  }
}
