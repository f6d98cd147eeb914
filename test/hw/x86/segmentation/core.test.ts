import { describe, expect, it } from 'vitest';
import { OK } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, SEGMENT_NOT_PRESENT } from '../../../../hw/x86/exception.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { CR0_PE } from '../../../../hw/x86/registers.js';
import { CALL, SegmentedCore } from '../../../../hw/x86/segmentation/core.js';
import { packSegment } from '../../../../hw/x86/segmentation/descriptor.js';
import type { SegmentFields } from '../../../../hw/x86/segmentation/descriptor.js';
import { CS, DS } from '../../../../hw/x86/segmentation/register.js';
import { GDT, READABLE_CODE, WRITABLE_DATA } from './machine.js';

const CODE = 0x0b;
const OTHER_CODE = 0x13;
const DATA = 0x1b;
const STACK = 0x23;

function define(core: SegmentedCore, selector: number, fields: Partial<SegmentFields>): void {
  const { hi, lo } = packSegment({
    base: 0x4000,
    limit: 0xfff,
    type: WRITABLE_DATA,
    codeOrData: true,
    privilege: 3,
    present: true,
    available: false,
    long: false,
    big: true,
    granular: false,
    ...fields,
  });
  core.mmu.ram.store64(0, GDT + (selector & ~7), hi, lo);
}

/** A user program with two code segments, data and a stack. */
function boot(): SegmentedCore {
  const core = new SegmentedCore(new Mmu({ ram: new Ram({ bytes: 2 ** 20 }) }));
  core.mmu.writeCr0(CR0_PE);
  core.unit.gdtr.set(0, 0, GDT, 0xff);
  core.forgetSegments();
  define(core, CODE, { type: READABLE_CODE, base: 0x4000 });
  define(core, OTHER_CODE, { type: READABLE_CODE, base: 0x5000 });
  define(core, DATA, { base: 0x6000 });
  define(core, STACK, { base: 0x7000 });
  core.cpl = 3;
  return core;
}

describe('an access by selector and offset', () => {
  it('loads the register only while it does not hold the selector', () => {
    const core = boot();
    expect(core.storeTo(DS, DATA, 8, 4, 0, 42)).toBe(OK);
    expect(core.loadFrom(DS, DATA, 8, 4)).toBe(OK);
    expect(core.mmu.valueLo).toBe(42);
    expect(core.segmentLoads).toBe(1);
  });

  it('is made again when the handler says so, register load and all', () => {
    const core = boot();
    define(core, DATA, { present: false });
    const seen: number[] = [];
    core.onException((exception) => {
      seen.push(exception.status, exception.errorCode, core.unit.cpl);
      define(core, DATA, { base: 0x8000 });
      return true;
    });
    expect(core.storeTo(DS, DATA, 0, 1, 0, 7)).toBe(OK);
    expect(seen).toEqual([SEGMENT_NOT_PRESENT, DATA & ~3, 0]);
    expect(core.mmu.ram.load8(0, 0x8000)).toBe(7);
    expect(core.unit.cpl).toBe(3);
  });

  it('tells the handler the instruction, as decoding it would', () => {
    const core = boot();
    core.onException(() => false);
    expect(core.loadFrom(DS, DATA, 0x1000, 4)).toBe(GENERAL_PROTECTION);
    expect([core.segment, core.selector, core.offset, core.size]).toEqual([DS, DATA, 0x1000, 4]);
  });

  it('does not get a more privileged segment by asking with RPL 0', () => {
    const core = boot();
    define(core, DATA, { privilege: 0 });
    expect(core.loadFrom(DS, DATA & ~3, 0, 1)).toBe(GENERAL_PROTECTION);
    define(core, CODE, { type: READABLE_CODE, privilege: 0 });
    expect(core.fetchFrom(CODE & ~3, 0, 1)).toBe(GENERAL_PROTECTION);
  });
});

describe('a descriptor that changes', () => {
  it('counts only after a reload', () => {
    const core = boot();
    core.storeTo(DS, DATA, 0, 1, 0, 1);
    define(core, DATA, { base: 0x8000 });
    core.storeTo(DS, DATA, 0, 1, 0, 2);
    expect(core.mmu.ram.load8(0, 0x6000)).toBe(2);
    expect(core.staleRegisters()).toEqual([`DS holds an old descriptor of selector ${DATA}`]);
    expect(core.reload(DATA)).toBe(1);
    expect(core.staleRegisters()).toEqual([]);
    core.storeTo(DS, DATA, 0, 1, 0, 3);
    expect(core.mmu.ram.load8(0, 0x8000)).toBe(3);
  });

  it('leaves a register empty when the reload faults, and the next use faults', () => {
    const core = boot();
    core.loadFrom(DS, DATA, 0, 1);
    define(core, DATA, { present: false });
    core.reload(DATA);
    expect(core.loadFrom(DS, DATA, 0, 1)).toBe(SEGMENT_NOT_PRESENT);
  });

  it('of the code that runs faults at the next instruction, whatever that is', () => {
    const core = boot();
    core.fetchFrom(CODE, 4, 1);
    define(core, CODE, { type: READABLE_CODE, present: false });
    core.reload(CODE);
    expect(core.loadFrom(DS, DATA, 0, 1)).toBe(SEGMENT_NOT_PRESENT);
    define(core, CODE, { type: READABLE_CODE });
    expect(core.loadFrom(DS, DATA, 0, 1)).toBe(OK);
    expect(core.unit.segments[CS].selector).toBe(CODE);
    expect(core.unit.ipLo).toBe(4);
  });
});

describe('CALL through a pointer, and RET', () => {
  it('go there and come back', () => {
    const core = boot();
    core.fetchFrom(CODE, 0x10, 1);
    core.setStack(STACK, 0x100);
    core.storeTo(DS, DATA, 0, 4, 0, 0x20);
    core.storeTo(DS, DATA, 4, 2, 0, OTHER_CODE);
    expect(core.callThrough(DATA, 0)).toBe(OK);
    expect([core.unit.cs.selector, core.unit.ipLo, core.unit.spLo]).toEqual([OTHER_CODE, 0x20, 0xf8]);
    expect(core.farReturn()).toBe(OK);
    expect([core.unit.cs.selector, core.unit.ipLo, core.unit.spLo]).toEqual([CODE, 0x10, 0x100]);
  });

  it('through a null pointer is #GP(0), and says where it led', () => {
    const core = boot();
    core.fetchFrom(CODE, 0, 1);
    core.setStack(STACK, 0x100);
    core.storeTo(DS, DATA, 0, 4, 0, 5);
    let decoded: number[] = [];
    core.onException((exception) => {
      decoded = [exception.errorCode, core.instruction, core.targetSelector, core.targetOffset];
      return false;
    });
    expect(core.callThrough(DATA, 0)).toBe(GENERAL_PROTECTION);
    expect(decoded).toEqual([0, CALL, 0, 5]);
    expect(core.unit.spLo).toBe(0x100);
  });
});

it('going to a program loads CS, which counts', () => {
  const core = boot();
  const { segmentLoads } = core;
  expect(core.enterAt(CODE, 0x10)).toBe(OK);
  expect(core.segmentLoads).toBe(segmentLoads + 1);
});
