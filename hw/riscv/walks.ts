/**
 * Walks under the registers of one hart: where they begin, through which tables, and the faults that end them.
 *
 * What the registers say is kept in a form that costs nothing to ask, and made anew at each change of them.
 */

import { BUS_ERROR, FaultRecord, PAGE_FAULT } from '../base/fault.js';
import { frameOf } from '../base/address.js';
import type { Ram } from '../memory/ram.js';
import type { Regime } from '../translate/regime.js';
import { WalkRecord } from '../translate/walk-record.js';
import type { Observer, Walks } from '../translate/walks.js';
import { accessFaultCause, pageFaultCause } from './exception.js';
import { PTE_A, PTE_D } from './format.js';
import { Csrs, MACHINE_MODE } from './registers.js';
import type { Xlen } from './registers.js';
import { RIGHT_EXECUTE, RIGHT_MXR, RIGHT_READ, RIGHT_USER, RIGHT_WRITE, RiscvRules } from './rules.js';
import { RiscvWalker } from './walk.js';

const ALLOWED = -1;
const NOT_SETTLED = -1;

/** What the processor's model decides rather than a register. */
export interface RiscvFeatures {
  readonly xlen: Xlen;
  /** Entries for 64 KiB. */
  readonly svnapot: boolean;
}

export class RiscvWalks implements Walks {
  readonly csrs: Csrs;
  readonly rules = new RiscvRules();
  readonly regime: Regime = this.rules.regime;
  readonly record = new WalkRecord();
  readonly fault = new FaultRecord();
  readonly observer: Observer;
  readonly setByWalks = PTE_A | PTE_D;
  readonly settledSize = 0;

  /** The privilege mode, and V. */
  mode = MACHINE_MODE;
  virtual = false;
  private readonly walker: RiscvWalker;
  private rootFrame = 0;

  constructor(
    private readonly ram: Ram,
    readonly features: RiscvFeatures,
  ) {
    this.csrs = new Csrs(features.xlen);
    this.walker = new RiscvWalker(ram, this.rules, 1, this.record);
    this.observer = this.makeObserver();
    this.readRegisters();
  }

  private makeObserver(): Observer {
    const record = new WalkRecord();
    const fault = new FaultRecord();
    const walker = new RiscvWalker(this.ram, this.rules, 1, record, true);
    return { record, fault, walk: (hi, lo, access) => this.fromRoot(walker, record, fault, hi, lo, access) };
  }

  /** Derives from the registers what walks need to know, for fetches or for all other accesses. */
  readRegisters(fetches = false): void {
    const { csrs, rules } = this;
    rules.update(csrs, this.mode, this.virtual, this.features.svnapot, fetches);
    this.rootFrame = this.frameAt(rules.first.rootHi, rules.first.rootLo);
  }

  /** The frame of a physical address, or one that no RAM has. */
  private frameAt(hi: number, lo: number): number {
    return hi >>> 0 > 3 ? -1 : frameOf(hi, lo);
  }

  settled(): number {
    return NOT_SETTLED;
  }

  walk(hi: number, lo: number, access: number): number {
    return this.fromRoot(this.walker, this.record, this.fault, hi, lo, access);
  }

  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    this.record.count = 0;
    const frame = this.walker.walk(level, table, rights, hi, lo, access);
    return frame >= 0 ? frame : this.raise(frame, this.record, this.fault, hi, lo, access);
  }

  private fromRoot(
    walker: RiscvWalker,
    record: WalkRecord,
    fault: FaultRecord,
    hi: number,
    lo: number,
    access: number,
  ): number {
    record.count = 0;
    const frame = walker.walk(this.rules.first.rootLevel, this.rootFrame, 0, hi, lo, access);
    return frame >= 0 ? frame : this.raise(frame, record, fault, hi, lo, access);
  }

  /** The walk of `record` ended with a status: its cause goes into `fault`. */
  private raise(
    status: number,
    record: WalkRecord,
    fault: FaultRecord,
    hi: number,
    lo: number,
    access: number,
  ): number {
    const cause = status === PAGE_FAULT ? pageFaultCause(access) : accessFaultCause(access);
    return fault.raise(status, cause | this.rules.errorFacts, hi, lo, record.endLevel);
  }

  /** Virtual addresses are physical. */
  unpaged(hi: number, lo: number, access: number): number {
    const frame = this.frameAt(hi, lo);
    if (this.ram.hasFrame(frame)) return frame;
    return this.fault.raise(BUS_ERROR, accessFaultCause(access) | this.rules.errorFacts, hi, lo);
  }

  violation(rights: number, access: number): number {
    if (((this.regime.permitted[access] >>> rights) & 1) !== 0) return ALLOWED;
    return pageFaultCause(access) | this.rules.errorFacts;
  }

  /** A page of user mode may no longer be used by it, or one of supervisor mode may. */
  takenAway(cached: number, now: number): boolean {
    const granted = cached & ~now & (RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_MXR);
    return (granted | ((now ^ cached) & RIGHT_USER)) !== 0;
  }
}
