/**
 * The memory management unit of one logical processor.
 *
 * Software may do the same to it as to a real one: write registers, write entries in RAM, and invalidate. A value
 * refused by the processor gives GENERAL_PROTECTION, and the register stays as it was.
 */

import { SIZE_SHIFTS, toBigInt } from '../base/address.js';
import { checkWhole } from '../base/arguments.js';
import { OK, PAGE_FAULT } from '../base/fault.js';
import type { Exception } from '../base/fault.js';
import { NO_SPACE } from '../tlb/tag.js';
import * as count from '../translate/counts/counters.js';
import { TranslatingMachine } from '../translate/machine.js';
import { checkMachineOptions } from '../translate/options.js';
import type { MachineOptions } from '../translate/options.js';
import { secondStageCaches } from '../translate/second-stage.js';
import type { StaleEntry, StaleEntryChecker } from '../translate/path/stale-check.js';
import { X86Counters } from './counters.js';
import { GENERAL_PROTECTION } from './exception.js';
import { VirtualMachines } from './nested/virtual-machines.js';
import * as reg from './registers.js';
import type { PagingFeatures, PagingRules } from './rules.js';
import { X86_TERMS } from './terms.js';
import { X86Walks } from './walks.js';

/** What an MMU is made of. Only `ram` must be given. */
export interface MmuOptions extends MachineOptions {
  /** M, MAXPHYADDR: 36 to 52, 40 when absent. */
  readonly maxPhysicalBits?: number;
  /** 4 MiB pages above 4 GiB in 32-bit paging; true when absent. */
  readonly pse36?: boolean;
  /** 1 GiB pages; true when absent. */
  readonly page1G?: boolean;
}

/** A finding of the checking mode on x86. */
export interface X86StaleEntry extends StaleEntry {
  /** The PCID that the entry was used for: {@link StaleEntry.space}. */
  readonly pcid: number;
}

/** INVPCID types. Source: Intel SDM vol. 2, "INVPCID". */
export const INVPCID_ADDRESS = 0;
/** All of one PCID, global pages left alone. */
export const INVPCID_CONTEXT = 1;
/** Everything. */
export const INVPCID_ALL_WITH_GLOBALS = 2;
/** Everything but global pages. */
export const INVPCID_ALL = 3;

const CR0_LOADS_PDPTES = reg.CR0_CD | reg.CR0_NW | reg.CR0_PG;
const CR4_LOADS_PDPTES = reg.CR4_PAE | reg.CR4_PGE | reg.CR4_PSE | reg.CR4_SMEP;

/** The MMU of one x86 processor: registers, TLBs and walks over one RAM. Addresses are two int32 words, `hi` and `lo`. */
export class Mmu extends TranslatingMachine {
  declare readonly counters: X86Counters;
  declare readonly checker: StaleEntryChecker<X86StaleEntry> | null;
  readonly features: PagingFeatures;
  /** The registers' rules for entries, for explaining tools. */
  readonly rules: PagingRules;
  /** The PAE page-directory-pointer registers: four entries, low word first. */
  readonly pdptes: Int32Array;
  /** Guests: entries, exits, and the instructions about their translations. */
  readonly vm: VirtualMachines;
  private readonly walks: X86Walks;
  private readonly registers: reg.Registers;

  /**
   * @throws RangeError for a TLB shape that cannot be built, or `maxPhysicalBits` out of range, or another path; TypeError
   * without a Ram
   */
  constructor(options: MmuOptions) {
    checkMachineOptions('Mmu', options);
    const { ram, maxPhysicalBits = 40 } = options;
    checkWhole('maxPhysicalBits', maxPhysicalBits, 36, 52);
    const { pse36 = true, page1G = true } = options;
    const secondStage = secondStageCaches(options, SIZE_SHIFTS, X86_TERMS.walkCaches);
    const walks = new X86Walks(ram, { maxPhysicalBits, pse36, page1G }, secondStage);
    const coalesces = options.tlb?.coalesces;
    if (coalesces !== undefined) walks.regime.pageShifts = [...SIZE_SHIFTS, coalesces];
    super(walks, options, new X86Counters());
    this.walks = walks;
    this.features = walks.features;
    this.rules = walks.rules;
    this.registers = walks.registers;
    this.pdptes = walks.pdptes;
    this.vm = new VirtualMachines(walks, this.dataPath, () => {
      this.registersChanged();
    });
  }

  /** The PCID that translations are made for: CR3's, or 0 while CR4.PCIDE = 0. */
  get currentPcid(): number {
    const { cr3Lo, cr4 } = this.registers;
    return (cr4 & reg.CR4_PCIDE) !== 0 ? cr3Lo & reg.PCID_MASK : 0;
  }

