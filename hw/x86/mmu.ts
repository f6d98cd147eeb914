/**
 * The memory management unit of one logical processor.
 *
 * What software may do to it is what software may do to a real one: write registers, write entries in RAM, and
 * invalidate. Registers that the processor would refuse give GENERAL_PROTECTION and stay as they were.
 */

import { checkChoice, checkWhole } from '../base/arguments.js';
import * as count from '../translate/counters.js';
import { DataPath } from '../translate/data-path.js';
import { GENERAL_PROTECTION, OK } from './exception.js';
import type { Ram } from '../memory/ram.js';
import * as reg from './registers.js';
import type { TlbGeometry } from '../tlb/hierarchy.js';
import { MODEL_DEFAULT } from '../tlb/presets.js';
import type { TlbShape } from '../tlb/shape.js';
import type { TranslationPath } from '../translate/translation.js';

export interface MmuOptions {
  readonly ram: Ram;
  /** Shape of the TLBs, from presets.ts or parseTlb; the model's default when absent. */
  readonly tlb?: TlbGeometry;
  /** M, MAXPHYADDR: 36 to 52, 40 when absent. */
  readonly maxPhysicalBits?: number;
  /** 4 MiB pages above 4 GiB in 32-bit paging; true when absent. */
  readonly pse36?: boolean;
  /** 1 GiB pages; true when absent. */
  readonly page1G?: boolean;
  /** A cache of page-table entries that prices a walk's reads; absent, every read costs the same. */
  readonly entryCache?: TlbShape;
  /** How translations are found; `modelled` when absent. The others take no TLB shape, count nothing and check nothing. */
  readonly path?: TranslationPath;
  /** Compare every TLB hit with a fresh walk, and report stale entries in `checker.found`. */
  readonly check?: boolean;
}

/** INVPCID types. Source: Intel SDM vol. 2, "INVPCID". */
export const INVPCID_ADDRESS = 0;
export const INVPCID_CONTEXT = 1;
export const INVPCID_ALL_WITH_GLOBALS = 2;
export const INVPCID_ALL = 3;

const CR0_LOADS_PDPTES = reg.CR0_CD | reg.CR0_NW | reg.CR0_PG;
const CR4_LOADS_PDPTES = reg.CR4_PAE | reg.CR4_PGE | reg.CR4_PSE | reg.CR4_SMEP;
/** Bits 2:1 and 8:5 of a PAE PDPTE. Source: Intel SDM vol. 3A, "PDPTE Registers". */
const PDPTE_RESERVED_LOW = 0x1e6;

const PATHS: readonly TranslationPath[] = ['modelled', 'soft', 'walk'];

function checkedPath(options: MmuOptions): TranslationPath {
  const path = options.path ?? 'modelled';
  checkChoice('path', path, PATHS);
  for (const option of ['tlb', 'check', 'entryCache'] as const) {
    if (path === 'modelled' || !options[option]) continue;
    throw new RangeError(`${option} cannot go with path '${path}': it is for the modelled TLB; leave it or path out`);
  }
  return path;
}

export class Mmu extends DataPath {
  /** @throws RangeError for a TLB shape that cannot be built, `maxPhysicalBits` out of range, or another path. */
  constructor(options: MmuOptions) {
    const { maxPhysicalBits = 40 } = options;
    checkWhole('maxPhysicalBits', maxPhysicalBits, 36, 52);
    const features = {
      maxPhysicalBits,
      pse36: options.pse36 ?? true,
      page1G: options.page1G ?? true,
    };
    super({
      ram: options.ram,
      features,
      geometry: options.tlb ?? MODEL_DEFAULT,
      check: options.check ?? false,
      entryCache: options.entryCache,
      path: checkedPath(options),
    });
  }

