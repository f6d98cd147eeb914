import { beforeEach, describe, expect, it } from 'vitest';
import { BUS_ERROR, OK } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, INVALID_TSS, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../../../../hw/x86/exception.js';
import { CALL_GATE_16, CALL_GATE_32, packCallGate } from '../../../../hw/x86/segmentation/descriptor.js';
import type { CallGateFields } from '../../../../hw/x86/segmentation/descriptor.js';
import { farCall, farJump } from '../../../../hw/x86/segmentation/far-transfer.js';
import { CONFORMING_CODE, define, GDT, lastFault, longMachine, protectedMachine } from './machine.js';
import { READABLE_CODE, snapshot, typeInMemory } from './machine.js';
import type { Machine } from './machine.js';

const GATE_INDEX = 2;
const GATE = 0x13;
const CODE_INDEX = 4;
const CODE = 0x20;
const STACK_INDEX = 5;
const STACK = 0x28;
const TSS = 0x3000;

function defineGate(machine: Machine, fields: Partial<CallGateFields> = {}): void {
  const { hi, lo } = packCallGate({
    offset: 0x1_2345,
    selector: CODE,
    parameters: 0,
    type: CALL_GATE_32,
    privilege: 3,
    present: true,
    ...fields,
  });
  machine.ram.store64(0, GDT + 8 * GATE_INDEX, hi, lo);
}

/** CPL 3 before a gate to level 0, whose stack ends at 0x9000. */
function userBeforeGate(): Machine {
  const machine = protectedMachine(3);
  const { unit, ram } = machine;
  defineGate(machine);
  define(machine, CODE_INDEX, { type: READABLE_CODE - 1 });
  define(machine, STACK_INDEX, { type: 2 });
  unit.tr.set(0x70, 0, TSS, 0x67, 11);
  ram.store32(0, TSS + 4, 0x9000);
  ram.store16(0, TSS + 8, STACK);
  unit.cs.selector = 0x4b;
  unit.ss.selector = 0x53;
  unit.ipLo = 0x777;
  unit.spLo = 0x6000;
  return machine;
}

