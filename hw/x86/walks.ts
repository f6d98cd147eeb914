/**
 * Walks under the registers of one x86 processor: their roots, their tables, their mode.
 *
 * The registers' rules are kept in a form without cost to ask, and made anew at each change of them.
 */

import { addressOfFrame, formatHex, highWordOfFrame, lowWordOfFrame, PAGE_OFFSET_MASK } from '../base/address.js';
import { BUS_ERROR, FaultRecord, OK } from '../base/fault.js';
import { KEY } from '../base/permission.js';
import type { Ram } from '../memory/ram.js';
import type { TranslationListener } from '../translate/walk/events.js';
import { NO_SECOND_STAGE_CACHES } from '../translate/second-stage.js';
import type { SecondStageCaches } from '../translate/second-stage.js';
import type { Regime } from '../translate/walk/regime.js';
import { WalkRecord } from '../translate/walk/walk-record.js';
import { WALK_TELLS } from '../translate/walk/walks.js';
import type { Observer, Walks } from '../translate/walk/walks.js';
import { GENERAL_PROTECTION } from './exception.js';
import { PTE_A, PTE_D, PTE_P, X86_LEVEL_SHIFTS, X86_MODES } from './format.js';
import { EPT_A, EPT_D } from './nested/ept-format.js';
import { GuestContext, GuestWalks } from './nested/guest-walks.js';
import { CR4_PCIDE, PCID_MASK, Registers } from './registers.js';
import {
  HOST_REFUSES_FETCH,
  HOST_REFUSES_READ,
  PagingRules,
  RIGHT_USER,
  RIGHT_WRITE,
  RIGHT_XD,
  ROOT_LEVEL,
} from './rules.js';
import type { PagingFeatures } from './rules.js';
import { SettledWalk } from './settled-walk.js';
import { X86_TERMS } from './terms.js';
import { pdpteRead, X86Walker } from './walk.js';
import * as words from './words.js';

const { frameIn, isRun, ROOT_RIGHTS } = words;

const NOT_SETTLED = -1;
const HOST_REFUSES = HOST_REFUSES_FETCH | HOST_REFUSES_READ;

export class X86Walks implements Walks {
  readonly registers = new Registers();
  readonly rules = new PagingRules();
  readonly regime: Regime = this.rules.regime;
  readonly record = new WalkRecord();
  readonly fault = new FaultRecord();
  readonly observer: Observer;
  readonly terms = X86_TERMS;
  /** The PAE page-directory-pointer registers, read when CR3 was written: four entries, low word first. */
  readonly pdptes = new Int32Array(8);
  /** The controls of a guest, and the walks while one runs. */
  readonly context: GuestContext;
  readonly guest: GuestWalks;

  private readonly walker: X86Walker;
  /** The walker, or null while a guest runs. */
  private own: X86Walker | null;
  private readonly settledWalk: SettledWalk;
  /** The short way while walks may take it: it knows 4-level tables, and tells nobody. */
  private shortWay: SettledWalk | null = null;
  private rootFrame = 0;

  /** @param secondCaches for a guest's physical addresses */
  constructor(
    private readonly ram: Ram,
    readonly features: PagingFeatures,
    secondCaches: SecondStageCaches,
  ) {
    this.walker = new X86Walker(ram, this.rules, this.record, this.fault);
    this.own = this.walker;
    this.settledWalk = new SettledWalk(ram, this.rules);
    this.context = new GuestContext(ram, this.rules, features, this.pdptes);
    this.guest = new GuestWalks(this.context, secondCaches, this.record, this.fault, false);
    this.observer = this.makeObserver(ram);
    this.regime.badAddress = GENERAL_PROTECTION;
    this.regime.guestCaches = true;
    this.readRegisters();
  }

  /** Accessed and dirty bits; with EPT's flags on, those of its entries as well. */
  get setByWalks(): number {
    const { kind, ept } = this.context.host;
    return PTE_A | PTE_D | (kind === 'ept' && ept.setsBits ? EPT_A | EPT_D : 0);
  }

  private makeObserver(ram: Ram): Observer {
    const record = new WalkRecord();
    const fault = new FaultRecord();
    const walker = new X86Walker(ram, this.rules, record, fault, true);
    const guest = new GuestWalks(this.context, NO_SECOND_STAGE_CACHES, record, fault, true);
    return {
      record,
      fault,
      walk: (hi, lo, access) =>
        this.regime.guest ? guest.walk(hi, lo, access) : this.fromRoot(walker, hi, lo, access),
    };
  }

  /** Derives the needs of walks from the registers; to be called after each change of them. */
  readRegisters(): void {
    const { registers, rules, regime } = this;
    rules.update(registers, this.features);
    const { mode } = rules;
    regime.on = mode !== 'none';
    regime.entryBytes = X86_MODES[mode].entryBytes;
    regime.narrow = X86_MODES[mode].linearBits === 32;
    regime.canonicalShift = regime.narrow ? 31 : X86_MODES[mode].linearBits - 33;
    regime.levelShifts = X86_LEVEL_SHIFTS[mode];
    regime.guest = this.context.host.kind !== null;
    this.own = regime.guest ? null : this.walker;
    if (regime.guest) this.context.readRegisters(registers);
    regime.rootLevel = regime.guest ? this.context.root.level : ROOT_LEVEL[mode];
    regime.space = registers.cr4 & CR4_PCIDE ? registers.cr3Lo & PCID_MASK : 0;
    this.setShortWay();
    this.rootFrame = frameIn(registers.cr3Hi, registers.cr3Lo);
    this.settledWalk.regimeChanged(this.rootFrame);
  }

