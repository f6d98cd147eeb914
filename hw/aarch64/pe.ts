/**
 * The memory management of one AArch64 processing element (PE): the EL1&0 regime, with stage 2 under EL2.
 *
 * Software may do the same to it as to a real one: write system registers, write descriptors in RAM, and execute TLBI and
 * AT instructions. Barriers are not needed: every effect is immediate.
 */

import { IMPLICIT, READ, USER, WRITE } from '../base/access.js';
import { fromBigInt, highWordOf, lowWordOf, toBigInt } from '../base/address.js';
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
import { abortOf, UNPRIVILEGED } from './exception.js';
import type { Abort } from './exception.js';
import { AARCH64_CPUS } from './features.js';
import type { AArch64CpuName, AArch64Features } from './features.js';
import { parOf } from './par.js';
import { isWritable, SYSTEM_REGISTERS, TCR_DS, VTCR_DS } from './registers.js';
import type { SystemRegisterName } from './registers.js';
import { AARCH64_PAGE_SHIFTS } from './rules.js';
import type { AArch64Rules } from './rules.js';
import { addressInRange, tlbiRangeOf } from './tlbi-range.js';
import { AArch64Walks } from './walks.js';

/** The parts of a PE. Only `ram` must be given. */
export interface PeOptions extends MachineOptions {
  /** The processor's feature set; `max` when absent. */
  readonly cpu?: AArch64CpuName;
  /** Features other than that processor's. */
  readonly features?: Partial<AArch64Features>;
}

/** Exception levels: applications, the kernel, the hypervisor. EL2's own translation is off. */
export type ExceptionLevel = 0 | 1 | 2;

/** The forms of TLBI by their operand. */
export type TlbiForm =
  'VMALLE1' | 'VAE1' | 'ASIDE1' | 'VAAE1' | 'VALE1' | 'VAALE1' | 'VMALLS12E1' | 'IPAS2E1' | 'IPAS2LE1' | 'ALLE1';
/** A TLBI instruction: each form also with IS or OS at its end, the same for one PE alone. */
export type TlbiName = TlbiForm | `${TlbiForm}IS` | `${TlbiForm}OS`;
const TLBI_FORMS: readonly TlbiForm[] = [
  ...(['VMALLE1', 'VAE1', 'ASIDE1', 'VAAE1', 'VALE1', 'VAALE1'] as const),
  ...(['VMALLS12E1', 'IPAS2E1', 'IPAS2LE1', 'ALLE1'] as const),
];

/** TLBI by range, by operand; each also with IS or OS at its end. */
export type TlbiRangeForm = 'RVAE1' | 'RVAAE1' | 'RVALE1' | 'RVAALE1' | 'RIPAS2E1' | 'RIPAS2LE1';
/** Such an instruction. */
export type TlbiRangeName = TlbiRangeForm | `${TlbiRangeForm}IS` | `${TlbiRangeForm}OS`;
const TLBI_RANGE_FORMS: readonly TlbiRangeForm[] = ['RVAE1', 'RVAAE1', 'RVALE1', 'RVAALE1', 'RIPAS2E1', 'RIPAS2LE1'];
/** For more pages all of their address spaces are dropped: more than was asked may always be. */
const MOST_PAGES = 1024;

/** An AT instruction by its operand: stages, exception level, read or write, and P for PSTATE.PAN. */
export type AtName = `S1${'E0R' | 'E0W' | 'E1R' | 'E1W' | 'E1RP' | 'E1WP'}` | `S12${'E0R' | 'E0W' | 'E1R' | 'E1W'}`;
/** Their accesses: IMPLICIT makes them EL1's, past PSTATE.PAN. */
const AT_ACCESSES: Readonly<Record<AtName, number>> = {
  S1E1R: READ | IMPLICIT,
  S1E1W: WRITE | IMPLICIT,
  S1E0R: READ | USER,
  S1E0W: WRITE | USER,
  S1E1RP: READ,
  S1E1WP: WRITE,
  S12E1R: READ | IMPLICIT,
  S12E1W: WRITE | IMPLICIT,
  S12E0R: READ | USER,
  S12E0W: WRITE | USER,
};

