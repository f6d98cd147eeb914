/** The second stage of x86: extended page tables of Intel, nested page tables of AMD, and the words of their refusals. */

import { ACCESS_KINDS, FETCH, USER, WRITE } from '../../base/access.js';
import { frameOf } from '../../base/address.js';
import { BUS_ERROR } from '../../base/fault.js';
import { DIRTY } from '../../base/permission.js';
import type { Ram } from '../../memory/ram.js';
import type { TranslationListener } from '../../translate/walk/events.js';
import type { HostWalks } from '../../translate/second-stage.js';
import type { WalkRecord } from '../../translate/walk/walk-record.js';
import { X86_LEVEL_SHIFTS, X86_MODES } from '../format.js';
import { CR4_LA57, CR4_PAE, CR4_PSE } from '../registers.js';
import type { Registers } from '../registers.js';
import { PagingRules, RIGHT_USER, RIGHT_WRITE, RIGHT_XD } from '../rules.js';
import type { PagingFeatures } from '../rules.js';
import { BEYOND_RAM } from '../words.js';
import { EptControls, EptWalker, eptBitsOf } from './ept-walk.js';
import { EPTP_AD, EPTP_LEVELS_SHIFT } from './ept-format.js';
import * as exits from './exits.js';
import { WalkRoot, TableWalker } from './table-walk.js';
import type { Below } from './table-walk.js';

/** Guest-physical addresses have at most 52 bits. The walks tell of those too wide for the tables. */
const HIGH_BITS = 20;
/** The largest page size: RAM cuts no page into pieces. */
const WHOLE = 3;

/** RAM under AMD's nested tables: their addresses are physical. */
class Physical implements Below {
  readonly rights = DIRTY;
  readonly size = WHOLE;
  faultHi = 0;
  faultLo = 0;

  constructor(private readonly ram: Ram) {}

  host(hi: number, lo: number): number {
    const frame = frameOf(hi, lo);
    if ((hi & BEYOND_RAM) === 0 && this.ram.hasFrame(frame)) return frame;
    this.faultHi = hi;
    this.faultLo = lo;
    return BUS_ERROR;
  }

  allows(): boolean {
    return true;
  }
}

/** NPT: every access is one in user mode. Source: AMD APM vol. 2, "Nested Page Table Walk Access" (15.25.5). */
const asUser = (access: number): number => (access & (WRITE | FETCH)) | USER;

/** The host's side of a guest's translations, from VMCS or VMCB. */
export class HostControls {
  /** Whose tables: null while no guest runs. */
  kind: 'ept' | 'npt' | null = null;
  readonly ept = new EptControls();
  /** NPT: the paging mode and registers of the host at VMRUN, as rules for nested entries, and the root. */
  readonly nptRules = new PagingRules();
  readonly nptRoot = new WalkRoot();
  /** NPT, by access: see HostWalks. */
  readonly nptPermitted = new Int32Array(ACCESS_KINDS);

  /** EPTP as two words. */
  useEpt(hi: number, lo: number, modeBasedExecute: boolean): void {
    const { ept } = this;
    this.kind = 'ept';
    ept.rootLevel = (lo >>> EPTP_LEVELS_SHIFT) & 7;
    ept.rootHi = hi;
    ept.rootLo = lo & ~0xfff;
    ept.setsBits = (lo & EPTP_AD) !== 0;
    ept.modeBasedExecute = modeBasedExecute;
    ept.update();
  }

  /**
   * nCR3 as two words, and the registers of the host.
   * Source: AMD APM vol. 2, "Nested Paging and VMRUN/#VMEXIT" (15.25.3), "Nested Table Walk" (15.25.5).
   */
  useNpt(hi: number, lo: number, host: Registers, features: PagingFeatures): void {
    const { nptRules } = this;
    this.kind = 'npt';
    const { cr0, cr4, efer } = host;
    const paging = cr4 & (CR4_PSE | CR4_PAE | CR4_LA57);
    nptRules.update({ cr0, cr4: paging, efer, pkru: 0, pkrs: 0, ac: false }, features);
    nptRules.reserveAsAmd();
    this.nptRoot.set(nptRules.mode, hi, lo, true);
    const { permitted } = nptRules.regime;
    for (let access = 0; access < ACCESS_KINDS; access++) this.nptPermitted[access] = permitted[asUser(access)];
  }
}

