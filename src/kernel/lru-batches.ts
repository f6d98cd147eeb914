/**
 * Folios on their way to the lists by which Linux finds unused memory: new ones, ones found active, ones that MADV_FREE
 * leaves for the taking.
 *
 * Linux gathers each kind in a batch of 31 and puts a full batch on the lists at once. A batch holds a reference to its
 * folios, and until it is emptied its folios count as what they were: a page that waits after MADV_FREE looks shared to a
 * write fault and is copied. All batches are emptied together by whoever wants all pages on their lists: the next
 * MADV_FREE, MADV_WILLNEED, populating, collapsing, pages that leave the page cache, a write fault on a new page.
 * Source: Linux mm/swap.c, folio_add_lru, folio_mark_accessed, folio_mark_lazyfree and lru_add_drain;
 * include/linux/pagevec.h, PAGEVEC_SIZE.
 */

import { FRAME_ACTIVE, FRAME_GATHERED, FRAME_REFERENCED } from './frames.js';
import type { Frames } from './frames.js';

const CAPACITY = 31;

/** Heads of folios, at most {@link CAPACITY}. */
class Batch {
  readonly heads = new Int32Array(CAPACITY);
  count = 0;

  /** Adds a head; true when that made the batch full. */
  add(head: number): boolean {
    this.heads[this.count++] = head;
    return this.count === CAPACITY;
  }

  has(head: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.heads[i] === head) return true;
    return false;
  }
}

export class LruBatches {
  readonly #frames: Frames;
  readonly #fresh = new Batch();
  /** Places taken in the batch of {@link Frames.activating}; a folio may take several. */
  #activations = 0;
  readonly #lazyFree = new Batch();

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** A new folio, which some process or file now has; a large one goes on to its list at once, and all new ones with it. */
  addNew(head: number): void {
    if (this.#fresh.add(head) || this.#frames.order[head] !== 0) this.#fresh.count = 0;
  }

  /** Whether a folio is new and not on any list yet. */
  isNew(head: number): boolean {
    return this.#fresh.has(head);
  }

  /** Gathers a folio that MADV_FREE was told of. */
  addLazyFree(head: number): void {
    this.#frames.flags[head] |= FRAME_GATHERED;
    if (this.#lazyFree.add(head) || this.#frames.order[head] !== 0) this.#drainLazyFree();
  }

  /**
   * The kernel knows that the folio was used: the first time makes it referenced, the second active and no longer
   * referenced, the third referenced again, for good. A folio that is on a list becomes active when its batch is emptied;
   * until then a further time is taken for the second again.
   */
  markAccessed(head: number): void {
    const { flags } = this.#frames;
    if ((flags[head] & FRAME_REFERENCED) === 0) flags[head] |= FRAME_REFERENCED;
    else if ((flags[head] & FRAME_ACTIVE) === 0) {
      flags[head] &= ~FRAME_REFERENCED;
      if (this.#fresh.has(head)) flags[head] |= FRAME_ACTIVE;
      else {
        this.#frames.activating.add(head);
        if (++this.#activations === CAPACITY) this.#drainActivating();
      }
    }
  }

  /** Empties all batches. */
  drain(): void {
    this.#fresh.count = 0;
    this.#drainLazyFree();
    this.#drainActivating();
  }

  /** What was gathered counts as unused. A frame that was freed meanwhile has lost its mark already. */
  #drainLazyFree(): void {
    const { flags } = this.#frames;
    const { heads, count } = this.#lazyFree;
    for (let i = 0; i < count; i++) {
      if ((flags[heads[i]] & FRAME_GATHERED) === 0) continue;
      flags[heads[i]] &= ~(FRAME_GATHERED | FRAME_REFERENCED | FRAME_ACTIVE);
    }
    this.#lazyFree.count = 0;
  }

  /** A frame that was freed meanwhile, and perhaps given out again, is none of these any more. */
  #drainActivating(): void {
    const { activating, flags } = this.#frames;
    for (const head of activating) flags[head] |= FRAME_ACTIVE;
    activating.clear();
    this.#activations = 0;
  }
}