  /** Registers read back unsigned: 32-bit ones, the words of 64-bit ones, and those whole as `cr2` and `cr3`. */
  get cr0(): number {
    return this.registers.cr0 >>> 0;
  }
  /** CR2: the linear address of the last page fault delivered. */
  get cr2(): bigint {
    return toBigInt(this.registers.cr2Hi, this.registers.cr2Lo);
  }
  /** The address of the last page fault delivered: its high word. */
  get cr2Hi(): number {
    return this.registers.cr2Hi >>> 0;
  }
  /** Its low word. */
  get cr2Lo(): number {
    return this.registers.cr2Lo >>> 0;
  }
  /** CR3: root of the tables, and PCID. */
  get cr3(): bigint {
    return toBigInt(this.registers.cr3Hi, this.registers.cr3Lo);
  }
  /** High word of CR3. */
  get cr3Hi(): number {
    return this.registers.cr3Hi >>> 0;
  }
  /** Low word of CR3: root of the tables, and PCID. */
  get cr3Lo(): number {
    return this.registers.cr3Lo >>> 0;
  }
  /** CR4, unsigned. */
  get cr4(): number {
    return this.registers.cr4 >>> 0;
  }
  /** IA32_EFER, unsigned. */
  get efer(): number {
    return this.registers.efer >>> 0;
  }

  /** MOV to CR2, as exception delivery does it. */
  writeCr2(hi: number, lo: number): void {
    this.registers.cr2Hi = hi;
    this.registers.cr2Lo = lo;
  }

  /** One past the highest linear address: 2^64 in IA-32e mode, 2^32 outside. */
  get addressEnd(): number {
    return reg.longModeActive(this.registers) ? 2 ** 64 : 2 ** 32;
  }

  /**
   * What the processor does with an exception before its handler runs: a page fault's address goes into CR2. A refusal by
   * the second stage leaves the guest, for the hypervisor to handle it.
   */
  latch(exception: Exception): void {
    if (exception.stage === 2) this.vm.vmexit();
    else if (exception.status === PAGE_FAULT) this.writeCr2(exception.hi, exception.lo);
  }

  /**
   * MOV to CR0. Turning paging on with EFER.LME = 1 enters IA-32e mode; into PAE paging it loads the PDPTEs; turning
   * it off drops every translation.
   * @returns OK, or GENERAL_PROTECTION for a value that is refused or a PDPTE with reserved bits.
   */
  writeCr0(value: number): number {
    const { registers } = this;
    this.tell('MOV to CR0', 0, value);
    if (!reg.acceptsCr0(registers, value)) return this.refuse();
    const before = { cr0: registers.cr0, efer: registers.efer };
    const changed = registers.cr0 ^ value;
    registers.cr0 = (value & reg.CR0_KNOWN) | reg.CR0_ET;
    if (value & reg.CR0_PG && registers.efer & reg.EFER_LME) registers.efer |= reg.EFER_LMA;
    if (!(value & reg.CR0_PG)) registers.efer &= ~reg.EFER_LMA;
    this.registersChanged();
    const status = changed & CR0_LOADS_PDPTES ? this.walks.loadPdptes() : OK;
    if (status < 0) {
      Object.assign(registers, before);
      this.registersChanged();
      return this.refuse(status);
    }
    if (changed & reg.CR0_PG && !(value & reg.CR0_PG)) this.vm.spaces.dropAll();
    return OK;
  }

  /**
   * MOV to CR3. Drops the translations of the PCID it names that are not global, unless bit 63 says to keep them.
   * Source: Intel SDM vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches".
   */
  writeCr3(hi: number, lo: number): number {
    const { registers } = this;
    this.tell('MOV to CR3', hi, lo);
    if (!reg.acceptsCr3(registers, hi, this.features.maxPhysicalBits)) return this.refuse();
    const before = { cr3Hi: registers.cr3Hi, cr3Lo: registers.cr3Lo };
    const pcids = (registers.cr4 & reg.CR4_PCIDE) !== 0;
    const keep = pcids && hi >> 31 !== 0;
    registers.cr3Hi = reg.longModeActive(registers) ? hi & 0x7fff_ffff : 0;
    registers.cr3Lo = lo | 0;
    const status = this.walks.loadPdptes();
    if (status < 0) {
      Object.assign(registers, before);
      return this.refuse(status);
    }
    this.registersChanged();
    this.counters.values[count.ROOT_WRITES]++;
    if (!keep) this.dataPath.dropSpace(this.walks.regime.space);
    return OK;
  }