  /**
   * Under PAE paging, reads the four PDPTEs from CR3 into their registers; later changes in RAM do not count.
   * @returns OK; or, with the registers as they were, GENERAL_PROTECTION when a present one has a reserved bit set, or
   * for a guest the status of the second stage.
   */
  loadPdptes(): number {
    if (this.rules.mode !== 'pae' || (this.regime.guest && this.context.pdptesInMemory)) return OK;
    const { ram } = this;
    const { listener } = this.walker;
    const base = this.registers.cr3Lo & ~0x1f;
    const frame = this.regime.guest ? this.guest.pdpteFrame(base) : base >>> 12;
    if (frame < 0) return frame;
    const loaded = new Int32Array(8);
    for (let i = 0; i < 4; i++) {
      const lo = lowWordOfFrame(frame) | (base & PAGE_OFFSET_MASK) | (8 * i);
      loaded[2 * i] = ram.load64(highWordOfFrame(frame), lo);
      loaded[2 * i + 1] = ram.loadedHigh;
      listener?.(pdpteRead(addressOfFrame(frame) + (lo & PAGE_OFFSET_MASK), loaded[2 * i + 1], loaded[2 * i]));
      if (loaded[2 * i] & PTE_P && this.rules.isReservedPdpte(loaded[2 * i + 1], loaded[2 * i])) {
        return GENERAL_PROTECTION;
      }
    }
    this.pdptes.set(loaded);
    return OK;
  }

  listen(listener: TranslationListener | null): void {
    this.walker.listener = listener;
    this.guest.listen(listener);
    this.setShortWay();
  }

  private setShortWay(): void {
    const settles = this.rules.mode === '4l' && this.walker.listener === null && !this.regime.guest;
    this.shortWay = settles ? this.settledWalk : null;
  }

  /** After a guest: the walks of one stage tell none. */
  leaveGuest(): void {
    this.record.forOneStage();
    this.observer.record.forOneStage();
  }

  get hostLevelShifts(): readonly number[] {
    return this.guest.second.levelShifts;
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
    const { own } = this;
    return own === null ? this.guest.walk(hi, lo, access) : this.fromRoot(own, hi, lo, access);
  }

  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    const { own } = this;
    if (own === null) return this.guest.walkFrom(level, table, rights, hi, lo, access);
    return this.regime.entryBytes === 8
      ? own.walkWide(level, table, rights, hi, lo, access)
      : own.walkNarrow(level, table, rights, lo, access);
  }

  /** Linear addresses are physical, or a guest's physical ones, and have 32 bits. */
  unpaged(_hi: number, lo: number, access: number): number {
    if (this.regime.guest) return this.guest.unpaged(lo, access);
    const frame = lo >>> 12;
    return this.ram.hasFrame(frame) ? frame : this.fault.raise(BUS_ERROR, 0, 0, lo);
  }

  private fromRoot(walker: X86Walker, hi: number, lo: number, access: number): number {
    const { rootLevel } = this.regime;
    const { mode } = this.rules;
    if (mode === '32') return walker.walkNarrow(rootLevel, this.rootFrame, ROOT_RIGHTS, lo, access);
    if (mode !== 'pae') return walker.walkWide(rootLevel, this.rootFrame, ROOT_RIGHTS, hi, lo, access);
    const index = (lo >>> 30) << 1;
    return walker.walkPae(this.pdptes[index + 1], this.pdptes[index], lo, access);
  }

  /** A guest's runs are none: its host may have put the pages anywhere. */
  adjacent(pages: number): boolean {
    const { ram, record, regime } = this;
    const at = record.index(record.count - 1);
    return regime.entryBytes === 8 && !regime.guest && isRun(ram.words, at, pages);
  }

  /** Where the guest allows an access to its page and the host refuses it, only a walk tells the address. */
  violation(rights: number, access: number): number {
    const violation = this.rules.violation(rights & ~HOST_REFUSES, access);
    return violation < 0 && this.rules.refuses(rights, access) ? WALK_TELLS : violation;
  }

  invalidation(hi: number, lo: number, space: number, current: number, stage: number): string {
    const address = formatHex(hi, lo);
    if (stage === 2) return this.context.host.kind === 'npt' ? 'VMRUN with TLB control 3' : 'INVEPT';
    if (this.context.numbered && space !== current) return `INVPCID of ${address} in its PCID`;
    return space === current ? `INVLPG ${address}` : `INVPCID of ${address} in PCID ${space}`;
  }

  takenAway(cached: number, now: number): boolean {
    const granted = cached & ~now & (RIGHT_WRITE | RIGHT_USER);
    return (granted | (now & ~cached & (RIGHT_XD | HOST_REFUSES)) | ((now ^ cached) & KEY)) !== 0;
  }
}
