/**
 * The control and status registers for translation and its traps: their fields, and their values after a write.
 *
 * A write never fails. Fields take the values they can hold (WARL); bits outside the model read as 0.
 * Source: RISC-V privileged specification, "Machine-Level CSRs", "Supervisor CSRs", "Hypervisor and Virtual Supervisor
 * CSRs", and the section of each register, with its name in the title.
 */

import { fromBigInt } from '../base/address.js';
import type { Trap } from './exception.js';

/** Bits of XLEN: 32 or 64. */
export type Xlen = 32 | 64;

/** Registers with storage of their own. */
export const MSTATUS = 0;
export const SATP = 1;
export const VSATP = 2;
export const HGATP = 3;
export const VSSTATUS = 4;
export const HSTATUS = 5;
export const MENVCFG = 6;
export const HENVCFG = 7;
const MEDELEG = 8;
const HEDELEG = 9;
const MCAUSE = 10;
const MTVAL = 11;
const MTVAL2 = 12;
const MTINST = 13;
const SCAUSE = 14;
const STVAL = 15;
const HTVAL = 16;
const HTINST = 17;
const VSCAUSE = 18;
const VSTVAL = 19;
const STORED = 20;

/** Low word of mstatus, sstatus and vsstatus. Previous privilege of traps to M-mode, bits 12:11. */
export const MPP_SHIFT = 11;
const MPP = 3 << MPP_SHIFT;
/** Loads and stores are made with the privilege of MPP. */
export const MPRV = 1 << 17;
/** Supervisor mode may load from and store to user pages. */
export const SUM = 1 << 18;
/** Loads may read executable pages. */
export const MXR = 1 << 19;
/** SIE, MIE, SPIE, MPIE, SPP: kept, though nothing here reads them. */
const KEPT = (1 << 1) | (1 << 3) | (1 << 5) | (1 << 7) | (1 << 8);
/** The part of mstatus for supervisor mode. */
const SSTATUS = SUM | MXR | (1 << 1) | (1 << 5) | (1 << 8);
/** High word of mstatus, and mstatush. A guest's virtual address is in mtval. */
const MSTATUS_GVA = 1 << 6;
/** Loads and stores under MPRV are a guest's. */
export const MPV = 1 << 7;
/** hstatus: a guest's virtual address is in stval. */
const HSTATUS_GVA = 1 << 6;
/** hstatus: privilege of the guest, for HLV, HLVX and HSV: 1 is VS. */
export const SPVP = 1 << 8;
/** hstatus: user mode, too, may execute these. */
export const HU = 1 << 9;
/** High word of menvcfg and henvcfg: hardware sets accessed and dirty bits (Svadu). */
export const ADUE = 1 << 29;
/** And: entries have memory types (Svpbmt). */
export const PBMTE = 1 << 30;

/** Privilege modes as MPP has them. */
export const USER_MODE = 0;
export const SUPERVISOR_MODE = 1;
export const MACHINE_MODE = 3;

/** Exceptions open to delegation, of the modelled ones; the last three not to a guest. */
const DELEGATED_TO_GUEST = (1 << 1) | (1 << 5) | (1 << 7) | (1 << 12) | (1 << 13) | (1 << 15);
const DELEGATED = DELEGATED_TO_GUEST | (1 << 20) | (1 << 21) | (1 << 23);

/** MODE of satp, vsatp and hgatp: none of RV32's two. */
const MODE_BARE = 0;
const MODE_SV39 = 8;
const MODE_SV57 = 10;

/** Bits changed by a write, by register: high word, low word, and low word if XLEN is 32. */
const WRITABLE: readonly (readonly [number, number, number])[] = [
  [MPV | MSTATUS_GVA, KEPT | MPP | MPRV | SUM | MXR, KEPT | MPP | MPRV | SUM | MXR],
  [-1, -1, -1],
  [-1, -1, -1],
  // VMID has 14 bits, or 7; the root has four tables, so its frame's last two bits are 0.
  [~(3 << 26), ~3, ~(3 << 29) & ~3],
  [0, SSTATUS, SSTATUS],
  [0, HSTATUS_GVA | SPVP | HU, HSTATUS_GVA | SPVP | HU],
  [ADUE | PBMTE, 0, 0],
  [ADUE | PBMTE, 0, 0],
  [0, DELEGATED, DELEGATED],
  [0, DELEGATED_TO_GUEST, DELEGATED_TO_GUEST],
  ...Array.from({ length: STORED - MCAUSE }, () => [-1, -1, -1] as const),
];

