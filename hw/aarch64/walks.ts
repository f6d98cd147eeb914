/**
 * Walks under the registers of one PE: their tables, and the faults at their ends.
 *
 * The registers' rules are kept in a form without cost to ask, and made anew at each change of them.
 */

import { FETCH, IMPLICIT } from '../base/access.js';
import { formatHex, frameAt, highWordOfFrame, lowWordOfFrame } from '../base/address.js';
import { BUS_ERROR, FaultRecord, PAGE_FAULT } from '../base/fault.js';
import type { Ram } from '../memory/ram.js';
import type { TranslationListener } from '../translate/walk/events.js';
import type { Regime } from '../translate/walk/regime.js';
import { NO_SECOND_STAGE_CACHES, SecondStage } from '../translate/second-stage.js';
import type { HostWalks, SecondStageCaches } from '../translate/second-stage.js';
import { WalkRecord } from '../translate/walk/walk-record.js';
import { WALK_TELLS } from '../translate/walk/walks.js';
import type { Observer, Walks } from '../translate/walk/walks.js';
import { errorCodeOf, FSC_ADDRESS_SIZE, FSC_EXTERNAL, ON_WALK } from './exception.js';
import type { AArch64Features } from './features.js';
import { DESC_AF, DESC_READ_ONLY } from './format.js';
import { SystemRegisters } from './registers.js';
import * as rights from './rights.js';
import { AArch64Rules, AARCH64_PAGE_SHIFTS } from './rules.js';
import { AArch64SettledWalk } from './settled-walk.js';
import { AArch64Walker } from './walk.js';
import type { WalkPurpose } from './walk.js';

const ALLOWED = -1;
const NOT_SETTLED = -1;
/** Addresses have at most 52 bits. */
const HIGH_BITS = 20;
/** Rights taken away are of these; DIRTY has a check of its own. */
const GRANTED =
  rights.ARM_RIGHT_READ | rights.ARM_RIGHT_WRITE | rights.ARM_RIGHT_EL1_EXECUTE | rights.ARM_RIGHT_EL0_EXECUTE;

/** Stage 2: VTTBR_EL2's tables. */
class HostTables implements HostWalks {
  readonly highBits = HIGH_BITS;

  constructor(
    private readonly rules: AArch64Rules,
    readonly record: WalkRecord,
    private readonly walker: AArch64Walker,
  ) {}

  get on(): boolean {
    return this.rules.secondOn;
  }

  get permitted(): Int32Array {
    return this.rules.secondPermitted;
  }

  get rootLevel(): number {
    return this.rules.second.rootLevel;
  }

  get levelShifts(): readonly number[] {
    return this.rules.second.levelShifts;
  }

  walk(hi: number, lo: number, access: number): number {
    return this.walker.walk(this.rules.second, hi, lo, access);
  }

  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    const { second } = this.rules;
    const [tableHi, tableLo] = [highWordOfFrame(table), lowWordOfFrame(table)];
    return this.walker.walkFrom(second, level, tableHi, tableLo, second.indexMask, rights, hi, lo, access);
  }
}

/** One set of walkers: those for accesses, those for a look alone, or those of AT instructions. */
export class WalkerSet {
  readonly record = new WalkRecord();
  readonly fault = new FaultRecord();
  readonly second: SecondStage;
  readonly first: AArch64Walker;
  private readonly host: AArch64Walker;

  constructor(
    private readonly ram: Ram,
    private readonly rules: AArch64Rules,
    secondCaches: SecondStageCaches,
    purpose: WalkPurpose,
  ) {
    this.host = new AArch64Walker(ram, rules, null, this.record, purpose);
    const tables = new HostTables(rules, this.record, this.host);
    this.second = new SecondStage(ram, tables, secondCaches, AARCH64_PAGE_SHIFTS);
    this.first = new AArch64Walker(ram, rules, this.second, this.record, purpose);
  }

  listen(listener: TranslationListener | null): void {
    this.first.listener = listener;
    this.host.listener = listener;
    this.second.listen(listener);
  }

  /** High word of the output address of the last walk, RAM or not. */
  get outHi(): number {
    return this.lastWalker.outHi;
  }

  /** Its low word. */
  get outLo(): number {
    return this.lastWalker.outLo;
  }

  private get lastWalker(): AArch64Walker {
    return this.rules.secondOn && !this.first.stopsBeforeHost ? this.host : this.first;
  }

  walk(hi: number, lo: number, access: number): number {
    this.record.count = 0;
    const frame = this.first.walk(this.rules.tablesAt(hi), hi, lo, access);
    return frame >= 0 ? frame : this.raise(frame, hi, lo, access);
  }

  walkFrom(level: number, table: number, above: number, hi: number, lo: number, access: number): number {
    const tables = this.rules.tablesAt(hi);
    const [tableHi, tableLo] = [highWordOfFrame(table), lowWordOfFrame(table)];
    this.record.count = 0;
    const { first } = this;
    const frame = this.rules.secondOn
      ? first.walkFromKnown(tables, level, table, above, hi, lo, access)
      : first.walkFrom(tables, level, tableHi, tableLo, tables.indexMask, above, hi, lo, access);
    return frame >= 0 ? frame : this.raise(frame, hi, lo, access);
  }

