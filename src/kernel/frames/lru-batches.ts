/**
 * Folios on their way to the lists by which Linux finds unused memory: new ones, ones found active, ones that
 * MADV_COLD or MADV_FREE calls unused, ones just locked or unlocked.
 *
 * Linux gathers each kind in a batch of 31 and puts a full batch on the lists at once. A batch holds a reference to its
 * folios, and until it is emptied its folios count as before: a page in one after MADV_FREE looks shared to a
 * write fault and is copied. All batches are emptied together by whoever wants all pages on their lists: MADV_FREE,
 * MADV_COLD and MADV_WILLNEED as they begin, mlock, populating as it ends, collapsing, pages that leave the page cache, a
 * write fault on a new page.
 * Source: Linux mm/swap.c, folio_add_lru, folio_mark_accessed, folio_deactivate, folio_mark_lazyfree and lru_add_drain;
 * mm/mlock.c, mlock_folio_batch; include/linux/pagevec.h, PAGEVEC_SIZE.
 */

import * as f from './frames.js';
import type { Frames } from './frames.js';

const { FRAME_ACTIVE, FRAME_ANON, FRAME_GATHERED, FRAME_MLOCKED, FRAME_NEW, FRAME_REFERENCED, FRAME_SWAPBACKED } = f;
const CAPACITY = 31;

/** Heads of folios, at most {@link CAPACITY}; 0 stands for one freed meanwhile, since frame 0 is never handed out. */
class Batch {
  readonly heads = new Int32Array(CAPACITY);
  /** The request for each head, if there is a choice. */
  readonly requests = new Uint8Array(CAPACITY);
  count = 0;

  /** Adds a head; true when the batch is full now. */
  add(head: number, request = 0): boolean {
    this.requests[this.count] = request;
    this.heads[this.count++] = head;
    return this.count === CAPACITY;
  }

  /** How often it holds the folio. */
  times(head: number): number {
    let times = 0;
    for (let i = 0; i < this.count; i++) if (this.heads[i] === head) times++;
    return times;
  }

  /** A freed folio leaves its place empty. */
  forget(head: number): void {
    for (let i = 0; i < this.count; i++) if (this.heads[i] === head) this.heads[i] = 0;
  }
}

/** Requests of the batch of locked folios. */
const LOCK = 0;
/** As LOCK, for a folio on no list yet: it goes straight to that of the unevictable. */
const LOCK_NEW = 1;
const UNLOCK = 2;

export class LruBatches {
  readonly #frames: Frames;
  readonly #fresh = new Batch();
  readonly #inactive = new Batch();
  readonly #lazyFree = new Batch();
  readonly #active = new Batch();
  readonly #locked = new Batch();
  /** All batches with a hold on a folio as {@link FRAME_GATHERED}. */
  readonly #gathering = [this.#inactive, this.#lazyFree, this.#active, this.#locked];
  /** How often a folio on the list of the unevictable was locked, by head; absent for those on other lists. */
  readonly #lockCounts = new Map<number, number>();

