/** What an architecture brings to a translation: its walks, and what it makes of a permission that is not there. */

import type { FaultRecord } from '../base/fault.js';
import type { TranslationListener } from './events.js';
import type { Regime } from './regime.js';
import type { WalkRecord } from './walk-record.js';

/** {@link Walks.violation}: the rights refuse the access, and only a walk can tell why. */
export const WALK_TELLS = -2;

/** Walks that set nothing and refuse nothing, for tools that look. */
export interface Observer {
  /** What the last one found and read. */
  readonly record: WalkRecord;
  /** Why the last one found no page. */
  readonly fault: FaultRecord;
  /** Walks from the root, past all caches. @returns the 4 KiB frame of the address, or a status */
  walk(hi: number, lo: number, access: number): number;
}

/** The walks of one processor, under its registers of the moment. */
export interface Walks {
  readonly regime: Regime;
  /** What the last walk found and read. */
  readonly record: WalkRecord;
  /** Details of the last fault. */
  readonly fault: FaultRecord;
  readonly observer: Observer;
  /** What the architecture calls things, for people. */
  readonly terms: {
    /** By level, the entries that the walk cache of a level keeps; absent, `level 1` and so on. */
    readonly walkCaches?: readonly string[];
  };
  /** The size of the last page that {@link settled} found. */
  readonly settledSize: number;

  /**
   * From now on `listener` hears of each entry that a walk reads and of each bit that it sets, when and in the order it
   * does; null ends it. Until then nothing is settled: {@link settled} could not tell.
   */
  listen(listener: TranslationListener | null): void;
  /** The 4 KiB frame of an address whose walk would change nothing and refuse nothing; -1 when a walk has to tell. */
  settled(hi: number, lo: number, access: number): number;
  /** Walks from the root. @returns the 4 KiB frame of the address, or a status whose details are in {@link fault} */
  walk(hi: number, lo: number, access: number): number;
  /** The same from the table in frame `table` at `level`, `rights` being what the levels above allow. */
  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number;
  /** The 4 KiB frame of an address while the regime is off, or the status of the fault where no RAM answers. */
  unpaged(hi: number, lo: number, access: number): number;
  /** The error code of the page fault that refuses the access under these rights; -1 when they allow it; or WALK_TELLS. */
  violation(rights: number, access: number): number;
  /** Whether rights that were `cached` allow what they do not allow `now`. */
  takenAway(cached: number, now: number): boolean;
  /**
   * The instruction that drops what is cached for an address of address space `space`, in words, while the address space
   * of number `current` is the one translated for.
   */
  invalidation(hi: number, lo: number, space: number, current: number): string;
  /** Bits of an entry's low word that walks set and only software clears. */
  readonly setByWalks: number;
}
