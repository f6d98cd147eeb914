/**
 * The memory management of one RISC-V hart.
 *
 * Software may do the same to it as to a real one: write CSRs, write entries in RAM, and execute fences. A write of a
 * CSR is never refused; it leaves values possible in the register.
 */

import { FETCH, READ, WRITE } from '../base/access.js';
import { highWordOf, lowWordOf, toBigInt } from '../base/address.js';
import type { Word64 } from '../base/address.js';
import { checkChoice, checkValue } from '../base/arguments.js';
import type { Exception } from '../base/fault.js';
import { NO_MACHINE } from '../tlb/spaces.js';
import { NO_SPACE } from '../tlb/tag.js';
import * as count from '../translate/counts/counters.js';
import { TranslatingMachine } from '../translate/machine.js';
import { checkMachineOptions } from '../translate/options.js';
import type { MachineOptions } from '../translate/options.js';
import { secondStageCaches } from '../translate/second-stage.js';
import { ILLEGAL_INSTRUCTION, trapOf, VIRTUAL_INSTRUCTION } from './exception.js';
import type { Trap } from './exception.js';
import * as csr from './registers.js';
import type { CsrName, CsrView, Xlen } from './registers.js';
import { PAGE_SHIFTS, RiscvRules } from './rules.js';
import { RiscvWalks } from './walks.js';
import type { RiscvFeatures } from './walks.js';

/** The parts of a hart. Only `ram` must be given. */
export interface HartOptions extends MachineOptions {
  /** 64 when absent. */
  readonly xlen?: Xlen;
  /** Svnapot: entries for 64 KiB; true when absent. */
  readonly svnapot?: boolean;
  /** Svadu: menvcfg.ADUE can be set, for accessed and dirty bits set by the hart; true when absent. */
  readonly svadu?: boolean;
}

/** Privilege modes: user, supervisor, machine. With V = 1, user and supervisor are a guest's: VU and VS. */
export type PrivilegeMode = 'U' | 'S' | 'M';

const MODES = { U: csr.USER_MODE, S: csr.SUPERVISOR_MODE, M: csr.MACHINE_MODE } as const;
const MODE_NAMES: Readonly<Record<number, PrivilegeMode>> = { 0: 'U', 1: 'S', 3: 'M' };

/**
 * One RISC-V hart: CSRs, TLBs and walks over one RAM. Addresses are two int32 words, `hi` and `lo`.
 *
 * It begins in machine mode, without translation. In supervisor mode an access with USER (access.ts) is made as in user
 * mode: so a processor need not tell each change between the two.
 */
export class Hart extends TranslatingMachine {
  readonly features: RiscvFeatures;
  /** The registers' rules for entries, for explaining tools. */
  readonly rules: RiscvRules;
  private readonly walks: RiscvWalks;
  private readonly csrs: csr.Csrs;
  /** VMIDs used so far. */
  private readonly guests = new Set<number>();

  /** @throws RangeError for an impossible TLB shape, or another path or XLEN; TypeError without a Ram */
  constructor(options: HartOptions) {
    checkMachineOptions('Hart', options);
    const { ram, xlen = 64, svnapot = true, svadu = true } = options;
    checkChoice('xlen', xlen, [32, 64]);
    const features = { xlen, svnapot: svnapot && xlen === 64, svadu };
    const walks = new RiscvWalks(ram, features, secondStageCaches(options, PAGE_SHIFTS));
    super(walks, options);
    this.walks = walks;
    this.features = walks.features;
    this.rules = walks.rules;
    this.csrs = walks.csrs;
    this.registersChanged();
  }

  /** The mode of accesses. */
  get privilege(): PrivilegeMode {
    return MODE_NAMES[this.walks.mode];
  }

  /** V: whether that mode is a guest's. */
  get virtual(): boolean {
    return this.walks.virtual;
  }

  /**
   * Goes into another mode, as a trap or a return from one does.
   * @throws RangeError for a mode that is none
   */
  setPrivilege(privilege: PrivilegeMode, virtual = false): void {
    checkChoice('privilege', privilege, ['U', 'S', 'M']);
    this.walks.mode = MODES[privilege];
    this.walks.virtual = virtual && privilege !== 'M';
    this.registersChanged();
  }

  /**
   * The value of a CSR to a reader, in any mode. With V = 1 the supervisor's names are the guest's registers.
   * @throws RangeError for a name unknown to this hart
   */
  readCsr(name: CsrName): bigint {
    const view = this.find(name);
    return toBigInt(this.csrs.readHigh(view), this.csrs.readLow(view));
  }

