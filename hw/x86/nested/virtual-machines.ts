/**
 * A processor's virtual machines: into a guest and out of it, and the instructions to drop its translations.
 *
 * The control structures are objects, since only their effect on translations is modelled. A guest's registers are
 * loaded from one at entry, and saved into it at exit; inside, the guest writes them as on a machine of its own.
 * Sources: Intel SDM vol. 3C, chapters "VM Entries" and "VMX Instruction Reference"; AMD APM vol. 2, "Secure Virtual
 * Machine", "Nested Paging" (15.25).
 */

import { fromBigInt, highWordOf, lowWordOf, toBigInt, toNumber } from '../../base/address.js';
import { checkChoice, checkWhole } from '../../base/arguments.js';
import { OK } from '../../base/fault.js';
import type { PagingMode } from '../../base/format.js';
import type { DataPath } from '../../translate/path/data-path.js';
import { VM_FAILURE } from '../exception.js';
import * as reg from '../registers.js';
import { PTE_P, X86_MODES } from '../format.js';
import type { X86Walks } from '../walks.js';
import { EPT_MODES, EPTP_AD, EPTP_LEVELS_SHIFT, EPTP_WRITE_BACK } from './ept-format.js';
import { GuestSpaces } from './guest-spaces.js';
import type { GuestName } from './guest-spaces.js';

/** The registers of a guest while it does not run. CR2 and PKRU are the processor's. */
export interface GuestState {
  readonly cr0: number;
  readonly cr3: number | bigint;
  readonly cr4: number;
  /** IA32_EFER, LMA included. */
  readonly efer: number;
  /** RFLAGS.AC; false when absent. */
  readonly ac?: boolean;
  /** EPT, PAE paging: the four PDPTE registers; zeros when absent. */
  readonly pdptes?: readonly (number | bigint)[];
}

/** Intel's virtual-machine control structure, as far as translation depends on it. */
export interface Vmcs {
  /** Root, levels, memory type, accessed and dirty flags. */
  readonly eptp: number | bigint;
  /** 1 to 65535; absent or 0, VPIDs are off: entries and exits drop translations. */
  readonly vpid?: number;
  /** Mode-based execute control; false when absent. */
  readonly modeBasedExecute?: boolean;
  /** Saved at exit. */
  guest: GuestState;
}

/** AMD's virtual machine control block, as far as translation depends on it. Nested paging is on. */
export interface Vmcb {
  /** nCR3: the root, in the paging mode of the host. */
  readonly nestedCr3: number | bigint;
  /** Not 0, the host's. */
  readonly asid: number;
  /** What VMRUN drops first: nothing (0, when absent), all (1), this guest's (3), this guest's but global ones (7). */
  readonly tlbControl?: 0 | 1 | 3 | 7;
  /** Saved at exit. */
  guest: GuestState;
}

/** INVEPT types. Source: Intel SDM vol. 3C, "INVEPT". */
export const INVEPT_SINGLE_CONTEXT = 1;
/** Of all EPTs. */
export const INVEPT_GLOBAL = 2;

/** INVVPID types. Source: Intel SDM vol. 3C, "INVVPID". */
export const INVVPID_ADDRESS = 0;
/** All of one VPID. */
export const INVVPID_SINGLE_CONTEXT = 1;
/** Of all VPIDs but 0. */
export const INVVPID_ALL_CONTEXTS = 2;
/** All of one VPID, global pages left alone. */
export const INVVPID_SINGLE_CONTEXT_BUT_GLOBAL = 3;

/** Bits 11:7 of EPTP, reserved here: no supervisor shadow stacks. */
const EPTP_RESERVED = 0xf80;

/** The virtual machines of one processor. */
export class VirtualMachines {
  /** @internal */
  readonly spaces: GuestSpaces;
  private running: Vmcs | Vmcb | null = null;
  private hostRegisters = new reg.Registers();

  /** @param changed to be called after each change of registers @internal */
  constructor(
    private readonly walks: X86Walks,
    private readonly dataPath: DataPath,
    private readonly changed: () => void,
  ) {
    this.spaces = new GuestSpaces(dataPath, walks.guest.second);
  }

  /** The control structure of the guest that runs, or null. */
  get current(): Vmcs | Vmcb | null {
    return this.running;
  }

  /** The paging mode of the tables under the guest that runs, or null. */
  get hostMode(): PagingMode | null {
    const { kind, ept, nptRules } = this.walks.context.host;
    if (kind === null) return null;
    return kind === 'npt' ? X86_MODES[nptRules.mode] : ept.rootLevel === 4 ? EPT_MODES.ept5 : EPT_MODES.ept4;
  }

