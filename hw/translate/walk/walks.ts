/** An architecture's part in a translation: its walks, and its answer to a missing permission. */

import type { FaultRecord } from '../../base/fault.js';
import type { TranslationListener } from './events.js';
import type { Regime } from './regime.js';
import type { WalkRecord } from './walk-record.js';

/** {@link Walks.violation}: the rights refuse the access, and only a walk can tell why. */
export const WALK_TELLS = -2;

/** Walks without any setting or refusal, for tools to look. */
export interface Observer {
  /** Result and reads of the last one. */
  readonly record: WalkRecord;
  /** Why the last one found no page. */
  readonly fault: FaultRecord;
  /** Walks from the root, past all caches. @returns the 4 KiB frame of the address, or a status */
  walk(hi: number, lo: number, access: number): number;
}

/** The walks of one processor, under its registers of the moment. */
export interface Walks {
  readonly regime: Regime;
  /** Result and reads of the last walk. */
  readonly record: WalkRecord;
  /** Details of the last fault. */
  readonly fault: FaultRecord;
  readonly observer: Observer;
  /** What the architecture calls things, for people. */
  readonly terms: {
    /** By level, the entries that the walk cache of a level keeps; absent, `level 1` and so on. */
    readonly walkCaches?: readonly string[];
    /** The name of a space number in findings of the checking mode, beside `space`. */
    readonly space?: string;
  };
  /** The size of the last page that {@link settled} found. */
  readonly settledSize: number;

  /**
   * From now on `listener` hears of each entry read and each bit set by a walk, at the time and in the order of the
   * walk; null ends it. Until then nothing is settled: {@link settled} could not tell.
   */
  listen(listener: TranslationListener | null): void;
  /** The 4 KiB frame of an address if its walk would change nothing and refuse nothing; -1 when a walk has to tell. */
  settled(hi: number, lo: number, access: number): number;
  /**
   * Fills in the control block of hot loops (hot/control.ts), so that their walks find settled pages for this kind of
   * access under the registers of the moment. False: they cannot.
   */
  tellHot(access: number, control: Int32Array): boolean;
  /** Walks from the root. @returns the 4 KiB frame of the address, or a status; {@link fault} has its details */
  walk(hi: number, lo: number, access: number): number;
  /** The same from the table in frame `table` at `level`, `rights` being those left by the levels above. */
  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number;
  /** The 4 KiB frame of an address while the regime is off, or the status of the fault if no RAM answers. */
  unpaged(hi: number, lo: number, access: number): number;
  /** The error code of the page fault if these rights refuse the access; -1 when they allow it; or WALK_TELLS. */
  violation(rights: number, access: number): number;
  /** Whether rights `cached` allow more than rights `now`. */
  takenAway(cached: number, now: number): boolean;
  /**
   * The instruction to drop everything cached for an address of address space `space`, in words, with the address space
   * of number `current` in use for translation. `stage` says whose tables changed: 2 for a host's.
   */
  invalidation(hi: number, lo: number, space: number, current: number, stage: number): string;
  /** Under a guest, log2 of the bytes covered by one entry of each level of the host's tables, last level first. */
  readonly hostLevelShifts?: readonly number[];
  /**
   * After a walk to a page of 4 KiB: whether it is one of `pages`, an aligned run in both address spaces, with entries
   * alike but for their frames. Absent: entries of TLBs never hold several pages.
   */
  adjacent?(pages: number): boolean;
  /** Bits of an entry's low word set by walks and cleared only by software. */
  readonly setByWalks: number;
  /** Bits cleared by walks and set only by software; absent: none. */
  readonly clearedByWalks?: number;
}