  /**
   * CSRRW: writes a CSR. Cached translations stay: fences drop them.
   * @throws RangeError for a name unknown to this hart, or a value too large for XLEN bits
   */
  writeCsr(name: CsrName, value: number | bigint): void {
    checkValue(name, value, this.features.xlen / 8);
    this.write64(name, highWordOf(value), lowWordOf(value));
  }

  /** The same for satp as two words, as a context switch writes it. */
  writeSatp(hi: number, lo: number): void {
    this.write64('satp', hi, lo);
    this.counters.values[count.ROOT_WRITES]++;
  }

  private write64(name: CsrName, hi: number, lo: number): void {
    this.tell(`CSRRW ${name}`, { hi, lo });
    this.csrs.write(this.find(name), hi, lo);
    this.registersChanged();
  }

  private find(name: CsrName): CsrView {
    const view = this.csrs.find(name, this.virtual);
    if (view === undefined) {
      const names = csr.CSR_NAMES.filter((known) => this.csrs.find(known, false) !== undefined);
      throw new RangeError(`CSR '${name}': must be one of ${names.join(', ')}`);
    }
    return view;
  }

  /** To be called after each change of a register or mode with an effect on translation. */
  private registersChanged(fetches = false): void {
    const { walks, dataPath } = this;
    walks.readRegisters(fetches);
    const { regime } = walks;
    const vmid = this.rules.virtual ? this.csrs.vmid : NO_MACHINE;
    if (vmid !== NO_MACHINE) this.guests.add(vmid);
    const asid = this.csrs.asid(this.rules.virtual ? csr.VSATP : csr.SATP);
    regime.machine = dataPath.machines.enter(vmid, 0);
    regime.space = dataPath.spaces.enter(vmid, asid);
    dataPath.regimeChanged();
  }

  /** One past the highest address of an access. */
  get addressEnd(): number {
    return 2 ** this.features.xlen;
  }

  override translate(hi: number, lo: number, access: number): number {
    return this.isModified(access)
      ? this.unmodified(() => super.translate(hi, lo, access))
      : super.translate(hi, lo, access);
  }

  override translateMany(
    his: Int32Array,
    los: Int32Array,
    length: number,
    access: number,
    frames: Int32Array,
    from = 0,
    align = 0,
  ): number {
    return this.isModified(access)
      ? this.unmodified(() => super.translateMany(his, los, length, access, frames, from, align))
      : this.dataPath.translateMany(his, los, length, access, frames, from, align);
  }

  override locate(hi: number, lo: number, size: number, access: number): number {
    return this.isModified(access)
      ? this.unmodified(() => super.locate(hi, lo, size, access))
      : this.dataPath.locate(hi, lo, size, access);
  }

  override fetch(hi: number, lo: number, size: number, access: number): number {
    return this.isModified(FETCH)
      ? this.unmodified(() => super.fetch(hi, lo, size, access))
      : this.dataPath.fetch(hi, lo, size, access);
  }

  /** Whether mstatus.MPRV gives loads and stores another mode than this access, a fetch. */
  private isModified(access: number): boolean {
    return (access & FETCH) !== 0 && RiscvRules.modifies(this.csrs, this.walks.mode);
  }

  /** Fetches under MPRV: they are rare, so the registers are read for them and then again for loads and stores. */
  private unmodified(fetch: () => number): number {
    this.registersChanged(true);
    const status = fetch();
    this.registersChanged();
    return status;
  }

  /**
   * SFENCE.VMA: drops translations. `null` stands for register x0: every address, every address space. An address drops
   * only results of a walk's last entry; with an address space global translations stay. With V = 1 it is about the
   * current guest.
   * Source: "Supervisor Memory-Management Fence Instruction".
   */
  sfenceVma(address: Word64 | null = null, asid: number | null = null): void {
    this.tell('SFENCE.VMA', address);
    // "If the value held in rs1 is not a valid virtual address, then the SFENCE.VMA instruction has no effect."
    if (address !== null && !this.isCanonical(address.hi)) return;
    this.fence(this.virtual ? this.csrs.vmid : NO_MACHINE, address, asid);
  }

  /**
   * HFENCE.VVMA: the same for the guest of hgatp.VMID, from outside.
   * Source: "Hypervisor Memory-Management Fence Instructions".
   */
  hfenceVvma(address: Word64 | null = null, asid: number | null = null): void {
    this.tell('HFENCE.VVMA', address);
    this.fence(this.csrs.vmid, address, asid);
  }

