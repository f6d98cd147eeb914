import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OK, PAGE_FAULT } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, INVALID_OPCODE, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../../../../hw/x86/exception.js';
import { CR0_PE, CR0_PG, CR0_WP } from '../../../../hw/x86/registers.js';
import { loadSegment, setSegmentBase } from '../../../../hw/x86/segmentation/load.js';
import { CS, DS, ES, FS, GS, SS } from '../../../../hw/x86/segmentation/register.js';
import {
  CONFORMING_CODE,
  define,
  EXECUTE_ONLY,
  GDT,
  lastFault,
  LDT_BASE,
  longMachine,
  protectedMachine,
  READ_ONLY,
  READABLE_CODE,
  snapshot,
  typeInMemory,
  WRITABLE_DATA,
} from './machine.js';
import { runs } from '../../../runs.js';

/** SDM vol. 2, "MOV—Move", written out a second time, for any descriptor: `[status, error code]`. */
function expectedLoad(
  stack: boolean,
  selector: number,
  cpl: number,
  inTable: boolean,
  descriptor: { type: number; codeOrData: boolean; privilege: number; present: boolean },
): [number, number] {
  const rpl = selector % 4;
  const code = selector - rpl;
  if (selector < 4) return stack ? [GENERAL_PROTECTION, 0] : [OK, 0];
  if (!inTable) return [GENERAL_PROTECTION, code];
  const { type, codeOrData, privilege, present } = descriptor;
  const isCode = codeOrData && type >= 8;
  const writable = codeOrData && [2, 3, 6, 7].includes(type);
  if (stack) {
    if (rpl !== cpl || !writable || privilege !== cpl) return [GENERAL_PROTECTION, code];
    return present ? [OK, 0] : [STACK_FAULT, code];
  }
  const readable = codeOrData && (!isCode || [10, 11, 14, 15].includes(type));
  const conforming = isCode && type >= 12;
  if (!readable || (!conforming && (rpl > privilege || cpl > privilege))) return [GENERAL_PROTECTION, code];
  return present ? [OK, 0] : [SEGMENT_NOT_PRESENT, code];
}