  /** CR0, CR4 and EFER read back unsigned; words of 64-bit registers are int32. */
  get cr0(): number {
    return this.registers.cr0 >>> 0;
  }
  get cr2Hi(): number {
    return this.registers.cr2Hi;
  }
  get cr2Lo(): number {
    return this.registers.cr2Lo;
  }
  get cr3Hi(): number {
    return this.registers.cr3Hi;
  }
  get cr3Lo(): number {
    return this.registers.cr3Lo;
  }
  get cr4(): number {
    return this.registers.cr4 >>> 0;
  }
  get efer(): number {
    return this.registers.efer >>> 0;
  }

  /** MOV to CR2, as exception delivery does it. */
  writeCr2(hi: number, lo: number): void {
    this.registers.cr2Hi = hi;
    this.registers.cr2Lo = lo;
  }

  /**
   * MOV to CR0. Turning paging on with EFER.LME = 1 enters IA-32e mode; into PAE paging it loads the PDPTEs; turning
   * it off drops every translation.
   * @returns OK, or GENERAL_PROTECTION for a value that is refused or a PDPTE with reserved bits.
   */
  writeCr0(value: number): number {
    const { registers } = this;
    if (!reg.acceptsCr0(registers, value)) return this.refuse();
    const before = { cr0: registers.cr0, efer: registers.efer };
    const changed = registers.cr0 ^ value;
    registers.cr0 = (value & reg.CR0_KNOWN) | reg.CR0_ET;
    if (value & reg.CR0_PG && registers.efer & reg.EFER_LME) registers.efer |= reg.EFER_LMA;
    if (!(value & reg.CR0_PG)) registers.efer &= ~reg.EFER_LMA;
    this.updateRules();
    if (changed & CR0_LOADS_PDPTES && !this.loadPdptes()) {
      Object.assign(registers, before);
      this.updateRules();
      return this.refuse();
    }
    if (changed & reg.CR0_PG && !(value & reg.CR0_PG)) this.dropEverything();
    return OK;
  }

  /**
   * MOV to CR3. Drops the translations of the PCID it names that are not global, unless bit 63 says to keep them.
   * Source: Intel SDM vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches".
   */
  writeCr3(hi: number, lo: number): number {
    const { registers } = this;
    if (!reg.acceptsCr3(registers, hi, this.features.maxPhysicalBits)) return this.refuse();
    const before = { cr3Hi: registers.cr3Hi, cr3Lo: registers.cr3Lo };
    const pcids = (registers.cr4 & reg.CR4_PCIDE) !== 0;
    const keep = pcids && hi >> 31 !== 0;
    registers.cr3Hi = reg.longModeActive(registers) ? hi & 0x7fff_ffff : 0;
    registers.cr3Lo = lo;
    if (!this.loadPdptes()) {
      Object.assign(registers, before);
      return this.refuse();
    }
    this.updateRules();
    this.counters.values[count.CR3_WRITES]++;
    if (!keep) this.dropPcid(this.currentPcid);
    return OK;
  }

  /** MOV to CR4, with the invalidations that a change of PGE, PCIDE, PAE, PSE or SMEP makes. */
  writeCr4(value: number): number {
    const { registers } = this;
    if (!reg.acceptsCr4(registers, value)) return this.refuse();
    const before = registers.cr4;
    const changed = before ^ value;
    registers.cr4 = value;
    this.updateRules();
    if (changed & CR4_LOADS_PDPTES && !this.loadPdptes()) {
      registers.cr4 = before;
      this.updateRules();
      return this.refuse();
    }
    // PSE is not in the manual's list; the sizes of cached entries would be wrong, and more may always be dropped.
    const either = reg.CR4_PGE | reg.CR4_PAE | reg.CR4_PSE;
    const drops = (changed & either) | (changed & before & reg.CR4_PCIDE) | (changed & value & reg.CR4_SMEP);
    if (drops !== 0) this.dropEverything();
    return OK;
  }

  /** WRMSR to IA32_EFER; the low word, the high word being reserved. LMA follows CR0.PG and cannot be written. */
  writeEfer(value: number): number {
    const { registers } = this;
    if (!reg.acceptsEfer(registers, value)) return this.refuse();
    registers.efer = (value & ~reg.EFER_LMA) | (registers.efer & reg.EFER_LMA);
    this.updateRules();
    return OK;
  }

