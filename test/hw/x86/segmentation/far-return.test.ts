import { beforeEach, describe, expect, it } from 'vitest';
import { OK } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../../../../hw/x86/exception.js';
import { farReturn } from '../../../../hw/x86/segmentation/far-return.js';
import { loadSegment } from '../../../../hw/x86/segmentation/load.js';
import { DS, ES } from '../../../../hw/x86/segmentation/register.js';
import { CONFORMING_CODE, define, lastFault, longMachine, protectedMachine } from './machine.js';
import { READABLE_CODE, snapshot, typeInMemory } from './machine.js';
import type { Machine } from './machine.js';

const STACK = 0x6000;
const INNER_CODE = 0x10;
const OUTER_CODE = 0x18;
const OUTER_STACK = 0x20;

/** CPL 0 with code of levels 0 and 3 and a stack of level 3 in the GDT. */
function machineAtLevel0(): Machine {
  const machine = protectedMachine();
  define(machine, INNER_CODE >> 3, { type: READABLE_CODE - 1 });
  define(machine, OUTER_CODE >> 3, { type: READABLE_CODE, privilege: 3 });
  define(machine, OUTER_STACK >> 3, { type: 2, privilege: 3 });
  machine.unit.spLo = STACK;
  return machine;
}

function push(machine: Machine, ...values: readonly number[]): void {
  values.forEach((value, index) => machine.ram.store32(0, STACK + 4 * index, value));
}

describe('farReturn', () => {
  let machine: Machine;
  beforeEach(() => {
    machine = machineAtLevel0();
  });

  it('to the same level pops EIP and CS and releases parameters', () => {
    push(machine, 0x123, INNER_CODE);
    expect(farReturn(machine.unit, 4, 8)).toBe(OK);
    const { unit } = machine;
    expect([unit.cs.selector, unit.ipLo, unit.spLo, unit.cpl]).toEqual([INNER_CODE, 0x123, STACK + 16, 0]);
    expect(typeInMemory(machine, INNER_CODE >> 3)).toBe(READABLE_CODE);
  });

  it('to an outer level also pops ESP and SS and releases parameters there', () => {
    push(machine, 0x123, OUTER_CODE | 3, 0xaaaa, 0xbbbb, 0x9000, OUTER_STACK | 3);
    expect(farReturn(machine.unit, 4, 8)).toBe(OK);
    const { unit } = machine;
    expect([unit.cs.selector, unit.ipLo, unit.cpl]).toEqual([OUTER_CODE | 3, 0x123, 3]);
    expect([unit.ss.selector, unit.spLo]).toEqual([OUTER_STACK | 3, 0x9008]);
    expect(typeInMemory(machine, OUTER_STACK >> 3)).toBe(3);
  });

  it('to an outer level empties data registers of the inner level, and keeps the others', () => {
    define(machine, 5, { privilege: 0 });
    define(machine, 6, { privilege: 3 });
    loadSegment(machine.unit, DS, 0x28);
    loadSegment(machine.unit, ES, 0x33);
    push(machine, 0, OUTER_CODE | 3, 0x9000, OUTER_STACK | 3);
    farReturn(machine.unit, 4);
    expect(machine.unit.read(DS, 0, 0, 1)).toBe(GENERAL_PROTECTION);
    expect(machine.unit.read(ES, 0, 0, 1)).toBe(OK);
  });

  it.each<[string, readonly number[], (machine: Machine) => void, number, number]>([
    ['a null selector', [0, 3], () => undefined, GENERAL_PROTECTION, 0],
    ['a selector past the table', [0, 0xfff8], () => undefined, GENERAL_PROTECTION, 0xfff8],
    ['a data segment', [0, OUTER_STACK], () => undefined, GENERAL_PROTECTION, OUTER_STACK],
    ['an RPL that is not the DPL', [0, OUTER_CODE], () => undefined, GENERAL_PROTECTION, OUTER_CODE],
    ['an offset past the limit', [0x1000, INNER_CODE], shorten, GENERAL_PROTECTION, 0],
    ['code that is not present', [0, INNER_CODE], remove(INNER_CODE), SEGMENT_NOT_PRESENT, INNER_CODE],
    ['a null outer stack', [0, OUTER_CODE | 3, 0, 3], () => undefined, GENERAL_PROTECTION, 0],
    ['a stack of another RPL', [0, OUTER_CODE | 3, 0, OUTER_STACK], () => undefined, GENERAL_PROTECTION, OUTER_STACK],
    ['code as a stack', [0, OUTER_CODE | 3, 0, OUTER_CODE | 3], () => undefined, GENERAL_PROTECTION, OUTER_CODE],
    ['an absent stack', [0, OUTER_CODE | 3, 0, OUTER_STACK | 3], remove(OUTER_STACK), STACK_FAULT, OUTER_STACK],
    ['too short a stack', [0, INNER_CODE], (m) => void (m.unit.ss.last = STACK + 6), STACK_FAULT, 0],
  ])('refuses %s, and no register changes', (_, stack, spoil, status, errorCode) => {
    push(machine, ...stack);
    spoil(machine);
    const before = snapshot(machine);
    expect(farReturn(machine.unit, 4)).toBe(status);
    expect(lastFault(machine)).toEqual([status, errorCode]);
    expect(snapshot(machine)).toBe(before);
  });

  it('never returns to an inner level', () => {
    machine.unit.cpl = 3;
    push(machine, 0, INNER_CODE);
    expect(farReturn(machine.unit, 4)).toBe(GENERAL_PROTECTION);
    expect(lastFault(machine)).toEqual([GENERAL_PROTECTION, INNER_CODE]);
  });

  it('returns to conforming code at the level of the RPL', () => {
    define(machine, 5, { type: CONFORMING_CODE, privilege: 1 });
    push(machine, 0, 0x28 | 3, 0x9000, OUTER_STACK | 3);
    expect(farReturn(machine.unit, 4)).toBe(OK);
    expect(machine.unit.cpl).toBe(3);
  });

  it('wraps SP at 64 KiB in a 16-bit stack', () => {
    const { unit, ram } = machine;
    unit.ss.load(0x28, 0x9300, 0xffff);
    unit.spLo = 0x5555_fffe;
    ram.store16(0, 0xfffe, 0x77);
    ram.store16(0, 0, INNER_CODE);
    expect(farReturn(unit, 2)).toBe(OK);
    expect([unit.ipLo, unit.spLo]).toEqual([0x77, 0x5555_0002]);
  });

  it('in real-address mode pops IP and CS', () => {
    const { unit, mmu } = machine;
    mmu.writeCr0(0);
    push(machine, 0x1234_0077);
    expect(farReturn(unit, 2)).toBe(OK);
    expect([unit.cs.baseLo, unit.ipLo, unit.spLo]).toEqual([0x1_2340, 0x77, STACK + 4]);
  });
});

