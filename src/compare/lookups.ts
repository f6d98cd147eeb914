/** The lookups that the accesses of a trace block make: worked out once, for the machines of all page sizes. */

import { BLOCK_ACCESSES } from '../trace/block.js';

/**
 * Accesses in program order, a load-modify-store as a load and then a store. How many pages an access touches depends
 * on their size, so those that cross a boundary of 4 KiB are listed too, with the bytes that lie beyond it.
 */
export class Lookups {
  length = 0;
  readonly his = new Int32Array(2 * BLOCK_ACCESSES);
  readonly los = new Int32Array(2 * BLOCK_ACCESSES);
  /** Bits from access.ts. */
  readonly accesses = new Uint8Array(2 * BLOCK_ACCESSES);
  /** Accesses that cross: where they stand, and their bytes. */
  crossings = 0;
  readonly crossingAt = new Int32Array(2 * BLOCK_ACCESSES);
  readonly crossingBytes = new Int32Array(2 * BLOCK_ACCESSES);
  /** Whether there is any instruction fetch. */
  fetches = false;
  /** Room for the frames of a batch, which nobody needs here. */
  readonly frames = new Int32Array(2 * BLOCK_ACCESSES);
}
