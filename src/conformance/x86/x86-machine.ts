/**
 * The machine for recorded x86 cases: set up a state as an operating system would, make one access, look.
 *
 * Everything goes through the hardware layer's public face: registers, stores to RAM, segment loads, accesses and
 * invalidations. One RAM and one processor serve all cases; each case leaves RAM zero again.
 */

import type { Word64 } from '../../../hw/base/address.js';
import { PAGE_OFFSET_MASK } from '../../../hw/base/address.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import { vectorOf } from '../../../hw/x86/exception.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { PTE_P, PTE_RW, PTE_US } from '../../../hw/x86/format.js';
import { Ram } from '../../../hw/memory/ram.js';
import { CR0_PG, CR4_PCIDE, EFER_LMA } from '../../../hw/x86/registers.js';
import { CS, SEGMENT_NAMES } from '../../../hw/x86/segmentation/register.js';
import { SegmentationUnit } from '../../../hw/x86/segmentation/unit.js';
import { writeRegisters } from '../../../hw/x86/write-registers.js';
import { physical } from '../recording/words.js';
import type { Stored } from '../recording/hex.js';
import type { AccessOutcome, Fault } from './x86-case.js';

/** MAXPHYADDR of all recorded machines. */
export const RECORDED_PHYSICAL_BITS = 40;
/** Recorded entries name frames below 8 GiB. RAM costs nothing until it is touched. */
const RAM_BYTES = 2 ** 33;
/** A page table of the recorder's own, identity-mapped under index 0 of the root; its address is not recorded. */
const MONITOR_TABLE = 0x6000;

/** Flat descriptors: high words without the DPL; the low word holds base 0 and the largest limit. */
const FLAT_LOW = 0xffff;
const FLAT_DATA = 0xcf9300;
const FLAT_CODE = 0xcf9b00;
const FLAT_CODE_64 = 0xaf9b00;

/** The registers of a case. */
export interface RecordedRegisters {
  readonly cr0: Word64;
  readonly cr3: Word64;
  readonly cr4: Word64;
  readonly efer: Word64;
  readonly pkru?: Word64;
  readonly cpl: number;
  /** RFLAGS.AC. */
  readonly ac?: number;
}

/** One processor in the state of a case. */
export interface ReplayedProcessor {
  readonly mmu: Mmu;
  readonly unit: SegmentationUnit;
}

export class X86Machine {
  readonly ram = new Ram({ bytes: RAM_BYTES });
  readonly #mmu = new Mmu({ ram: this.ram, maxPhysicalBits: RECORDED_PHYSICAL_BITS });
  #entryBytes = 8;

  /** Stores the entries of a case, 4 bytes each in 32-bit paging and 8 otherwise. */
  storeEntries(mode: string, entries: readonly Stored[]): void {
    this.#entryBytes = mode === '32' ? 4 : 8;
    for (const [address, value] of entries) this.storeEntry(address, value);
  }