  /**
   * HFENCE.GVMA: drops translations of guest-physical addresses, and all translations of the guests made through them.
   * The instruction takes the address shifted right by 2; here it is whole. `null` stands for register x0.
   * Source: as {@link hfenceVvma}.
   */
  hfenceGvma(address: Word64 | null = null, vmid: number | null = null): void {
    const { guests, walks } = this;
    this.tell('HFENCE.GVMA', address);
    for (const guest of vmid === null ? guests : [this.csrs.vmidOf(vmid)]) {
      if (address === null) walks.second.dropMachine(guest);
      else walks.second.dropPage(address.hi, address.lo, guest);
      // A whole translation does not tell the guest-physical address behind it.
      this.dataPath.dropMachine(guest);
    }
  }

  private fence(vmid: number, address: Word64 | null, asid: number | null): void {
    const { dataPath, counters } = this;
    const { spaces, machines } = dataPath;
    const space = asid === null ? NO_SPACE : spaces.find(vmid, this.csrs.asidOf(asid));
    if (address === null) {
      if (asid === null) dataPath.dropMachine(vmid);
      else dataPath.dropSpace(space);
      return;
    }
    counters.values[count.PAGE_INVALIDATIONS]++;
    const { hi, lo } = address;
    if (asid !== null) {
      dataPath.dropTranslation(hi, lo, space, NO_SPACE);
      return;
    }
    dataPath.dropTranslation(hi, lo, NO_SPACE, machines.find(vmid, 0));
    for (const each of spaces.ofMachine(vmid)) dataPath.dropTranslation(hi, lo, each, NO_SPACE);
  }

  private tell(name: string, operand: Word64 | null): void {
    const { hi, lo } = operand ?? { hi: 0, lo: 0 };
    this.dataPath.listener?.({ kind: 'instruction', name, hi, lo });
  }

  /**
   * HLV: loads 1, 2, 4 or 8 bytes of a guest into {@link valueLo} and {@link valueHi}, as if V were 1. hstatus.SPVP says
   * whether its supervisor or its user does so; mstatus.MPRV has no say.
   * Source: "Hypervisor Virtual-Machine Load and Store Instructions".
   * @returns OK; or PAGE_FAULT, BUS_ERROR, ILLEGAL_INSTRUCTION in user mode without hstatus.HU, VIRTUAL_INSTRUCTION in a guest
   * @throws RangeError for another size
   */
  hlv(hi: number, lo: number, size: number): number {
    checkChoice('size', size, [1, 2, 4, this.features.xlen / 8]);
    return this.asGuest(() => this.dataPath.read(hi, lo, size, READ));
  }

  /** HLVX: the same for 2 or 4 bytes of code. Both stages have to let it be executed, and none has to let it be read. */
  hlvx(hi: number, lo: number, size: number): number {
    checkChoice('size', size, [2, 4]);
    return this.asGuest(() => this.dataPath.read(hi, lo, size, READ), true);
  }

  /** HSV: stores bytes of a guest, as {@link hlv} loads them. */
  hsv(hi: number, lo: number, size: number, valueHi: number, valueLo: number): number {
    checkChoice('size', size, [1, 2, 4, this.features.xlen / 8]);
    return this.asGuest(() => this.dataPath.write(hi, lo, size, valueHi, valueLo, WRITE));
  }

  private asGuest(access: () => number, executes = false): number {
    const { walks, csrs } = this;
    const { mode, virtual } = walks;
    const status = csrs.low(csr.HSTATUS);
    if (virtual) return this.refuse(VIRTUAL_INSTRUCTION);
    if (mode === csr.USER_MODE && (status & csr.HU) === 0) return this.refuse(ILLEGAL_INSTRUCTION);
    walks.mode = (status & csr.SPVP) !== 0 ? csr.SUPERVISOR_MODE : csr.USER_MODE;
    walks.virtual = true;
    walks.executes = executes;
    this.registersChanged();
    const result = access();
    walks.mode = mode;
    walks.virtual = false;
    walks.executes = false;
    this.registersChanged();
    return result;
  }

  private refuse(status: number): number {
    this.fault.raise(status, -status, 0, 0);
    this.dataPath.listener?.({ kind: 'fault', of: 'instruction', ...this.fault.take() });
    return status;
  }

  /** Values left by the last fault in the CSRs of the mode entered by the trap. */
  trap(): Trap {
    return trapOf(this.fault.take());
  }

  /** The hart's work on an exception before its handler runs: cause and addresses go into CSRs. */
  latch(exception: Exception): void {
    this.csrs.takeTrap(trapOf(exception), this.walks.mode, this.walks.virtual);
  }
}
