/** The walks for a guest: its tables over the second stage, and the faults at their ends. */

import { FETCH, IMPLICIT, READ, USER, WRITE } from '../../base/access.js';
import { BUS_ERROR, NO_LEVEL, PAGE_FAULT } from '../../base/fault.js';
import type { FaultRecord } from '../../base/fault.js';
import type { Ram } from '../../memory/ram.js';
import type { TranslationListener } from '../../translate/walk/events.js';
import { SecondStage } from '../../translate/second-stage.js';
import type { SecondStageCaches } from '../../translate/second-stage.js';
import type { WalkRecord } from '../../translate/walk/walk-record.js';
import { PTE_P } from '../format.js';
import type { Registers } from '../registers.js';
import type { PagingFeatures, PagingRules } from '../rules.js';
import { pdpteRead } from '../walk.js';
import { ROOT_RIGHTS } from '../words.js';
import { QUAL_LINEAR_VALID } from './exits.js';
import { HostControls, HostTables } from './host-tables.js';
import { WalkRoot, TableWalker } from './table-walk.js';

/** The level of PAE's PDPTEs. */
const PDPT_LEVEL = 2;
const ADDRESS_HIGH = 0xf_ffff;

/** Registers, rules and controls under the walks of a guest, for accesses and for looks alike. */
export class GuestContext {
  readonly host = new HostControls();
  readonly root = new WalkRoot();
  /** Whether a guest has run: space numbers are then no PCIDs. See guest-spaces.ts. */
  numbered = false;

  /** @param rules the current registers' rules: the guest's while it runs */
  constructor(
    readonly ram: Ram,
    readonly rules: PagingRules,
    readonly features: PagingFeatures,
    readonly pdptes: Int32Array,
  ) {}

  /** Whether the PDPTEs of PAE are read at each walk, as AMD's guests do (APM vol. 2, 15.25.10), or kept in registers. */
  get pdptesInMemory(): boolean {
    return this.host.kind === 'npt';
  }

  /** The root by the guest's CR3. */
  readRegisters({ cr3Hi, cr3Lo }: Registers): void {
    const { root, rules, host } = this;
    if (host.kind === 'npt' && rules.regime.entryBytes === 8) rules.reserveAsAmd();
    root.set(rules.mode, cr3Hi, cr3Lo, this.pdptesInMemory);
    const write = host.kind === 'npt' || host.ept.setsBits;
    root.entryAccess = (write ? WRITE : READ) | IMPLICIT;
  }
}

/** One set of walkers: those for accesses, or those for a look alone. */
export class GuestWalks {
  readonly second: SecondStage;
  private readonly guest: TableWalker;
  private readonly hosts: HostTables;

  constructor(
    private readonly context: GuestContext,
    secondCaches: SecondStageCaches,
    private readonly record: WalkRecord,
    private readonly fault: FaultRecord,
    observing: boolean,
  ) {
    const { ram, rules, features, host, root } = context;
    this.hosts = new HostTables(ram, host, features, record, observing);
    this.second = new SecondStage(ram, this.hosts, secondCaches, rules.regime.pageShifts);
    this.guest = new TableWalker({ ram, rules, root, below: this.second, record, stage: 1, observing });
  }

  listen(listener: TranslationListener | null): void {
    this.guest.listener = listener;
    this.hosts.listen(listener);
    this.second.listen(listener);
  }

  walk(hi: number, lo: number, access: number): number {
    const { context, record } = this;
    record.count = 0;
    if (context.rules.mode === 'pae' && !context.pdptesInMemory && !this.enterPdpte(lo)) {
      return this.fault.raise(PAGE_FAULT, context.rules.errorCode(access, 0), hi, lo, PDPT_LEVEL);
    }
    const frame = this.guest.walk(hi, lo, access);
    return frame >= 0 ? frame : this.raise(frame, hi, lo, access);
  }

  /** Takes the PDPTE register of the address for the root; false if it is not present. */
  private enterPdpte(lo: number): boolean {
    const { root, pdptes } = this.context;
    const index = (lo >>> 30) << 1;
    const [low, high] = [pdptes[index], pdptes[index + 1]];
    this.guest.listener?.(pdpteRead(null, high, low));
    root.hi = high & ADDRESS_HIGH;
    root.lo = low & ~0xfff;
    this.record.startLevel = root.level;
    this.record.endLevel = PDPT_LEVEL;
    return (low & PTE_P) !== 0;
  }

  walkFrom(level: number, table: number, rights: number, hi: number, lo: number, access: number): number {
    this.record.count = 0;
    const frame = this.guest.walkFrom(level, table, rights, hi, lo, access);
    return frame >= 0 ? frame : this.raise(frame, hi, lo, access);
  }

  /** Without paging a linear address is guest-physical; it counts as one of user mode, with all rights. */
  unpaged(lo: number, access: number): number {
    this.record.count = 0;
    this.guest.pageRights = ROOT_RIGHTS;
    const frame = this.second.host(0, lo, (access & (WRITE | FETCH)) | USER);
    return frame >= 0 ? frame : this.refused(frame, true, 0, lo, access);
  }

  /**
   * The frame of the PDPTEs that MOV to a control register loads, at guest-physical `lo`; such a load is a read under
   * all controls, and has no linear address. Source: Intel SDM vol. 3C, "EPT Violations".
   */
  pdpteFrame(lo: number): number {
    this.record.count = 0;
    const frame = this.second.host(0, lo, READ | IMPLICIT);
    if (frame >= 0) return frame;
    this.refused(frame, false, 0, lo, READ);
    this.fault.errorCode &= ~QUAL_LINEAR_VALID;
    return frame;
  }

  private raise(status: number, hi: number, lo: number, access: number): number {
    const { refused, errorCode } = this.guest;
    const { endLevel } = this.record;
    if (refused === null) return this.fault.raise(status, errorCode, hi, lo, endLevel);
    if (refused === 'page') return this.refused(status, true, hi, lo, access, endLevel);
    const asked = refused === 'entry read' ? this.context.root.entryAccess : WRITE | IMPLICIT;
    return this.refused(status, false, hi, lo, asked, endLevel);
  }

  /** The second stage gave no frame, for a page or for an entry; `level` is that of the guest's tables. */
  private refused(status: number, onPage: boolean, hi: number, lo: number, access: number, level = NO_LEVEL): number {
    const { fault, hosts, second, guest } = this;
    if (status === BUS_ERROR) {
      const { faultHi, faultLo } = hosts.missing;
      return fault.raise(BUS_ERROR, 0, faultHi, faultLo, level);
    }
    return fault.raiseByHost(PAGE_FAULT, hosts.exitCode(access, onPage, guest.pageRights), hi, lo, second);
  }
}
