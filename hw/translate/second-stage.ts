/**
 * The second stage of translation: from guest-physical to physical addresses, by the tables of a host.
 *
 * RISC-V calls it G-stage, Arm stage 2, Intel EPT, AMD nested paging. It has a TLB and walk caches of its own, keyed by
 * guest-physical address, beside those for whole translations. A walk of the first stage asks it for each of its entries.
 * Sources: Intel SDM vol. 3C, "Caching Translation Information" (guest-physical mappings); Bhargava et al., "Accelerating
 * Two-Dimensional Page Walks for Virtualized Systems", ASPLOS 2008 (nested TLB).
 */

import * as accesses from '../base/access.js';
import * as faults from '../base/fault.js';
import * as permission from '../base/permission.js';
import type { Ram } from '../memory/ram.js';
import type { TlbGroup } from '../tlb/group.js';
import { makeGroup } from '../tlb/hierarchy.js';
import { DEFAULT_SECOND_STAGE, MODEL_DEFAULT } from '../tlb/presets.js';
import { SpaceNumbers } from '../tlb/spaces.js';
import { NO_SPACE } from '../tlb/tag.js';
import { WalkCaches } from '../tlb/walk-cache.js';
import type { MachineOptions } from './options.js';
import type { SecondStageHitEvent, TranslationListener } from './walk/events.js';
import * as walkRecord from './walk/walk-record.js';
import type { WalkRecord } from './walk/walk-record.js';

const { WRITE } = accesses;
const { NO_LEVEL, PAGE_FAULT } = faults;
const { DIRTY, GLOBAL } = permission;
const { READ_LEVEL, READ_RIGHTS, READ_TABLE } = walkRecord;

/** An architecture's part in its second stage. */
export interface HostWalks {
  /** Whether guest-physical addresses are translated; otherwise they are physical. */
  readonly on: boolean;
  /** Bits of a guest-physical address above the low 32: 0 to 31. */
  readonly highBits: number;
  /** By access: bit n tells whether a page with permission code n allows it. IMPLICIT means a request for an entry. */
  readonly permitted: Int32Array;
  /** Result of the last walk; its reads are put behind those already there. */
  readonly record: WalkRecord;
  /** The level of the root table, and log2 of the bytes covered by one entry of each level, last level first. */
  readonly rootLevel: number;
  readonly levelShifts: readonly number[];
  /** Walks from the root. @returns the 4 KiB frame; PAGE_FAULT for a refusal; BUS_ERROR if no RAM answers */
  walk(hi: number, lo: number, access: number): number;
  /** The same from the table in frame `table` at `level`, `rights` being those left in the record by the levels above. */
  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number;
}

/** What a second stage keeps of its walks; null where every walk is to be made. */
export interface SecondStageCaches {
  readonly tlb: TlbGroup | null;
  readonly walkCaches: WalkCaches | null;
}

/** Nothing is kept: for walks that only look. */
export const NO_SECOND_STAGE_CACHES: SecondStageCaches = { tlb: null, walkCaches: null };

/**
 * The caches of the second stage of a machine.
 * @param names as `Walks.terms` has them, since the sizes are those of the first stage's walk caches by default
 * @throws RangeError for an impossible shape
 */
export function secondStageCaches(
  { tlb = MODEL_DEFAULT, path }: Pick<MachineOptions, 'tlb' | 'path'>,
  shifts: readonly number[],
  names: readonly string[] = [],
): SecondStageCaches {
  if (path === 'walk') return NO_SECOND_STAGE_CACHES;
  const { secondStage: level = DEFAULT_SECOND_STAGE, secondStageWalkCaches: caches = tlb.walkCaches } = tlb;
  return {
    tlb: level.length === 0 ? null : makeGroup(level, 'second-stage TLB', shifts).group,
    walkCaches: caches === undefined ? null : new WalkCaches(caches, names, 'second-stage'),
  };
}

/** Guest-physical addresses to frames, through a TLB. */
export class SecondStage {
  /** Rights and page size of the last address with a translation. */
  rights = 0;
  size = 0;
  /** The last address without one, and the level of its walk's last entry: see {@link HostRefusal}. */
  faultHi = 0;
  faultLo = 0;
  faultLevel = NO_LEVEL;
  private readonly ram: Ram;
  private readonly walks: HostWalks;
  private readonly tlb: TlbGroup | null;
  private readonly walkCaches: WalkCaches | null;
  private listener: TranslationListener | null = null;
  private readonly shifts: readonly number[];
  private readonly numbers: SpaceNumbers;
  private space = 0;

  /** @param shifts as {@link Regime.pageShifts} */
  constructor(ram: Ram, walks: HostWalks, { tlb, walkCaches }: SecondStageCaches, shifts: readonly number[]) {
    this.ram = ram;
    this.shifts = shifts;
    this.walks = walks;
    this.tlb = tlb;
    this.walkCaches = walkCaches;
    this.numbers = new SpaceNumbers((space) => {
      this.forgetSpace(space);
    });
  }

  /** log2 of the bytes covered by one entry of each level of the tables, last level first. */
  get levelShifts(): readonly number[] {
    return this.walks.levelShifts;
  }

  /** From now on `listener` hears of hits, and the fate of entries; null ends it. */
  listen(listener: TranslationListener | null): void {
    this.listener = listener;
    this.tlb?.listen(listener, 'guest-physical page');
    this.walkCaches?.listen(listener, 'guest-physical table');
  }