  /** WRPKRU: rights of user pages by protection key, two bits a key (AD, WD).  */
  writePkru(value: number): void {
    this.registers.pkru = value;
    this.updateRules();
  }

  /** WRMSR to IA32_PKRS: the same for supervisor pages. */
  writePkrs(value: number): void {
    this.registers.pkrs = value;
    this.updateRules();
  }

  /** RFLAGS.AC, by STAC, CLAC or POPF: with it set, SMAP lets explicit supervisor accesses through. */
  setAc(on: boolean): void {
    this.registers.ac = on;
    this.updateRules();
  }

  /** INVLPG: drops the page's translations, global too, and all paging-structure-cache entries of the PCID. */
  invlpg(hi: number, lo: number): void {
    this.counters.values[count.INVLPG]++;
    // A non-canonical address makes INVLPG do nothing. Source: Intel SDM vol. 2, "INVLPG".
    if (!this.isCanonical(hi)) return;
    this.tlb.dropAddress(hi, lo, this.currentPcid, true);
    this.walkCaches?.dropPcid(this.currentPcid);
    this.soft?.dropPage(lo);
  }

  /**
   * INVPCID, the descriptor being PCID and linear address.
   * @returns OK, or GENERAL_PROTECTION for a type, PCID or address that is refused. Source: Intel SDM vol. 2.
   */
  invpcid(type: number, pcid: number, hi: number, lo: number): number {
    const withoutPcids = (this.registers.cr4 & reg.CR4_PCIDE) === 0;
    const badPcid = (pcid & ~reg.PCID_MASK) !== 0 || (withoutPcids && pcid !== 0 && type <= INVPCID_CONTEXT);
    if ((type & INVPCID_ALL) !== type || badPcid) return this.refuse();
    if (type === INVPCID_ADDRESS && !this.isCanonical(hi)) return this.refuse();
    this.counters.values[count.INVPCID]++;
    this.soft?.dropAll();
    if (type === INVPCID_ADDRESS) {
      this.tlb.dropAddress(hi, lo, pcid, false);
      this.walkCaches?.dropPcid(pcid);
    } else if (type === INVPCID_CONTEXT) {
      this.dropPcid(pcid);
    } else if (type === INVPCID_ALL_WITH_GLOBALS) {
      this.dropEverything();
    } else {
      this.counters.values[count.FLUSHES]++;
      this.tlb.dropAllNonGlobal(-1);
      this.walkCaches?.dropAll();
    }
    return OK;
  }

  private refuse(): number {
    return this.fault.raise(GENERAL_PROTECTION, 0, 0, 0);
  }

  private dropPcid(pcid: number): void {
    this.counters.values[count.FLUSHES]++;
    this.tlb.dropAllNonGlobal(pcid);
    this.walkCaches?.dropPcid(pcid);
  }

  private dropEverything(): void {
    this.counters.values[count.FLUSHES]++;
    this.tlb.dropAll();
    this.walkCaches?.dropAll();
    this.soft?.dropAll();
  }

  /**
   * Under PAE paging, reads the four PDPTEs from CR3 into their registers; later changes in RAM do not count.
   * @returns false, with the registers as they were, when a present one has a reserved bit set.
   */
  private loadPdptes(): boolean {
    if (this.rules.mode !== 'pae') return true;
    const base = this.registers.cr3Lo & ~0x1f;
    const address = -1 << (this.features.maxPhysicalBits - 32);
    const loaded = new Int32Array(8);
    for (let i = 0; i < 4; i++) {
      loaded[2 * i] = this.ram.load64(0, base + 8 * i);
      loaded[2 * i + 1] = this.ram.loadedHigh;
      const reserved = (loaded[2 * i] & PDPTE_RESERVED_LOW) | (loaded[2 * i + 1] & address);
      if (loaded[2 * i] & 1 && reserved !== 0) return false;
    }
    this.pdptes.set(loaded);
    return true;
  }
}
