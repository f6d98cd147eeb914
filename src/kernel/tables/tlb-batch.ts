/**
 * Invalidations, gathered while entries change and done before anything relies on them. Each core has a batch of its own.
 * It knows the core's address space. A flush reaches every core with the space loaded.
 *
 * Frames without a mapping wait here too: they are freed only when no TLB can lead to them any more. Entries absent
 * before need nothing, since a TLB holds no absent entries. Nor does an address space while it is not loaded: loading
 * another root drops everything of the old one.
 * Source: Intel SDM vol. 3A, "Invalidation of TLBs and Paging-Structure Caches".
 */

import { highWord, lowWord } from '../../../hw/base/address.js';
import type { KernelCounters } from '../frames/counters.js';
import type { Frames } from '../frames/frames.js';
import type { Privileged } from './privileged.js';
import type { TableRoot } from './root.js';

/** Above this many pages one flush of everything costs less. Linux: tlb_single_page_flush_ceiling. */
export const FLUSH_CEILING = 33;
const FRAMES_HELD = 512;

export class TlbBatch {
  /** The address space by whose root this core translates. */
  loaded: TableRoot | null = null;
  readonly #core: Privileged;
  readonly #frames: Frames;
  readonly #counters: KernelCounters;
  readonly #cores: TlbBatch[];
  readonly #addresses = new Float64Array(FLUSH_CEILING);
  readonly #held = new Int32Array(FRAMES_HELD);
  #space: TableRoot | null = null;
  #pages = 0;
  #tablesGo = false;
  #heldCount = 0;

  /**
   * @param core the core's privileged operations
   * @param idleRoot frame of an empty root table, for the time when no process is loaded
   * @param cores the batches of all cores of this kernel; this one is added
   */
  constructor(
    core: Privileged,
    frames: Frames,
    counters: KernelCounters,
    readonly idleRoot: number,
    cores: TlbBatch[],
  ) {
    this.#core = core;
    this.#frames = frames;
    this.#counters = counters;
    this.#cores = cores;
    cores.push(this);
  }

  /** Makes this core translate by `space`. */
  load(space: TableRoot): void {
    if (this.loaded === space) return;
    this.loaded = space;
    this.#counters.switches++;
    this.#writeRoot(space.root);
  }

  /** Takes every core off `space`: it is about to go. */
  unload(space: TableRoot): void {
    for (const core of this.#cores) if (core.loaded === space) core.#leave();
  }

  #leave(): void {
    this.loaded = null;
    this.#counters.switches++;
    this.#writeRoot(this.idleRoot);
  }

  #writeRoot(root: number): void {
    this.#core.loadRoot(root);
  }

  /**
   * An entry of `space` has changed, and the TLB may hold it: the page at `address` of any size.
   * @returns false once everything will be flushed: further pages need not be named
   */
  page(space: TableRoot, address: number): boolean {
    if (this.#space !== space) {
      this.flush();
      this.#space = space;
    }
    if (this.#pages > FLUSH_CEILING) return false;
    if (this.#pages < FLUSH_CEILING) this.#addresses[this.#pages] = address;
    this.#pages++;
    return this.#pages <= FLUSH_CEILING;
  }

  /** Whether everything of `space` will be flushed: {@link page} has nothing to do then. */
  flushesAll(space: TableRoot): boolean {
    return this.#space === space && this.#pages > FLUSH_CEILING;
  }

  /** A table on the way to `address` is linked no more. After the next {@link flush} no core can reach it: then free it. */
  tables(space: TableRoot, address: number): void {
    this.page(space, address);
    this.#tablesGo = true;
  }

  /** Everything of `space` may have changed. */
  all(space: TableRoot): void {
    this.page(space, 0);
    this.#pages = FLUSH_CEILING + 1;
  }

  /**
   * Nothing maps or pins this folio any more: it is freed with the next {@link flush}, which may come at once. So note
   * its {@link page} before.
   */
  release(head: number): void {
    if (this.#heldCount === FRAMES_HELD) this.flush();
    this.#held[this.#heldCount++] = head;
  }

  /** Makes all invalidations, on every core with the space loaded, then frees the frames. */
  flush(): void {
    if (this.#space !== null) {
      for (const core of this.#cores)
        if (core.loaded === this.#space) core.#invalidate(this.#space, this.#addresses, this.#pages, this.#tablesGo);
      this.#space = null;
      this.#pages = 0;
      this.#tablesGo = false;
    }
    for (let i = 0; i < this.#heldCount; i++) this.#frames.release(this.#held[i]);
    this.#heldCount = 0;
  }

  #invalidate(space: TableRoot, addresses: Float64Array, pages: number, tablesGo: boolean): void {
    if (pages > FLUSH_CEILING) {
      this.#counters.fullFlushes++;
      this.#writeRoot(space.root);
      return;
    }
    this.#counters.invlpg += pages;
    for (let i = 0; i < pages; i++) this.#core.invalidatePage(highWord(addresses[i]), lowWord(addresses[i]));
    if (tablesGo) this.#core.invalidateTables();
  }
}
