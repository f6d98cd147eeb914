import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUS_ERROR, OK, PAGE_FAULT } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, STACK_FAULT } from '../../../../hw/x86/exception.js';
import { CR0_PE, CR0_PG, CR0_WP } from '../../../../hw/x86/registers.js';
import { loadSegment, setSegmentBase } from '../../../../hw/x86/segmentation/load.js';
import { CS, DS, ES, FS, GS, SS } from '../../../../hw/x86/segmentation/register.js';
import {
  define,
  EXECUTE_ONLY,
  EXPAND_DOWN_DATA,
  lastFault,
  longMachine,
  protectedMachine,
  READ_ONLY,
  READABLE_CODE,
} from './machine.js';
import type { Machine } from './machine.js';
import type { SegmentFields } from '../../../../hw/x86/segmentation/descriptor.js';
import { runs } from '../../../runs.js';

/** A protected-mode machine with entry 2 of the GDT loaded into `segment`. */
function withSegment(segment: number, fields: Partial<SegmentFields>): Machine {
  const machine = protectedMachine();
  define(machine, 2, fields);
  if (segment === CS) machine.unit.cs.load(0x10, ...wordsOf(machine));
  else expect(loadSegment(machine.unit, segment, 0x10)).toBe(OK);
  return machine;
}

function wordsOf({ ram }: Machine): [number, number] {
  const lo = ram.load64(0, 0x1010);
  return [ram.loadedHigh, lo];
}

describe('accesses through a segment', () => {
  it('land at base + offset', () => {
    const machine = withSegment(DS, { base: 0x12_3000 });
    expect(machine.unit.write(DS, 0, 0x45, 4, 0, 0x1122_3344)).toBe(OK);
    expect(machine.ram.load32(0, 0x12_3045)).toBe(0x1122_3344);
    expect(machine.unit.read(DS, 0, 0x46, 2)).toBe(OK);
    expect(machine.mmu.valueLo).toBe(0x2233);
  });

  it('wrap at 2^32', () => {
    const { unit } = withSegment(DS, { base: 0xffff_f000 });
    expect(unit.read(DS, 0, 0x3004, 4)).toBe(OK);
    expect(unit.linearLo).toBe(0x2004);
  });

  it.each([
    [DS, GENERAL_PROTECTION],
    [ES, GENERAL_PROTECTION],
    [SS, STACK_FAULT],
  ])('past the limit through register %i give status %i with error code 0', (segment, status) => {
    const machine = withSegment(segment, { limit: 0xfff, granular: false });
    expect(machine.unit.read(segment, 0, 0xffc, 4)).toBe(OK);
    expect(machine.unit.read(segment, 0, 0xffd, 4)).toBe(status);
    expect(lastFault(machine)).toEqual([status, 0]);
  });

  it('a limit in pages covers the last page whole', () => {
    const { unit } = withSegment(DS, { limit: 1, granular: true });
    expect(unit.read(DS, 0, 0x1fff, 1)).toBe(OK);
    expect(unit.read(DS, 0, 0x2000, 1)).toBe(GENERAL_PROTECTION);
  });

  it.each([
    [true, 0xffff_fffc, 4, OK],
    [true, 0x1000, 1, OK],
    [true, 0xfff, 1, GENERAL_PROTECTION],
    [false, 0xfffc, 4, OK],
    [false, 0xfffd, 4, GENERAL_PROTECTION],
    [false, 0x10000, 1, GENERAL_PROTECTION],
  ])('expand-down with B = %s, limit 0xfff, at 0x%x for %i bytes gives %i', (big, offset, size, status) => {
    // The base puts offsets near 4 GiB back into RAM.
    const { unit } = withSegment(DS, { type: EXPAND_DOWN_DATA, limit: 0xfff, granular: false, big, base: 0x10_0000 });
    expect(unit.read(DS, 0, offset | 0, size)).toBe(status);
  });

  it('do not write through a read-only segment or through CS', () => {
    expect(withSegment(DS, { type: READ_ONLY }).unit.write(DS, 0, 0, 1, 0, 0)).toBe(GENERAL_PROTECTION);
    expect(withSegment(CS, { type: READABLE_CODE }).unit.write(CS, 0, 0, 1, 0, 0)).toBe(GENERAL_PROTECTION);
  });

  it('do not read from execute-only code, but fetch from it', () => {
    const { unit } = withSegment(CS, { type: EXECUTE_ONLY });
    expect(unit.read(CS, 0, 0, 1)).toBe(GENERAL_PROTECTION);
    expect(unit.fetch(0, 0, 6)).toBe(OK);
  });

  it('fetches past the limit of CS raise #GP(0)', () => {
    const machine = withSegment(CS, { type: READABLE_CODE, limit: 0xff, granular: false });
    expect(machine.unit.fetch(0, 0xfa, 6)).toBe(OK);
    expect(machine.unit.fetch(0, 0xfb, 6)).toBe(GENERAL_PROTECTION);
  });

  it('through a null selector raise #GP(0), the load having succeeded', () => {
    const { unit } = protectedMachine();
    expect(loadSegment(unit, ES, 3)).toBe(OK);
    expect(unit.read(ES, 0, 0, 1)).toBe(GENERAL_PROTECTION);
  });

  it('reach a physical address through paging, and pass its page faults on', () => {
    const machine = withSegment(DS, { base: 0x40_0000 });
    const { ram, mmu, unit } = machine;
    ram.store32(0, 0x8004, 0x9003);
    ram.store32(0, 0x9000, 0x6003);
    mmu.writeCr3(0, 0x8000);
    mmu.writeCr0(CR0_PE | CR0_PG);
    expect(unit.write(DS, 0, 8, 4, 0, 77)).toBe(OK);
    expect(ram.load32(0, 0x6008)).toBe(77);
    unit.cpl = 3;
    expect(unit.write(DS, 0, 8, 4, 0, 78)).toBe(PAGE_FAULT);
    expect(unit.fault.take()).toMatchObject({ status: PAGE_FAULT, errorCode: 7, hi: 0, lo: 0x40_0008 });
  });

  it('the limit is checked before the page', () => {
    const machine = withSegment(DS, { base: 0x40_0000, limit: 0xfff, granular: false });
    machine.mmu.writeCr3(0, 0x8000);
    machine.mmu.writeCr0(CR0_PE | CR0_PG);
    expect(machine.unit.read(DS, 0, 0x1000, 1)).toBe(GENERAL_PROTECTION);
  });
});

