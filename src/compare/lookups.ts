/** The lookups that the accesses of a trace block make: worked out once, for the machines of all page sizes. */

import { BLOCK_ACCESSES } from '../trace/block.js';

/**
 * Runs of lookups in program order: a run is lookups of one kind that follow each other in one 4 KiB page, of which
 * only the first can miss a TLB that holds pages of that size. A load-modify-store is a load and then a store. Accesses
 * that cross a boundary of 4 KiB are runs of their own and listed too, since how many pages they touch depends on the
 * size of pages.
 */
export class Lookups {
  /** Runs. */
  length = 0;
  /** The address of the run's last lookup. */
  readonly his: Int32Array;
  readonly los: Int32Array;
  /** Bits from access.ts. */
  readonly accesses: Uint8Array;
  /**
   * Lookups before each run, so that run `i` has `made[i + 1] - made[i]`; those of all runs at `length`. Those that an
   * access makes beyond its first page are not among them.
   */
  readonly made: Int32Array;
  /** Runs of an access that crosses: where they stand, and the access's bytes. */
  crossings = 0;
  readonly crossingAt: Int32Array;
  readonly crossingBytes: Int32Array;
  /** Whether all lookups are those of a user's store, and may be made as a batch. */
  allStores = true;
  /** Room for the frames of a batch, which nobody needs here. */
  readonly frames: Int32Array;

  /** @param most runs that there is room for */
  constructor(most = 2 * BLOCK_ACCESSES) {
    this.his = new Int32Array(most);
    this.los = new Int32Array(most);
    this.accesses = new Uint8Array(most);
    this.made = new Int32Array(most + 1);
    this.crossingAt = new Int32Array(most);
    this.crossingBytes = new Int32Array(most);
    this.frames = new Int32Array(most);
  }

  /** Adds a run of one lookup, of an access that crosses, given its bytes, or 0 when it does not. */
  push(hi: number, lo: number, access: number, crossing: number): void {
    const at = this.length++;
    this.his[at] = hi;
    this.los[at] = lo;
    this.accesses[at] = access;
    this.made[at + 1] = this.made[at] + 1;
    if (crossing === 0) return;
    this.crossingAt[this.crossings] = at;
    this.crossingBytes[this.crossings] = crossing;
    this.crossings++;
  }
}