describe('farReturn in 64-bit mode', () => {
  it('restores stack and code of the caller of a 64-bit gate', () => {
    const machine = longMachine();
    const { unit, ram } = machine;
    define(machine, OUTER_CODE >> 3, { type: READABLE_CODE, privilege: 3, long: true, big: false });
    define(machine, OUTER_STACK >> 3, { privilege: 3 });
    unit.spLo = STACK;
    for (const [index, value] of [0x123, OUTER_CODE | 3, 0x9000, OUTER_STACK | 3].entries()) {
      ram.store64(0, STACK + 8 * index, 0, value);
    }
    expect(farReturn(unit, 8)).toBe(OK);
    expect([unit.cpl, unit.ipLo, unit.spLo, unit.ss.selector]).toEqual([3, 0x123, 0x9000, OUTER_STACK | 3]);
  });
});

it('to 64-bit code of level 1 may leave SS null, with that level as its RPL', () => {
  const machine = longMachine();
  const { unit, ram } = machine;
  define(machine, OUTER_CODE >> 3, { type: READABLE_CODE, privilege: 1, long: true, big: false });
  unit.spLo = STACK;
  for (const [index, value] of [0x123, OUTER_CODE | 1, 0x9000, 1].entries())
    ram.store64(0, STACK + 8 * index, 0, value);
  expect(farReturn(unit, 8)).toBe(OK);
  expect([unit.cpl, unit.ss.selector, unit.ss.usable, unit.spLo]).toEqual([1, 1, false, 0x9000]);
});

function shorten(machine: Machine): void {
  define(machine, INNER_CODE >> 3, { type: READABLE_CODE, limit: 0xfff, granular: false });
}

function remove(selector: number): (machine: Machine) => void {
  return (machine) => {
    const type = selector === INNER_CODE ? READABLE_CODE : 3;
    define(machine, selector >> 3, { type, privilege: selector === INNER_CODE ? 0 : 3, present: false });
  };
}
