import { describe, expect, it } from 'vitest';
import { OK } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, INVALID_OPCODE, SEGMENT_NOT_PRESENT } from '../../../../hw/x86/exception.js';
import { LDT, TSS_16, TSS_32, TSS_32_BUSY } from '../../../../hw/x86/segmentation/descriptor.js';
import { loadSegment } from '../../../../hw/x86/segmentation/load.js';
import { DS } from '../../../../hw/x86/segmentation/register.js';
import { loadGdt, loadLdt, loadTaskRegister } from '../../../../hw/x86/segmentation/table-registers.js';
import type { SegmentationUnit } from '../../../../hw/x86/segmentation/unit.js';
import { define, GDT, lastFault, LDT_BASE, longMachine, protectedMachine, typeInMemory } from './machine.js';

const LDT_FIELDS = { type: LDT, codeOrData: false, base: LDT_BASE, limit: 0x1f, granular: false };
const TSS_FIELDS = { type: TSS_32, codeOrData: false, base: 0x3000, limit: 0x67, granular: false };

describe('loadLdt', () => {
  it('makes selectors with TI = 1 name entries of the LDT', () => {
    const machine = protectedMachine();
    define(machine, 2, LDT_FIELDS);
    define(machine, 3, { base: 0x7000 }, LDT_BASE);
    expect(loadLdt(machine.unit, 0x10)).toBe(OK);
    expect(loadSegment(machine.unit, DS, 0x1c)).toBe(OK);
    expect(machine.unit.segments[DS].baseLo).toBe(0x7000);
    expect(loadSegment(machine.unit, DS, 0x24)).toBe(GENERAL_PROTECTION);
  });

  it('with a null selector leaves no LDT', () => {
    const machine = protectedMachine();
    define(machine, 0, {}, LDT_BASE);
    expect(loadLdt(machine.unit, 0)).toBe(OK);
    expect(loadSegment(machine.unit, DS, 4)).toBe(GENERAL_PROTECTION);
  });

  it.each([
    ['a selector of the LDT', 0x14, LDT_FIELDS, GENERAL_PROTECTION, 0x14],
    ['another type', 0x10, { ...LDT_FIELDS, type: TSS_32 }, GENERAL_PROTECTION, 0x10],
    ['a data segment', 0x10, { ...LDT_FIELDS, codeOrData: true }, GENERAL_PROTECTION, 0x10],
    ['an LDT that is not present', 0x10, { ...LDT_FIELDS, present: false }, SEGMENT_NOT_PRESENT, 0x10],
    ['a selector past the table', 0x1000, LDT_FIELDS, GENERAL_PROTECTION, 0x1000],
  ])('refuses %s', (_, selector, fields, status, errorCode) => {
    const machine = protectedMachine();
    define(machine, 2, fields);
    expect(loadLdt(machine.unit, selector)).toBe(status);
    expect(lastFault(machine)).toEqual([status, errorCode]);
  });

  it('is for CPL 0, and for protected mode', () => {
    expect(loadLdt(protectedMachine(1).unit, 0)).toBe(GENERAL_PROTECTION);
    const { mmu, unit } = protectedMachine();
    mmu.writeCr0(0);
    expect(loadLdt(unit, 0)).toBe(INVALID_OPCODE);
  });

  it('takes a 64-bit base in IA-32e mode, whose upper half must have type 0 and be canonical', () => {
    const machine = longMachine();
    const { ram, unit } = machine;
    define(machine, 2, LDT_FIELDS);
    ram.store64(0, GDT + 24, 0, -2);
    expect(loadLdt(unit, 0x10)).toBe(OK);
    expect([unit.ldtr.baseHi, unit.ldtr.baseLo]).toEqual([-2, LDT_BASE]);
    ram.store64(0, GDT + 24, 0x200, 0);
    expect(loadLdt(unit, 0x10)).toBe(GENERAL_PROTECTION);
    ram.store64(0, GDT + 24, 0, 0x8000);
    expect(loadLdt(unit, 0x10)).toBe(GENERAL_PROTECTION);
    unit.gdtr.limit = 0x10 + 14;
    ram.store64(0, GDT + 24, 0, 0);
    expect(loadLdt(unit, 0x10)).toBe(GENERAL_PROTECTION);
  });
});

describe('loadTaskRegister', () => {
  it('marks the TSS busy in its descriptor, and then refuses it', () => {
    const machine = protectedMachine();
    define(machine, 2, TSS_FIELDS);
    expect(loadTaskRegister(machine.unit, 0x10)).toBe(OK);
    expect(typeInMemory(machine, 2)).toBe(TSS_32_BUSY);
    expect(machine.unit.tr.type).toBe(TSS_32_BUSY);
    expect(machine.unit.tr.limit).toBe(0x67);
    expect(loadTaskRegister(machine.unit, 0x10)).toBe(GENERAL_PROTECTION);
  });

  it('refuses a null selector, and a TSS that is not present without marking it', () => {
    const machine = protectedMachine();
    define(machine, 2, { ...TSS_FIELDS, present: false });
    expect(loadTaskRegister(machine.unit, 0)).toBe(GENERAL_PROTECTION);
    expect(loadTaskRegister(machine.unit, 0x10)).toBe(SEGMENT_NOT_PRESENT);
    expect(typeInMemory(machine, 2)).toBe(TSS_32);
  });

  it('takes a 16-bit TSS outside IA-32e mode only', () => {
    for (const [machine, status] of [
      [protectedMachine(), OK],
      [longMachine(), GENERAL_PROTECTION],
    ] as const) {
      define(machine, 2, { ...TSS_FIELDS, type: TSS_16 });
      expect(loadTaskRegister(machine.unit, 0x10)).toBe(status);
    }
  });
});

describe('loadGdt', () => {
  it('moves the table, at CPL 0 only', () => {
    const machine = protectedMachine();
    define(machine, 1, { base: 0xabc000 }, 0x4000);
    expect(loadGdt(machine.unit, 0, 0x4000, 15)).toBe(OK);
    expect(loadSegment(machine.unit, DS, 8)).toBe(OK);
    expect(machine.unit.segments[DS].baseLo).toBe(0xabc000);
    expect(loadSegment(machine.unit, DS, 0x10)).toBe(GENERAL_PROTECTION);
    expect(loadGdt(protectedMachine(3).unit, 0, 0, 0)).toBe(GENERAL_PROTECTION);
  });

  it('refuses a base that is not canonical in 64-bit mode', () => {
    expect(loadGdt(longMachine().unit, 0x8000, 0, 0xff)).toBe(GENERAL_PROTECTION);
  });
});

it.each([
  ['LLDT', (unit: SegmentationUnit) => loadLdt(unit, 0x10)],
  ['LTR', (unit: SegmentationUnit) => loadTaskRegister(unit, 0x10)],
  ['LGDT', (unit: SegmentationUnit) => loadGdt(unit, 0, GDT, 0xff)],
])('%s outside CPL 0 is #GP(0), whatever the selector', (_name, load) => {
  const machine = protectedMachine(3);
  expect(load(machine.unit)).toBe(GENERAL_PROTECTION);
  expect(lastFault(machine)).toEqual([GENERAL_PROTECTION, 0]);
});
