/**
 * A page-table entry under the registers: its reserved bits, and the rights an access needs.
 *
 * Everything here is worked out once, when a register changes: a walk and a TLB hit test one mask each.
 *
 * The permission code of x86 has three bits. R/W and U/S keep their places in an entry, bits 1 and 2; XD moves to
 * bit 0. D and G stand as in permission.ts: it took their places from entries. The other two bits are a host's: what it
 * refuses of a guest's page. No page has them without a host.
 */

import { ACCESS_KINDS, FETCH, IMPLICIT, USER, WRITE } from '../base/access.js';
import { DIRTY, KEY_SHIFT } from '../base/permission.js';
import { Regime } from '../translate/walk/regime.js';
import { PF_FETCH, PF_PRESENT, PF_PROTECTION_KEY, PF_RESERVED, PF_USER, PF_WRITE } from './exception.js';
import {
  CR0_PG,
  CR0_WP,
  CR4_LA57,
  CR4_PAE,
  CR4_PGE,
  CR4_PKE,
  CR4_PKS,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_NXE,
} from './registers.js';
import { PTE_D, PTE_G, PTE_PS, PTE_RW, PTE_US, PTE_XD } from './format.js';
import type { X86ModeName } from './format.js';

export const RIGHT_XD = 1 << 0;
export const RIGHT_WRITE = PTE_RW;
export const RIGHT_USER = PTE_US;
/** The tables of a host refuse fetches, or reads. It refuses stores by a page never known to be dirty. */
export const HOST_REFUSES_FETCH = 1 << 3;
export const HOST_REFUSES_READ = 1 << 4;

/** Features by the processor's model, not by a register. */
export interface PagingFeatures {
  /** M, MAXPHYADDR: 36 to 52. */
  readonly maxPhysicalBits: number;
  /** 32-bit paging: 4 MiB pages may lie above 4 GiB. */
  readonly pse36: boolean;
  /** 1 GiB pages. */
  readonly page1G: boolean;
}

/** The registers behind the rules. */
export interface PagingRegisters {
  readonly cr0: number;
  readonly cr4: number;
  readonly efer: number;
  readonly pkru: number;
  readonly pkrs: number;
  /** RFLAGS.AC. */
  readonly ac: boolean;
}

/** The level of the root table; PAE's root is in registers, so its walks begin at the page directory. */
export const ROOT_LEVEL = { none: 0, '32': 1, pae: 1, '4l': 3, '5l': 4 } as const;

/** The mode selected by the registers. Source: Intel SDM vol. 3A, "Paging-Mode Enabling". */
function pagingMode(registers: PagingRegisters): X86ModeName {
  if (!(registers.cr0 & CR0_PG)) return 'none';
  if (registers.efer & EFER_LMA) return registers.cr4 & CR4_LA57 ? '5l' : '4l';
  return registers.cr4 & CR4_PAE ? 'pae' : '32';
}

/** Bits `low` to `high` (both 0 to 31) of a word. */
function bits(low: number, high: number): number {
  return high < low ? 0 : ((-1 >>> (31 - high + low)) << low) | 0;
}

/** The permission codes with bit n set, by n: bit m for code m. */
const CODES_WITH = [0xaaaaaaaa, 0xcccccccc, 0xf0f0f0f0, 0xff00ff00, 0xffff0000];

/** The set of permission codes, bit n for code n, with their bits of `needed` as `expected`. */
function permittedCodes(needed: number, expected: number): number {
  let codes = -1;
  for (let bit = 0; bit < CODES_WITH.length; bit++) {
    if (needed & (1 << bit)) codes &= expected & (1 << bit) ? CODES_WITH[bit] : ~CODES_WITH[bit];
  }
  return codes;
}

const LEVELS = 5;
/** Bits 2:1 and 8:5 of a PAE PDPTE. Source: Intel SDM vol. 3A, "PDPTE Registers". */
const PDPTE_RESERVED_LOW = 0x1e6;