describe('any access through any segment', () => {
  /** "Limit Checking" and "Type Checking", byte by byte, for a segment that DS or SS may hold. */
  function allowed(fields: SegmentFields, offset: number, size: number, write: boolean): boolean {
    const { type, limit, granular, big } = fields;
    const isCode = type >= 8;
    if (write && (isCode || type % 4 < 2)) return false;
    const last = granular ? limit * 4096 + 4095 : limit;
    const down = !isCode && type >= 4;
    for (let byte = offset; byte < offset + size; byte++) {
      const valid = down ? byte > last && byte <= (big ? 0xffff_ffff : 0xffff) : byte <= last;
      if (!valid || byte > 0xffff_ffff) return false;
    }
    return true;
  }

  it('is allowed when the manual says so, and lands at base + offset modulo 2^32', () => {
    const machine = protectedMachine();
    const { unit } = machine;
    const segment = fc.record({
      base: fc.nat(0xffff_ffff),
      limit: fc.oneof(fc.nat(0xfffff), fc.nat(20), fc.constantFrom(0xffff, 0xfffff)),
      type: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 14, 15),
      codeOrData: fc.constant(true),
      privilege: fc.constant(0),
      present: fc.constant(true),
      available: fc.boolean(),
      long: fc.boolean(),
      big: fc.boolean(),
      granular: fc.boolean(),
    });
    const edge = fc.constantFrom('start', 'limit', '64 KiB', '4 GiB');
    const access = fc.record({
      edge,
      delta: fc.integer({ min: -9, max: 9 }),
      size: fc.constantFrom(1, 2, 4, 8),
      write: fc.boolean(),
      stack: fc.boolean(),
    });
    fc.assert(
      fc.property(segment, access, (fields, { edge: near, delta, size, write, stack }) => {
        define(machine, 2, fields);
        const register = stack ? SS : DS;
        if (loadSegment(unit, register, 0x10) < 0) return;
        const limit = fields.granular ? fields.limit * 4096 + 4095 : fields.limit;
        const at = { start: 0, limit, '64 KiB': 0x10000, '4 GiB': 0xffff_ffff }[near] + delta;
        const offset = Math.min(0xffff_ffff, Math.max(0, at));
        const status = write
          ? unit.write(register, 0, offset | 0, size, 0, 0)
          : unit.read(register, 0, offset | 0, size);
        // Without paging every address is physical, and most of them are not in RAM.
        const landed = status === OK || status === BUS_ERROR;
        expect(landed ? OK : status).toBe(
          allowed(fields, offset, size, write) ? OK : stack ? STACK_FAULT : GENERAL_PROTECTION,
        );
        if (landed) expect(unit.linearLo >>> 0).toBe((fields.base + offset) % 2 ** 32);
      }),
      { numRuns: runs(3000) },
    );
  });
});

