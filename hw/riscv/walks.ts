/**
 * Walks under the registers of one hart: their roots, their tables, and the faults at their ends.
 *
 * The registers' rules are kept in a form without cost to ask, and made anew at each change of them.
 */

import { formatHex, frameAt } from '../base/address.js';
import { BUS_ERROR, FaultRecord, NO_LEVEL, PAGE_FAULT } from '../base/fault.js';
import { DIRTY } from '../base/permission.js';
import type { Ram } from '../memory/ram.js';
import type { TranslationListener } from '../translate/walk/events.js';
import type { Regime } from '../translate/walk/regime.js';
import { NO_SECOND_STAGE_CACHES, SecondStage } from '../translate/second-stage.js';
import type { HostWalks, SecondStageCaches } from '../translate/second-stage.js';
import { WalkRecord } from '../translate/walk/walk-record.js';
import { WALK_TELLS } from '../translate/walk/walks.js';
import type { Observer, Walks } from '../translate/walk/walks.js';
import { accessFaultCause, guestPageFaultCause, pageFaultCause } from './exception.js';
import { RISCV_PTE_A, RISCV_PTE_D } from './format.js';
import { GuestWalker } from './guest-walk.js';
import { Csrs, MACHINE_MODE } from './registers.js';
import type { Xlen } from './registers.js';
import * as rights from './rules.js';
import { PAGE_SHIFTS, RiscvRules } from './rules.js';
import { RiscvSettledWalk } from './settled-walk.js';
import { RiscvWalker } from './walk.js';

const ALLOWED = -1;
const NOT_SETTLED = -1;
/** Rights from a second stage when it is off. */
const ALL_RIGHTS =
  rights.RISCV_RIGHT_READ | rights.RISCV_RIGHT_WRITE | rights.RISCV_RIGHT_EXECUTE | rights.RISCV_RIGHT_USER | DIRTY;

/** Decided by the processor's model rather than a register. */
export interface RiscvFeatures {
  readonly xlen: Xlen;
  /** Entries for 64 KiB. */
  readonly svnapot: boolean;
  /** ADUE can be set. */
  readonly svadu: boolean;
}

/** The G-stage: hgatp's tables. */
class HostTables implements HostWalks {
  constructor(
    private readonly ram: Ram,
    private readonly rules: RiscvRules,
    readonly record: WalkRecord,
    private readonly walker: RiscvWalker,
  ) {}

  get on(): boolean {
    return this.rules.second.on;
  }

  get highBits(): number {
    return this.rules.hostHighBits;
  }

  get permitted(): Int32Array {
    return this.rules.second.permitted;
  }

  /** The address's two highest bits choose one of the root's four tables: "Guest Physical Address Translation". */
  walk(hi: number, lo: number, access: number): number {
    const { second, hostHighBits } = this.rules;
    if (!second.on) return this.physical(hi, lo);
    const table = second.rootFrame | (hi >>> (hostHighBits - 2));
    return this.walker.walk(second.rootLevel, table, 0, hi, lo, access);
  }

  get rootLevel(): number {
    return this.rules.second.rootLevel;
  }

  get levelShifts(): readonly number[] {
    return this.rules.hostLevelShifts;
  }

  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    return this.walker.walk(level, table, rights, hi, lo, access);
  }

  private physical(hi: number, lo: number): number {
    const { record, ram } = this;
    record.frame = frameAt(hi, lo);
    record.rights = ALL_RIGHTS;
    record.size = PAGE_SHIFTS.length - 1;
    return ram.hasFrame(record.frame) ? record.frame : BUS_ERROR;
  }
}

/** One set of walkers: those for accesses, or those for a look alone. */
class WalkerSet {
  readonly record = new WalkRecord();
  readonly fault = new FaultRecord();
  readonly second: SecondStage;
  private readonly single: RiscvWalker;
  private readonly guest: GuestWalker;
  private readonly host: RiscvWalker;

  constructor(
    ram: Ram,
    private readonly rules: RiscvRules,
    secondCaches: SecondStageCaches,
    observing: boolean,
  ) {
    this.host = new RiscvWalker(ram, rules, 2, this.record, observing);
    this.second = new SecondStage(ram, new HostTables(ram, rules, this.record, this.host), secondCaches, PAGE_SHIFTS);
    this.single = new RiscvWalker(ram, rules, 1, this.record, observing);
    this.guest = new GuestWalker(ram, rules, this.second, this.record, observing);
  }

  listen(listener: TranslationListener | null): void {
    for (const walker of [this.single, this.guest, this.host]) walker.listener = listener;
    this.second.listen(listener);
  }

  walk(hi: number, lo: number, access: number): number {
    if (this.rules.regime.guest) return this.endGuest(this.guest.walk(hi, lo, access), hi, lo, access);
    const { first } = this.rules;
    return this.walkFrom(first.rootLevel, first.rootFrame, 0, hi, lo, access);
  }

  walkFrom(level: number, table: number, above: number, hi: number, lo: number, access: number): number {
    if (this.rules.regime.guest) {
      return this.endGuest(this.guest.walkFrom(level, table, above, hi, lo, access), hi, lo, access);
    }
    this.record.count = 0;
    const frame = this.single.walk(level, table, above, hi, lo, access);
    return frame >= 0 ? frame : this.raise(frame, hi, lo, access);
  }

