/**
 * Pages on their way to the list of those that MADV_FREE leaves for the taking.
 *
 * Linux gathers them, and the gathering holds a reference: until it is emptied, a page that has one mapping left looks
 * shared to a write fault and is copied. It is emptied when it is full, and by whoever wants all pages on their lists:
 * the next MADV_FREE, MADV_WILLNEED, populating, collapsing, and pages that leave the page cache.
 * Source: Linux mm/swap.c, folio_mark_lazyfree and lru_add_drain; include/linux/pagevec.h, PAGEVEC_SIZE.
 */

import { FRAME_ACTIVE, FRAME_GATHERED, FRAME_REFERENCED } from './frames.js';
import type { Frames } from './frames.js';

const CAPACITY = 31;

export class LazyFreeBatch {
  readonly #frames: Frames;
  readonly #heads = new Int32Array(CAPACITY);
  #count = 0;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** Gathers a folio; a large one goes on to the list at once, and all others with it. */
  add(head: number): void {
    this.#frames.flags[head] |= FRAME_GATHERED;
    this.#heads[this.#count++] = head;
    if (this.#count === CAPACITY || this.#frames.order[head] !== 0) this.drain();
  }

  /** Empties the batch: its pages count as unused. A frame that was freed meanwhile has lost its mark already. */
  drain(): void {
    const { flags } = this.#frames;
    for (let i = 0; i < this.#count; i++) {
      const head = this.#heads[i];
      if ((flags[head] & FRAME_GATHERED) !== 0) flags[head] &= ~(FRAME_GATHERED | FRAME_REFERENCED | FRAME_ACTIVE);
    }
    this.#count = 0;
  }
}
