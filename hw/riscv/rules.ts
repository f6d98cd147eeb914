/**
 * The registers' rules for translations: the tables, the reserved bits of entries, the rights of each mode.
 *
 * Everything here is worked out once, when a register changes: so a walk and a TLB hit test one mask each.
 *
 * The permission code has five bits. R, W, X and U stand one bit lower than in an entry. The fifth is for a page made
 * readable by vsstatus.MXR: the first stage has X and the second has R. HS-level MXR needs no bit, since it makes every
 * page readable. D stands one bit lower as well, in its place in permission.ts.
 */

import { ACCESS_KINDS, FETCH, IMPLICIT, USER, WRITE } from '../base/access.js';
import { frameOf, NO_FRAME } from '../base/address.js';
import { DIRTY, PERMISSION_CODES } from '../base/permission.js';
import { Regime } from '../translate/walk/regime.js';
import { GUEST_ADDRESS, NARROW_ENTRY, pageFaultCause } from './exception.js';
import {
  RISCV_PTE_A,
  RISCV_PTE_D,
  RISCV_PTE_N,
  RISCV_PTE_PBMT,
  RISCV_PTE_PPN_SHIFT,
  RISCV_PTE_R,
  RISCV_PTE_RESERVED,
  RISCV_PTE_U,
  RISCV_PTE_W,
  RISCV_PTE_X,
  RISCV_GUEST_MODES,
  RISCV_MODES,
} from './format.js';
import type { RiscvGuestModeName, RiscvModeName } from './format.js';
import * as csr from './registers.js';
import type { Csrs } from './registers.js';

export const RISCV_RIGHT_READ = RISCV_PTE_R >> 1;
export const RISCV_RIGHT_WRITE = RISCV_PTE_W >> 1;
export const RISCV_RIGHT_EXECUTE = RISCV_PTE_X >> 1;
export const RISCV_RIGHT_USER = RISCV_PTE_U >> 1;
/** Readable by vsstatus.MXR. */
export const RISCV_RIGHT_MXR = 1 << 4;

/** Reserved bits of an entry for a table: its high word has no others than the frame's. */
export const TABLE_RESERVED_HIGH = RISCV_PTE_N | RISCV_PTE_PBMT | RISCV_PTE_RESERVED;
export const TABLE_RESERVED_LOW = RISCV_PTE_A | RISCV_PTE_D | RISCV_PTE_U;
const LEVELS = 5;

/** log2 of the page sizes: the levels' own, 64 KiB by Svnapot, and Sv32's 4 MiB. */
export const PAGE_SHIFTS: readonly number[] = [12, 16, 21, 22, 30, 39, 48];
/** Their indexes, by level. */
const WIDE_SIZES = Int32Array.of(0, 2, 4, 5, 6);
const NARROW_SIZES = Int32Array.of(0, 3);
/** The index of 64 KiB. */
export const SIZE_NAPOT = 1;

const WIDE_MODES: Readonly<Record<number, RiscvModeName>> = { 8: 'sv39', 9: 'sv48', 10: 'sv57' };
const WIDE_GUEST_MODES: Readonly<Record<number, RiscvGuestModeName>> = { 8: 'sv39x4', 9: 'sv48x4', 10: 'sv57x4' };

/** By mode, log2 of the bytes covered by one entry of each level, the last level first. */
const shiftsOf = (levels: readonly { readonly shift: number }[]): readonly number[] =>
  levels.map(({ shift }) => shift).reverse();
const LEVEL_SHIFTS = Object.fromEntries(Object.values(RISCV_MODES).map(({ name, levels }) => [name, shiftsOf(levels)]));
const GUEST_LEVEL_SHIFTS = Object.fromEntries(
  Object.values(RISCV_GUEST_MODES).map(({ name, levels }) => [name, shiftsOf(levels)]),
);

/** The set of permission codes, bit n for code n, with `allows` true. */
function permittedCodes(allows: (code: number) => boolean): number {
  let codes = 0;
  for (let code = 0; code < PERMISSION_CODES; code++) if (allows(code)) codes |= 1 << code;
  return codes;
}

/** One stage of translation: its tables, and the bits of their entries. */
export class RiscvStage {
  on = false;
  /** Entries have 8 bytes, else 4. */
  wide = true;
  rootLevel = 0;
  /** The root table's physical address. The second stage has four tables in a row there. */
  rootHi = 0;
  rootLo = 0;
  /** Its frame, if RAM can have it: of the first stage without a second, and of the second. */
  rootFrame = NO_FRAME;
  /** Hardware sets accessed and dirty bits (Svadu); otherwise a page fault asks software to (Svade). */
  setsBits = false;
  /** Reserved bits at `level` of an entry for a page, with those of a frame without alignment. */
  readonly pageReservedHigh = new Int32Array(LEVELS);
  readonly pageReservedLow = new Int32Array(LEVELS);
  /** By access (access.ts): bit n tells whether a page with permission code n allows it. */
  permitted = new Int32Array(ACCESS_KINDS);

