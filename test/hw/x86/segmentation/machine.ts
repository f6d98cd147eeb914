import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { CR0_PE, CR0_PG, CR4_PAE, EFER_LME } from '../../../../hw/x86/registers.js';
import { packSegment } from '../../../../hw/x86/segmentation/descriptor.js';
import type { SegmentFields } from '../../../../hw/x86/segmentation/descriptor.js';
import { CS } from '../../../../hw/x86/segmentation/register.js';
import { SegmentationUnit } from '../../../../hw/x86/segmentation/unit.js';
import { writeRegisters } from '../../../../hw/x86/write-registers.js';

export const GDT = 0x1000;
export const LDT_BASE = 0x2000;
/** Page tables of the long-mode machine: 2 MiB of identity mapping. */
const TABLES = 0x10_0000;

/** Types of code and data segments, accessed. */
export const READ_ONLY = 1;
export const WRITABLE_DATA = 3;
export const EXPAND_DOWN_DATA = 7;
export const EXECUTE_ONLY = 9;
export const READABLE_CODE = 11;
export const CONFORMING_CODE = 15;

/** A segment of all 4 GiB to be read and written. */
export const FLAT_DATA: SegmentFields = {
  base: 0,
  limit: 0xfffff,
  type: WRITABLE_DATA,
  codeOrData: true,
  privilege: 0,
  present: true,
  available: false,
  long: false,
  big: true,
  granular: true,
};

export interface Machine {
  readonly ram: Ram;
  readonly mmu: Mmu;
  readonly unit: SegmentationUnit;
}

function loadFlat(unit: SegmentationUnit, cpl: number, long: boolean): void {
  for (const register of unit.segments) {
    const type = register.number === CS ? READABLE_CODE : WRITABLE_DATA;
    const flat = packSegment({ ...FLAT_DATA, type, privilege: cpl, long: long && register.number === CS, big: !long });
    register.load(8 | cpl, flat.hi, flat.lo);
  }
  unit.cpl = cpl;
  unit.gdtr.set(0, 0, GDT, 0xfff);
  unit.ldtr.set(0x78, 0, LDT_BASE, 0xff);
}

/** Protected mode without paging, flat segments, a GDT and an LDT with nothing in them. */
export function protectedMachine(cpl = 0): Machine {
  const ram = new Ram({ bytes: 2 ** 24 });
  const mmu = new Mmu({ ram });
  mmu.writeCr0(CR0_PE);
  const unit = new SegmentationUnit(mmu);
  loadFlat(unit, cpl, false);
  return { ram, mmu, unit };
}

/** 64-bit mode (or compatibility mode with `long` false), the first 2 MiB mapped to themselves for all levels. */
export function longMachine(cpl = 0, long = true): Machine {
  const ram = new Ram({ bytes: 2 ** 24 });
  ram.store64(0, TABLES, 0, (TABLES + 0x1000) | 7);
  ram.store64(0, TABLES + 0x1000, 0, (TABLES + 0x2000) | 7);
  ram.store64(0, TABLES + 0x2000, 0, 0x87);
  const mmu = new Mmu({ ram });
  writeRegisters(mmu, { cr0: CR0_PE | CR0_PG, cr3Hi: 0, cr3Lo: TABLES, cr4: CR4_PAE, efer: EFER_LME });
  const unit = new SegmentationUnit(mmu);
  loadFlat(unit, cpl, long);
  return { ram, mmu, unit };
}

/** Stores a segment descriptor as entry `index` of the GDT (or of the table at `table`); what is not said is flat data. */
export function define(machine: Machine, index: number, fields: Partial<SegmentFields>, table = GDT): void {
  const { hi, lo } = packSegment({ ...FLAT_DATA, ...fields });
  machine.ram.store64(0, table + 8 * index, hi, lo);
}

/** The type field of an entry as it is in memory now. */
export function typeInMemory(machine: Machine, index: number, table = GDT): number {
  return machine.ram.load8(0, table + 8 * index + 5) & 15;
}

/** The last fault as `[status, error code]`. */
export function lastFault({ unit }: Machine): [number, number] {
  return [unit.fault.status, unit.fault.errorCode];
}

/** Everything that a fault must leave alone. */
export function snapshot({ unit }: Machine): string {
  const { segments, gdtr, ldtr, tr, cpl, vm, ipHi, ipLo, spHi, spLo } = unit;
  return JSON.stringify({ segments, gdtr, ldtr, tr, cpl, vm, ipHi, ipLo, spHi, spLo });
}
