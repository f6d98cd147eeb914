import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pageNumber, SIZE_SHIFTS } from '../../../hw/base/address.js';
import { SizesByRegion } from '../../../hw/tlb/regions.js';

const size = fc.integer({ min: 0, max: 3 });
const where = fc.record({
  hi: fc.constantFrom(0, 1, 0x7f12, 0x7f22, -1),
  lo: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});
const page = fc.record({ at: where, size });
const steps = fc.array(fc.oneof({ weight: 8, arbitrary: page }, fc.record({ left: fc.integer({ min: 0, max: 15 }) })));

const samePage = (a: { hi: number; lo: number }, b: { hi: number; lo: number }, shift: number): boolean =>
  pageNumber(a.hi, a.lo, shift) === pageNumber(b.hi, b.lo, shift);

it('names every page size that may be found at an address', () => {
  fc.assert(
    fc.property(steps, where, (list, asked) => {
      const sizes = new SizesByRegion();
      let held: { at: { hi: number; lo: number }; size: number }[] = [];
      for (const step of list) {
        if ('left' in step) {
          sizes.keep(step.left);
          held = held.filter((one) => ((step.left >> one.size) & 1) !== 0);
        } else {
          sizes.add(step.at.hi, step.at.lo, step.size);
          held.push(step);
        }
      }
      for (const one of held) expect((sizes.at(one.at.hi, one.at.lo) >> one.size) & 1).toBe(1);
      const there = held.filter((one) => samePage(one.at, asked, SIZE_SHIFTS[one.size]));
      for (const one of there) expect((sizes.at(asked.hi, asked.lo) >> one.size) & 1).toBe(1);
      expect(sizes.any).toBe(held.reduce((bits, one) => bits | (1 << one.size), 0));
    }),
  );
});

it('tells small pages from large ones in another region, and forgets both at a flush', () => {
  const sizes = new SizesByRegion();
  sizes.add(0, 0x1000, 0);
  sizes.add(0, 0x40_0000, 1);
  expect([sizes.at(0, 0x2000), sizes.at(0, 0x5f_f000), sizes.at(0, 0x20_0000)]).toEqual([1, 2, 0]);
  sizes.keep(2);
  expect([sizes.any, sizes.at(0, 0x2000), sizes.at(0, 0x40_0000)]).toEqual([2, 0, 2]);
  sizes.keep(0);
  expect([sizes.any, sizes.at(0, 0x40_0000)]).toEqual([0, 0]);
});