  constructor(frames: Frames) {
    this.#frames = frames;
    frames.whenFreed = (head) => {
      this.#fresh.forget(head);
      for (const batch of this.#gathering) batch.forget(head);
      this.#lockCounts.delete(head);
    };
  }

  /** A new folio of some process or file; a large one goes on to its list at once, and all new ones with it. */
  addNew(head: number): void {
    const { flags, order } = this.#frames;
    flags[head] |= FRAME_NEW;
    if (this.#fresh.add(head) || order[head] !== 0) this.#drainNew();
  }

  /** A new anonymous folio in a locked VMA. */
  addNewLocked(head: number): void {
    this.#frames.flags[head] |= FRAME_NEW | FRAME_MLOCKED;
    this.#gather(this.#locked, head, LOCK_NEW);
  }

  /** A locked VMA maps the folio now. */
  lock(head: number): void {
    this.#frames.flags[head] |= FRAME_MLOCKED;
    this.#gather(this.#locked, head, LOCK);
  }

  /** A locked VMA no longer maps the folio, or is locked no more; the folio is unlocked when its batch is emptied. */
  unlock(head: number): void {
    this.#gather(this.#locked, head, UNLOCK);
  }

  /** Whether a folio is new and not on any list yet. */
  isNew(head: number): boolean {
    return (this.#frames.flags[head] & FRAME_NEW) !== 0;
  }

  /** The batches' references to a folio. */
  references(head: number): number {
    const flags = this.#frames.flags[head];
    if ((flags & (FRAME_NEW | FRAME_GATHERED)) === 0) return 0;
    return this.#fresh.times(head) + this.#timesGathered(head);
  }

  /** Gathers a folio named to MADV_FREE. */
  addLazyFree(head: number): void {
    if (this.#onList(head)) this.#gather(this.#lazyFree, head);
  }

  /** The kernel was told: the folio is not used now. An active one stops to be when its batch is emptied. */
  markUnused(head: number): void {
    const { flags } = this.#frames;
    flags[head] &= ~FRAME_REFERENCED;
    if ((flags[head] & FRAME_ACTIVE) !== 0 && this.#onList(head)) this.#gather(this.#inactive, head);
  }

  /**
   * The kernel knows of a use of the folio: the first time makes it referenced, the second active and no longer
   * referenced, the third referenced again, for good. A folio on a list becomes active when its batch is emptied;
   * until then a further time is taken for the second again. The unevictable are never active.
   */
  markAccessed(head: number): void {
    const { flags } = this.#frames;
    if ((flags[head] & FRAME_REFERENCED) === 0) flags[head] |= FRAME_REFERENCED;
    else if ((flags[head] & FRAME_ACTIVE) === 0 && !this.#isUnevictable(head)) {
      flags[head] &= ~FRAME_REFERENCED;
      if ((flags[head] & FRAME_NEW) === 0) this.#gather(this.#active, head);
      else if (this.#fresh.times(head) > 0) flags[head] |= FRAME_ACTIVE;
    }
  }

  /** New folios of somebody else, unknown here, fill the batch of new ones. */
  fillWithOthers(): void {
    this.#drainNew();
  }

  /** Empties all batches. */
  drain(): void {
    this.#drainNew();
    for (const batch of this.#gathering) this.#drainGathered(batch);
  }

  #isUnevictable(head: number): boolean {
    return (this.#frames.flags[head] & FRAME_MLOCKED) !== 0 && this.#lockCounts.has(head);
  }

  /** Whether a folio is on a list other than that of the unevictable. */
  #onList(head: number): boolean {
    return (this.#frames.flags[head] & FRAME_NEW) === 0 && !this.#isUnevictable(head);
  }

  /** A large folio goes on to its list at once, and all others of the batch with it. */
  #gather(batch: Batch, head: number, request = 0): void {
    const { flags, order } = this.#frames;
    flags[head] |= FRAME_GATHERED;
    if (batch.add(head, request) || order[head] !== 0) this.#drainGathered(batch);
  }

  /** Puts new folios on their lists. One locked meanwhile is unevictable; its locks are counted from now on. */
  #drainNew(): void {
    const { flags } = this.#frames;
    const { heads, count } = this.#fresh;
    this.#fresh.count = 0;
    for (let i = 0; i < count; i++) {
      const head = heads[i];
      flags[head] &= ~FRAME_NEW;
      if ((flags[head] & FRAME_MLOCKED) !== 0) this.#makeUnevictable(head, 0);
    }
  }

  #makeUnevictable(head: number, count: number): void {
    this.#frames.flags[head] &= ~FRAME_ACTIVE;
    this.#lockCounts.set(head, count);
  }

  #drainGathered(batch: Batch): void {
    const { flags } = this.#frames;
    const { heads, requests, count } = batch;
    batch.count = 0;
    for (let i = 0; i < count; i++) {
      const head = heads[i];
      if (head === 0) continue;
      if (batch === this.#locked) this.#settleLock(head, requests[i]);
      else if (this.#onList(head)) this.#move(batch, head);
      // Another batch may hold the folio as well.
      if (this.#timesGathered(head) === 0) flags[head] &= ~FRAME_GATHERED;
    }
  }

  #move(batch: Batch, head: number): void {
    const { flags } = this.#frames;
    if (batch === this.#active) flags[head] |= FRAME_ACTIVE;
    else if (batch === this.#inactive) flags[head] &= ~(FRAME_ACTIVE | FRAME_REFERENCED);
    else if ((flags[head] & FRAME_ANON) !== 0) flags[head] &= ~(FRAME_SWAPBACKED | FRAME_ACTIVE | FRAME_REFERENCED);
  }

  /**
   * Counts a lock of a folio, or takes the last one away. A folio on no list cannot be counted: then one unlock is
   * taken for the last.
   */
  #settleLock(head: number, request: number): void {
    const { flags } = this.#frames;
    const count = this.#lockCounts.get(head);
    if (request === UNLOCK) {
      if (count !== undefined && count > 1) this.#lockCounts.set(head, count - 1);
      else {
        flags[head] &= ~FRAME_MLOCKED;
        this.#lockCounts.delete(head);
      }
      return;
    }
    const waits = (flags[head] & FRAME_NEW) !== 0;
    if (request === LOCK_NEW) flags[head] &= ~FRAME_NEW;
    else if (waits) return;
    if ((flags[head] & FRAME_MLOCKED) === 0) return;
    if (count === undefined) this.#makeUnevictable(head, 1);
    else this.#lockCounts.set(head, count + 1);
  }

  /** How often batches hold a folio, the one of new folios left out. */
  #timesGathered(head: number): number {
    let times = 0;
    for (const batch of this.#gathering) times += batch.times(head);
    return times;
  }
}
