/** A TLB for pencil and paper: its entries can be put in and listed. */

import { DIRTY } from '../base/permission.js';
import type { DropEvent, FillEvent } from '../tlb/events.js';
import type { TranslationListener } from '../translate/walk/events.js';
import type { ToyTlbShape } from './shape.js';

/** A translation: numbers of page and frame, in pages of the machine. */
export interface ToyTlbEntry {
  readonly page: number;
  readonly frame: number;
  /** TOY_WRITABLE and so on, and DIRTY of permission.ts: the entry in memory is known to be dirty. */
  readonly rights: number;
}

/** A TLB of a few sets; the first entry of a set is the next to give way. */
export class ToyTlb {
  /** By set. */
  readonly #sets: ToyTlbEntry[][];
  /** Told of every fill and drop; null while nobody listens. */
  listener: TranslationListener | null = null;

  constructor(
    readonly shape: ToyTlbShape,
    /** log2 of the bytes of a page. */
    readonly pageShift: number,
  ) {
    this.#sets = Array.from({ length: shape.sets }, () => []);
  }

  /** The set of a page. */
  setOf(page: number): number {
    return page % this.shape.sets;
  }

  /** The tag of a page: the bits above those of the set. */
  tagOf(page: number): number {
    return Math.floor(page / this.shape.sets);
  }

  /** The entries by set, the next to give way first. */
  get sets(): readonly (readonly ToyTlbEntry[])[] {
    return this.#sets;
  }

  /** The entry of a page; under LRU it is the last to give way from now on. */
  lookup(page: number): ToyTlbEntry | undefined {
    const set = this.#sets[this.setOf(page)];
    const at = set.findIndex((entry) => entry.page === page);
    if (at < 0) return undefined;
    if (this.shape.replacement === 'lru') set.push(...set.splice(at, 1));
    return set.find((entry) => entry.page === page);
  }

  /** Puts an entry in, in place of another one of its page or of the next to give way. */
  fill(entry: ToyTlbEntry): void {
    const set = this.#sets[this.setOf(entry.page)];
    const at = set.findIndex(({ page }) => page === entry.page);
    if (at >= 0) set[at] = entry;
    else {
      if (set.length === this.shape.ways) this.#tell('drop', set.splice(0, 1), 'evicted');
      set.push(entry);
    }
    this.#tell('fill', [entry]);
  }

  /** Drops the entry of a page. */
  dropPage(page: number): void {
    const set = this.#sets[this.setOf(page)];
    const at = set.findIndex((entry) => entry.page === page);
    if (at >= 0) this.#tell('drop', set.splice(at, 1), 'invalidated');
  }

  /** Drops every entry. */
  flush(): void {
    for (const set of this.#sets) this.#tell('drop', set.splice(0), 'invalidated');
  }

  #tell(
    kind: (FillEvent | DropEvent)['kind'],
    entries: readonly ToyTlbEntry[],
    why: DropEvent['why'] = 'evicted',
  ): void {
    if (this.listener === null) return;
    for (const { page, frame, rights } of entries) {
      const lo = (page * 2 ** this.pageShift) | 0;
      const held = { where: 'TLB', holds: 'page', hi: 0, lo, shift: this.pageShift, frame, rights } as const;
      this.listener(kind === 'fill' ? { kind, ...held } : { kind, why, ...held });
    }
  }
}

/** Whether a store may use the entry as it is. */
export function isKnownDirty({ rights }: ToyTlbEntry): boolean {
  return (rights & DIRTY) !== 0;
}