const ZERO: Word64 = { hi: 0, lo: 0 };

/**
 * One AArch64 PE: system registers, TLBs and walks over one RAM. Addresses are two int32 words, `hi` and `lo`.
 *
 * It begins at EL1, without translation. At EL1 an access with USER (access.ts) is made as at EL0: so a processor need
 * not tell each change between the two.
 */
export class Pe extends TranslatingMachine {
  readonly features: AArch64Features;
  /** The registers' rules for descriptors, for explaining tools. */
  readonly rules: AArch64Rules;
  /** One past the highest address of an access. */
  readonly addressEnd = 2 ** 64;
  private readonly walks: AArch64Walks;
  /** VMIDs used so far. */
  private readonly guests = new Set<number>();

  /** @throws RangeError for an impossible TLB shape, or another path or processor; TypeError without a Ram */
  constructor(options: PeOptions) {
    checkMachineOptions('Pe', options);
    const { cpu = 'max' } = options;
    checkChoice('cpu', cpu, Object.keys(AARCH64_CPUS) as AArch64CpuName[]);
    const features = { ...AARCH64_CPUS[cpu], ...options.features };
    const walks = new AArch64Walks(options.ram, features, secondStageCaches(options, AARCH64_PAGE_SHIFTS));
    super(walks, options);
    this.walks = walks;
    this.features = features;
    this.rules = walks.rules;
    this.registersChanged();
  }

  /** The exception level of accesses. */
  get exceptionLevel(): ExceptionLevel {
    return this.walks.el;
  }

  /**
   * Goes to another exception level, as an exception or ERET does.
   * @throws RangeError for a level that is none
   */
  setExceptionLevel(el: ExceptionLevel): void {
    checkChoice('exception level', el, [0, 1, 2]);
    this.walks.el = el;
    this.registersChanged();
  }

  /** PSTATE.PAN: at EL1, no data accesses to EL0's pages. Without the feature it has no effect. */
  get pan(): boolean {
    return this.walks.registers.pan;
  }
  /** MSR PAN. */
  set pan(on: boolean) {
    this.walks.registers.pan = on;
    this.registersChanged();
  }

  /** PSTATE.UAO: LDTR and STTR at EL1 are made as LDR and STR. Without the feature it has no effect. */
  get uao(): boolean {
    return this.walks.registers.uao;
  }
  /** MSR UAO. */
  set uao(on: boolean) {
    this.walks.registers.uao = on;
  }

  /** What LDTR and STTR at EL1 add to READ and WRITE: EL0's rights, or nothing under PSTATE.UAO. */
  get unprivileged(): number {
    return this.features.UAO && this.uao ? 0 : UNPRIVILEGED;
  }

  /**
   * MRS: the value of a system register.
   * @throws RangeError for a name that is none
   */
  readRegister(name: SystemRegisterName): bigint {
    checkChoice('system register', name, SYSTEM_REGISTERS);
    const { registers } = this.walks;
    return toBigInt(registers.high(name), registers.low(name));
  }

  /**
   * MSR: writes a system register. Cached translations stay: TLBI drops them.
   * @throws RangeError for a name that is none or of a register to be read alone, or a value of more than 64 bits
   */
  writeRegister(name: SystemRegisterName, value: number | bigint): void {
    checkChoice('system register', name, SYSTEM_REGISTERS.filter(isWritable) as SystemRegisterName[]);
    checkValue(name, value, 8);
    this.write64(name, highWordOf(value), lowWordOf(value));
  }