  /** The tables of satp, vsatp or hgatp. */
  setTables(csrs: Csrs, register: number, levels: number): void {
    const [hi, lo] = [csrs.high(register), csrs.low(register)];
    this.on = levels > 0;
    this.wide = levels > 2;
    this.rootLevel = Math.max(0, levels - 1);
    // The frame number has 44 bits, or 22.
    const frameHi = this.wide ? hi & 0xfff : 0;
    const frameLo = this.wide ? lo : lo & 0x3f_ffff;
    this.rootHi = (frameHi << 12) | (frameLo >>> 20);
    this.rootLo = frameLo << 12;
    this.rootFrame = (this.rootHi & ~3) !== 0 ? NO_FRAME : frameOf(this.rootHi, this.rootLo);
  }

  /** The bits of entries, `config` being the high word of menvcfg or henvcfg. */
  setEntries(config: number, svnapot: boolean): void {
    this.setsBits = (config & csr.ADUE) !== 0;
    const memoryTypes = (config & csr.PBMTE) !== 0;
    const high = RISCV_PTE_RESERVED | (memoryTypes ? 0 : RISCV_PTE_PBMT);
    this.pageReservedHigh.fill(this.wide ? high | RISCV_PTE_N : 0);
    if (this.wide && svnapot) this.pageReservedHigh[0] = high;
    // Frame bits 26:22, and 35:22, of the pages of levels 3 and 4.
    this.pageReservedHigh[3] |= 0x1f;
    this.pageReservedHigh[4] |= 0x3fff;
    const bitsALevel = this.wide ? 9 : 10;
    for (let level = 0; level < LEVELS; level++) {
      this.pageReservedLow[level] = (2 ** Math.min(22, bitsALevel * level) - 1) << RISCV_PTE_PPN_SHIFT;
    }
  }
}

/** The privilege of translations, after MPRV. */
interface Privilege {
  readonly mode: number;
  /** V. */
  readonly virtual: boolean;
  /** Loads need the right to execute in place of that to read: HLVX. */
  readonly executes: boolean;
}

/** The rules of a hart's registers for translations: both stages, and the rights of each mode. */
export class RiscvRules {
  readonly regime = new Regime();
  /** satp's, or under V = 1 vsatp's. */
  readonly first = new RiscvStage();
  /** hgatp's, if it applies. */
  readonly second = new RiscvStage();
  mode: RiscvModeName = 'bare';
  guestMode: RiscvGuestModeName = 'bare';
  /** V, of the accesses of the regime: their addresses are a guest's. */
  virtual = false;
  /** Bits of a guest-physical address above the low 32. */
  hostHighBits = 0;
  /** log2 of the bytes covered by an entry of each level of hgatp's tables, the last level first. */
  hostLevelShifts: readonly number[] = [];
  /** The bits of error codes besides their cause. */
  errorFacts = 0;
  /** The page size of each level, an index of {@link Regime.pageShifts}. */
  sizes = WIDE_SIZES;

  constructor() {
    this.first.permitted = this.regime.permitted;
    this.regime.pageShifts = PAGE_SHIFTS;
    this.regime.guestCaches = true;
  }

  /**
   * Whether fetches and other accesses have regimes of their own: in machine mode under mstatus.MPRV.
   * Source: "Memory Privilege in mstatus Register".
   */
  static modifies(csrs: Csrs, mode: number): boolean {
    return mode === csr.MACHINE_MODE && (csrs.low(csr.MSTATUS) & csr.MPRV) !== 0;
  }