/** The meaning of a name: a register, all of it or its high word alone, through a mask. */
export interface CsrView {
  readonly register: number;
  readonly highWord: boolean;
  readonly mask: number;
}

const view = (register: number, highWord = false, mask = -1): CsrView => ({ register, highWord, mask });

/** Every register by its name. Names with an `h` at the end are for XLEN = 32. */
const VIEWS = {
  mstatus: view(MSTATUS),
  mstatush: view(MSTATUS, true),
  sstatus: view(MSTATUS, false, SSTATUS),
  satp: view(SATP),
  vsatp: view(VSATP),
  hgatp: view(HGATP),
  vsstatus: view(VSSTATUS),
  hstatus: view(HSTATUS),
  menvcfg: view(MENVCFG),
  menvcfgh: view(MENVCFG, true),
  henvcfg: view(HENVCFG),
  henvcfgh: view(HENVCFG, true),
  medeleg: view(MEDELEG),
  hedeleg: view(HEDELEG),
  mcause: view(MCAUSE),
  mtval: view(MTVAL),
  mtval2: view(MTVAL2),
  mtinst: view(MTINST),
  scause: view(SCAUSE),
  stval: view(STVAL),
  htval: view(HTVAL),
  htinst: view(HTINST),
  vscause: view(VSCAUSE),
  vstval: view(VSTVAL),
} as const satisfies Record<string, CsrView>;

/** The name of a register, as the specification has it. */
export type CsrName = keyof typeof VIEWS;
/** Every register by name. */
export const CSR_NAMES = Object.keys(VIEWS) as readonly CsrName[];

/** In virtual mode a guest's registers stand in for the supervisor's. Source: "Hypervisor and Virtual Supervisor CSRs". */
const SUBSTITUTES: Partial<Record<CsrName, CsrName>> = {
  sstatus: 'vsstatus',
  satp: 'vsatp',
  scause: 'vscause',
  stval: 'vstval',
};

/** The registers of one hart. */
export class Csrs {
  /** Two words a register, low one first. */
  private readonly words = new Int32Array(2 * STORED);

  /** @param svadu whether ADUE can be set */
  constructor(
    readonly xlen: Xlen,
    private readonly svadu = true,
  ) {}

  /** The high word of a register, as it is stored. */
  high(register: number): number {
    return this.words[2 * register + 1];
  }

  /** Its low word. */
  low(register: number): number {
    return this.words[2 * register];
  }

  /** Stores a register past all rules: as the hart itself does. */
  set(register: number, hi: number, lo: number): void {
    this.words[2 * register] = lo;
    this.words[2 * register + 1] = hi;
  }

  /** The meaning of a name, with V = 1 or 0; undefined when the hart has no such register. */
  find(name: CsrName, virtual: boolean): CsrView | undefined {
    const found: CsrView = VIEWS[virtual ? (SUBSTITUTES[name] ?? name) : name];
    return found.highWord && this.xlen === 64 ? undefined : found;
  }

  /** The high word of a register as it reads; 0 if XLEN is 32. */
  readHigh({ register, highWord, mask }: CsrView): number {
    if (this.xlen === 32 || highWord) return 0;
    const high = mask === -1 ? this.effectiveHigh(register) : 0;
    // SXL and UXL, or VSXL: 64 bits.
    return register === MSTATUS && mask === -1 ? high | 0xa : STATUS.has(register) ? high | 2 : high;
  }

  /** The low word of a register as it reads. */
  readLow({ register, highWord, mask }: CsrView): number {
    return highWord ? this.effectiveHigh(register) : this.low(register) & mask;
  }

  /** henvcfg's bits are 0 if menvcfg's are. Source: "Machine Environment Configuration (menvcfg) Register". */
  effectiveHigh(register: number): number {
    return register === HENVCFG ? this.high(HENVCFG) & this.high(MENVCFG) : this.high(register);
  }