  /** The same for TTBR0_EL1 as two words, as a context switch writes it. */
  writeTtbr0(hi: number, lo: number): void {
    this.write64('TTBR0_EL1', hi, lo);
    this.counters.values[count.ROOT_WRITES]++;
  }

  private write64(name: SystemRegisterName, hi: number, lo: number): void {
    if (!isWritable(name)) return;
    this.tell(`MSR ${name}`, { hi, lo });
    this.walks.registers.set(name, hi, lo);
    this.registersChanged();
  }

  /** To be called after each change of a register or level with an effect on translation. */
  private registersChanged(): void {
    const { walks, dataPath } = this;
    walks.readRegisters();
    const { regime, registers } = walks;
    const { vmid } = this;
    if (vmid !== NO_MACHINE) this.guests.add(vmid);
    regime.machine = dataPath.machines.enter(vmid, 0);
    regime.space = dataPath.spaces.enter(vmid, registers.asid);
    dataPath.regimeChanged();
  }

  /** The VMID of the translations at EL1 and EL0; NO_MACHINE while they have no second stage. */
  private get vmid(): number {
    const { registers } = this.walks;
    return registers.secondOn ? registers.vmid : NO_MACHINE;
  }

  /**
   * TLBI: drops translations of the current VMID. With a virtual address and an ASID those of that space and the global
   * ones; VAA forms take every ASID; L forms leave tables' entries in walk caches. IPAS2 forms drop results of stage 2
   * alone, and take an intermediate physical address: whole translations stay until VMALLE1, as on a real PE.
   * Source: Arm ARM (DDI 0487), chapter D8, "TLB maintenance"; chapter C5, "TLBI".
   * @param address whole, not shifted; ignored by forms without one
   * @throws RangeError for a form that is none
   */
  tlbi(name: TlbiName, address: Word64 = ZERO, asid = 0): void {
    const form = name.replace(/[IO]S$/, '') as TlbiForm;
    checkChoice('TLBI', form, TLBI_FORMS);
    this.tell(`TLBI ${name}`, address);
    const { dataPath, vmid } = this;
    const space = dataPath.spaces.find(vmid, this.walks.registers.asidOf(asid));
    if (form === 'VMALLE1') dataPath.dropMachine(vmid);
    else if (form === 'ASIDE1') dataPath.dropSpace(space);
    else if (form === 'VMALLS12E1') this.dropGuest(vmid);
    else if (form === 'ALLE1') for (const guest of [NO_MACHINE, ...this.guests]) this.dropGuest(guest);
    else if (form === 'IPAS2E1' || form === 'IPAS2LE1') this.walks.second.dropPage(address.hi, address.lo, vmid);
    else this.dropAddress(form, address, space);
  }

  /**
   * TLBI by range (FEAT_TLBIRANGE): as {@link tlbi} with each address of a range. A reserved granule drops nothing.
   * Source: Arm ARM (DDI 0487), chapter C5, "TLBI RVAE1" and the like.
   * @param operand the register's 64 bits: ASID, TG, SCALE, NUM, TTL, BaseADDR
   * @throws RangeError for a form that is none, or that this processor lacks
   */
  tlbiRange(name: TlbiRangeName, operand: number | bigint): void {
    const form = name.replace(/[IO]S$/, '') as TlbiRangeForm;
    checkChoice('TLBI', form, TLBI_RANGE_FORMS);
    if (!this.features.TLBIRANGE)
      throw new RangeError(`TLBI '${name}': this processor lacks FEAT_TLBIRANGE; max has it`);
    checkValue('operand', operand, 8);
    const ofGuest = form.startsWith('RI');
    const { registers } = this.walks;
    const ds = ofGuest ? registers.high('VTCR_EL2') & VTCR_DS : registers.high('TCR_EL1') & TCR_DS;
    const range = tlbiRangeOf(BigInt(operand), !ofGuest, this.features.LPA2 && ds !== 0);
    if (range === null) return;
    if (range.pages > MOST_PAGES) {
      this.tlbi(ofGuest ? 'VMALLS12E1' : 'VMALLE1');
      return;
    }
    const each = form.slice(1) as TlbiForm;
    for (let n = 0; n < range.pages; n++) this.tlbi(each, addressInRange(range, n), range.asid);
  }

