/**
 * The registers' rules for translations: the tables of each half of the addresses and of stage 2, and the rights of each
 * exception level.
 *
 * Everything here is worked out once, when a register changes: so a walk and a TLB hit test one mask each. Rights are in
 * rights.ts.
 */

import { ACCESS_KINDS, FETCH, IMPLICIT, USER, WRITE } from '../base/access.js';
import { DIRTY, PERMISSION_CODES } from '../base/permission.js';
import { SHIFT_4K } from '../base/address.js';
import { Regime } from '../translate/walk/regime.js';
import { errorCodeOf, FSC_ADDRESS_SIZE, FSC_TRANSLATION } from './exception.js';
import { PA_SIZES } from './features.js';
import type { AArch64Features } from './features.js';
import * as desc from './format.js';
import { AARCH64_PAGE_SHIFTS, granuleRules, TG0, TG1 } from './granules.js';
import type { GranuleRules } from './granules.js';
import * as reg from './registers.js';
import type { SystemRegisters } from './registers.js';
import {
  ARM_RIGHT_EL0,
  ARM_RIGHT_WALKS,
  ARM_RIGHT_EL0_EXECUTE,
  ARM_RIGHT_EL1_EXECUTE,
  ARM_RIGHT_READ,
  ARM_RIGHT_WRITE,
  firstRightsTable,
  secondRightsTable,
} from './rights.js';

export { AARCH64_PAGE_SHIFTS };

const SHIFT_64K = 16;
/** No fault is sure before a walk: see {@link TranslationTables.barred}. */
export const NOT_BARRED = -1;

/** By VTCR_EL2.SL0, the level of stage 2's root. */
const START_LEVELS_4K = [1, 2, 3, 0];
const START_LEVELS = [0, 1, 2, 3];
/** The manual's level -1, by VTCR_EL2.SL2. */
const FIFTH_LEVEL = 4;
/** MemAttr[3:2] of a descriptor of stage 2: 0 is Device memory. */
const NORMAL_MEMORY = 3 << 4;

/** The set of permission codes, bit n for code n, with `allows` true. */
function permittedCodes(allows: (code: number) => boolean): number {
  let codes = 0;
  for (let code = 0; code < PERMISSION_CODES; code++) if (allows(code)) codes |= 1 << code;
  return codes;
}

/** The tables of one half of the addresses in stage 1, or those of stage 2. */
export class TranslationTables {
  granule: GranuleRules;
  /** Bits of an address for the choice of an entry of one table. */
  stride = 9;
  /** Bits of an input address, by TxSZ. */
  inputBits = 48;
  /** The bits above all equal those of this word: 0, or -1 in the upper half. */
  readonly sign: number;
  rootLevel = 3;
  /** The root table's address. */
  rootHi = 0;
  rootLo = 0;
  /** Its index in the words of RAM, if it can be there. */
  rootWord = 0;
  /** Mask of an index into the root table, several tables in a row in stage 2, and into any other. */
  rootMask = 511;
  indexMask = 511;
  /** A fault status code for every access, or NOT_BARRED. */
  barred = NOT_BARRED;
  /** EL0 has none but a translation fault here (E0PD). */
  barsEl0 = false;
  /** Bits of an output address's high word past its size. */
  beyondHigh = 0;
  /** The place of an address's high word in a descriptor: see {@link GranuleRules.address}. */
  addressHigh = 0xffff;
  addressLow = 0;
  addressShift = 0;
  /** Bits of a descriptor's words set in an address past the output size or past RAM: for walks that leave it to others. */
  wrongHigh = 0;
  wrongLow = 0;
  /** Hardware sets the Access flag, and the dirty state where DBM allows it. */
  setsAccessed = false;
  setsDirty = false;
  /** Bits of a table descriptor's high word that take rights away below. */
  hierarchical = 0;
  /** Bits of a descriptor's low word, all 0 where walks of the first stage may not go; no bits: they may go anywhere. */
  protectedType = 0;
  /** Shareability, under DS; else it is in each descriptor. */
  shareability: number | undefined;
  /** Rights by the descriptor of a block or page, without any from table descriptors: see rightsIndex. */
  leafRights = firstRightsTable(false, false);

  constructor(sign: 0 | -1, features: AArch64Features) {
    this.sign = sign;
    this.granule = granuleRules(TG0[0], features, false);
  }

