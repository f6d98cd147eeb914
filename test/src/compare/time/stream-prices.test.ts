import { expect, test } from 'vitest';
import { pricesFor } from '../../../../src/compare/time/preset-prices.js';
import { streamPrices } from '../../../../src/compare/time/stream-prices.js';

const MIB = 2 ** 20;

function row(bytes: number, pages: '4K' | '2M', streams: 1 | 3, pageNs: number) {
  return { bytes, pages, streams, pageNs };
}

const PRICES = {
  ...pricesFor('zen3'),
  streams: [
    ...[
      row(256 * MIB, '4K', 1, 480),
      row(256 * MIB, '2M', 1, 320),
      row(256 * MIB, '4K', 3, 350),
      row(256 * MIB, '2M', 3, 256),
    ],
    ...[
      row(16 * MIB, '4K', 1, 150),
      row(16 * MIB, '2M', 1, 128),
      row(16 * MIB, '4K', 3, 120),
      row(16 * MIB, '2M', 3, 128),
    ],
  ],
};

test('page ends cost what small pages take over huge ones, and nothing with huge pages', () => {
  expect(streamPrices(PRICES, '4K', 2 ** 30)).toEqual({ lineNs: 4, pageEndNs: { alone: 160, together: 94 } });
  expect(streamPrices(PRICES, '2M', 2 ** 30)?.pageEndNs).toEqual({ alone: 0, together: 0 });
  expect(streamPrices(PRICES, '1G', 2 ** 30)?.pageEndNs).toEqual({ alone: 0, together: 0 });
});

test('the largest array within the memory of the program counts, or the smallest; less than nothing is nothing', () => {
  const small = { lineNs: 2, pageEndNs: { alone: 22, together: 0 } };
  expect(streamPrices(PRICES, '4K', 255 * MIB)).toEqual(small);
  expect(streamPrices(PRICES, '4K', MIB)).toEqual(small);
});

test('there are none where nobody measured streams, or not both kinds', () => {
  expect(streamPrices(pricesFor('zen3'), '4K', MIB)).toBeUndefined();
  expect(streamPrices({ ...PRICES, streams: PRICES.streams.slice(0, 2) }, '4K', MIB)).toBeUndefined();
});
