import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INVALID_OPCODE } from '../../../../hw/x86/exception.js';
import { HIDDEN, loadAccessRights, loadSegmentLimit, VISIBLE } from '../../../../hw/x86/segmentation/query.js';
import { verifyRead, verifyWrite } from '../../../../hw/x86/segmentation/query.js';
import { CONFORMING_CODE, define, EXECUTE_ONLY, longMachine, protectedMachine, READ_ONLY } from './machine.js';
import { READABLE_CODE, typeInMemory, WRITABLE_DATA } from './machine.js';

describe('verifyRead and verifyWrite', () => {
  it.each([
    [READ_ONLY, VISIBLE, HIDDEN],
    [WRITABLE_DATA, VISIBLE, VISIBLE],
    [EXECUTE_ONLY, HIDDEN, HIDDEN],
    [READABLE_CODE, VISIBLE, HIDDEN],
    [CONFORMING_CODE, VISIBLE, HIDDEN],
  ])('for type %i answer %i and %i', (type, read, write) => {
    const machine = protectedMachine();
    define(machine, 2, { type });
    expect([verifyRead(machine.unit, 0x10), verifyWrite(machine.unit, 0x10)]).toEqual([read, write]);
  });

  it('both CPL and RPL must reach the DPL, except for conforming code', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(3), fc.nat(3), fc.boolean(), (cpl, rpl, privilege, conforming) => {
        const machine = protectedMachine(cpl);
        define(machine, 2, { type: conforming ? CONFORMING_CODE : WRITABLE_DATA, privilege });
        const visible = conforming || (cpl <= privilege && rpl <= privilege);
        expect(verifyRead(machine.unit, 0x10 | rpl)).toBe(visible ? VISIBLE : HIDDEN);
      }),
    );
  });

  it('hide null selectors, selectors past the table and system segments; P does not count', () => {
    const machine = protectedMachine();
    define(machine, 2, { present: false });
    define(machine, 3, { codeOrData: false, type: 2 });
    expect([0, 0x1000, 0x10, 0x18].map((selector) => verifyRead(machine.unit, selector))).toEqual([
      HIDDEN,
      HIDDEN,
      VISIBLE,
      HIDDEN,
    ]);
  });

  it('leave the accessed bit alone', () => {
    const machine = protectedMachine();
    define(machine, 2, { type: 2 });
    verifyWrite(machine.unit, 0x10);
    expect(typeInMemory(machine, 2)).toBe(2);
  });

  it('are not for real-address mode', () => {
    const { mmu, unit } = protectedMachine();
    mmu.writeCr0(0);
    expect(verifyRead(unit, 0x10)).toBe(INVALID_OPCODE);
  });
});

describe('loadAccessRights and loadSegmentLimit', () => {
  it('give the rights in place and the limit in bytes', () => {
    const machine = protectedMachine(3);
    define(machine, 2, { type: READABLE_CODE, privilege: 3, limit: 0x12345 });
    expect(loadAccessRights(machine.unit, 0x13)).toBe(VISIBLE);
    expect(machine.unit.result).toBe(0xc0fb00);
    expect(loadSegmentLimit(machine.unit, 0x13)).toBe(VISIBLE);
    expect(machine.unit.result).toBe(0x1234_5fff);
  });

  /** SDM vol. 2, tables "Segment and Gate Types" of LAR and "Segment and Gate Descriptor Types" of LSL. */
  it.each([
    ['LAR', false, [1, 2, 3, 4, 5, 9, 11, 12]],
    ['LAR', true, [2, 9, 11, 12]],
    ['LSL', false, [1, 2, 3, 9, 11]],
    ['LSL', true, [2, 9, 11]],
  ] as const)('%s (IA-32e mode: %s) sees the system types %j', (name, long, types) => {
    const machine = long ? longMachine() : protectedMachine();
    const query = name === 'LAR' ? loadAccessRights : loadSegmentLimit;
    const seen = [];
    for (let type = 0; type < 16; type++) {
      define(machine, 2, { codeOrData: false, type });
      if (query(machine.unit, 0x10) === VISIBLE) seen.push(type);
    }
    expect(seen).toEqual(types);
  });
});