  /** log2 of the bytes covered by one entry of each level, the last level first. */
  get levelShifts(): readonly number[] {
    return this.granule.levelShifts;
  }

  /** Bit n: level n has blocks, or pages. */
  get leafLevels(): number {
    return this.granule.leafLevels;
  }

  /**
   * The granule and the size of output addresses, encoded as PARange is.
   * Source: Arm ARM (DDI 0487), chapter D8, "Supported PA size", and AArch64.PhysicalAddressSize().
   */
  setGranule(granule: GranuleRules, features: AArch64Features, addressSize: number): void {
    const { bits, high, low, shift } = granule.address;
    this.granule = granule;
    this.stride = granule.shift - 3;
    this.indexMask = (1 << this.stride) - 1;
    this.addressHigh = high;
    this.addressLow = low;
    this.addressShift = shift;
    const outputBits = Math.min(PA_SIZES[addressSize] ?? 52, features.paBits, bits);
    this.beyondHigh = 0xf_ffff & ~(2 ** (outputBits - 32) - 1);
    // RAM ends at 2^34.
    this.wrongHigh = (this.beyondHigh | ~3) & high;
    this.wrongLow = low;
  }

  /** Bits of input addresses, from TxSZ. @param least the smallest TxSZ */
  setInput(txsz: number, least: number, features: AArch64Features): void {
    const most = features.TTST ? (this.granule.shift === SHIFT_64K ? 47 : 48) : 39;
    this.barred = txsz < least || txsz > most ? FSC_TRANSLATION : NOT_BARRED;
    this.inputBits = 64 - Math.min(Math.max(txsz, least), most);
  }

  /**
   * The root table, `(hi, lo)` being TTBRn_EL1 or VTTBR_EL2; to be called last.
   * Source: Arm ARM (DDI 0487), AArch64.S1TTBaseAddress(); an address past the output size is an address size fault of
   * level 0.
   */
  setRoot(rootLevel: number, hi: number, lo: number, addressSize: number): void {
    const rootBits = this.inputBits - this.granule.shift - this.stride * rootLevel;
    const { ds, address } = this.granule;
    const wide = ds || (address.bits === 52 && PA_SIZES[addressSize] === 52);
    this.rootLevel = rootLevel;
    this.rootMask = (1 << rootBits) - 1;
    this.rootHi = (hi & 0xffff) | (wide ? (lo & 0x3c) << 14 : 0);
    this.rootLo = lo & -(1 << Math.max(rootBits + 3, wide ? 6 : 4));
    this.rootWord = (this.rootHi << 30) | (this.rootLo >>> 2);
    if (this.barred === NOT_BARRED && (this.rootHi & this.beyondHigh) !== 0) this.barred = FSC_ADDRESS_SIZE;
  }

  /** Whether an address, without its tag, is one of these tables'. */
  covers(hi: number, lo: number): boolean {
    const { inputBits, sign } = this;
    if (inputBits >= 32) return hi >> (inputBits - 32) === sign;
    return hi === sign && lo >> inputBits === sign;
  }
}

/** The rules of a PE's registers for translations of EL1 and EL0. */
export class AArch64Rules {
  readonly regime = new Regime();
  /** TTBR0_EL1's tables, and TTBR1_EL1's. */
  readonly lower: TranslationTables;
  readonly upper: TranslationTables;
  /** VTTBR_EL2's. */
  readonly second: TranslationTables;
  firstOn = false;
  secondOn = false;
  /** Rights of EL1 and EL0 in stage 2, by access; with IMPLICIT of a walk of stage 1. */
  readonly secondPermitted = new Int32Array(ACCESS_KINDS);
  /** Whether code runs at EL0. */
  el0 = false;
  /** SCTLR_EL1.WXN. */
  writableNeverExecuted = false;
  /** The state behind the permissions worked out last: bit 0 for EL0, bit 1 for PAN, bit 2 for PTW. */
  permissionsOf = -1;

  constructor(readonly features: AArch64Features) {
    this.lower = new TranslationTables(0, features);
    this.upper = new TranslationTables(-1, features);
    this.second = new TranslationTables(0, features);
    this.regime.pageShifts = AARCH64_PAGE_SHIFTS;
  }

  /** The tables for an address without its tag. */
  tablesAt(hi: number): TranslationTables {
    return hi < 0 ? this.upper : this.lower;
  }