  /** Works the rules out anew; call it after any change of a register or of the privilege mode. */
  update(csrs: Csrs, mode: number, virtual: boolean, svnapot: boolean, fetches: boolean, executes = false): void {
    const current = { mode, virtual, executes };
    const privilege = fetches ? current : this.dataPrivilege(csrs, current);
    const machine = privilege.mode === csr.MACHINE_MODE;
    this.virtual = !machine && privilege.virtual;
    const [narrow, root] = [csrs.xlen === 32, this.virtual ? csr.VSATP : csr.SATP];
    const modeBits = (register: number): number => (narrow ? csrs.low(register) >>> 31 : csrs.high(register) >>> 28);
    this.mode = machine ? 'bare' : narrow ? (modeBits(root) ? 'sv32' : 'bare') : (WIDE_MODES[modeBits(root)] ?? 'bare');
    const guest = modeBits(csr.HGATP);
    this.guestMode = !this.virtual
      ? 'bare'
      : narrow
        ? guest
          ? 'sv32x4'
          : 'bare'
        : (WIDE_GUEST_MODES[guest] ?? 'bare');
    this.errorFacts = (this.virtual ? GUEST_ADDRESS : 0) | (narrow ? NARROW_ENTRY : 0);
    this.first.setTables(csrs, root, RISCV_MODES[this.mode].levels.length);
    this.second.setTables(csrs, csr.HGATP, RISCV_GUEST_MODES[this.guestMode].levels.length);
    this.second.setEntries(csrs.high(csr.MENVCFG), svnapot);
    this.first.setEntries(this.virtual ? csrs.effectiveHigh(csr.HENVCFG) : csrs.high(csr.MENVCFG), svnapot);
    this.setRegime(narrow);
    this.setPermissions(csrs, privilege);
  }

  private dataPrivilege(csrs: Csrs, current: Privilege): Privilege {
    if (!RiscvRules.modifies(csrs, current.mode)) return current;
    const previous = (csrs.low(csr.MSTATUS) >>> csr.MPP_SHIFT) & 3;
    return { mode: previous, virtual: (csrs.high(csr.MSTATUS) & csr.MPV) !== 0, executes: false };
  }

  private setRegime(narrow: boolean): void {
    const { regime, mode } = this;
    regime.on = this.first.on;
    regime.guest = this.virtual && this.first.on;
    this.hostLevelShifts = GUEST_LEVEL_SHIFTS[this.guestMode];
    this.hostHighBits = RISCV_GUEST_MODES[this.guestMode].linearBits - 32;
    regime.rootLevel = this.first.rootLevel;
    regime.levelShifts = LEVEL_SHIFTS[mode];
    regime.narrow = narrow;
    regime.entryBytes = this.first.wide ? 8 : 4;
    // "Addressing and Memory Protection": bits 63:39 (48, 57) must all equal bit 38 (47, 56).
    regime.canonicalShift = mode === 'bare' || narrow ? 31 : RISCV_MODES[mode].linearBits - 33;
    this.sizes = narrow ? NARROW_SIZES : WIDE_SIZES;
    for (let access = 0; access < ACCESS_KINDS; access++) {
      regime.badAddressCodes[access] = pageFaultCause(access) | this.errorFacts;
      regime.needed[access] = (access & WRITE) !== 0 ? DIRTY : 0;
    }
  }

  /** Source: "Virtual Address Translation Process", steps 6 and 8; "Two-Stage Address Translation" for MXR. */
  private setPermissions(csrs: Csrs, { mode, executes }: Privilege): void {
    const hostStatus = csrs.low(csr.MSTATUS);
    const status = this.virtual ? csrs.low(csr.VSSTATUS) : hostStatus;
    const anyReads = !executes && (hostStatus & csr.MXR) !== 0;
    const guestReads = RISCV_RIGHT_READ | ((status & csr.MXR) !== 0 ? RISCV_RIGHT_MXR : 0);
    const readable = executes ? RISCV_RIGHT_EXECUTE : guestReads;
    const userPages = (status & csr.SUM) !== 0;
    for (let access = 0; access < ACCESS_KINDS; access++) {
      const fetch = (access & FETCH) !== 0;
      const write = (access & WRITE) !== 0;
      const user = mode === csr.USER_MODE || (access & USER) !== 0;
      const needed = fetch ? RISCV_RIGHT_EXECUTE : write ? RISCV_RIGHT_WRITE : readable;
      const explicitRead = !fetch && !write && (access & IMPLICIT) === 0;
      this.first.permitted[access] = permittedCodes((code) => {
        const userPage = (code & RISCV_RIGHT_USER) !== 0;
        const mayReach = user ? userPage : !userPage || (userPages && !fetch);
        return mayReach && ((code & needed) !== 0 || (anyReads && explicitRead));
      });
      // Every access is user mode's here; vsstatus.MXR does not reach, and no MXR reaches reads of entries.
      const hostReads = RISCV_RIGHT_READ | (anyReads && explicitRead ? RISCV_RIGHT_EXECUTE : 0);
      const hostNeeded = fetch || write ? needed : executes && explicitRead ? RISCV_RIGHT_EXECUTE : hostReads;
      this.second.permitted[access] = permittedCodes(
        (code) => (code & RISCV_RIGHT_USER) !== 0 && (code & hostNeeded) !== 0,
      );
    }
  }
}
