import fc from 'fast-check';
import { expect, test } from 'vitest';
import { highWord, lowWord } from '../../../hw/base/address.js';
import { Footprint } from '../../../src/compare/footprint.js';

/** User addresses, near one another and far apart. */
const address = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 24 }),
  fc.maxSafeNat().map((n) => n % 2 ** 47),
);

test('the pages of a footprint are those of a set', () => {
  fc.assert(
    fc.property(fc.array(address, { maxLength: 300 }), (addresses) => {
      const footprint = new Footprint();
      const pages = new Set<number>();
      for (const at of addresses) {
        const page = Math.floor(at / 4096);
        expect(footprint.has(highWord(at), lowWord(at))).toBe(pages.has(page));
        if (!pages.has(page)) footprint.add(highWord(at), lowWord(at));
        pages.add(page);
      }
      expect(footprint.pages).toBe(pages.size);
    }),
  );
});

test('the last page below 2^47 and the first page are pages like others', () => {
  const footprint = new Footprint();
  footprint.add(0x7fff, -1);
  footprint.add(0, 0);
  expect([footprint.has(0x7fff, -4096), footprint.has(0, 4095), footprint.has(0, 4096)]).toEqual([true, true, false]);
});