  /** Works the rules out anew; call it after any change of a register or of the exception level. */
  update(registers: SystemRegisters, el: number): void {
    const below = el < 2;
    this.el0 = el === 0;
    this.firstOn = below && registers.firstOn;
    this.secondOn = below && registers.secondOn;
    this.writableNeverExecuted = (registers.low('SCTLR_EL1') & reg.SCTLR_WXN) !== 0;
    this.setHalf(this.lower, registers, 0);
    this.setHalf(this.upper, registers, 1);
    this.setSecond(registers);
    this.setRegime(registers);
    const pan = this.features.PAN && registers.pan;
    const state = Number(this.el0) + 2 * Number(pan) + 4 * Number(this.second.protectedType !== 0);
    if (this.permissionsOf === state) return;
    this.permissionsOf = state;
    this.setPermissions(pan);
  }

  /** Fields of TCR_EL1 for the upper half stand one bit above those for the lower, but for TxSZ, TG and EPD. */
  private setHalf(tables: TranslationTables, registers: SystemRegisters, half: 0 | 1): void {
    const { features } = this;
    const [hi, lo] = [registers.high('TCR_EL1'), registers.low('TCR_EL1')];
    const shift = half === 0 ? TG0[(lo >>> reg.TCR_TG0_SHIFT) & 3] : TG1[lo >>> reg.TCR_TG1_SHIFT];
    const granule = granuleRules(shift, features, (hi & reg.TCR_DS) !== 0);
    const txsz = (half === 0 ? lo : lo >>> reg.TCR_T1SZ_SHIFT) & 0x3f;
    const root = half === 0 ? 'TTBR0_EL1' : 'TTBR1_EL1';
    const has = (bit: number): boolean => (hi & (bit << half)) !== 0;
    tables.setGranule(granule, features, hi & reg.TCR_IPS);
    tables.setInput(txsz, granule.ds || (features.LVA && shift === SHIFT_64K) ? 12 : 16, features);
    const rootLevel = Math.floor((tables.inputBits - 1 - tables.granule.shift) / tables.stride);
    tables.setRoot(rootLevel, registers.high(root), registers.low(root), hi & reg.TCR_IPS);
    if ((lo & (half === 0 ? reg.TCR_EPD0 : reg.TCR_EPD1)) !== 0) tables.barred = FSC_TRANSLATION;
    tables.barsEl0 = features.E0PD && has(reg.TCR_E0PD0);
    tables.setsAccessed = features.HAFDBS && (hi & reg.TCR_HA) !== 0;
    tables.setsDirty = tables.setsAccessed && (hi & reg.TCR_HD) !== 0;
    const { DESC_NO_EL0_TABLE, DESC_PXN_TABLE, DESC_READ_ONLY_TABLE, DESC_UXN_TABLE } = desc;
    const all = DESC_NO_EL0_TABLE | DESC_READ_ONLY_TABLE | DESC_PXN_TABLE | DESC_UXN_TABLE;
    tables.hierarchical = features.HPDS && has(reg.TCR_HPD0) ? 0 : all;
    const shareability = (lo >>> (half === 0 ? reg.TCR_SH0_SHIFT : reg.TCR_SH1_SHIFT)) & 3;
    tables.shareability = granule.ds ? shareability : undefined;
    tables.leafRights = firstRightsTable(tables.setsDirty, this.writableNeverExecuted);
  }

