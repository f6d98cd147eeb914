/**
 * The memory management unit of one logical processor.
 *
 * What software may do to it is what software may do to a real one: write registers, write entries in RAM, and
 * invalidate. Registers that the processor would refuse give GENERAL_PROTECTION and stay as they were.
 */

import * as accesses from './access.js';
import * as address from './address.js';
import * as count from './counters.js';
import * as exception from './exception.js';
import * as memory from './ram.js';
import type { Ram } from './ram.js';
import * as reg from './registers.js';
import type { TlbGeometry } from './tlb/hierarchy.js';
import { MODEL_DEFAULT } from './tlb/presets.js';
import type { TlbShape } from './tlb/tlb.js';
import { Translation } from './translation.js';
import type { TranslationPath } from './translation.js';

// V8 folds a module's own constants and functions into its code; imported ones it loads and tests at each use.
const { FETCH, WRITE } = accesses;
const { PAGE_OFFSET_MASK, SIZE_SHIFTS } = address;
const { GENERAL_PROTECTION, OK } = exception;
const { wordIndex } = memory;

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

function checkedPhysicalBits(bits: number): number {
  if (Number.isInteger(bits) && bits >= 36 && bits <= 52) return bits;
  throw new RangeError(`maxPhysicalBits ${bits} must be a whole number from 36 to 52`);
}

function checkedPath(options: MmuOptions): TranslationPath {
  const path = options.path ?? 'modelled';
  for (const option of ['tlb', 'check', 'entryCache'] as const) {
    if (path === 'modelled' || !options[option]) continue;
    throw new RangeError(`${option} cannot go with path '${path}': it is for the modelled TLB; leave it or path out`);
  }
  return path;
}

/** Loads are made after so many translations: many, so that they overlap on the host, yet few enough for its cache. */
const LOADS_AT_ONCE = 256;

/** Puts the words at offsets `los` of frames in `values` in their place: a loop of its own, without calls. */
function loadWords(words: Int32Array, los: Int32Array, from: number, to: number, values: Int32Array): void {
  for (let i = from; i < to; i++) values[i] = words[wordIndex(values[i], los[i] & PAGE_OFFSET_MASK)];
}

export class Mmu extends Translation {
  /** The value of the last {@link read}, as two words; bytes past its size are 0. */
  valueLo = 0;
  valueHi = 0;
  /** Frames of the last access that was located: of its first byte, and of its second page or -1. */
  firstFrame = -1;
  secondFrame = -1;

