import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitOf, packSegment } from '../../../../hw/x86/segmentation/descriptor.js';
import { DS, SegmentRegister } from '../../../../hw/x86/segmentation/register.js';
import { FLAT_DATA } from './machine.js';
import { runs } from '../../../runs.js';

/** "Limit Checking" word by word, for one byte. */
function isValid(offset: number, limit: number, expandDown: boolean, big: boolean): boolean {
  if (!expandDown) return offset <= limit;
  return offset > limit && offset <= (big ? 0xffff_ffff : 0xffff);
}

const segment = fc.record({
  base: fc.constant(0),
  limit: fc.oneof(fc.nat(0xfffff), fc.constantFrom(0, 1, 0xf, 0xffff, 0x10000, 0xffffe, 0xfffff)),
  type: fc.constantFrom(3, 7),
  codeOrData: fc.constant(true),
  privilege: fc.constant(0),
  present: fc.constant(true),
  available: fc.constant(false),
  long: fc.constant(false),
  big: fc.boolean(),
  granular: fc.boolean(),
});

describe('SegmentRegister', () => {
  it('covers an access exactly when every byte of it is valid', () => {
    const near = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.constantFrom(0, 0xffff, 0xffff_ffff, -1));
    fc.assert(
      fc.property(segment, near, fc.constantFrom(1, 2, 4, 8), (fields, [delta, edge], size) => {
        const { hi, lo } = packSegment(fields);
        const register = new SegmentRegister(DS);
        register.load(8, hi, lo);
        const limit = limitOf(hi, lo) >>> 0;
        const offset = Math.min(0xffff_ffff, Math.max(0, (edge === -1 ? limit : edge) + delta));
        const bytes = Array.from({ length: size }, (_, index) => offset + index);
        const expected = bytes.every(
          (byte) => byte <= 0xffff_ffff && isValid(byte, limit, fields.type === 7, fields.big),
        );
        expect(register.covers(offset | 0, size)).toBe(expected);
      }),
      { numRuns: runs(2000) },
    );
  });

  it('keeps limit and attributes when loaded in real-address mode', () => {
    const register = new SegmentRegister(DS);
    const { hi, lo } = packSegment(FLAT_DATA);
    register.load(8, hi, lo);
    register.loadReal(0x1234);
    expect(register.baseLo).toBe(0x12340);
    expect(register.covers(0x7fff_ffff, 4)).toBe(true);
  });

  it('has 64 KiB and DPL 3 when loaded in virtual-8086 mode', () => {
    const register = new SegmentRegister(DS);
    register.load8086(0xffff);
    expect(register.baseLo).toBe(0xffff0);
    expect(register.covers(0xffff, 1)).toBe(true);
    expect(register.covers(0xffff, 2)).toBe(false);
    expect(register.privilege).toBe(3);
  });
});