  /**
   * Stage 2: the level of the root is SL0's. It must leave the root 1 to 16 tables, and some levels need a processor with
   * long physical addresses.
   * Source: Arm ARM (DDI 0487), AArch64.S2InvalidSL(), AArch64.S2InconsistentSL() and AArch64.S2MinTxSZ().
   */
  private setSecond(registers: SystemRegisters): void {
    const { features, second } = this;
    const { paBits, TTST } = features;
    const [hi, lo] = [registers.high('VTCR_EL2'), registers.low('VTCR_EL2')];
    const addressSize = (lo >>> reg.VTCR_PS_SHIFT) & 7;
    const granule = granuleRules(TG0[(lo >>> reg.VTCR_TG0_SHIFT) & 3], features, (hi & reg.VTCR_DS) !== 0);
    second.setGranule(granule, features, addressSize);
    const { stride } = second;
    const { shift, ds } = granule;
    second.setInput(lo & 0x3f, 64 - (ds || shift === SHIFT_64K ? paBits : Math.min(48, paBits)), features);
    const field = (lo >>> reg.VTCR_SL0_SHIFT) & 3;
    const isFifth = ds && shift === SHIFT_4K && (hi & reg.VTCR_SL2) !== 0;
    const rootLevel = isFifth ? FIFTH_LEVEL : (shift === SHIFT_4K ? START_LEVELS_4K : START_LEVELS)[field];
    const rootBits = second.inputBits - shift - stride * rootLevel;
    const invalid = isFifth
      ? field !== 0 || paBits < 52
      : shift === SHIFT_4K
        ? (rootLevel === 3 && paBits < 44) || (rootLevel === 0 && !TTST)
        : (rootLevel === 3 && !(ds && paBits === 52)) || (rootLevel === 2 && paBits < (shift === SHIFT_64K ? 44 : 42));
    if (invalid || rootBits < 1 || rootBits > stride + 4) second.barred = FSC_TRANSLATION;
    second.setRoot(rootLevel, registers.high('VTTBR_EL2'), registers.low('VTTBR_EL2'), addressSize);
    second.setsAccessed = features.HAFDBS && (lo & reg.VTCR_HA) !== 0;
    second.setsDirty = second.setsAccessed && (lo & reg.VTCR_HD) !== 0;
    second.protectedType = (registers.low('HCR_EL2') & reg.HCR_PTW) !== 0 ? NORMAL_MEMORY : 0;
    second.leafRights = secondRightsTable(second.setsDirty, features.XNX);
  }

  private setRegime(registers: SystemRegisters): void {
    const { regime, lower, upper, features } = this;
    const hi = registers.high('TCR_EL1');
    regime.on = this.firstOn;
    regime.guest = this.firstOn && this.secondOn;
    regime.guestCaches = true;
    regime.rootLevel = lower.rootLevel;
    regime.levelShifts = lower.levelShifts;
    regime.upper = upper;
    // The longer half decides; a walk looks at its own, and nothing past it gets into a TLB.
    regime.canonicalShift = this.firstOn ? Math.max(lower.inputBits, upper.inputBits, 32) - 32 : 31;
    regime.dataTags = (hi >>> reg.TCR_TBI_SHIFT) & 3;
    regime.fetchTags = regime.dataTags & (features.PAuth ? ~(hi >>> reg.TCR_TBID_SHIFT) : -1);
  }

  /**
   * Without USER, IMPLICIT is an access of EL1 whatever PSTATE.PAN says, as AT instructions make them.
   * Source: Arm ARM (DDI 0487), chapter D8, "Direct permissions", and "About PSTATE.PAN and access permissions".
   */
  private setPermissions(pan: boolean): void {
    const { regime, secondPermitted } = this;
    for (let access = 0; access < ACCESS_KINDS; access++) {
      regime.badAddressCodes[access] = errorCodeOf(FSC_TRANSLATION, access, this.el0);
      regime.needed[access] = (access & WRITE) !== 0 ? DIRTY : 0;
      const write = (access & WRITE) !== 0;
      const implicit = (access & IMPLICIT) !== 0;
      const asEl0 = (access & USER) !== 0 || (this.el0 && !implicit);
      const executable = asEl0 ? ARM_RIGHT_EL0_EXECUTE : ARM_RIGHT_EL1_EXECUTE;
      const needed = (access & FETCH) !== 0 ? executable : write ? ARM_RIGHT_WRITE : ARM_RIGHT_READ;
      const refusesEl0 = pan && !implicit;
      regime.permitted[access] = permittedCodes((code) => {
        if ((code & needed) === 0) return false;
        if ((access & FETCH) !== 0) return true;
        const pageOfEl0 = (code & ARM_RIGHT_EL0) !== 0;
        return asEl0 ? pageOfEl0 : !(pageOfEl0 && refusesEl0);
      });
      const forWalks = this.second.protectedType === 0 ? 0 : ARM_RIGHT_WALKS;
      const entry = (write ? ARM_RIGHT_READ | ARM_RIGHT_WRITE : ARM_RIGHT_READ) | forWalks;
      const secondNeeded = implicit ? entry : needed;
      secondPermitted[access] = permittedCodes((code) => (code & secondNeeded) === secondNeeded);
    }
  }
}
