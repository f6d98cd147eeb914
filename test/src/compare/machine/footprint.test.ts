import fc from 'fast-check';
import { expect, test } from 'vitest';
import { highWord, lowWord } from '../../../../hw/base/address.js';
import { Footprint } from '../../../../src/compare/machine/footprint.js';

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
        const block = Math.floor(page / 512);
        const isFirst = ![...pages].some((other) => Math.floor(other / 512) === block);
        if (!pages.has(page)) expect(footprint.add(highWord(at), lowWord(at))).toBe(isFirst);
        pages.add(page);
      }
      expect(footprint.pages).toBe(pages.size);
      expect([footprint.blocks(12), footprint.blocks(21)]).toEqual([
        pages.size,
        new Set([...pages].map((page) => Math.floor(page / 512))).size,
      ]);
    }),
  );
});

test('the first new page of a list is the first that was not marked', () => {
  fc.assert(
    fc.property(fc.array(address), fc.array(address), fc.nat(10), (marked, list, from) => {
      const footprint = new Footprint();
      const isMarked = (at: number): boolean => footprint.has(highWord(at), lowWord(at));
      for (const at of marked) if (!isMarked(at)) footprint.add(highWord(at), lowWord(at));
      const words = (of: (at: number) => number): Int32Array => Int32Array.from(list, of);
      const found = footprint.firstNew(words(highWord), words(lowWord), from, list.length);
      const expected = list.findIndex((at, i) => i >= from && !isMarked(at));
      expect(found).toBe(expected < 0 ? Math.max(from, list.length) : expected);
    }),
  );
});

test('the last page below 2^47 and the first page are pages like others', () => {
  const footprint = new Footprint();
  footprint.add(0x7fff, -1);
  footprint.add(0, 0);
  expect([footprint.has(0x7fff, -4096), footprint.has(0, 4095), footprint.has(0, 4096)]).toEqual([true, true, false]);
});

test('the marked pages of a part come as runs in order, cut at its ends', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(200), { maxLength: 60 }),
      fc.nat(200),
      fc.nat(200),
      fc.constantFrom(0, 2 ** 27 - 100 * 4096, 2 ** 40 + 2 ** 27 - 50 * 4096, 2 ** 47 - 201 * 4096),
      (pages, a, b, base) => {
        const footprint = new Footprint();
        for (const page of pages) footprint.add(highWord(base + page * 4096), lowWord(base + page * 4096));
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const runs = footprint.runs(base + from * 4096, base + to * 4096);
        const found = runs.flatMap(({ start, bytes }) =>
          Array.from({ length: bytes / 4096 }, (_, i) => (start - base) / 4096 + i),
        );
        expect(found).toEqual(pages.filter((page) => page >= from && page < to).sort((x, y) => x - y));
        // Neighbours are one run.
        expect(runs.every(({ start, bytes }, i) => start + bytes !== runs.at(i + 1)?.start)).toBe(true);
      },
    ),
  );
});