  storeEntry(address: Word64, value: Word64): void {
    if (this.#entryBytes === 4) this.ram.store32(address.hi, address.lo, value.lo);
    else this.ram.store64(address.hi, address.lo, value.hi, value.lo);
  }

  loadEntry(address: Word64): Word64 {
    if (this.#entryBytes === 4) return { hi: 0, lo: this.ram.load32(address.hi, address.lo) };
    return this.loadDescriptor(address);
  }

  loadDescriptor(address: Word64): Word64 {
    const lo = this.ram.load64(address.hi, address.lo);
    return { hi: this.ram.loadedHigh, lo };
  }

  /** Zeroes what {@link storeEntries} stored. */
  clear(entries: readonly Stored[]): void {
    for (const [address] of entries) this.storeEntry(address, { hi: 0, lo: 0 });
  }

  /** Maps the lowest 64 KiB to itself, as the recorder does for its own code and tables, under index 0 of the root. */
  mapMonitor(cr3: Word64): void {
    const flags = PTE_P | PTE_RW | PTE_US;
    this.ram.store32(0, cr3.lo & ~PAGE_OFFSET_MASK, MONITOR_TABLE | flags);
    for (let page = 0; page < 16; page++) this.ram.store32(0, MONITOR_TABLE + 4 * page, (page << 12) | flags);
  }

  unmapMonitor(cr3: Word64): void {
    this.ram.store32(0, cr3.lo & ~PAGE_OFFSET_MASK, 0);
    this.ram.zeroFrames(MONITOR_TABLE >>> 12);
  }

  /**
   * The processor with the registers of a case, flat segments and the case's CPL. Nothing of the case before is left in
   * TLBs and caches, emptied as by software: by turning paging off.
   * @returns the fault instead, when a register write is refused: MOV to CR0 with a bad PDPTE, for one.
   */
  boot(registers: RecordedRegisters): ReplayedProcessor | Fault {
    const mmu = this.#mmu;
    powerDown(mmu);
    const unit = new SegmentationUnit(mmu);
    const { cr0, cr3, cr4, efer } = registers;
    const values = { cr0: cr0.lo, cr3Hi: cr3.hi, cr3Lo: cr3.lo, cr4: cr4.lo, efer: efer.lo };
    const refused = writeRegisters(mmu, values);
    if (refused < 0)
      return { k: 'fault', vec: vectorOf(refused), err: { hi: 0, lo: mmu.fault.errorCode }, at: 'crload' };
    mmu.writePkru(registers.pkru?.lo ?? 0);
    mmu.setAc(registers.ac === 1);
    loadFlatSegments(unit, registers.cpl);
    return { mmu, unit };
  }
}

/** Leaves paging and long mode, the way back that {@link writeRegisters} came. */
function powerDown(mmu: Mmu): void {
  mmu.writeCr4(mmu.cr4 & ~CR4_PCIDE);
  mmu.writeCr0(0);
  mmu.writeCr4(0);
  mmu.writeEfer(0);
}

/** Flat segments of the level `cpl`, the code segment being 64-bit in IA-32e mode. */
export function loadFlatSegments(unit: SegmentationUnit, cpl: number): void {
  const level = cpl << 13;
  const long = (unit.memory.efer & EFER_LMA) !== 0 && (unit.memory.cr0 & CR0_PG) !== 0;
  for (const register of unit.segments) {
    const flat = register.number === CS ? (long ? FLAT_CODE_64 : FLAT_CODE) : FLAT_DATA;
    register.load(8 | cpl, flat | level, FLAT_LOW);
  }
  unit.cpl = cpl;
}

/** The number of a segment register by its lower-case name. */
export function segmentNumber(name: string): number {
  return SEGMENT_NAMES.indexOf(name.toUpperCase());
}

export type Operation = 'r' | 'w' | 'rmw' | 'x';

/** Makes one access at segment:offset; data accesses go through `segment`, fetches through CS. */
export function access(
  { unit, mmu }: ReplayedProcessor,
  operation: Operation,
  segment: number,
  offset: Word64,
  size: number,
): AccessOutcome {
  const status = run(unit, operation, segment, offset, size);
  if (status < 0) return faultOf(unit);
  const pa = [physical(mmu.firstFrame, unit.linearLo & PAGE_OFFSET_MASK)];
  if (mmu.secondFrame >= 0) pa.push(physical(mmu.secondFrame, 0));
  return { k: 'ok', pa };
}

/** The same, and nothing of its result but the status. */
export function run(
  unit: SegmentationUnit,
  operation: Operation,
  segment: number,
  offset: Word64,
  size: number,
): number {
  switch (operation) {
    case 'r':
      return unit.read(segment, offset.hi, offset.lo, size);
    case 'x':
      return unit.fetch(offset.hi, offset.lo, size);
    default:
      // A locked read-modify-write is checked as a write. Zeros, because RAM outside the case must stay zero.
      return unit.write(segment, offset.hi, offset.lo, size, 0, 0);
  }
}

/** The unit's last fault in the form of a recording. */
export function faultOf(unit: SegmentationUnit, at?: string): Fault {
  const { status, errorCode, hi, lo } = unit.fault;
  return {
    k: 'fault',
    vec: vectorOf(status),
    err: { hi: 0, lo: errorCode },
    ...(status === PAGE_FAULT ? { cr2: { hi, lo } } : {}),
    ...(at === undefined ? {} : { at }),
  };
}