  /** The ASID in satp or vsatp. */
  asid(register: number): number {
    return this.asidOf(this.xlen === 32 ? this.low(register) >>> 22 : this.high(register) >>> 12);
  }

  /** A number as a fence takes it for an ASID: bits past its 16, or 9, are ignored. */
  asidOf(value: number): number {
    return value & (this.xlen === 32 ? 0x1ff : 0xffff);
  }

  /** The VMID in hgatp. */
  get vmid(): number {
    return this.vmidOf(this.xlen === 32 ? this.low(HGATP) >>> 22 : this.high(HGATP) >>> 12);
  }

  /** As {@link asidOf}, of 14 or 7 bits. */
  vmidOf(value: number): number {
    return value & (this.xlen === 32 ? 0x7f : 0x3fff);
  }

  /**
   * Puts a trap from `mode` into the registers of the mode it enters, by medeleg and hedeleg.
   * Source: "Machine Trap Delegation (medeleg and mideleg) Registers", "Trap Entry".
   */
  takeTrap({ cause, tval, tval2, tinst, gva }: Trap, mode: number, virtual: boolean): void {
    const delegated = (register: number): boolean => ((this.low(register) >>> cause) & 1) !== 0;
    const toSupervisor = mode !== MACHINE_MODE && delegated(MEDELEG);
    const toGuest = toSupervisor && virtual && delegated(HEDELEG);
    const put = (register: number, value: bigint): void => {
      const { hi, lo } = fromBigInt(value);
      this.set(register, hi, lo);
    };
    put(toGuest ? VSCAUSE : toSupervisor ? SCAUSE : MCAUSE, BigInt(cause));
    put(toGuest ? VSTVAL : toSupervisor ? STVAL : MTVAL, tval);
    if (toGuest) return;
    put(toSupervisor ? HTVAL : MTVAL2, tval2);
    put(toSupervisor ? HTINST : MTINST, BigInt(tinst));
    const [high, low] = [this.high(MSTATUS), this.low(HSTATUS)];
    if (toSupervisor) this.set(HSTATUS, 0, gva ? low | HSTATUS_GVA : low & ~HSTATUS_GVA);
    else this.set(MSTATUS, gva ? high | MSTATUS_GVA : high & ~MSTATUS_GVA, this.low(MSTATUS));
  }

  /** Writes the value as far as the register can hold it. */
  write({ register, highWord, mask }: CsrView, hi: number, lo: number): void {
    const [bits, wideLow, narrowLow] = WRITABLE[register];
    const highBits = this.svadu || !CONFIGURATION.has(register) ? bits : bits & ~ADUE;
    const whole = this.xlen === 64;
    const writableHigh = whole || highWord ? (whole ? highBits : highBits & ~PBMTE) : 0;
    const writableLow = highWord ? 0 : (whole ? wideLow : narrowLow) & mask;
    const newHi = highWord ? lo : hi;
    const high = (this.high(register) & ~writableHigh) | (newHi & (mask === -1 ? writableHigh : 0));
    const low = (this.low(register) & ~writableLow) | (lo & writableLow);
    this.set(register, ...this.legal(register, high, low));
  }

  /** The values of a register after a write of `(high, low)`. */
  private legal(register: number, high: number, low: number): [number, number] {
    const [oldHigh, oldLow] = [this.high(register), this.low(register)];
    if (register === MSTATUS && (low & MPP) === 2 << MPP_SHIFT) return [high, (low & ~MPP) | (oldLow & MPP)];
    if (this.xlen === 32) return [high, low];
    const mode = high >>> 28;
    if (mode === MODE_BARE || (mode >= MODE_SV39 && mode <= MODE_SV57)) return [high, low];
    // With an unsupported MODE satp stays as it is; hgatp keeps its MODE alone.
    if (register === SATP || register === VSATP) return [oldHigh, oldLow];
    return register === HGATP ? [(high & 0xfff_ffff) | (oldHigh & (0xf << 28)), low] : [high, low];
  }
}

/** Registers with ADUE, read-only zero without Svadu. */
const CONFIGURATION = new Set([MENVCFG, HENVCFG]);
/** Registers with UXL or VSXL in bits 33:32. */
const STATUS = new Set([MSTATUS, VSSTATUS, HSTATUS]);
