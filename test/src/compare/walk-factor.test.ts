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

test('what was measured of loads that wait for each other, and of loads that wait for none, lies in the range predicted', async () => {
  // Rounded figures of a virtual machine: independent loads gain more from huge pages than dependent ones.
  const loads: NonNullable<MachinePrices['loads']> = [
    { bytes: BYTES, pages: '4K', dependentNs: 56, independentNs: 5.2 },
    { bytes: BYTES, pages: '2M', dependentNs: 48, independentNs: 3.6 },
  ];
  const l3 = { bytes: 3 * 2 ** 24, ways: 16, ns: 40 };
  const caches = { ...PRICES.caches, l3 };
  const costs: MachinePrices = { ...PRICES, caches, memoryNs: 120, missesInFlight: 14, nested: '4K', loads };
  const walkFactor = await fitWalkFactor(costs, TLB);
  expect(walkFactor?.overlapped?.map(({ bytes }) => bytes)).toEqual([BYTES]);
  const sources = [{ name: 'loads', open: () => openWorkload('uniform', { footprint: BYTES, accesses: 1_000_000 }) }];
  const prices = { ...costs, walkFactor: walkFactor! };
  const { traces } = await compare({ sources, shifts: [12, 21], tlb: TLB, prices });
  const { low, high } = traces[0].speedup!;
  const [dependent, independent] = [56 / 48, 5.2 / 3.6];
  expect(dependent).toBeGreaterThanOrEqual(low);
  // A load-modify-store has instructions of its own besides.
  expect(independent).toBeLessThanOrEqual(1.05 * high);
  expect(high / low).toBeLessThan(1.5);
}, 120_000);
