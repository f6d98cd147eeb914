import { expect, test } from 'vitest';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { compare } from '../../../src/compare/compare.js';
import { pricesFor } from '../../../src/compare/time/preset-prices.js';
import { walkNs } from '../../../src/compare/time/time.js';
import { fitWalkFactor } from '../../../src/compare/walk-factor.js';
import type { MachinePrices } from '../../../src/report/results/prices.js';
import { openWorkload } from '../../../src/trace/workload.js';

const BYTES = 2 ** 25;
const PRICES = pricesFor('zen3');
const TLB = parseTlb('zen3');

function measured(bytes: number, small: number, huge: number): MachinePrices {
  return {
    ...PRICES,
    loads: [
      { bytes, pages: '4K', dependentNs: small, independentNs: 1 },
      { bytes, pages: '2M', dependentNs: huge, independentNs: 1 },
    ],
  };
}

test('walks that took twice as long as modelled have the factor 2', async () => {
  const open = () => openWorkload('chase', { footprint: BYTES, accesses: 1_000_000 });
  const { runs } = await compare({ sources: [{ name: 'chase', open }], shifts: [12, 21], tlb: TLB, prices: PRICES });
  const [small, huge] = runs.map(({ reads }) => walkNs(reads, PRICES) / 1_000_000);
  const factor = await fitWalkFactor(measured(BYTES, 100 + 2 * (small - huge), 100), TLB);
  expect(factor?.low).toBeCloseTo(2, 9);
  expect(factor?.high).toBe(factor?.low);
}, 60_000);

test('without a difference that can be told from noise, or an array large enough, there is no factor', async () => {
  expect(await fitWalkFactor(measured(BYTES, 101, 100), TLB)).toBeUndefined();
  expect(await fitWalkFactor(measured(2 ** 20, 150, 100), TLB)).toBeUndefined();
  expect(await fitWalkFactor(PRICES, TLB)).toBeUndefined();
});