  private endGuest(frame: number, hi: number, lo: number, access: number): number {
    if (frame >= 0) return frame;
    const byHost = frame === PAGE_FAULT && this.guest.refusedByHost;
    return byHost ? this.raiseByHost(this.guest.onEntry, hi, lo, access) : this.raise(frame, hi, lo, access);
  }

  /** An address without translation by the first stage: it is guest-physical or physical. */
  unpaged(hi: number, lo: number, access: number): number {
    this.record.count = 0;
    const frame = this.second.host(hi, lo, access);
    if (frame >= 0) return frame;
    return frame === PAGE_FAULT ? this.raiseByHost(0, hi, lo, access) : this.raise(frame, hi, lo, access, NO_LEVEL);
  }

  private raise(status: number, hi: number, lo: number, access: number, level = this.record.endLevel): number {
    const cause = status === PAGE_FAULT ? pageFaultCause(access) : accessFaultCause(access);
    return this.fault.raise(status, cause | this.rules.errorFacts, hi, lo, level);
  }

  /** The second stage refused an entry of the first, or the page: a guest page fault. */
  private raiseByHost(onEntry: number, hi: number, lo: number, access: number): number {
    const code = guestPageFaultCause(access) | this.rules.errorFacts | onEntry;
    return this.fault.raiseByHost(PAGE_FAULT, code, hi, lo, this.second);
  }
}

export class RiscvWalks implements Walks {
  readonly csrs: Csrs;
  readonly rules = new RiscvRules();
  readonly regime: Regime = this.rules.regime;
  readonly record: WalkRecord;
  readonly fault: FaultRecord;
  readonly observer: Observer;
  readonly terms = {};
  readonly setByWalks = RISCV_PTE_A | RISCV_PTE_D;
  readonly second: SecondStage;

  /** The privilege mode, and V. */
  mode = MACHINE_MODE;
  virtual = false;
  /** Loads need the right to execute in place of that to read: HLVX. */
  executes = false;
  private readonly walkers: WalkerSet;
  private readonly settledWalk: RiscvSettledWalk;
  /** Whether walks may take the short way: one stage, entries of 8 bytes, no other hart, and nobody listens. */
  private maySettle = false;
  /** Whether hot loops may, with entries of any size. */
  private isHot = false;
  private listening = false;

  /** @param secondCaches for guest-physical addresses */
  constructor(
    private readonly ram: Ram,
    readonly features: RiscvFeatures,
    secondCaches: SecondStageCaches,
  ) {
    this.csrs = new Csrs(features.xlen, features.svadu);
    this.walkers = new WalkerSet(ram, this.rules, secondCaches, false);
    this.observer = new WalkerSet(ram, this.rules, NO_SECOND_STAGE_CACHES, true);
    this.settledWalk = new RiscvSettledWalk(ram, this.rules);
    this.record = this.walkers.record;
    this.fault = this.walkers.fault;
    this.second = this.walkers.second;
    this.readRegisters();
  }

  /** Derives the needs of walks from the registers, for fetches or for all other accesses. */
  readRegisters(fetches = false): void {
    const { csrs, rules } = this;
    rules.update(csrs, this.mode, this.virtual, this.features.svnapot, fetches, this.executes);
    if (rules.virtual) this.second.enter(csrs.vmid);
    this.setSettling();
  }

  private setSettling(): void {
    const { first, virtual } = this.rules;
    this.isHot = first.on && !virtual && !this.listening && !this.ram.shared;
    this.maySettle = this.isHot && first.wide;
  }

  listen(listener: TranslationListener | null): void {
    this.walkers.listen(listener);
    this.listening = listener !== null;
    this.setSettling();
  }

  get hostLevelShifts(): readonly number[] {
    return this.second.levelShifts;
  }

  get settledSize(): number {
    return this.settledWalk.size;
  }

  settled(hi: number, lo: number, access: number): number {
    return this.maySettle ? this.settledWalk.walk(hi, lo, access) : NOT_SETTLED;
  }

  tellHot(access: number, control: Int32Array): boolean {
    return this.isHot && this.settledWalk.tell(access, control);
  }

  walk(hi: number, lo: number, access: number): number {
    return this.walkers.walk(hi, lo, access);
  }

  walkFrom(level: number, table: number, above: number, hi: number, lo: number, access: number): number {
    return this.walkers.walkFrom(level, table, above, hi, lo, access);
  }

  unpaged(hi: number, lo: number, access: number): number {
    return this.walkers.unpaged(hi, lo, access);
  }

  /** Of a guest's page, only a walk tells the refusing stage, and the guest-physical address. */
  violation(cached: number, access: number): number {
    if (((this.regime.permitted[access] >>> cached) & 1) !== 0) return ALLOWED;
    return this.regime.guest ? WALK_TELLS : pageFaultCause(access) | this.rules.errorFacts;
  }

  /** Without an address space as operand it is good for all of them. */
  invalidation(hi: number, lo: number, _space: number, _current: number, stage: number): string {
    return stage === 2 ? 'HFENCE.GVMA' : `SFENCE.VMA ${formatHex(hi, lo)}`;
  }

  /** A right once granted is gone, or user mode's page is supervisor mode's, or the other way. */
  takenAway(cached: number, now: number): boolean {
    const granted =
      rights.RISCV_RIGHT_READ | rights.RISCV_RIGHT_WRITE | rights.RISCV_RIGHT_EXECUTE | rights.RISCV_RIGHT_MXR;
    return ((cached & ~now & granted) | ((now ^ cached) & rights.RISCV_RIGHT_USER)) !== 0;
  }
}