/** Entries under the registers: reserved bits, and the rights each access needs. */
export class PagingRules {
  mode: X86ModeName = 'none';
  /** Whether a large page is possible at a level, by CR4.PSE (32-bit paging) or always (PAE and long mode). */
  largePages = false;
  /** Reserved bits at `level` of an entry for a table. */
  readonly tableReservedHigh = new Int32Array(LEVELS);
  readonly tableReservedLow = new Int32Array(LEVELS);
  /** Reserved bits at `level` of an entry for a page. */
  readonly pageReservedHigh = new Int32Array(LEVELS);
  readonly pageReservedLow = new Int32Array(LEVELS);
  /** Reserved bits of the high word of a PAE PDPTE. */
  private pdpteReservedHigh = 0;
  /** Permissions an access needs (by access bits), and their values. */
  readonly needed = new Int32Array(ACCESS_KINDS);
  readonly expected = new Int32Array(ACCESS_KINDS);
  /** The same for hot paths. */
  readonly regime = new Regime();
  /** Bits of an entry's low word kept in its rights: D, and G when CR4.PGE = 1. */
  keptLow = 0;
  /** Bits 15:12 of the rights when the mode has protection keys, otherwise 0. */
  keyMask = 0;
  private userKeys = false;
  private supervisorKeys = false;
  /** Whether page-fault error codes tell fetches apart. */
  private reportsFetch = false;
  private writeProtect = false;
  private pkru = 0;
  private pkrs = 0;

  /** Works the rules out anew; call it after any change of a register. */
  update(registers: PagingRegisters, features: PagingFeatures): void {
    this.mode = pagingMode(registers);
    const { cr0, cr4, efer } = registers;
    const long = this.mode === '4l' || this.mode === '5l';
    const wide = long || this.mode === 'pae';
    const noExecute = wide && (efer & EFER_NXE) !== 0;
    this.largePages = wide || (cr4 & CR4_PSE) !== 0;
    this.keptLow = cr4 & CR4_PGE ? PTE_D | PTE_G : PTE_D;
    this.keyMask = long ? 0xf << KEY_SHIFT : 0;
    this.userKeys = long && (cr4 & CR4_PKE) !== 0;
    this.supervisorKeys = long && (cr4 & CR4_PKS) !== 0;
    this.regime.keys = this.userKeys || this.supervisorKeys ? 1 : 0;
    this.reportsFetch = noExecute || (cr4 & CR4_SMEP) !== 0;
    this.writeProtect = (cr0 & CR0_WP) !== 0;
    this.pkru = registers.pkru;
    this.pkrs = registers.pkrs;
    if (wide) this.wideReserved(features, noExecute, long);
    else this.narrowReserved(features);
    this.accessRules(registers, noExecute);
  }

  private wideReserved(features: PagingFeatures, noExecute: boolean, long: boolean): void {
    // Address bits 51:M, and bit 63 while no-execute is off; PAE reserves bits 62:52 too, long mode ignores them.
    const address = bits(features.maxPhysicalBits - 32, long ? 19 : 30);
    const high = address | (noExecute ? 0 : PTE_XD);
    this.pdpteReservedHigh = -1 << (features.maxPhysicalBits - 32);
    this.tableReservedHigh.fill(high);
    this.pageReservedHigh.fill(high);
    this.tableReservedLow.fill(0);
    this.tableReservedLow[3] = PTE_PS;
    this.tableReservedLow[4] = PTE_PS;
    this.pageReservedLow.fill(0);
    this.pageReservedLow[1] = bits(13, 20);
    this.pageReservedLow[2] = features.page1G ? bits(13, 29) : PTE_PS;
    this.pageReservedLow[3] = PTE_PS;
    this.pageReservedLow[4] = PTE_PS;
  }

  /**
   * AMD reserves bit 8 of entries in the two highest tables; Intel leaves it to software. It is for guests of AMD's
   * processors and for nested tables. Source: AMD APM vol. 2, "Long-Mode Page Translation" (5.3), the figures.
   */
  reserveAsAmd(): void {
    for (const level of [3, 4]) this.tableReservedLow[level] |= PTE_G;
  }