describe('a call gate to an inner level', () => {
  let machine: Machine;
  beforeEach(() => {
    machine = userBeforeGate();
  });

  it('runs the entry point at the level of the code segment, on the stack of the TSS', () => {
    const { unit } = machine;
    expect(farCall(unit, GATE, 0, 0xdead, 4)).toBe(OK);
    expect(unit.cpl).toBe(0);
    expect([unit.cs.selector, unit.ipLo]).toEqual([CODE, 0x1_2345]);
    expect([unit.ss.selector, unit.spLo]).toEqual([STACK, 0x9000 - 16]);
  });

  it('pushes the old stack and the return address', () => {
    const { unit, ram } = machine;
    farCall(unit, GATE, 0, 0, 4);
    const pushed = [0x8ffc, 0x8ff8, 0x8ff4, 0x8ff0].map((address) => ram.load32(0, address));
    expect(pushed).toEqual([0x53, 0x6000, 0x4b, 0x777]);
  });

  it('copies parameters in the order the caller pushed them', () => {
    const { unit, ram } = machine;
    defineGate(machine, { parameters: 2 });
    ram.store32(0, 0x6000, 0xa);
    ram.store32(0, 0x6004, 0xb);
    expect(farCall(unit, GATE, 0, 0, 4)).toBe(OK);
    expect(unit.spLo).toBe(0x9000 - 24);
    const pushed = [0x8ff4, 0x8ff0, 0x8fec, 0x8fe8].map((address) => ram.load32(0, address));
    expect(pushed).toEqual([0xb, 0xa, 0x4b, 0x777]);
  });

  it('marks code and stack segments accessed', () => {
    farCall(machine.unit, GATE, 0, 0, 4);
    expect(typeInMemory(machine, CODE_INDEX)).toBe(READABLE_CODE);
    expect(typeInMemory(machine, STACK_INDEX)).toBe(3);
  });

  it('uses 16-bit slots, entry point and stack pointer with a 16-bit gate and TSS', () => {
    const { unit, ram } = machine;
    defineGate(machine, { type: CALL_GATE_16, parameters: 1 });
    unit.tr.type = 3;
    ram.store16(0, TSS + 2, 0x9000);
    ram.store16(0, TSS + 4, STACK);
    ram.store16(0, 0x6000, 0xcafe);
    expect(farCall(unit, GATE, 0, 0, 2)).toBe(OK);
    expect([unit.ipLo, unit.spLo]).toEqual([0x2345, 0x9000 - 10]);
    const pushed = [0x8ffe, 0x8ffc, 0x8ffa, 0x8ff8, 0x8ff6].map((address) => ram.load16(0, address));
    expect(pushed).toEqual([0x53, 0x6000, 0xcafe, 0x4b, 0x777]);
  });

  it.each<[string, (machine: Machine) => void, number, number]>([
    [
      'a gate of an inner level',
      (m) => {
        defineGate(m, { privilege: 2 });
      },
      GENERAL_PROTECTION,
      0x10,
    ],
    [
      'a gate that is not present',
      (m) => {
        defineGate(m, { present: false });
      },
      SEGMENT_NOT_PRESENT,
      0x10,
    ],
    [
      'a null code selector',
      (m) => {
        defineGate(m, { selector: 2 });
      },
      GENERAL_PROTECTION,
      0,
    ],
    [
      'a code selector past the table',
      (m) => {
        defineGate(m, { selector: 0xfff8 });
      },
      GENERAL_PROTECTION,
      0xfff8,
    ],
    [
      'a data segment',
      (m) => {
        defineGate(m, { selector: STACK });
      },
      GENERAL_PROTECTION,
      STACK,
    ],
    [
      'code that is not present',
      (m) => {
        define(m, CODE_INDEX, { type: 11, present: false });
      },
      SEGMENT_NOT_PRESENT,
      CODE,
    ],
    [
      'an entry point past the limit',
      (m) => {
        define(m, CODE_INDEX, { type: 11, limit: 1 });
      },
      GENERAL_PROTECTION,
      0,
    ],
    ['a TSS that is too short', (m) => (m.unit.tr.limit = 8), INVALID_TSS, 0x70],
    [
      'no TSS at all',
      (m) => {
        m.unit.tr.set(0, 0, 0, -1);
      },
      INVALID_TSS,
      0,
    ],
    ['a null stack selector', (m) => m.ram.store16(0, TSS + 8, 0), INVALID_TSS, 0],
    ['a stack selector past the table', (m) => m.ram.store16(0, TSS + 8, 0xfff8), INVALID_TSS, 0xfff8],
    ['a stack selector of another level', (m) => m.ram.store16(0, TSS + 8, STACK | 1), INVALID_TSS, STACK],
    [
      'a stack segment of another level',
      (m) => {
        define(m, STACK_INDEX, { privilege: 1 });
      },
      INVALID_TSS,
      STACK,
    ],
    [
      'a stack that cannot be written',
      (m) => {
        define(m, STACK_INDEX, { type: 1 });
      },
      INVALID_TSS,
      STACK,
    ],
    [
      'a stack that is not present',
      (m) => {
        define(m, STACK_INDEX, { present: false });
      },
      STACK_FAULT,
      STACK,
    ],
    [
      'a stack without room',
      (m) => {
        define(m, STACK_INDEX, { limit: 0x8ffe, granular: false });
      },
      STACK_FAULT,
      STACK,
    ],
  ])('%s is refused, and no register changes', (_, spoil, status, errorCode) => {
    spoil(machine);
    const before = snapshot(machine);
    expect(farCall(machine.unit, GATE, 0, 0, 4)).toBe(status);
    expect(lastFault(machine)).toEqual([status, errorCode]);
    expect(snapshot(machine)).toBe(before);
  });

  it('is not for jumps', () => {
    expect(farJump(machine.unit, GATE, 0, 0, 4)).toBe(GENERAL_PROTECTION);
    expect(lastFault(machine)).toEqual([GENERAL_PROTECTION, CODE]);
  });
});

describe('a call gate to the same level', () => {
  it('keeps the stack and pushes the return address only', () => {
    const machine = userBeforeGate();
    const { unit } = machine;
    define(machine, CODE_INDEX, { type: READABLE_CODE, privilege: 3 });
    expect(farCall(unit, GATE, 0, 0, 4)).toBe(OK);
    expect([unit.cpl, unit.cs.selector, unit.ss.selector, unit.spLo]).toEqual([3, CODE | 3, 0x53, 0x5ff8]);
  });

  it('may be jumped through, and conforming code of an inner level keeps the CPL', () => {
    const machine = userBeforeGate();
    define(machine, CODE_INDEX, { type: CONFORMING_CODE, privilege: 0 });
    expect(farJump(machine.unit, GATE, 0, 0, 4)).toBe(OK);
    expect([machine.unit.cpl, machine.unit.cs.selector, machine.unit.ipLo]).toEqual([3, CODE | 3, 0x1_2345]);
  });
});