  /** @throws RangeError for a TLB shape that cannot be built, or `maxPhysicalBits` out of range. */
  constructor(options: MmuOptions) {
    const features = {
      maxPhysicalBits: checkedPhysicalBits(options.maxPhysicalBits ?? 40),
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

  get cr0(): number {
    return this.registers.cr0;
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
    return this.registers.cr4;
  }
  get efer(): number {
    return this.registers.efer;
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
    registers.cr0 = value | reg.CR0_ET;
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
    const keep = pcids && hi < 0;
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
    if (type < 0 || type > INVPCID_ALL || badPcid) return this.refuse();
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

  /**
   * Translates every byte of an access of `size` bytes (1 to 4096), at most two pages, before any is used; the frames
   * are then in {@link firstFrame} and {@link secondFrame}. A page that holds both ends is looked up once.
   * @returns OK, or the status of the first page that faults.
   */
  locate(hi: number, lo: number, size: number, access: number): number {
    if ((lo & PAGE_OFFSET_MASK) + size > PAGE_OFFSET_MASK + 1) return this.locateAcross(hi, lo, access);
    this.secondFrame = -1;
    this.firstFrame = this.translate(hi, lo, access);
    return this.firstFrame < 0 ? this.firstFrame : OK;
  }

  private locateAcross(hi: number, lo: number, access: number): number {
    const nextLo = ((lo | PAGE_OFFSET_MASK) + 1) | 0;
    const nextHi = nextLo === 0 && reg.longModeActive(this.registers) ? (hi + 1) | 0 : hi;
    if (!this.isCanonical(nextHi)) return this.fault.raise(GENERAL_PROTECTION, 0, hi, lo);
    this.secondFrame = -1;
    this.firstFrame = this.translate(hi, lo, access);
    if (this.firstFrame < 0) return this.firstFrame;
    const samePage = (nextLo & ((1 << SIZE_SHIFTS[this.lastSize]) - 1)) !== 0;
    if (samePage && this.ram.hasFrame(this.firstFrame + 1)) {
      this.secondFrame = this.firstFrame + 1;
      return OK;
    }
    const second = this.translate(nextHi, nextLo, access);
    if (second < 0) return second;
    this.secondFrame = second;
    return OK;
  }

  /** Loads 1 to 8 bytes; the value is then in {@link valueLo} and {@link valueHi}. */
  read(hi: number, lo: number, size: number, access: number): number {
    const status = this.locate(hi, lo, size, access);
    if (status < 0) return status;
    this.valueHi = 0;
    if (size === 4 && this.secondFrame < 0) {
      const frame = this.firstFrame;
      this.valueLo = this.ram.load32(frame >>> 20, (frame << 12) | (lo & PAGE_OFFSET_MASK));
      return OK;
    }
    let low = 0;
    let high = 0;
    for (let i = 0; i < size; i++) {
      const byte = this.loadByte(lo, i);
      if (i < 4) low |= byte << (8 * i);
      else high |= byte << (8 * (i - 4));
    }
    this.valueLo = low;
    this.valueHi = high;
    return OK;
  }

  /**
   * Loads `length` words of 4 bytes from the addresses in `his` and `los` into `values`. As on a processor whose walks
   * run ahead of its loads, a load of a page-table entry may see accessed bits that were set for addresses after it.
   * @returns how many were loaded; fewer than `length` when one faults, whose status is in {@link fault}.
   */
  loadMany(his: Int32Array, los: Int32Array, length: number, access: number, values: Int32Array): number {
    const { words } = this.ram;
    let i = 0;
    while (i < length) {
      const from = i;
      const to = Math.min(from + LOADS_AT_ONCE, length);
      i = this.translateMany(his, los, to, access, values, from, 3);
      loadWords(words, los, from, i, values);
      if (i === to) continue;
      if ((los[i] & 3) === 0 || this.read(his[i], los[i], 4, access) < 0) return i;
      values[i++] = this.valueLo;
    }
    return length;
  }

  /** Stores 1 to 8 bytes; nothing is stored unless every byte may be. `access` is taken as a write. */
  write(hi: number, lo: number, size: number, valueLo: number, valueHi: number, access: number): number {
    const status = this.locate(hi, lo, size, access | WRITE);
    if (status < 0) return status;
    const frame = this.firstFrame;
    if (this.secondFrame < 0 && size === 4) {
      return this.ram.store32(frame >>> 20, (frame << 12) | (lo & PAGE_OFFSET_MASK), valueLo);
    }
    for (let i = 0; i < size; i++) {
      this.storeByte(lo, i, i < 4 ? valueLo >>> (8 * i) : valueHi >>> (8 * (i - 4)));
    }
    return OK;
  }

  /** Fetches 1 to 8 bytes of code into {@link valueLo} and {@link valueHi}. */
  fetch(hi: number, lo: number, size: number, access: number): number {
    return this.read(hi, lo, size, access | FETCH);
  }

  /** The frame of byte `i` of an access that starts at `lo`. */
  private frameOfByte(lo: number, i: number): number {
    return (lo & PAGE_OFFSET_MASK) + i > PAGE_OFFSET_MASK ? this.secondFrame : this.firstFrame;
  }

  private loadByte(lo: number, i: number): number {
    const frame = this.frameOfByte(lo, i);
    return this.ram.load8(frame >>> 20, (frame << 12) | ((lo + i) & PAGE_OFFSET_MASK));
  }

  private storeByte(lo: number, i: number, value: number): void {
    const frame = this.frameOfByte(lo, i);
    this.ram.store8(frame >>> 20, (frame << 12) | ((lo + i) & PAGE_OFFSET_MASK), value);
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