  private narrowReserved(features: PagingFeatures): void {
    this.tableReservedHigh.fill(0);
    this.pageReservedHigh.fill(0);
    this.tableReservedLow.fill(0);
    this.pageReservedLow.fill(0);
    // PSE-36: bits (M - 20):13 are address bits 39:32, M capped at 40. Source: "32-Bit Paging", table of PDE formats.
    const first = features.pse36 ? Math.min(features.maxPhysicalBits, 40) - 19 : 13;
    this.pageReservedLow[1] = bits(first, 21);
  }

  /** Source: Intel SDM vol. 3A, "Determination of Access Rights". */
  private accessRules(registers: PagingRegisters, noExecute: boolean): void {
    const smep = (registers.cr4 & CR4_SMEP) !== 0;
    const smap = (registers.cr4 & CR4_SMAP) !== 0;
    for (let access = 0; access < ACCESS_KINDS; access++) {
      const implicit = (access & IMPLICIT) !== 0;
      const user = (access & USER) !== 0 && !implicit;
      const write = (access & WRITE) !== 0;
      let needed = 0;
      let expected = 0;
      if (user) {
        needed |= RIGHT_USER;
        expected |= RIGHT_USER;
      } else if (access & FETCH ? smep : smap && (implicit || !registers.ac)) {
        needed |= RIGHT_USER;
      }
      if (access & FETCH && noExecute) needed |= RIGHT_XD;
      if (!write) needed |= access & FETCH ? HOST_REFUSES_FETCH : HOST_REFUSES_READ;
      if (write && (user || this.writeProtect)) {
        needed |= RIGHT_WRITE;
        expected |= RIGHT_WRITE;
      }
      this.needed[access] = needed;
      this.expected[access] = expected;
      this.regime.permitted[access] = permittedCodes(needed, expected);
      this.regime.needed[access] = write ? DIRTY : 0;
    }
  }

  /** Whether a present PDPTE of PAE has a reserved bit set. */
  isReservedPdpte(high: number, low: number): boolean {
    return ((high & this.pdpteReservedHigh) | (low & PDPTE_RESERVED_LOW)) !== 0;
  }

  /** Whether R/W, U/S, XD, SMEP or SMAP refuse the access. */
  refuses(rights: number, access: number): boolean {
    return ((this.regime.permitted[access] >>> rights) & 1) === 0;
  }

  /** Whether a protection key refuses the access. Source: Intel SDM vol. 3A, "Protection Keys". */
  keyRefuses(rights: number, access: number): boolean {
    if (access & FETCH) return false;
    const userAccess = (access & (USER | IMPLICIT)) === USER;
    let register: number;
    if (rights & RIGHT_USER) {
      if (!this.userKeys) return false;
      register = this.pkru;
    } else {
      if (!this.supervisorKeys || userAccess) return false;
      register = this.pkrs;
    }
    const key = (rights >>> KEY_SHIFT) & 0xf;
    const accessDisable = (register >>> (2 * key)) & 1;
    const writeDisable = (register >>> (2 * key + 1)) & 1;
    return accessDisable === 1 || (writeDisable === 1 && (access & WRITE) !== 0 && (userAccess || this.writeProtect));
  }

  /** The error code of a page fault, `cause` being P, RSVD and PK as they apply. */
  errorCode(access: number, cause: number): number {
    return (
      cause |
      (access & WRITE ? PF_WRITE : 0) |
      ((access & (USER | IMPLICIT)) === USER ? PF_USER : 0) |
      (access & FETCH && this.reportsFetch ? PF_FETCH : 0)
    );
  }

  /** The error code for a present page, when its rights refuse the access; -1 when they allow it. */
  violation(rights: number, access: number): number {
    const byKey = this.regime.keys !== 0 && this.keyRefuses(rights, access);
    if (!byKey && !this.refuses(rights, access)) return -1;
    return this.errorCode(access, PF_PRESENT | (byKey ? PF_PROTECTION_KEY : 0));
  }

  /** The error code for a reserved bit: P is set with it. Source: Intel SDM vol. 3A, "Page-Fault Exceptions". */
  reservedViolation(access: number): number {
    return this.errorCode(access, PF_PRESENT | PF_RESERVED);
  }
}