  /**
   * VMLAUNCH, and VMRESUME: they differ in nothing here. Enters a guest under EPT.
   * @returns OK, or VM_FAILURE for controls or a guest state that are refused, and while a guest runs
   * @throws RangeError for a VPID that is none
   */
  vmlaunch(vmcs: Vmcs): number {
    const { eptp, vpid = 0, modeBasedExecute = false, guest } = vmcs;
    const [hi, lo] = [highWordOf(eptp), lowWordOf(eptp)];
    checkWhole('vpid', vpid, 0, 0xffff);
    this.tell('VMLAUNCH', hi, lo);
    if (this.running !== null || !this.acceptsEptp(hi, lo) || !this.acceptsState(guest, true)) return this.fail();
    this.walks.context.host.useEpt(hi, lo, modeBasedExecute);
    return this.enter(vmcs, { kind: 'ept', id: vpid, root: rootOf(hi, lo) });
  }

  /**
   * VMRUN: enters a guest under nested paging.
   * @returns OK, or VM_FAILURE (#VMEXIT(INVALID)) for a state that is refused, without paging in the host, and while a
   * guest runs
   * @throws RangeError for an ASID or a TLB control that is none
   */
  vmrun(vmcb: Vmcb): number {
    const { nestedCr3, asid, tlbControl = 0, guest } = vmcb;
    const { registers, context, features } = this.walks;
    const [hi, lo] = [highWordOf(nestedCr3), lowWordOf(nestedCr3)];
    checkWhole('asid', asid, 0, 2 ** 32 - 1);
    checkChoice('tlbControl', tlbControl, [0, 1, 3, 7]);
    this.tell('VMRUN', hi, lo);
    const hostPages = (registers.cr0 & reg.CR0_PG) !== 0;
    if (this.running !== null || !hostPages || asid === 0 || !this.acceptsState(guest, false)) return this.fail();
    context.host.useNpt(hi, lo, registers, features);
    const name: GuestName = { kind: 'npt', id: asid, root: 0 };
    this.dropByControl(tlbControl, asid);
    return this.enter(vmcb, name);
  }

  private dropByControl(tlbControl: number, asid: number): void {
    if (tlbControl === 1) {
      this.spaces.dropHost();
      this.spaces.drop(() => true, true);
    } else if (tlbControl === 3) this.spaces.drop(isAsid(asid), true);
    else if (tlbControl === 7) this.spaces.dropButGlobal(isAsid(asid));
  }

  private enter(control: Vmcs | Vmcb, name: GuestName): number {
    const { registers, pdptes } = this.walks;
    const { cr0, cr3, cr4, efer, ac = false, pdptes: loaded = [] } = control.guest;
    this.running = control;
    this.walks.context.numbered = true;
    Object.assign(this.hostRegisters, registers);
    Object.assign(registers, { cr0: cr0 | reg.CR0_ET, cr3Hi: highWordOf(cr3), cr3Lo: lowWordOf(cr3), cr4, efer, ac });
    for (let i = 0; i < 4; i++) {
      pdptes[2 * i] = lowWordOf(loaded[i] ?? 0);
      pdptes[2 * i + 1] = highWordOf(loaded[i] ?? 0);
    }
    this.spaces.enter(name);
    this.dropWithoutVpid(name.kind === 'ept' && name.id === 0);
    this.changed();
    return OK;
  }

  /**
   * An exit to the hypervisor: by a refusal of the second stage, or for any other reason. Saves the guest's registers into
   * its control structure, and loads the host's. Without a guest it does nothing.
   */
  vmexit(): void {
    const { registers, pdptes, context } = this.walks;
    const control = this.running;
    if (control === null) return;
    this.tell('VM exit', 0, 0);
    const { cr0, cr3Hi, cr3Lo, cr4, efer, ac, cr2Hi, cr2Lo, pkru, pkrs } = registers;
    const saved = [0, 1, 2, 3].map((i) => toBigInt(pdptes[2 * i + 1], pdptes[2 * i]));
    control.guest = { cr0: cr0 >>> 0, cr3: toBigInt(cr3Hi, cr3Lo), cr4, efer, ac, pdptes: saved };
    this.running = null;
    Object.assign(registers, this.hostRegisters, { cr2Hi, cr2Lo, pkru, pkrs });
    context.host.kind = null;
    this.walks.leaveGuest();
    this.spaces.enter(null);
    this.dropWithoutVpid('eptp' in control && (control.vpid ?? 0) === 0);
    this.changed();
    this.walks.loadPdptes();
  }

  /** Without VPIDs the guest has the host's, 0: an entry and an exit drop all of it. */
  private dropWithoutVpid(without: boolean): void {
    if (!without) return;
    this.spaces.dropHost();
    this.spaces.drop(({ kind, id }) => kind === 'ept' && id === 0);
  }

  /**
   * INVEPT: drops guest-physical addresses, and linear ones translated through them, of one EPT or of all.
   * @returns OK, or VM_FAILURE for a type or an EPTP that is refused
   */
  invept(type: number, eptp: number | bigint = 0): number {
    const [hi, lo] = [highWordOf(eptp), lowWordOf(eptp)];
    this.tell('INVEPT', hi, lo);
    const single = type === INVEPT_SINGLE_CONTEXT;
    if (!single && type !== INVEPT_GLOBAL) return this.fail();
    if (single && !this.acceptsEptp(hi, lo)) return this.fail();
    this.spaces.drop(({ kind, root }) => kind === 'ept' && (!single || root === rootOf(hi, lo)), true);
    return OK;
  }