export class HostTables implements HostWalks {
  readonly on = true;
  readonly highBits = HIGH_BITS;
  private readonly ept: EptWalker;
  private readonly npt: TableWalker;
  private readonly physical: Physical;

  /** @param observing only look: set no bit, and let every access through if it finds a page */
  constructor(
    ram: Ram,
    private readonly controls: HostControls,
    features: PagingFeatures,
    readonly record: WalkRecord,
    observing: boolean,
  ) {
    const { nptRules: rules, nptRoot: root } = controls;
    this.physical = new Physical(ram);
    this.ept = new EptWalker(ram, controls.ept, features, record, observing);
    this.npt = new TableWalker({ ram, rules, root, below: this.physical, record, stage: 2, observing });
  }

  get permitted(): Int32Array {
    return this.controls.kind === 'ept' ? this.controls.ept.permitted : this.controls.nptPermitted;
  }

  get rootLevel(): number {
    const { kind, ept, nptRoot } = this.controls;
    return kind === 'ept' ? ept.rootLevel : nptRoot.level;
  }

  get levelShifts(): readonly number[] {
    return X86_LEVEL_SHIFTS[this.controls.kind === 'ept' ? '5l' : this.controls.nptRules.mode];
  }

  listen(listener: TranslationListener | null): void {
    this.ept.listener = listener;
    this.npt.listener = listener;
  }

  walk(hi: number, lo: number, access: number): number {
    if (this.controls.kind === 'ept') return this.ept.walk(hi, lo, access);
    const { linearBits } = X86_MODES[this.controls.nptRules.mode];
    if (hi >>> (linearBits - 32) !== 0) return this.npt.notPresent(asUser(access));
    return this.npt.walk(hi, lo, asUser(access));
  }

  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    return this.controls.kind === 'ept'
      ? this.ept.walkFrom(level, table, eptBitsOf(rights), hi, lo, access)
      : this.npt.walkFrom(level, table, rights, hi, lo, asUser(access));
  }

  /** The physical address without RAM of the last BUS_ERROR. */
  get missing(): EptWalker | Physical {
    return this.controls.kind === 'ept' ? this.ept : this.physical;
  }

  /**
   * The word of an exit after the last refusal: see exits.ts. `onPage` says whether the page was asked for, with `rights`
   * in the guest's tables, or an entry of theirs.
   */
  exitCode(access: number, onPage: boolean, rights: number): number {
    if (this.controls.kind === 'npt') {
      return exits.EXIT_NPF | this.npt.errorCode | (onPage ? exits.NPF_FINAL : exits.NPF_TABLE);
    }
    const { misconfigured, allowed } = this.ept;
    if (misconfigured) return exits.EXIT_MISCONFIGURATION;
    const xu = (allowed >>> 4) & exits.QUAL_ALLOWED_XU;
    const code = this.accessOf(access, onPage) | ((allowed & 7) << exits.QUAL_ALLOWED_SHIFT) | xu;
    if (!onPage) return code | exits.QUAL_LINEAR_VALID;
    const page =
      (rights & RIGHT_USER ? exits.QUAL_USER : 0) |
      (rights & RIGHT_WRITE ? exits.QUAL_WRITABLE : 0) |
      (rights & RIGHT_XD ? exits.QUAL_EXECUTE_DISABLE : 0);
    return code | exits.QUAL_LINEAR_VALID | exits.QUAL_FINAL | page;
  }

  /** With accessed and dirty flags a read of a guest's entry counts as a read and a write. */
  private accessOf(access: number, onPage: boolean): number {
    if (!onPage) {
      if ((access & WRITE) === 0) return exits.QUAL_READ;
      return this.controls.ept.setsBits ? exits.QUAL_READ | exits.QUAL_WRITE : exits.QUAL_WRITE;
    }
    if ((access & FETCH) !== 0) return exits.QUAL_FETCH;
    return (access & WRITE) !== 0 ? exits.QUAL_WRITE : exits.QUAL_READ;
  }
}
