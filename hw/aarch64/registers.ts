/**
 * The system registers for translation and its faults: their names, fields, and values after a write.
 *
 * A write never fails. Reserved bits read as they were written; the manual leaves it to the processor.
 * Source: Arm ARM (DDI 0487), "AArch64 System Register Descriptions", the page of each register.
 */

import { fromBigInt } from '../base/address.js';
import type { Word64 } from '../base/address.js';
import { PA_SIZES } from './features.js';
import type { AArch64Features } from './features.js';

/** Low word of SCTLR_EL1. Stage 1 of EL1 and EL0 is on. */
export const SCTLR_M = 1 << 0;
/** Writable pages are not executable. */
export const SCTLR_WXN = 1 << 19;

/** TCR_EL1, low word. No walks with TTBR0_EL1. */
export const TCR_EPD0 = 1 << 7;
/** No walks with TTBR1_EL1. */
export const TCR_EPD1 = 1 << 23;
/** The ASID is in TTBR1_EL1. */
const TCR_A1 = 1 << 22;
export const TCR_T1SZ_SHIFT = 16;
export const TCR_TG0_SHIFT = 14;
export const TCR_TG1_SHIFT = 30;
/** High word: bits 34:32, the size of physical addresses. */
export const TCR_IPS = 7;
/** Bit 36: ASIDs of 16 bits. */
const TCR_AS = 1 << 4;
/** Bit 37, and 38 for the upper half: the top byte of an address is ignored. */
export const TCR_TBI_SHIFT = 5;
/** Bit 39: hardware sets the Access flag. */
export const TCR_HA = 1 << 7;
/** Bit 40: and the dirty state. */
export const TCR_HD = 1 << 8;
/** Bit 41, and 42: permissions in table descriptors are ignored. */
export const TCR_HPD0 = 1 << 9;
/** Bit 51, and 52: the top byte is ignored for data alone. */
export const TCR_TBID_SHIFT = 19;
/** Bit 55, and 56: no access at EL0. */
export const TCR_E0PD0 = 1 << 23;

/** Bit 59: 52-bit addresses with granules of 4 and 16 KiB (FEAT_LPA2). */
export const TCR_DS = 1 << 27;
/** Low word: shareability of what TTBR0_EL1's walks find, under DS; and TTBR1_EL1's. */
export const TCR_SH0_SHIFT = 12;
export const TCR_SH1_SHIFT = 28;

/** HCR_EL2, low word. Stage 2 is on. */
export const HCR_VM = 1 << 0;
/** Walks of stage 1 in Device memory of stage 2 are refused. */
export const HCR_PTW = 1 << 2;
/** Stage 1 is off and stage 2 on, whatever their own bits say. */
const HCR_DC = 1 << 12;

/** VTCR_EL2, low word: T0SZ in bits 5:0. */
export const VTCR_SL0_SHIFT = 6;
export const VTCR_TG0_SHIFT = 14;
export const VTCR_PS_SHIFT = 16;
/** VMIDs of 16 bits. */
const VTCR_VS = 1 << 19;
/** Hardware sets the Access flag of stage 2. */
export const VTCR_HA = 1 << 21;
/** And its dirty state. */
export const VTCR_HD = 1 << 22;

/** High word: DS of stage 2, and SL2 for a start at level -1. */
export const VTCR_DS = 1 << 0;
export const VTCR_SL2 = 1 << 1;

/** Registers with storage of their own, in its order. */
const STORED = [
  'SCTLR_EL1',
  'TCR_EL1',
  'TTBR0_EL1',
  'TTBR1_EL1',
  'MAIR_EL1',
  'HCR_EL2',
  'VTCR_EL2',
  'VTTBR_EL2',
  'PAR_EL1',
  'ESR_EL1',
  'FAR_EL1',
  'ESR_EL2',
  'FAR_EL2',
  'HPFAR_EL2',
] as const;
/** Registers made of the features: they are read alone. */
const IDENTIFICATION = ['ID_AA64MMFR0_EL1', 'ID_AA64MMFR1_EL1', 'ID_AA64MMFR2_EL1'] as const;

/** A register that keeps what is written to it. */
export type StoredRegisterName = (typeof STORED)[number];
/** Every register by name. */
export const SYSTEM_REGISTERS = [...STORED, ...IDENTIFICATION] as const;
/** A system register, by its name in the manual. */
export type SystemRegisterName = (typeof SYSTEM_REGISTERS)[number];

