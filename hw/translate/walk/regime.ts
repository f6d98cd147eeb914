/**
 * The effect of a processor's registers on its translations, as integers.
 *
 * An architecture's register file writes it when a register changes; everything on a hot path reads it, and nothing
 * else of the registers. One class for all architectures keeps those reads the same for V8.
 */

import { ACCESS_KINDS, FETCH } from '../../base/access.js';
import { SIZE_SHIFTS } from '../../base/address.js';
import { PAGE_FAULT } from '../../base/fault.js';

/** The levels of the tables of one half of the addresses: see {@link Regime}. */
export interface TableLevels {
  readonly rootLevel: number;
  readonly levelShifts: readonly number[];
}

/** The registers of a processor as integers, for hot paths. */
export class Regime {
  /** Whether addresses are translated at all. */
  on = false;
  /**
   * The number of the address space that translations are made for, 0 to 4095: from {@link DataPath.spaces}, or the
   * architecture's own name for it where that has no more than 12 bits.
   */
  space = 0;
  /** The number of the virtual machine whose global entries are found: from {@link DataPath.machines}, 0 without one. */
  machine = 0;
  /**
   * log2 of the bytes of a page, by page size: 12 first, at most 8, ascending; behind them coalesced pages, if TLBs have
   * them. Set before the TLBs are made; the same
   * under all values of the registers.
   */
  pageShifts: readonly number[] = SIZE_SHIFTS;
  /** Whether addresses are a guest's, with walks through a second stage. */
  guest = false;
  /** Whether walk caches shorten a guest's walks, too: its walks then tell the frames of its tables. */
  guestCaches = false;
  /** The level of the root table, 0 being the last; walks begin there unless a cache leads further down. */
  rootLevel = 0;
  /** log2 of the bytes covered by one entry of each level, last level first. */
  levelShifts: readonly number[] = [];
  /** The levels of addresses with bit 63 set, if an architecture has tables of their own for them; null: the same. */
  upper: TableLevels | null = null;
  /** Linear addresses: the bits above this one of the high word must all equal it. 31 asks nothing. */
  canonicalShift = 31;
  /**
   * Halves of the addresses with a tag in bits 63:56, ignored by translation: bit 0 for the lower half, bit 1 for the
   * upper, as bit 55 has it. Fetches have a rule of their own.
   */
  dataTags = 0;
  fetchTags = 0;
  /**
   * The status of an access to a non-canonical address. A page fault comes page by page; another status comes
   * before the first page is looked up.
   */
  badAddress = PAGE_FAULT;
  /** By access (access.ts): the error code for it. */
  readonly badAddressCodes = new Int32Array(ACCESS_KINDS);
  /** Whether linear addresses have 32 bits, so that an access at the end goes on at 0. */
  narrow = false;
  /** Bytes of an entry: 4 or 8. */
  entryBytes = 8;
  /** By access (access.ts): bit n tells whether a page with permission code n allows it. */
  readonly permitted = new Int32Array(ACCESS_KINDS);
  /** By access: bits required in the word beside a frame, too, for use of a hit without a walk. */
  readonly needed = new Int32Array(ACCESS_KINDS);
  /** Not 0 when something beside the code may refuse an access: protection keys. No boolean: hot paths test it. */
  keys = 0;

  /** log2 of the bytes covered by one entry of each level, for addresses with this high word. */
  levelShiftsAt(hi: number): readonly number[] {
    return hi < 0 && this.upper !== null ? this.upper.levelShifts : this.levelShifts;
  }

  /** The level of their root table. */
  rootLevelAt(hi: number): number {
    return hi < 0 && this.upper !== null ? this.upper.rootLevel : this.rootLevel;
  }

  /** A high word with bit 55 in place of its tag, if translation ignores tags there; else as it is. */
  withoutTag(hi: number, access: number): number {
    const tags = (access & FETCH) !== 0 ? this.fetchTags : this.dataTags;
    return ((tags >>> ((hi >>> 23) & 1)) & 1) !== 0 ? (hi << 8) >> 8 : hi;
  }

  /** Whether the linear addresses with this high word are canonical. */
  isCanonical(hi: number): boolean {
    return ((hi >> this.canonicalShift) + 1) >>> 0 <= 1;
  }
}
