/**
 * Memory in pieces. If free memory is fragmented, Linux finds huge pages for a part of a program alone, and the rest stays in
 * 4 KiB pages: one process with pages of both sizes.
 */

import { SHIFT_2M, SHIFT_4K, toNumber } from '../../../../hw/base/address.js';
import { mix } from '../../../../hw/base/random.js';
import { LOW_WORD, type AccessBlock } from '../../../trace/block.js';
import { Lookups, type ReplayedLookups } from '../../lookups/lookups.js';

const HUGE_BYTES = 2 ** SHIFT_2M;
/** Keeps seed 0 from being a hash of the block alone. */
const SALT = 0x9e3779b9;

/** Whether the 2 MiB with this number (address / 2 MiB) gets a huge page. */
export type HugeChoice = (block: number) => boolean;

/**
 * Gives huge pages to a share of all 2 MiB. Each block is chosen by itself, whatever was touched before. With the same seed a
 * larger share keeps the blocks of a smaller one.
 * @param share 0 to 1
 * @param seed any int32
 * @throws RangeError for another share
 */
export function hugeShare(share: number, seed: number): HugeChoice {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share must be from 0 to 1, not ${share}`);
  const key = mix(seed + SALT);
  return (block) => (mix(key ^ block) >>> 0) * 2 ** -32 < share;
}

/** log2 of the bytes of the page at an address, where only some 2 MiB have a huge one. */
export function shiftAt({ shift, isHuge }: { shift: number; isHuge?: HugeChoice }, address: number): number {
  return isHuge === undefined || isHuge(Math.floor(address / HUGE_BYTES)) ? shift : SHIFT_4K;
}

const blockOf = (hi: number, lo: number): number => Math.floor(toNumber(hi, lo) / HUGE_BYTES);

/** The lookups of a block with pages of both sizes. */
export class MixedLookups {
  private readonly list = new Lookups().of4K;

  constructor(private readonly isHuge: HugeChoice) {}

  /**
   * All lookups with pages of 4 KiB are made, but for one: an access that ends in a second page of 4 KiB looks it up only if
   * its huge page ends there too.
   * @param of4K repeats are left out if they repeat the last lookup of their TLB
   * @returns the same object every time
   */
  of({ words }: AccessBlock, of4K: ReplayedLookups): ReplayedLookups {
    const { list } = this;
    let length = 0;
    for (let i = 0; i < of4K.length; i++) {
      const hi = of4K.his[i];
      const lo = of4K.los[i];
      const access = of4K.accesses[i];
      const [firstHi, firstLo] = [words[access], words[access + LOW_WORD]];
      if (((firstLo ^ lo) & -4096) !== 0 && this.isOfOnePage(firstHi, firstLo, hi, lo)) continue;
      list.his[length] = hi;
      list.los[length] = lo;
      list.accesses[length++] = access;
    }
    list.length = length;
    list.allStores = of4K.allStores;
    list.dataRepeats = of4K.dataRepeats;
    list.fetchRepeats = of4K.fetchRepeats;
    return list;
  }

  private isOfOnePage(firstHi: number, firstLo: number, hi: number, lo: number): boolean {
    const block = blockOf(hi, lo);
    return block === blockOf(firstHi, firstLo) && this.isHuge(block);
  }
}
