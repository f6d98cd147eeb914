/** The pages that a program's accesses touch, made resident before any of the accesses is. */

import * as hardware from '../../hw/access.js';
import * as address from '../../hw/address.js';
import * as trace from '../trace/block.js';
import type { AccessBlock, AccessCounts } from '../trace/block.js';
import { Footprint } from './footprint.js';
import { Lookups } from './lookups.js';
import type { Machine } from './machine.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { READ, USER, WRITE } = hardware;
const { highWordAfter, PAGE_BYTES, PAGE_OFFSET_MASK } = address;
const { FETCH, MODIFY } = trace;
const USER_WRITE = USER | WRITE;
/** By kind of a trace's access, the bits from access.ts of the lookup that it makes first. */
const FIRST_ACCESS = Uint8Array.of(USER | hardware.FETCH, USER | READ, USER_WRITE, USER | READ);
/** A user process can own the addresses below 2^47: those whose high word has no more bits than these. */
const USER_HI_BITS = 15;

/** Notes that the access at `at`, of `bytes` bytes, crosses a boundary of 4 KiB. */
function addCrossing(lookups: Lookups, at: number, bytes: number): void {
  lookups.crossingAt[lookups.crossings] = at;
  lookups.crossingBytes[lookups.crossings] = bytes;
  lookups.crossings++;
}

/** Accesses that were made: what the trace delivered less what was left out. */
export interface Made {
  readonly data: number;
  readonly fetches: number;
}

/** Makes the pages of every access of a block resident on all machines, and counts the accesses no process can make. */
export class Resident {
  readonly footprint = new Footprint();
  private readonly lookups = new Lookups();
  /** Elements of the trace that were left out, and how many data accesses and fetches they would have been. */
  outsideUserSpace = 0;
  private dataLeftOut = 0;
  private fetchesLeftOut = 0;

  constructor(readonly machines: readonly Machine[]) {}

  /** @returns the lookups that the block makes; the same object every time */
  prepare(block: AccessBlock): Lookups {
    const { footprint, lookups } = this;
    const { addressHi, addressLo, size: sizes, kind: kinds, length } = block;
    const { his, los, accesses } = lookups;
    let count = 0;
    lookups.crossings = 0;
    for (let i = 0; i < length; i++) {
      const hi = addressHi[i];
      const lo = addressLo[i];
      const size = sizes[i];
      const kind = kinds[i];
      const plain = hi >>> USER_HI_BITS === 0 && (lo & PAGE_OFFSET_MASK) + size <= PAGE_BYTES && footprint.has(hi, lo);
      if (!plain && !this.admit(hi, lo, size, kind, count)) continue;
      his[count] = hi;
      los[count] = lo;
      accesses[count] = FIRST_ACCESS[kind];
      count++;
      if (kind !== MODIFY) continue;
      his[count] = hi;
      los[count] = lo;
      accesses[count] = USER_WRITE;
      count++;
    }
    lookups.length = count;
    lookups.fetches = kinds.subarray(0, length).includes(FETCH);
    return lookups;
  }

  /**
   * Makes the pages of an access resident, and notes for the lookup at `at` that it crosses; no access of a trace is
   * longer than a page.
   * @returns false for an access that no process can make
   */
  private admit(hi: number, lo: number, size: number, kind: number, at: number): boolean {
    const lastHi = highWordAfter(hi, lo, size - 1);
    if ((hi | lastHi) >>> USER_HI_BITS !== 0) {
      this.leaveOut(kind);
      return false;
    }
    this.touch(hi, lo);
    if ((lo & PAGE_OFFSET_MASK) + size > PAGE_BYTES) {
      this.touch(lastHi, (lo + size - 1) | 0);
      addCrossing(this.lookups, at, size);
      if (kind === MODIFY) addCrossing(this.lookups, at + 1, size);
    }
    return true;
  }

  private leaveOut(kind: number): void {
    this.outsideUserSpace++;
    if (kind === FETCH) this.fetchesLeftOut++;
    else this.dataLeftOut += kind === MODIFY ? 2 : 1;
  }

  /** How many accesses of those that a trace delivered were made; a load-modify-store is two. */
  made({ loads, stores, modifies, fetches }: AccessCounts): Made {
    return {
      data: loads + stores + 2 * modifies - this.dataLeftOut,
      fetches: fetches - this.fetchesLeftOut,
    };
  }

  private touch(hi: number, lo: number): void {
    if (this.footprint.has(hi, lo)) return;
    this.footprint.add(hi, lo);
    for (const machine of this.machines) machine.makeResident(hi, lo);
  }
}
