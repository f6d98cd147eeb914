/**
 * The effect of a processor's registers on its translations, as integers.
 *
 * An architecture's register file writes it when a register changes; everything on a hot path reads it, and nothing
 * else of the registers. One class for all architectures keeps those reads the same for V8.
 */

import { ACCESS_KINDS } from '../../base/access.js';
import { SIZE_SHIFTS } from '../../base/address.js';
import { PAGE_FAULT } from '../../base/fault.js';

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
   * log2 of the bytes of a page, by page size: 12 first, at most 8, ascending. Set before the TLBs are made; the same
   * under all values of the registers.
   */
  pageShifts: readonly number[] = SIZE_SHIFTS;
  /** Whether addresses are a guest's, with walks through a second stage: no walk cache shortens them. */
  guest = false;
  /** The level of the root table, 0 being the last; walks begin there unless a cache leads further down. */
  rootLevel = 0;
  /** log2 of the bytes covered by one entry of each level, last level first. */
  levelShifts: readonly number[] = [];
  /** Linear addresses: the bits above this one of the high word must all equal it. 31 asks nothing. */
  canonicalShift = 31;
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
  /** Whether something beside the code may refuse an access: protection keys. */
  hasKeys = false;

  /** Whether the linear addresses with this high word are canonical. */
  isCanonical(hi: number): boolean {
    return ((hi >> this.canonicalShift) + 1) >>> 0 <= 1;
  }
}
