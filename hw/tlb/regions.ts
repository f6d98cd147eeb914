/**
 * The page sizes possible at an address: a search leaves out the others. It is a note of the host's, with no likeness
 * in hardware. It may name a size too many, never one too few.
 */

import * as address from '../base/address.js';
import type { HotMemory } from '../memory/hot-memory.js';

const { SHIFT_2M, SIZE_SHIFTS } = address;

const REGION_BITS = 9;
const REGIONS = 1 << REGION_BITS;

/** The place of the 2 MiB region of an address; regions far apart share places. */
const placeOf = (hi: number, lo: number): number => {
  const region = (hi << (32 - SHIFT_2M)) | (lo >>> SHIFT_2M);
  return (region ^ (region >>> REGION_BITS)) & (REGIONS - 1);
};

export class SizesByRegion {
  /** By region, and behind them of all regions: bit n, a page of size n was put in since the last flush. */
  private places: Uint8Array = new Uint8Array(REGIONS + 1);
  private readonly shifts: readonly number[];

  /** @param shifts as {@link Regime.pageShifts} */
  constructor(shifts = SIZE_SHIFTS) {
    this.shifts = shifts;
  }

  /** Moves the notes to where hot loops reach them. @returns their place, or 0 @internal */
  moveTo(memory: HotMemory): number {
    const room = memory.take(REGIONS / 4 + 1);
    if (room === null) return 0;
    const places = new Uint8Array(room.buffer, room.byteOffset, REGIONS + 1);
    places.set(this.places);
    this.places = places;
    return room.byteOffset;
  }

  /** The sizes possible anywhere, a bit each. */
  get any(): number {
    return this.places[REGIONS];
  }

  /** The sizes possible at an address, a bit each. */
  at(hi: number, lo: number): number {
    return this.places[placeOf(hi, lo)];
  }

  /** A page of this size was put in for an address. A page larger than a region is noted everywhere. */
  add(hi: number, lo: number, size: number): void {
    const bit = 1 << size;
    if (this.shifts[size] <= SHIFT_2M) this.places[placeOf(hi, lo)] |= bit;
    else if ((this.any & bit) === 0) this.places.forEach((sizes, place) => (this.places[place] = sizes | bit));
    this.places[REGIONS] |= bit;
  }

  /** After a flush, if pages of these sizes only are left, a bit each. */
  keep(left: number): void {
    if ((this.any & left) === 0) this.places.fill(0);
    else this.places.forEach((sizes, place) => (this.places[place] = sizes & left));
  }
}