  private dropGuest(vmid: number): void {
    this.walks.second.dropMachine(vmid);
    this.dataPath.dropMachine(vmid);
  }

  private dropAddress(form: 'VAE1' | 'VAAE1' | 'VALE1' | 'VAALE1', { hi, lo }: Word64, space: number): void {
    const { dataPath, vmid, counters } = this;
    // Bits 63:56 of an address do not take part: the instruction has none.
    const plain = (hi << 8) >> 8;
    const machine = dataPath.machines.find(vmid, 0);
    const lastLevel = form === 'VALE1' || form === 'VAALE1';
    const drop = (number: number, global: number): void => {
      if (lastLevel) dataPath.dropTranslation(plain, lo, number, global);
      else dataPath.dropPage(plain, lo, number, global);
    };
    counters.values[count.PAGE_INVALIDATIONS]++;
    drop(space, machine);
    if (form === 'VAE1' || form === 'VALE1') return;
    for (const each of dataPath.spaces.ofMachine(vmid)) drop(each, NO_SPACE);
  }

  /**
   * AT: translates an address as an access of EL1 or EL0 would be, into PAR_EL1. Stage 1 alone gives an intermediate
   * physical address. S1E1RP and S1E1WP heed PSTATE.PAN, the others do not. An abort of the instruction itself, when
   * stage 2 refuses a descriptor of stage 1 and it is executed at EL1, is left in PAR_EL1 too, as at EL2.
   * Source: Arm ARM (DDI 0487), chapter C5, "AT"; AArch64.AT().
   * @throws RangeError for an instruction that is none
   */
  at(name: AtName, hi: number, lo: number): void {
    checkChoice('AT', name, Object.keys(AT_ACCESSES) as AtName[]);
    this.tell(`AT ${name}`, { hi, lo });
    const { walks } = this;
    const { el } = walks;
    if (el !== 1) this.setExceptionLevel(1);
    const { addressTranslation: walkers, regime } = walks;
    const access = AT_ACCESSES[name];
    walkers.first.stopsBeforeHost = !name.startsWith('S12');
    const plain = regime.withoutTag(hi, access);
    const status = regime.on ? walkers.walk(plain, lo, access) : walkers.unpaged(hi, lo, access);
    walks.registers.set('PAR_EL1', ...parOf(walks, status, plain));
    if (el !== 1) this.setExceptionLevel(el);
  }

  /** High word of the output address of the last walk for an access, if RAM did not answer: past an int32 frame too. */
  get outputHi(): number {
    return this.walks.walkers.outHi;
  }

  /** Its low word. */
  get outputLo(): number {
    return this.walks.walkers.outLo;
  }

  private tell(name: string, { hi, lo }: Word64): void {
    this.dataPath.listener?.({ kind: 'instruction', name, hi, lo });
  }

  /** Values left by the last fault in the registers of the exception level it is taken to. */
  abort(): Abort {
    return abortOf(this.fault.take());
  }

  /** The PE's work on an exception before its handler runs: syndrome and addresses go into registers. */
  latch(exception: Exception): void {
    const { registers } = this.walks;
    const { el, esr, far, hpfar } = abortOf(exception);
    const put = (name: 'ESR_EL1' | 'FAR_EL1' | 'ESR_EL2' | 'FAR_EL2' | 'HPFAR_EL2', value: bigint): void => {
      const { hi, lo } = fromBigInt(value);
      registers.set(name, hi, lo);
    };
    put(`ESR_EL${el}`, BigInt(esr));
    put(`FAR_EL${el}`, far);
    if (el === 2) put('HPFAR_EL2', hpfar);
  }
}