describe('a 64-bit call gate', () => {
  const LONG_CODE = { type: READABLE_CODE, long: true, big: false };

  function userInLongMode(): Machine {
    const machine = longMachine(3);
    const { unit, ram } = machine;
    defineGate(machine);
    ram.store64(0, GDT + 8 * GATE_INDEX + 8, 0, 7);
    define(machine, CODE_INDEX, LONG_CODE);
    unit.tr.set(0x70, 0, TSS, 0x67, 11);
    ram.store64(0, TSS + 4, 0, 0x9000);
    unit.cs.selector = 0x4b;
    unit.ss.selector = 0x53;
    unit.ipLo = 0x777;
    unit.spHi = 0;
    unit.spLo = 0x6000;
    return machine;
  }

  it('takes RSP from the TSS, a null SS with the new CPL, and a 64-bit entry point', () => {
    const machine = userInLongMode();
    const { unit, ram } = machine;
    expect(farCall(unit, GATE, 0, 0, 8)).toBe(OK);
    expect([unit.cpl, unit.cs.selector, unit.ss.selector]).toEqual([0, CODE, 0]);
    expect([unit.ipHi, unit.ipLo, unit.spHi, unit.spLo]).toEqual([7, 0x1_2345, 0, 0x9000 - 32]);
    const pushed = [0x8ff8, 0x8ff0, 0x8fe8, 0x8fe0].map((address) => ram.read64(address));
    expect(pushed).toEqual([0x53n, 0x6000n, 0x4bn, 0x777n]);
  });

  it.each<[string, (machine: Machine) => void, number, number]>([
    ['upper half of another type', (m) => m.ram.store64(0, GDT + 24, 0x100, 7), GENERAL_PROTECTION, 0x10],
    [
      '16-bit gate',
      (m) => {
        defineGate(m, { type: CALL_GATE_16 });
      },
      GENERAL_PROTECTION,
      0x10,
    ],
    [
      'compatibility-mode code',
      (m) => {
        define(m, CODE_INDEX, { type: READABLE_CODE });
      },
      GENERAL_PROTECTION,
      CODE,
    ],
    ['entry point that is not canonical', (m) => m.ram.store64(0, GDT + 24, 0, 0x8000), GENERAL_PROTECTION, 0],
    ['stack that is not canonical', (m) => m.ram.store64(0, TSS + 4, 0x8000, 0x100), STACK_FAULT, 0],
    ['TSS that is too short', (m) => (m.unit.tr.limit = 10), INVALID_TSS, 0x70],
  ])('refuses an %s', (_, spoil, status, errorCode) => {
    const machine = userInLongMode();
    spoil(machine);
    const before = snapshot(machine);
    expect(farCall(machine.unit, GATE, 0, 0, 8)).toBe(status);
    expect(lastFault(machine)).toEqual([status, errorCode]);
    expect(snapshot(machine)).toBe(before);
  });
});

describe('the stack that a call gate finds in the TSS', () => {
  it.each([
    ['a 32-bit TSS', 11, 9],
    ['a 16-bit TSS', 3, 5],
  ])('must lie within the limit of %s, last byte included', (_what, type, last) => {
    const machine = userBeforeGate();
    const { unit, ram } = machine;
    // Both halves of the 32-bit pointer's place serve as a stack of either size.
    ram.store32(0, TSS, type === 3 ? 0x9000_0000 : 0);
    if (type === 3) ram.store16(0, TSS + 4, STACK);
    unit.tr.set(0x70, 0, TSS, last - 1, type);
    expect(farCall(unit, GATE, 0, 0, 4)).toBe(INVALID_TSS);
    expect(lastFault(machine)).toEqual([INVALID_TSS, 0x70]);
    unit.tr.limit = last;
    expect(farCall(unit, GATE, 0, 0, 4)).toBe(OK);
    expect(unit.spLo).toBe(0x9000 - 16);
  });

  it('may lie above 64 KiB in a 32-bit TSS', () => {
    const { unit, ram } = userBeforeGate();
    ram.store32(0, TSS + 4, 0x5_9000);
    expect(farCall(unit, GATE, 0, 0, 4)).toBe(OK);
    expect(unit.spLo).toBe(0x5_9000 - 16);
  });

  it('must take what is pushed: a fault leaves all as it was', () => {
    const machine = userBeforeGate();
    machine.ram.store32(0, TSS + 4, 0x4000_0000);
    const before = snapshot(machine);
    expect(farCall(machine.unit, GATE, 0, 0, 4)).toBe(BUS_ERROR);
    expect(snapshot(machine)).toBe(before);
  });
});
