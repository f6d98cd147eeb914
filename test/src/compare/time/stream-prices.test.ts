import { expect, test } from 'vitest';
import { pricesFor } from '../../../../src/compare/time/preset-prices.js';
import { streamPrices } from '../../../../src/compare/time/stream-prices.js';

const MIB = 2 ** 20;

function row(bytes: number, pages: '4K' | '2M', streams: 1 | 3, pageNs: number) {
  return { bytes, pages, streams, pageNs };
}

const NOTHING = { low: 0, high: 0 };

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
  expect(streamPrices(PRICES, '4K', 2 ** 30)).toEqual({
    lineNs: 4,
    pageEndNs: { alone: 160, together: { low: 94, high: 94 } },
  });
  expect(streamPrices(PRICES, '2M', 2 ** 30)?.pageEndNs).toEqual({ alone: 0, together: NOTHING });
  expect(streamPrices(PRICES, '1G', 2 ** 30)?.pageEndNs).toEqual({ alone: 0, together: NOTHING });
});

test('the largest array within the memory of the program counts, or the smallest; less than nothing is nothing', () => {
  const small = { lineNs: 2, pageEndNs: { alone: 22, together: NOTHING } };
  expect(streamPrices(PRICES, '4K', 255 * MIB)).toEqual(small);
  expect(streamPrices(PRICES, '4K', MIB)).toEqual(small);
});

test('streams in step, where they were measured, are the other end of the range of streams side by side', () => {
  const inStep = (more: number) => ({
    ...PRICES,
    streams: [
      ...PRICES.streams,
      { ...row(256 * MIB, '4K', 3, 260 + more), inStep: true as const },
      { ...row(256 * MIB, '2M', 3, 260), inStep: true as const },
    ],
  });
  expect(streamPrices(inStep(80), '4K', 2 ** 30)?.pageEndNs.together).toEqual({ low: 80, high: 94 });
  expect(streamPrices(inStep(120), '4K', 2 ** 30)?.pageEndNs.together).toEqual({ low: 94, high: 120 });
});

test('there are none where nobody measured streams, or not both kinds', () => {
  expect(streamPrices(pricesFor('zen3'), '4K', MIB)).toBeUndefined();
  expect(streamPrices({ ...PRICES, streams: PRICES.streams.slice(0, 2) }, '4K', MIB)).toBeUndefined();
});
