import fc from 'fast-check';
import { expect, it } from 'vitest';
import { median, rangeOf, ratioOf } from '../../../src/host/ratio.js';

it('the median of an even count lies between the middle two', () => {
  expect([median([3]), median([4, 1, 2]), median([4, 1, 2, 3])]).toEqual([3, 2, 2.5]);
});

// Chances of the sign test, as tables of the binomial distribution give them.
it.each([
  [1, 0, 0],
  [4, 0, 0.875],
  [5, 0, 0.9375],
  [7, 0, 0.984375],
  [8, 1, 0.9296875],
  [11, 2, 0.9345703125],
  [20, 5, 0.9586105346679688],
])(
  'of %i pairs the range leaves out %i at each end, and holds the median with a chance of %d',
  (count, leftOut, chance) => {
    expect(rangeOf(count)).toEqual({ leftOut, confidence: chance });
  },
);

it('a range lies between the extremes and around the median, whatever the order', () => {
  const ratios = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(ratios, (values) => {
      const ratio = ratioOf(values)!;
      expect(ratio.min).toBeLessThanOrEqual(ratio.low);
      expect(ratio.low).toBeLessThanOrEqual(ratio.median);
      expect(ratio.median).toBeLessThanOrEqual(ratio.high);
      expect(ratio.high).toBeLessThanOrEqual(ratio.max);
      expect(ratioOf([...values].reverse())).toEqual(ratio);
    }),
  );
});

it('the range holds the median about as often as it says', () => {
  // 4,000 experiments of 8 pairs, whose true median is 1, from a fixed sequence of numbers.
  let state = 1;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const experiments = Array.from({ length: 4000 }, () => ratioOf(Array.from({ length: 8 }, () => random() * 2))!);
  const share = experiments.filter(({ low, high }) => low <= 1 && 1 <= high).length / experiments.length;
  expect(Math.abs(share - rangeOf(8).confidence)).toBeLessThan(0.02);
});

it('there is no ratio with a time of 0, nor without values', () => {
  expect([ratioOf([1, 1 / 0]), ratioOf([0 / 0]), ratioOf([0, 1]), ratioOf([])]).toEqual([null, null, null, null]);
});
