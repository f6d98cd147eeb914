import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { mix, Random } from '../../../hw/base/random.js';

const draw = (seed: number, count: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.nextInt32());
};

it('the same seed gives the same numbers, another seed others', () => {
  expect(draw(5, 100)).toEqual(draw(5, 100));
  for (const seed of [0, 1, 2, 3, -1]) expect(draw(seed, 10)).not.toEqual(draw(seed + 1, 10));
});

it('below stays below its limit', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
      const value = new Random(seed).below(limit);
      expect(Number.isInteger(value) && value >= 0 && value < limit).toBe(true);
    }),
  );
});

it('every bit of the numbers is set about half the time', () => {
  const numbers = draw(1, 20_000);
  for (let bit = 0; bit < 32; bit++) {
    const set = numbers.filter((number) => (number >>> bit) & 1).length;
    expect(Math.abs(set - 10_000), `bit ${bit}`).toBeLessThan(400);
  }
});

it('mix is a bijection: no two words of a sample meet', () => {
  const seen = new Set(Array.from({ length: 100_000 }, (_, i) => mix(Math.imul(i, 2654435761))));
  expect(seen.size).toBe(100_000);
});