  /**
   * An address without translation by stage 1: it is an intermediate physical or a physical one, and must not be longer.
   * Source: Arm ARM (DDI 0487), AArch64.S1DisabledOutput().
   */
  unpaged(hi: number, lo: number, access: number): number {
    const { first, second, rules, ram } = this;
    const plain = rules.regime.withoutTag(hi, access);
    // A branch takes the tag off before the fetch.
    const far = (access & FETCH) !== 0 ? plain : hi;
    this.record.count = 0;
    first.outHi = plain;
    first.outLo = lo;
    if (plain >>> (rules.features.paBits - 32) !== 0) {
      return this.raiseOwn(PAGE_FAULT, FSC_ADDRESS_SIZE, far, lo, access);
    }
    if (!rules.secondOn || first.stopsBeforeHost) {
      const frame = frameAt(plain, lo);
      return ram.hasFrame(frame) ? frame : this.raiseOwn(BUS_ERROR, FSC_EXTERNAL, far, lo, access);
    }
    const frame = second.host(plain, lo, access & ~IMPLICIT);
    if (frame >= 0) return frame;
    if (this.isBeyondHost(frame)) return this.raiseOwn(frame, FSC_EXTERNAL, far, lo, access);
    return this.raiseByHost(frame, 0, far, lo, access);
  }

  /** Whether the second stage found a page, and no RAM is there. */
  private isBeyondHost(status: number): boolean {
    return status === BUS_ERROR && this.host.fsc === FSC_EXTERNAL;
  }

  private raise(status: number, hi: number, lo: number, access: number): number {
    const { refusedBy, fsc, level } = this.first;
    if (refusedBy === 'tables' || this.isBeyondHost(status)) return this.raiseOwn(status, fsc, hi, lo, access, level);
    const onWalk = refusedBy === 'host, for a descriptor' ? ON_WALK : 0;
    return this.raiseByHost(status, onWalk, hi, lo, access);
  }

  private raiseOwn(status: number, fsc: number, hi: number, lo: number, access: number, level = -1): number {
    return this.fault.raise(status, errorCodeOf(fsc, access, this.rules.el0), hi, lo, level);
  }

  /** The second stage refused a descriptor of the first, or the page. */
  private raiseByHost(status: number, onWalk: number, hi: number, lo: number, access: number): number {
    const { fault, second, host, rules } = this;
    return fault.raiseByHost(status, errorCodeOf(host.fsc | onWalk, access, rules.el0), hi, lo, second);
  }
}

/** The walks of one PE. */
export class AArch64Walks implements Walks {
  readonly registers: SystemRegisters;
  readonly rules: AArch64Rules;
  readonly regime: Regime;
  readonly record: WalkRecord;
  readonly fault: FaultRecord;
  readonly observer: Observer;
  readonly terms = {};
  readonly setByWalks = DESC_AF;
  readonly clearedByWalks = DESC_READ_ONLY;
  readonly second: SecondStage;
  /** The walkers of accesses, and those of AT instructions. */
  readonly walkers: WalkerSet;
  readonly addressTranslation: WalkerSet;
  /** The exception level: 0, 1 or 2. */
  el: 0 | 1 | 2 = 1;
  private readonly settledWalk: AArch64SettledWalk;
  /** The short way while walks may take it: with one stage, no other processor, and nobody to listen. */
  private shortWay: AArch64SettledWalk | null = null;
  private listening = false;

  /** @param secondCaches for intermediate physical addresses */
  constructor(
    private readonly ram: Ram,
    features: AArch64Features,
    secondCaches: SecondStageCaches,
  ) {
    this.registers = new SystemRegisters(features);
    this.rules = new AArch64Rules(features);
    this.regime = this.rules.regime;
    this.walkers = new WalkerSet(ram, this.rules, secondCaches, 'access');
    this.addressTranslation = new WalkerSet(ram, this.rules, NO_SECOND_STAGE_CACHES, 'AT');
    this.observer = new WalkerSet(ram, this.rules, NO_SECOND_STAGE_CACHES, 'look');
    this.settledWalk = new AArch64SettledWalk(ram, this.rules);
    this.record = this.walkers.record;
    this.fault = this.walkers.fault;
    this.second = this.walkers.second;
    this.readRegisters();
  }

  /** Derives the needs of walks from the registers. */
  readRegisters(): void {
    const { registers, rules } = this;
    rules.update(registers, this.el);
    if (rules.secondOn) this.second.enter(registers.vmid);
    this.setSettling();
  }

  private setSettling(): void {
    const { firstOn, secondOn } = this.rules;
    const settles = firstOn && !secondOn && !this.listening && !this.ram.shared;
    this.shortWay = settles ? this.settledWalk : null;
    if (settles) this.settledWalk.regimeChanged();
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
    return this.shortWay !== null ? this.shortWay.walk(hi, lo, access) : NOT_SETTLED;
  }

  tellHot(access: number, control: Int32Array): boolean {
    return this.shortWay?.tell(access, control) ?? false;
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

  /** The fault of a missing right has the level of its descriptor: only a walk can tell it. */
  violation(cached: number, access: number): number {
    return ((this.regime.permitted[access] >>> cached) & 1) !== 0 ? ALLOWED : WALK_TELLS;
  }

  /** Without the last-level forms it is good for tables too. */
  invalidation(hi: number, lo: number, _space: number, _current: number, stage: number): string {
    return stage === 2 ? 'TLBI VMALLS12E1' : `TLBI VAE1, ${formatHex(hi, lo)}`;
  }

  /** A right once granted is gone, or EL0's page is EL1's alone, or the other way. */
  takenAway(cached: number, now: number): boolean {
    return ((cached & ~now & GRANTED) | ((now ^ cached) & rights.ARM_RIGHT_EL0)) !== 0;
  }
}