  /** Addresses are from now on those of the virtual machine with this VMID. */
  enter(vmid: number): void {
    this.space = this.numbers.enter(vmid, 0);
    this.tlb?.forget();
    if (this.walks.on) this.walkCaches?.enter(this.space, this.walks.levelShifts);
  }

  /**
   * Translates a guest-physical address.
   * @param access as in access.ts; with IMPLICIT, an entry of the first stage is read or written there
   * @returns the 4 KiB frame; PAGE_FAULT if the host refuses; BUS_ERROR if no RAM answers
   */
  host(hi: number, lo: number, access: number): number {
    const { tlb, walks } = this;
    if (walks.on && hi >>> walks.highBits !== 0) return this.failed(PAGE_FAULT, hi, lo, NO_LEVEL);
    if (tlb === null || !walks.on || !tlb.lookup(hi, lo, this.space)) return this.walk(hi, lo, access);
    const { rights } = tlb;
    const clean = (access & WRITE) !== 0 && (rights & DIRTY) === 0;
    if (clean || ((walks.permitted[access] >>> rights) & 1) === 0) {
      // Only a walk can set the dirty bit, and tell the fault of the present entries.
      tlb.dropAddress(hi, lo, this.space, NO_SPACE);
      return this.walk(hi, lo, access);
    }
    this.rights = rights;
    this.size = tlb.size;
    if (this.listener !== null) this.tellHit('guest-physical page', hi, lo, tlb.frame, this.shifts[tlb.size], tlb.name);
    return tlb.frame;
  }

  /** Whether the last address translated allows another access, too. */
  allows(access: number): boolean {
    return ((this.walks.permitted[access] >>> this.rights) & 1) !== 0;
  }

  private walk(hi: number, lo: number, access: number): number {
    const { walks, tlb } = this;
    const { record } = walks;
    const first = record.count;
    const frame = this.walkCached(hi, lo, access);
    if (frame < 0) {
      // Without an entry the address is none of the tables'.
      const none = frame === PAGE_FAULT && record.count === first;
      return this.failed(frame, hi, lo, none ? NO_LEVEL : record.endLevel);
    }
    const { rights, size } = record;
    // No entry of a host is for all of its guests.
    this.rights = rights & ~GLOBAL;
    this.size = size;
    // As in the TLB of whole translations, a page with an end past RAM is not cached.
    const whole = size === 0 || this.ram.hasPage(frame, this.shifts[size]);
    if (walks.on && tlb !== null && whole) tlb.fill(hi, lo, this.space, frame, this.rights, size);
    return frame;
  }

  /** Walks from the deepest table in a walk cache, else from the root. */
  private walkCached(hi: number, lo: number, access: number): number {
    const { walks, walkCaches, space } = this;
    if (walkCaches === null || !walks.on) return walks.walk(hi, lo, access);
    const { rootLevel, levelShifts, record } = walks;
    const first = record.count;
    const level = walkCaches.lookup(hi, lo, space, rootLevel, levelShifts);
    const { table, rights } = walkCaches;
    const shortened = level < rootLevel;
    if (shortened && this.listener !== null) {
      this.tellHit('guest-physical table', hi, lo, table, levelShifts[level + 1], walkCaches.nameAbove(level));
    }
    const frame = shortened ? walks.walkFrom(level, table, rights, hi, lo, access) : walks.walk(hi, lo, access);
    if (frame < 0) return frame;
    for (let n = first; n < record.count - 1; n++) {
      const above = record.at(n, READ_LEVEL);
      const shift = levelShifts[above];
      walkCaches.fill(hi, lo, space, above, shift, record.at(n, READ_TABLE), record.at(n, READ_RIGHTS));
    }
    return frame;
  }

  private tellHit(
    holds: SecondStageHitEvent['holds'],
    hi: number,
    lo: number,
    frame: number,
    shift: number,
    where: string,
  ): void {
    this.listener?.({ kind: 'second-stage hit', where, holds, hi, lo, frame, shift, space: this.space });
  }

  /**
   * A refusal drops everything cached for its address: so it does not come again once the entries are right.
   * Source: Intel SDM vol. 3C, "Operations that Invalidate Cached Mappings", of EPT violations.
   */
  private failed(status: number, hi: number, lo: number, level: number): number {
    this.faultHi = hi;
    this.faultLo = lo;
    this.faultLevel = level;
    if (status === PAGE_FAULT) this.forget(hi, lo, this.space);
    return status;
  }

  private forget(hi: number, lo: number, space: number): void {
    this.tlb?.dropAddress(hi, lo, space, NO_SPACE);
    this.walkCaches?.dropAddress(hi, lo, space, this.walks.levelShifts);
  }

  private forgetSpace(space: number): void {
    this.tlb?.dropSpace(space, NO_SPACE);
    this.walkCaches?.dropSpace(space);
  }

  /** Drops everything cached for an address of a virtual machine. */
  dropPage(hi: number, lo: number, vmid: number): void {
    const space = this.numbers.find(vmid, 0);
    this.tlb?.dropAddress(hi, lo, space, NO_SPACE);
    // Its tables may be of another shape than those of the moment.
    this.walkCaches?.dropSpace(space);
  }

  /** Drops everything cached for a virtual machine. */
  dropMachine(vmid: number): void {
    this.forgetSpace(this.numbers.find(vmid, 0));
  }
}