  /**
   * INVVPID: drops linear addresses of one VPID or of all; guest-physical addresses stay.
   * @returns OK, or VM_FAILURE for a type, a VPID of 0 or an address that is refused
   */
  invvpid(type: number, vpid: number, hi = 0, lo = 0): number {
    this.tell('INVVPID', hi, lo);
    if (![0, 1, 2, 3].includes(type)) return this.fail();
    if (type !== INVVPID_ALL_CONTEXTS && (vpid < 1 || vpid > 0xffff)) return this.fail();
    const which = ({ kind, id }: GuestName): boolean => kind === 'ept' && id === vpid;
    if (type === INVVPID_ADDRESS) {
      // A linear address in canonical form for 57 bits is accepted in every mode.
      if (((hi >> 24) + 1) >>> 0 > 1) return this.fail();
      this.spaces.dropPage(which, hi, lo);
    } else if (type === INVVPID_SINGLE_CONTEXT) this.spaces.drop(which);
    else if (type === INVVPID_ALL_CONTEXTS) this.spaces.drop(({ kind, id }) => kind === 'ept' && id !== 0);
    else this.spaces.dropButGlobal(which);
    return OK;
  }

  /** INVLPGA: drops a linear address of an ASID, 0 being the host's. Source: AMD APM vol. 3, "INVLPGA". */
  invlpga(hi: number, lo: number, asid: number): void {
    this.tell('INVLPGA', hi, lo);
    if (asid === 0) this.spaces.dropHostPage(hi, lo);
    else this.spaces.dropPage(isAsid(asid), hi, lo);
  }

  /** Source: Intel SDM vol. 3C, "VM-Execution Control Fields", the checks of EPTP. */
  private acceptsEptp(hi: number, lo: number): boolean {
    const type = lo & 7;
    const levels = (lo >>> EPTP_LEVELS_SHIFT) & 7;
    const beyond = hi >>> (this.walks.features.maxPhysicalBits - 32);
    return (
      (type === 0 || type === EPTP_WRITE_BACK) &&
      (levels === 3 || levels === 4) &&
      (lo & EPTP_RESERVED) === 0 &&
      beyond === 0
    );
  }

  /** Source: Intel SDM vol. 3C, "Checks on the Guest State Area"; AMD APM vol. 2, "Canonicalization and Consistency Checks". */
  private acceptsState({ cr0, cr3, cr4, efer, pdptes = [] }: GuestState, loadsPdptes: boolean): boolean {
    const { maxPhysicalBits } = this.walks.features;
    const pages = (cr0 & reg.CR0_PG) !== 0;
    const long = (efer & reg.EFER_LMA) !== 0;
    if (long !== (pages && (efer & reg.EFER_LME) !== 0)) return false;
    if (long && (cr4 & reg.CR4_PAE) === 0) return false;
    if (!long && (cr4 & reg.CR4_PCIDE) !== 0) return false;
    if (highWordOf(cr3) >>> (maxPhysicalBits - 32) !== 0) return false;
    const registers = new reg.Registers();
    if (!reg.acceptsEfer(registers, efer) || !reg.acceptsCr4(registers, cr4 & ~reg.CR4_PCIDE)) return false;
    Object.assign(registers, { cr4, efer });
    if (!reg.acceptsCr0(registers, cr0)) return false;
    if (!loadsPdptes || !pages || long || (cr4 & reg.CR4_PAE) === 0) return true;
    return !pdptes.some((pdpte) => this.isBadPdpte(BigInt(pdpte)));
  }

  private isBadPdpte(pdpte: bigint): boolean {
    const { hi, lo } = fromBigInt(pdpte);
    return (lo & PTE_P) !== 0 && this.walks.rules.isReservedPdpte(hi, lo);
  }

  private fail(): number {
    const status = this.walks.fault.raise(VM_FAILURE, 0, 0, 0);
    this.dataPath.listener?.({ kind: 'fault', of: 'instruction', ...this.walks.fault.take() });
    return status;
  }

  private tell(name: string, hi: number, lo: number): void {
    this.dataPath.listener?.({ kind: 'instruction', name, hi, lo });
  }
}

/** EPTP of a 4-level or 5-level EPT with write-back memory, by its root; for software. */
export function makeEptp(root: number | bigint, { levels = 4, accessedDirty = false } = {}): bigint {
  const flags = EPTP_WRITE_BACK | ((levels - 1) << EPTP_LEVELS_SHIFT) | (accessedDirty ? EPTP_AD : 0);
  return (BigInt(root) & ~0xfffn) | BigInt(flags);
}

/** Bits 51:12 as a plain number. */
const rootOf = (hi: number, lo: number): number => toNumber(hi & 0xf_ffff, lo & ~0xfff) / 4096;

const isAsid =
  (asid: number) =>
  ({ kind, id }: GuestName): boolean =>
    kind === 'npt' && id === asid;