describe('64-bit mode', () => {
  it('ignores base, limit and type, except the bases of FS and GS', () => {
    const { unit } = longMachine();
    for (const segment of [DS, ES, SS, FS, GS]) unit.segments[segment].baseLo = 0x7000;
    for (const segment of [DS, ES, SS]) {
      expect(unit.read(segment, 0, 0x123, 1)).toBe(OK);
      expect(unit.linearLo).toBe(0x123);
    }
    for (const segment of [FS, GS]) {
      expect(unit.read(segment, 0, 0x123, 1)).toBe(OK);
      expect(unit.linearLo).toBe(0x7123);
    }
    loadSegment(unit, DS, 0);
    expect(unit.write(DS, 0, 0x123, 1, 0, 1)).toBe(OK);
  });

  it('adds 64-bit bases with carry, and wraps at 2^64', () => {
    const { unit } = longMachine();
    setSegmentBase(unit, GS, -1, -0x1000);
    expect(unit.read(GS, 0, 0x3010, 1)).toBe(OK);
    expect([unit.linearHi, unit.linearLo]).toEqual([0, 0x2010]);
    setSegmentBase(unit, GS, 1, -1);
    unit.read(GS, 2, 1, 1);
    expect([unit.linearHi, unit.linearLo]).toEqual([4, 0]);
  });

  it('raises #GP(0) for an address that is not canonical, #SS(0) through SS', () => {
    const machine = longMachine();
    expect(machine.unit.read(DS, 0x8000, 0, 1)).toBe(GENERAL_PROTECTION);
    expect(machine.unit.read(SS, 0x8000, 0, 1)).toBe(STACK_FAULT);
    expect(lastFault(machine)).toEqual([STACK_FAULT, 0]);
    expect(machine.unit.fetch(0x8000, 0, 1)).toBe(GENERAL_PROTECTION);
  });

  it('compatibility mode checks limits and wraps at 2^32', () => {
    const machine = longMachine(0, false);
    define(machine, 2, { base: 0xffff_f000, limit: 0x1fff, granular: false });
    expect(machine.unit.mode).toBe('compatibility');
    expect(loadSegment(machine.unit, DS, 0x10)).toBe(OK);
    expect(machine.unit.read(DS, 0, 0x1100, 1)).toBe(OK);
    expect([machine.unit.linearHi, machine.unit.linearLo]).toEqual([0, 0x100]);
    expect(machine.unit.read(DS, 0, 0x2000, 1)).toBe(GENERAL_PROTECTION);
  });
});

describe('an operand that straddles 4 GiB', () => {
  /** The last page below 4 GiB and the first page, each mapped for reads and, as `flags` say, writes. */
  function straddling(long: boolean, flags: number): Machine {
    const machine = longMachine(0, long);
    const { ram, unit } = machine;
    // Under the PDPT of the machine: entry 3, then the last entries of a directory and a table.
    ram.store64(0, 0x10_1018, 0, 0x10_3007);
    ram.store64(0, 0x10_3ff8, 0, 0x10_4007);
    ram.store64(0, 0x10_4ff8, 0, 0x5000 | flags);
    ram.store32(0, 0x5ffc, 0x4433_2211);
    ram.store32(0, 0, 0x0000_6655);
    define(machine, 2, { base: 0xffff_f000, limit: 0x1fff, granular: false });
    expect(loadSegment(unit, DS, 0x10)).toBe(OK);
    return machine;
  }

  it('goes on at 0 in compatibility mode', () => {
    const { unit, mmu, ram } = straddling(false, 7);
    expect(unit.read(DS, 0, 0xffe, 4)).toBe(OK);
    expect(mmu.valueLo).toBe(0x6655_4433);
    expect(unit.read(DS, 0, 0xffc, 8)).toBe(OK);
    expect([mmu.valueHi, mmu.valueLo]).toEqual([0x6655, 0x4433_2211]);
    expect(unit.write(DS, 0, 0xffe, 4, 0, 0x0102_0304)).toBe(OK);
    expect([ram.load16(0, 0x5ffe), ram.load16(0, 0)]).toEqual([0x0304, 0x0102]);
  });

  it('is not written at all when one of its pages refuses', () => {
    const { unit, ram, mmu } = straddling(false, 5);
    mmu.writeCr0(mmu.cr0 | CR0_WP);
    expect(unit.write(DS, 0, 0xffe, 4, 0, -1)).toBe(PAGE_FAULT);
    expect([ram.load16(0, 0x5ffe), ram.load16(0, 0)]).toEqual([0x4433, 0x6655]);
  });

  it('goes on above 4 GiB in 64-bit mode', () => {
    const { unit } = straddling(true, 7);
    expect(unit.read(DS, 0, -2, 4)).toBe(PAGE_FAULT);
    expect([unit.fault.hi, unit.fault.lo]).toEqual([1, 0]);
  });
});

