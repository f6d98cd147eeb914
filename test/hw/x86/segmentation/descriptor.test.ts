import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryFormat } from '../../../../hw/base/format.js';
import { decodeEntry } from '../../../../hw/base/format.js';
import { describeDescriptor } from '../../../../hw/x86/segmentation/describe.js';
import * as descriptor from '../../../../hw/x86/segmentation/descriptor.js';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

function bitOf(format: EntryFormat, name: string): number {
  const field = format.fields.find((candidate) => candidate.name === name)!;
  expect(field.low).toBe(field.high);
  return field.low - 32;
}

describe('descriptor formats', () => {
  it.each([
    ['A', descriptor.ACCESSED],
    ['W/R', descriptor.WRITABLE],
    ['W/R', descriptor.READABLE],
    ['E/C', descriptor.EXPAND_DOWN],
    ['E/C', descriptor.CONFORMING],
    ['code', descriptor.CODE],
    ['S', descriptor.CODE_OR_DATA],
    ['P', descriptor.PRESENT],
    ['L', descriptor.LONG],
    ['D/B', descriptor.BIG],
    ['G', descriptor.GRANULARITY],
  ])('the table and the constant agree on %s', (name, constant) => {
    expect(1 << bitOf(descriptor.SEGMENT_FORMAT, name)).toBe(constant);
  });

  it('every bit of a segment descriptor belongs to exactly one field', () => {
    const bits = descriptor.SEGMENT_FORMAT.fields.flatMap(({ low, high }) =>
      Array.from({ length: high - low + 1 }, (_, index) => low + index),
    );
    expect(bits.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, index) => index));
  });

  it('the zero field of 16-byte descriptors is the mask that is checked', () => {
    const { low, high } = descriptor.LONG_UPPER_FORMAT.fields.find(({ name }) => name === 'zero')!;
    expect((2 ** (high - low + 1) - 1) << (low - 32)).toBe(descriptor.LONG_UPPER_ZERO);
  });

  it('decoding by the table and the functions give the same base, limit, type and level', () => {
    fc.assert(
      fc.property(word, word, (hi, lo) => {
        const fields = new Map(
          decodeEntry(descriptor.SEGMENT_FORMAT, hi, lo).map(({ name, value }) => [name, value] as const),
        );
        const base =
          fields.get('base 31:24')! * 2 ** 24 + fields.get('base 23:16')! * 2 ** 16 + fields.get('base 15:0')!;
        const limit = fields.get('limit 19:16')! * 2 ** 16 + fields.get('limit 15:0')!;
        expect(descriptor.baseOf(hi, lo) >>> 0).toBe(base);
        expect(descriptor.limitOf(hi, lo) >>> 0).toBe(fields.get('G') === 1 ? limit * 4096 + 4095 : limit);
        expect(descriptor.privilegeOf(hi)).toBe(fields.get('DPL'));
        const type = fields.get('A')! + 2 * fields.get('W/R')! + 4 * fields.get('E/C')! + 8 * fields.get('code')!;
        expect(descriptor.typeOf(hi)).toBe(type);
      }),
    );
  });

  it('packing is the inverse of unpacking, for every segment descriptor', () => {
    fc.assert(
      fc.property(word, word, (hi, lo) => {
        expect(descriptor.packSegment(descriptor.unpackSegment(hi, lo))).toEqual({ hi, lo });
      }),
    );
  });

  it('unpacking is the inverse of packing, for every call gate', () => {
    const gate = fc.record({
      offset: fc.nat(0xffff_ffff),
      selector: fc.nat(0xffff),
      parameters: fc.nat(31),
      type: fc.constantFrom(descriptor.CALL_GATE_16, descriptor.CALL_GATE_32),
      privilege: fc.nat(3),
      present: fc.boolean(),
    });
    fc.assert(
      fc.property(gate, (fields) => {
        const { hi, lo } = descriptor.packCallGate(fields);
        expect(descriptor.unpackCallGate(hi, lo)).toEqual(fields);
      }),
    );
  });

  it('selectors 0 to 3 are null, selector 4 names the LDT', () => {
    expect([0, 1, 2, 3, 4].map(descriptor.isNull)).toEqual([true, true, true, true, false]);
    expect(descriptor.namesLdt(4)).toBe(true);
  });
});

it('the format of a call gate says where each of its fields lies', () => {
  const gate = { offset: 0x1234_5678, selector: 0x9ab8, parameters: 21, type: 12, privilege: 2, present: true };
  const { hi, lo } = descriptor.packCallGate(gate);
  expect(decodeEntry(descriptor.CALL_GATE_FORMAT, hi, lo).map(({ name, value }) => [name, value])).toEqual([
    ['offset 15:0', 0x5678],
    ['selector', 0x9ab8],
    ['parameters', 21],
    ['type', 12],
    ['S', 0],
    ['DPL', 2],
    ['P', 1],
    ['offset 31:16', 0x1234],
  ]);
});

it.each([
  [{ type: 11 }, '32-bit code (readable), base 0x1000, limit 0xfff, DPL 3, present'],
  [{ type: 14, big: false }, 'conforming 16-bit code (readable)'],
  [{ type: 9, big: false, long: true }, '64-bit code (execute-only)'],
  [{ type: 3 }, 'data (writable), base 0x1000'],
  [{ type: 5 }, 'expand-down data (to 4 GiB, read-only)'],
  [{ type: 2, codeOrData: false, present: false }, 'LDT, base 0x1000, limit 0xfff, DPL 3, not present'],
])('a descriptor in words: %o is %s', (fields, words) => {
  const fixed = { base: 0x1000, limit: 0xfff, codeOrData: true, privilege: 3, present: true, available: false };
  const { hi, lo } = descriptor.packSegment({ ...fixed, long: false, big: true, granular: false, ...fields });
  expect(describeDescriptor(hi, lo)).toContain(words);
});
