import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countOf,
  formatBytes,
  formatCount,
  formatShare,
  formatShares,
  formatShort,
  formatTimes,
} from '../../../../src/report/output/units.js';

test('thousands are set apart', () => {
  expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
});

/** Numbers of all sizes, and those in the middle between two of few decimals. */
const numbers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, Infinity, -Infinity, NaN, 1e21, 1e-7),
  fc.double(),
  fc.double({ min: -2000, max: 2000 }),
  fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 5 })).map(([n, d]) => n / 10 ** d),
);

test('numbers are written as Intl writes them', () => {
  const intl = (options: Intl.NumberFormatOptions): Intl.NumberFormat => new Intl.NumberFormat('en-US', options);
  const whole = intl({ maximumFractionDigits: 0 });
  const three = intl({ maximumSignificantDigits: 3 });
  const four = intl({ maximumFractionDigits: 4 });
  const factor = intl({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
  fc.assert(
    fc.property(numbers, (number) => {
      const size = Math.abs(number);
      expect(formatCount(number)).toBe(whole.format(number));
      expect(formatShares({ low: number, high: number })).toBe(`${whole.format(number * 100)}%`);
      if (!(number < 0.01)) {
        expect(formatTimes({ low: number, high: number })).toBe(`${factor.format(number)} times as fast`);
      }
      if (number > 0 && number < 0.0001) return;
      const short = Number.isSafeInteger(number) || !(size < 100) ? whole : size >= 0.01 ? three : four;
      expect(formatShort(number)).toBe(short.format(number));
    }),
  );
});

test('bytes come in the largest unit that leaves at least 1', () => {
  expect([0, 1023, 1024, 1536, 2 ** 20 - 1024, 2 ** 30, 16 * 2 ** 40].map(formatBytes)).toEqual([
    '0 bytes',
    '1,023 bytes',
    '1 KiB',
    '1.5 KiB',
    '1,023 KiB',
    '1 GiB',
    '16 TiB',
  ]);
});

test('short numbers keep three digits and at most four decimals', () => {
  expect([0, 0.01314, 2.499, 99.96, 12345.6, 0.0000004, 0.00456].map(formatShort)).toEqual([
    '0',
    '0.0131',
    '2.5',
    '100',
    '12,346',
    '<0.0001',
    '0.0046',
  ]);
});

test('bounds of a factor have two decimals, and none is 0', () => {
  const bounds = [
    [1.3, 1.7],
    [0.9951, 1.0049],
    [0.0004, 0.0006],
    [0.0099, 0.01],
  ];
  expect(bounds.map(([low, high]) => formatTimes({ low, high }))).toEqual([
    '1.30 to 1.70 times as fast',
    '1.00 times as fast',
    '<0.01 times as fast',
    '<0.01 to 0.01 times as fast',
  ]);
});

test('shares are percentages', () => {
  expect(formatShare(0.034)).toBe('3.4%');
});

test('a count of one has a singular noun', () => {
  expect([countOf(1, 'entry', 'entries'), countOf(512, 'entry', 'entries')]).toEqual(['1 entry', '512 entries']);
});