describe('loadSegment', () => {
  it('does what the MOV page says for every descriptor, selector and level, and a fault changes nothing', () => {
    const machine = protectedMachine();
    const fields = fc.record({
      type: fc.nat(15),
      codeOrData: fc.boolean(),
      privilege: fc.nat(3),
      present: fc.boolean(),
    });
    const selector = fc.oneof(fc.nat(0xff), fc.nat(7));
    fc.assert(
      fc.property(fields, selector, fc.nat(3), fc.constantFrom(ES, SS, DS, FS, GS), (descriptor, sel, cpl, segment) => {
        const { unit } = machine;
        const table = (sel & 4) !== 0 ? LDT_BASE : GDT;
        unit.gdtr.limit = 0x7f;
        unit.ldtr.limit = 0x46;
        unit.cpl = cpl;
        define(machine, sel >> 3, descriptor, table);
        const before = snapshot(machine);
        const inTable = (sel & 0xf8) + 7 <= ((sel & 4) !== 0 ? 0x46 : 0x7f);
        const [status, errorCode] = expectedLoad(segment === SS, sel, cpl, inTable, descriptor);
        expect(loadSegment(unit, segment, sel)).toBe(status);
        const accessed = status === OK && sel >= 4;
        expect(typeInMemory(machine, sel >> 3, table)).toBe(accessed ? descriptor.type | 1 : descriptor.type);
        if (status < 0) {
          expect(lastFault(machine)).toEqual([status, errorCode]);
          expect(snapshot(machine)).toBe(before);
        } else expect(unit.segments[segment].selector).toBe(sel);
      }),
      { numRuns: runs(3000) },
    );
  });

  it('keeps the hidden part when the descriptor changes in memory', () => {
    const machine = protectedMachine();
    define(machine, 2, { base: 0x5000 });
    loadSegment(machine.unit, DS, 0x10);
    define(machine, 2, { base: 0x9000 });
    machine.unit.read(DS, 0, 4, 4);
    expect(machine.unit.linearLo).toBe(0x5004);
    loadSegment(machine.unit, DS, 0x10);
    machine.unit.read(DS, 0, 4, 4);
    expect(machine.unit.linearLo).toBe(0x9004);
  });

  it('refuses every LDT selector while LDTR is null', () => {
    const machine = protectedMachine();
    define(machine, 0, {}, LDT_BASE);
    machine.unit.ldtr.set(0, 0, 0, -1);
    expect(loadSegment(machine.unit, DS, 4)).toBe(GENERAL_PROTECTION);
    expect(lastFault(machine)).toEqual([GENERAL_PROTECTION, 4]);
  });

  it('raises the page fault of the table, as a supervisor access, before anything changes', () => {
    const machine = protectedMachine(3);
    machine.ram.store32(0, 0x8000, 0x9007);
    machine.mmu.writeCr3(0, 0x8000);
    machine.mmu.writeCr0(CR0_PE | CR0_PG);
    const before = snapshot(machine);
    expect(loadSegment(machine.unit, DS, 0x13)).toBe(PAGE_FAULT);
    expect(machine.unit.fault.take()).toMatchObject({ status: PAGE_FAULT, errorCode: 0, hi: 0, lo: GDT + 0x10 });
    expect(snapshot(machine)).toBe(before);
  });

  it('raises a write fault when the accessed bit cannot be set in a read-only page', () => {
    const machine = protectedMachine(3);
    define(machine, 2, { type: 2, privilege: 3 });
    machine.ram.store32(0, 0x8000, 0x9007);
    machine.ram.store32(0, 0x9004, GDT | 5);
    machine.mmu.writeCr3(0, 0x8000);
    machine.mmu.writeCr0(CR0_PE | CR0_PG | CR0_WP);
    const before = snapshot(machine);
    expect(loadSegment(machine.unit, DS, 0x13)).toBe(PAGE_FAULT);
    expect(machine.unit.fault.take()).toMatchObject({ status: PAGE_FAULT, errorCode: 3, hi: 0, lo: GDT + 0x15 });
    expect(snapshot(machine)).toBe(before);
    expect(typeInMemory(machine, 2)).toBe(2);
  });

  it('does not write a descriptor whose accessed bit is set', () => {
    const machine = protectedMachine(3);
    define(machine, 2, { type: WRITABLE_DATA, privilege: 3 });
    machine.ram.store32(0, 0x8000, 0x9007);
    machine.ram.store32(0, 0x9004, GDT | 5);
    machine.mmu.writeCr3(0, 0x8000);
    machine.mmu.writeCr0(CR0_PE | CR0_PG | CR0_WP);
    expect(loadSegment(machine.unit, DS, 0x13)).toBe(OK);
  });

  it('CS is not loaded by MOV', () => {
    expect(loadSegment(protectedMachine().unit, CS, 8)).toBe(INVALID_OPCODE);
  });

  it('SS may be null in 64-bit mode below CPL 3, with RPL = CPL', () => {
    expect(loadSegment(longMachine(0).unit, SS, 0)).toBe(OK);
    expect(loadSegment(longMachine(0).unit, SS, 1)).toBe(GENERAL_PROTECTION);
    expect(loadSegment(longMachine(3).unit, SS, 3)).toBe(GENERAL_PROTECTION);
    expect(loadSegment(longMachine(0, false).unit, SS, 0)).toBe(GENERAL_PROTECTION);
  });

  it.each([
    [0x0000, 0],
    [0x1234, 0x12340],
    [0xffff, 0xffff0],
  ])('in real-address mode selector 0x%x is base 0x%x', (selector, base) => {
    const { mmu, unit } = protectedMachine();
    mmu.writeCr0(0);
    expect(loadSegment(unit, DS, selector)).toBe(OK);
    unit.read(DS, 0, 0x10, 1);
    expect(unit.linearLo).toBe(base + 0x10);
  });
});

describe('setSegmentBase', () => {
  it('refuses a base that is not canonical', () => {
    const machine = longMachine();
    expect(setSegmentBase(machine.unit, FS, 0x8000, 0)).toBe(GENERAL_PROTECTION);
    expect(setSegmentBase(machine.unit, FS, -1, 0)).toBe(OK);
  });
});

describe('types that loads tell apart', () => {
  it.each([
    [READ_ONLY, OK],
    [EXECUTE_ONLY, GENERAL_PROTECTION],
    [READABLE_CODE, OK],
    [CONFORMING_CODE, OK],
  ])('type %i into DS gives %i', (type, status) => {
    const machine = protectedMachine();
    define(machine, 3, { type });
    expect(loadSegment(machine.unit, DS, 0x18)).toBe(status);
  });
});
