/** What the accesses of a program look up, and the pages they touch, made resident before any of them is made. */

import * as hardware from '../../hw/access.js';
import * as address from '../../hw/address.js';
import type { Mmu } from '../../hw/mmu.js';
import * as trace from '../trace/block.js';
import type { AccessBlock, AccessCounts } from '../trace/block.js';
import { Footprint } from './footprint.js';
import { Lookups } from './lookups.js';
import type { Machine } from './machine.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { READ, USER, WRITE } = hardware;
const { highWordAfter, PAGE_BYTES, PAGE_OFFSET_MASK } = address;
const { ACCESS_WORDS, FETCH, KIND_MASK, LOW_WORD, MODIFY, OPERATION_WORD, SIZE_SHIFT } = trace;
const PAGE_MASK = ~PAGE_OFFSET_MASK;
const USER_WRITE = USER | WRITE;
/** A user process can own the addresses below 2^47: those whose high word has no more bits than these. */
const USER_HI_BITS = 15;
/** The page of no address. */
const NO_PAGE = -1;

/** By kind of a trace's access, the bits from access.ts of the lookup that it makes first. */
const FIRST_ACCESS = Uint8Array.of(USER | hardware.FETCH, USER | READ, USER_WRITE, USER | READ);
/**
 * The same where the processor has no TLB for stores alone: data pages being dirty already, a load and a store of them
 * do the same, so that all are made as stores and a run of lookups has both.
 */
const FIRST_ACCESS_AS_STORE = Uint8Array.of(USER | hardware.FETCH, USER_WRITE, USER_WRITE, USER_WRITE);

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
  /** Loads and stores look up TLBs of their own in some MMU. */
  private readonly storesApart: boolean;
  private readonly firstAccess: Uint8Array;

  /** @param mmus all that will make the lookups; those of the machines when absent */
  constructor(
    readonly machines: readonly Machine[],
    mmus: readonly Mmu[] = machines.map(({ mmu }) => mmu),
  ) {
    this.storesApart = mmus.some(({ tlb }) => tlb.l1Store !== tlb.l1Load);
    this.firstAccess = this.storesApart ? FIRST_ACCESS : FIRST_ACCESS_AS_STORE;
  }

  /** @returns the lookups that the block makes; the same object every time */
  prepare(block: AccessBlock): Lookups {
    const { lookups } = this;
    lookups.length = 0;
    lookups.crossings = 0;
    lookups.allStores = !this.storesApart;
    for (let i = 0; i < block.length; i++) {
      i = this.collect(block, i);
      if (i < block.length) this.collectOther(block.addressHi(i), block.addressLo(i), block.size(i), block.kind(i));
    }
    this.touchAll();
    return lookups;
  }

  /**
   * Adds the runs of the accesses from `from` on, up to the first that is not lookups of one kind in one page.
   * @returns the index of that one, or the block's length
   */
  private collect({ words, length }: AccessBlock, from: number): number {
    const { firstAccess } = this;
    const { his, los, accesses, made } = this.lookups;
    const twoRuns = this.storesApart ? MODIFY : -1;
    let run = this.lookups.length - 1;
    let total = made[run + 1];
    let lastHi = 0;
    let lastPage = NO_PAGE;
    let lastAccess = 0;
    let others = 0;
    let at = ACCESS_WORDS * from;
    const end = ACCESS_WORDS * length;
    for (; at < end; at += ACCESS_WORDS) {
      const hi = words[at];
      const lo = words[at + LOW_WORD];
      const operation = words[at + OPERATION_WORD];
      const kind = operation & KIND_MASK;
      const inPage = (lo & PAGE_OFFSET_MASK) + (operation >>> SIZE_SHIFT) <= PAGE_BYTES;
      if (hi >>> USER_HI_BITS !== 0 || !inPage || kind === twoRuns) break;
      const page = lo & PAGE_MASK;
      const access = firstAccess[kind];
      // Without a branch, which would go wrong too often: the top bit of `x | -x` is set unless x is 0.
      const differs = (page ^ lastPage) | (hi ^ lastHi) | (access ^ lastAccess);
      run += (differs | -differs) >>> 31;
      // One, and one more for a load-modify-store, whose kind has both bits.
      total += 1 + (kind & (kind >>> 1));
      others |= access ^ USER_WRITE;
      his[run] = hi;
      los[run] = lo;
      accesses[run] = access;
      made[run + 1] = total;
      lastHi = hi;
      lastPage = page;
      lastAccess = access;
    }
    this.lookups.length = run + 1;
    if (others !== 0) this.lookups.allStores = false;
    return at / ACCESS_WORDS;
  }

  /** Adds an access that crosses into another page, or loads and stores in TLBs of their own, or is none of a process. */
  private collectOther(hi: number, lo: number, size: number, kind: number): void {
    if ((hi | highWordAfter(hi, lo, size - 1)) >>> USER_HI_BITS !== 0) {
      this.leaveOut(kind);
      return;
    }
    const bytesThatCross = (lo & PAGE_OFFSET_MASK) + size > PAGE_BYTES ? size : 0;
    const access = this.firstAccess[kind];
    if (access !== USER_WRITE) this.lookups.allStores = false;
    this.lookups.push(hi, lo, access, bytesThatCross);
    if (kind === MODIFY) this.lookups.push(hi, lo, USER_WRITE, bytesThatCross);
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

  /** Makes the pages of the lookups resident, in their order; no access of a trace is longer than a page. */
  private touchAll(): void {
    const { his, los, length, crossings, crossingAt, crossingBytes } = this.lookups;
    let done = 0;
    for (let i = 0; i < crossings; i++) {
      const at = crossingAt[i];
      const beyond = crossingBytes[i] - 1;
      this.touchRange(done, at + 1);
      this.touch(highWordAfter(his[at], los[at], beyond), (los[at] + beyond) | 0);
      done = at + 1;
    }
    this.touchRange(done, length);
  }

  private touchRange(from: number, to: number): void {
    const { his, los } = this.lookups;
    for (let i = from; i < to; i++) if (!this.footprint.has(his[i], los[i])) this.touch(his[i], los[i]);
  }

  private touch(hi: number, lo: number): void {
    if (this.footprint.has(hi, lo)) return;
    this.footprint.add(hi, lo);
    for (const machine of this.machines) machine.makeResident(hi, lo);
  }
}
