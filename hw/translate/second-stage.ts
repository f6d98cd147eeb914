/**
 * The second stage of translation: from guest-physical to physical addresses, by the tables of a host.
 *
 * RISC-V calls it G-stage, Arm stage 2, Intel EPT, AMD nested paging. It has a TLB of its own, keyed by guest-physical
 * address, beside the one for whole translations. A walk of the first stage asks it for each of its entries.
 */

import * as accesses from '../base/access.js';
import * as faults from '../base/fault.js';
import * as permission from '../base/permission.js';
import type { Ram } from '../memory/ram.js';
import type { TlbListener } from '../tlb/events.js';
import type { TlbGroup } from '../tlb/group.js';
import { makeGroup } from '../tlb/hierarchy.js';
import type { TlbLevelShape } from '../tlb/hierarchy.js';
import { MODEL_DEFAULT } from '../tlb/presets.js';
import { SpaceNumbers } from '../tlb/spaces.js';
import { NO_SPACE } from '../tlb/tag.js';
import type { MachineOptions } from './options.js';
import type { WalkRecord } from './walk/walk-record.js';

const { WRITE } = accesses;
const { PAGE_FAULT } = faults;
const { DIRTY, GLOBAL } = permission;

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
  /** Walks from the root. @returns the 4 KiB frame; PAGE_FAULT for a refusal; BUS_ERROR if no RAM answers */
  walk(hi: number, lo: number, access: number): number;
}

/** Model default: no source tells of one for all machines. */
const DEFAULT_SHAPE: TlbLevelShape = [{ entries: 64, ways: 4, pages: [12, 21, 22, 30] }];

/**
 * The TLB of the second stage of a machine; null if every walk is to be made.
 * @throws RangeError for an impossible shape
 */
export function secondStageTlb(
  { tlb = MODEL_DEFAULT, path }: Pick<MachineOptions, 'tlb' | 'path'>,
  shifts: readonly number[],
): TlbGroup | null {
  const level = path === 'walk' ? [] : (tlb.secondStage ?? DEFAULT_SHAPE);
  return level.length === 0 ? null : makeGroup(level, 'second-stage TLB', shifts).group;
}

/** Guest-physical addresses to frames, through a TLB. */
export class SecondStage {
  /** Rights and page size of the last address with a translation. */
  rights = 0;
  size = 0;
  /** The last address without one. */
  faultHi = 0;
  faultLo = 0;
  private readonly ram: Ram;
  private readonly walks: HostWalks;
  private readonly tlb: TlbGroup | null;
  private readonly shifts: readonly number[];
  private readonly numbers: SpaceNumbers;
  private space = 0;

  /** @param shifts as {@link Regime.pageShifts} */
  constructor(ram: Ram, walks: HostWalks, tlb: TlbGroup | null, shifts: readonly number[]) {
    this.ram = ram;
    this.shifts = shifts;
    this.walks = walks;
    this.tlb = tlb;
    this.numbers = new SpaceNumbers((space) => tlb?.dropSpace(space, NO_SPACE));
  }

  /** From now on `listener` hears the fate of the TLB's entries; null ends it. */
  listen(listener: TlbListener | null): void {
    this.tlb?.listen(listener, 'guest-physical page');
  }

  /** Addresses are from now on those of the virtual machine with this VMID. */
  enter(vmid: number): void {
    this.space = this.numbers.enter(vmid, 0);
    this.tlb?.forget();
  }

  /**
   * Translates a guest-physical address.
   * @param access as in access.ts; with IMPLICIT, an entry of the first stage is read or written there
   * @returns the 4 KiB frame; PAGE_FAULT if the host refuses; BUS_ERROR if no RAM answers
   */
  host(hi: number, lo: number, access: number): number {
    const { tlb, walks } = this;
    if (walks.on && hi >>> walks.highBits !== 0) return this.failed(PAGE_FAULT, hi, lo);
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
    return tlb.frame;
  }

  /** Whether the last address translated allows another access, too. */
  allows(access: number): boolean {
    return ((this.walks.permitted[access] >>> this.rights) & 1) !== 0;
  }

  private walk(hi: number, lo: number, access: number): number {
    const { walks, tlb } = this;
    const frame = walks.walk(hi, lo, access);
    if (frame < 0) return this.failed(frame, hi, lo);
    const { rights, size } = walks.record;
    // No entry of a host is for all of its guests.
    this.rights = rights & ~GLOBAL;
    this.size = size;
    // As in the TLB of whole translations, a page with an end past RAM is not cached.
    const whole = size === 0 || this.ram.hasPage(frame, this.shifts[size]);
    if (walks.on && tlb !== null && whole) tlb.fill(hi, lo, this.space, frame, this.rights, size);
    return frame;
  }

  private failed(status: number, hi: number, lo: number): number {
    this.faultHi = hi;
    this.faultLo = lo;
    return status;
  }

  /** Drops everything cached for an address of a virtual machine. */
  dropPage(hi: number, lo: number, vmid: number): void {
    this.tlb?.dropAddress(hi, lo, this.numbers.find(vmid, 0), NO_SPACE);
  }

  /** Drops everything cached for a virtual machine. */
  dropMachine(vmid: number): void {
    this.tlb?.dropSpace(this.numbers.find(vmid, 0), NO_SPACE);
  }
}