/** Whether software may write a register. */
export function isWritable(name: SystemRegisterName): name is StoredRegisterName {
  return (STORED as readonly SystemRegisterName[]).includes(name);
}

/** The values of the ID registers: the fields about translation alone. */
function identification(features: AArch64Features): Record<(typeof IDENTIFICATION)[number], Word64> {
  const { paBits, LPA2, TGran16, HAFDBS, HPDS, PAN, UAO, E0PD, LVA, TTST, XNX, VMID16 } = features;
  const at = (shift: number, value: number): bigint => BigInt(value) << BigInt(shift);
  const bit = (shift: number, has: boolean, value = 1): bigint => at(shift, has ? value : 0);
  return {
    // PARange, ASIDBits (16), TGran16, TGran4: under LPA2 both say 52 bits.
    ID_AA64MMFR0_EL1: fromBigInt(
      at(0, PA_SIZES.indexOf(paBits)) | at(4, 2) | bit(20, TGran16, LPA2 ? 2 : 1) | bit(28, LPA2),
    ),
    // HAFDBS (dirty state too), VMIDBits, HPDS, PAN, XNX.
    ID_AA64MMFR1_EL1: fromBigInt(bit(0, HAFDBS, 2) | bit(4, VMID16, 2) | bit(12, HPDS) | bit(20, PAN) | bit(28, XNX)),
    // UAO, VARange, ST, E0PD.
    ID_AA64MMFR2_EL1: fromBigInt(bit(4, UAO) | bit(16, LVA) | bit(28, TTST) | bit(60, E0PD)),
  };
}

/** The registers of one PE, and the bits of PSTATE about translation. */
export class SystemRegisters {
  /** PSTATE.PAN and PSTATE.UAO. */
  pan = false;
  uao = false;
  /** Two words a register, low one first. */
  private readonly words = new Int32Array(2 * STORED.length);
  private readonly constants: ReturnType<typeof identification>;

  constructor(private readonly features: AArch64Features) {
    this.constants = identification(features);
  }

  /** The high word of a register. */
  high(name: SystemRegisterName): number {
    return isWritable(name) ? this.words[2 * STORED.indexOf(name) + 1] : this.constants[name].hi;
  }

  /** Its low word. */
  low(name: SystemRegisterName): number {
    return isWritable(name) ? this.words[2 * STORED.indexOf(name)] : this.constants[name].lo;
  }

  /** Stores a register. */
  set(name: StoredRegisterName, hi: number, lo: number): void {
    const at = 2 * STORED.indexOf(name);
    this.words[at] = lo;
    this.words[at + 1] = hi;
  }

  /** The current ASID: of TTBR0_EL1 or, under TCR_EL1.A1, of TTBR1_EL1. */
  get asid(): number {
    const root = (this.low('TCR_EL1') & TCR_A1) !== 0 ? 'TTBR1_EL1' : 'TTBR0_EL1';
    return this.asidOf(this.high(root) >>> 16);
  }

  /** A number as instructions take it for an ASID: of 8 bits, or under TCR_EL1.AS of 16. */
  asidOf(value: number): number {
    return value & ((this.high('TCR_EL1') & TCR_AS) !== 0 ? 0xffff : 0xff);
  }

  /** The current VMID: of 8 bits, or under VTCR_EL2.VS of 16. */
  get vmid(): number {
    const wide = this.features.VMID16 && (this.low('VTCR_EL2') & VTCR_VS) !== 0;
    return (this.high('VTTBR_EL2') >>> 16) & (wide ? 0xffff : 0xff);
  }

  /** Whether stage 1 translates at EL1 and EL0. */
  get firstOn(): boolean {
    return (this.low('SCTLR_EL1') & SCTLR_M) !== 0 && !this.cacheableByDefault;
  }

  /** HCR_EL2.DC: without stage 1 memory is normal and cacheable. */
  get cacheableByDefault(): boolean {
    return (this.low('HCR_EL2') & HCR_DC) !== 0;
  }

  /** Whether stage 2 does. */
  get secondOn(): boolean {
    return (this.low('HCR_EL2') & (HCR_VM | HCR_DC)) !== 0;
  }
}