  /** MOV to CR4, with the invalidations that a change of PGE, PCIDE, PAE, PSE or SMEP makes. */
  writeCr4(value: number): number {
    const { registers } = this;
    this.tell('MOV to CR4', 0, value);
    if (!reg.acceptsCr4(registers, value)) return this.refuse();
    const before = registers.cr4;
    const changed = before ^ value;
    registers.cr4 = value;
    this.registersChanged();
    const status = changed & CR4_LOADS_PDPTES ? this.walks.loadPdptes() : OK;
    if (status < 0) {
      registers.cr4 = before;
      this.registersChanged();
      return this.refuse(status);
    }
    // PSE is not in the manual's list; the sizes of cached entries would be wrong, and more may always be dropped.
    const either = reg.CR4_PGE | reg.CR4_PAE | reg.CR4_PSE;
    const drops = (changed & either) | (changed & before & reg.CR4_PCIDE) | (changed & value & reg.CR4_SMEP);
    if (drops !== 0) this.vm.spaces.dropAll();
    return OK;
  }

  /** WRMSR to IA32_EFER; the low word, the high word being reserved. LMA follows CR0.PG and cannot be written. */
  writeEfer(value: number): number {
    const { registers } = this;
    if (!reg.acceptsEfer(registers, value)) return this.refuse();
    registers.efer = (value & ~reg.EFER_LMA) | (registers.efer & reg.EFER_LMA);
    this.registersChanged();
    return OK;
  }

  /** WRPKRU: rights of user pages by protection key, two bits a key (AD, WD).  */
  writePkru(value: number): void {
    this.registers.pkru = value;
    this.registersChanged();
  }

  /** WRMSR to IA32_PKRS: the same for supervisor pages. */
  writePkrs(value: number): void {
    this.registers.pkrs = value;
    this.registersChanged();
  }

  /** RFLAGS.AC, by STAC, CLAC or POPF: with it set, SMAP lets explicit supervisor accesses through. */
  setAc(on: boolean): void {
    this.registers.ac = on;
    this.registersChanged();
  }

  /** INVLPG: drops the page's translations, global too, and all paging-structure-cache entries of the PCID. */
  invlpg(hi: number, lo: number): void {
    this.counters.values[count.PAGE_INVALIDATIONS]++;
    this.tell('INVLPG', hi, lo);
    // A non-canonical address makes INVLPG do nothing. Source: Intel SDM vol. 2, "INVLPG".
    const { space, machine } = this.walks.regime;
    if (this.isCanonical(hi)) this.dataPath.dropPage(hi, lo, space, machine);
  }

  /**
   * INVPCID, the descriptor being PCID and linear address.
   * @returns OK, or GENERAL_PROTECTION for a type, PCID or address that is refused. Source: Intel SDM vol. 2.
   */
  invpcid(type: number, pcid: number, hi: number, lo: number): number {
    this.tell('INVPCID', hi, lo);
    const withoutPcids = (this.registers.cr4 & reg.CR4_PCIDE) === 0;
    const badPcid = (pcid & ~reg.PCID_MASK) !== 0 || (withoutPcids && pcid !== 0 && type <= INVPCID_CONTEXT);
    if ((type & INVPCID_ALL) !== type || badPcid) return this.refuse();
    if (type === INVPCID_ADDRESS && !this.isCanonical(hi)) return this.refuse();
    this.counters.values[count.SPACE_INVALIDATIONS]++;
    const { spaces } = this.vm;
    if (type === INVPCID_ADDRESS) this.dataPath.dropPage(hi, lo, spaces.find(pcid), NO_SPACE);
    else if (type === INVPCID_CONTEXT) this.dataPath.dropSpace(spaces.find(pcid));
    else if (type === INVPCID_ALL_WITH_GLOBALS) spaces.dropAll();
    else spaces.dropAllButGlobal();
    return OK;
  }

  /** An instruction was refused; if a walk found no PDPTEs for it, the fault has its details already. */
  private refuse(status = GENERAL_PROTECTION): number {
    if (status === GENERAL_PROTECTION) this.fault.raise(status, 0, 0, 0);
    this.dataPath.listener?.({ kind: 'fault', of: 'instruction', ...this.fault.take() });
    return status;
  }

  private tell(name: string, hi: number, lo: number): void {
    this.dataPath.listener?.({ kind: 'instruction', name, hi, lo });
  }

  /** To be called after each change of a register that translation depends on. */
  private registersChanged(): void {
    this.walks.readRegisters();
    this.vm.spaces.setNumbers(this.currentPcid);
    this.dataPath.regimeChanged();
  }
}