describe('real-address and virtual-8086 mode', () => {
  it('a segment is selector x 16 and 64 KiB long; addresses reach past 1 MiB', () => {
    const { mmu, unit } = protectedMachine();
    mmu.writeCr0(0);
    for (const register of unit.segments) {
      register.last = 0xffff;
      register.loadReal(0xffff);
    }
    expect(unit.mode).toBe('real');
    expect(unit.read(DS, 0, 0xffff, 1)).toBe(OK);
    expect(unit.linearLo).toBe(0x10_ffef);
    expect(unit.read(DS, 0, 0xffff, 2)).toBe(GENERAL_PROTECTION);
    expect(unit.read(SS, 0, 0xffff, 2)).toBe(STACK_FAULT);
    expect(unit.write(CS, 0, 0, 2, 0, 0)).toBe(OK);
  });

  it('virtual-8086 mode runs at CPL 3, under paging', () => {
    const { ram, mmu, unit } = protectedMachine();
    ram.store32(0, 0x8000, 0x9007);
    ram.store32(0, 0x9000 + 4 * 0x12, 0x5007);
    ram.store32(0, 0x9000 + 4 * 0x13, 0x6003);
    mmu.writeCr3(0, 0x8000);
    mmu.writeCr0(CR0_PE | CR0_PG);
    unit.enterVirtual8086([0x1200, 0x1200, 0x1200, 0x1200, 0x1200, 0x1200]);
    expect(unit.mode).toBe('virtual-8086');
    expect(unit.cpl).toBe(3);
    expect(unit.write(DS, 0, 0x10, 1, 0, 0xab)).toBe(OK);
    expect(ram.load8(0, 0x5010)).toBe(0xab);
    expect(unit.read(DS, 0, 0x1010, 1)).toBe(PAGE_FAULT);
    expect(loadSegment(unit, DS, 0x1204)).toBe(OK);
    expect(unit.read(DS, 0, 0, 1)).toBe(OK);
    expect(unit.linearLo).toBe(0x12040);
  });
});

it('a descriptor table that runs past 4 GiB goes on at 0 outside IA-32e mode', () => {
  const machine = protectedMachine();
  machine.unit.gdtr.set(0, 0, -16, 0xff);
  define(machine, 0, { base: 0x7000 }, 0);
  expect(loadSegment(machine.unit, DS, 0x10)).toBe(OK);
  expect(machine.unit.segments[DS].baseLo).toBe(0x7000);
});

it('a fetch at CPL 3 is a user access: it may not reach a supervisor page', () => {
  const { unit, ram } = longMachine(3);
  const directory = ram.load64(0, 0x10_1000) & ~0xfff;
  ram.store64(0, directory, 0, 0x83);
  expect(unit.fetch(0, 0x8000, 1)).toBe(PAGE_FAULT);
  expect(unit.read(DS, 0, 0x8000, 1)).toBe(PAGE_FAULT);
});

it('an access that completes leaves the record of the last fault alone', () => {
  const machine = withSegment(DS, { limit: 0xff, granular: false });
  const { unit } = machine;
  expect(unit.read(DS, 0, 0x100, 1)).toBe(GENERAL_PROTECTION);
  expect([unit.read(DS, 0, 0, 1), unit.write(ES, 0, 0, 1, 0, 0), loadSegment(unit, ES, 0x10)]).toEqual([OK, OK, OK]);
  expect(lastFault(machine)).toEqual([GENERAL_PROTECTION, 0]);
});
