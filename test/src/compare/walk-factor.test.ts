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

type Loads = NonNullable<MachinePrices['loads']>;

function measured(bytes: number, small: number, huge: number): MachinePrices {
  return {
    ...PRICES,
    loads: [
      { bytes, pages: '4K', dependentNs: small, independentNs: 1 },
      { bytes, pages: '2M', dependentNs: huge, independentNs: 1 },
    ],
  };
}

/** Rounded figures of a virtual machine: independent loads gain more from huge pages than dependent ones. */
const LOADS: Loads = [
  { bytes: BYTES, pages: '4K', dependentNs: 56, independentNs: 5.2 },
  { bytes: BYTES, pages: '2M', dependentNs: 48, independentNs: 3.6 },
];
const CACHES = { ...PRICES.caches, l3: { bytes: 3 * 2 ** 24, ways: 16, ns: 40 } };
const GUEST: MachinePrices = {
  ...PRICES,
  caches: CACHES,
  memoryNs: 120,
  missesInFlight: 14,
  nested: '4K',
  loads: LOADS,
};
/** Fitted once for all tests: the model takes its time. */
const fitted = await fitWalkFactor(GUEST, TLB);

test('the factor is how much longer walks took than modelled', async () => {
  const open = () => openWorkload('chase', { footprint: BYTES, accesses: 1_000_000 });
  const { runs } = await compare({ sources: [{ name: 'chase', open }], shifts: [12, 21], tlb: TLB, prices: GUEST });
  const [small, huge] = runs.map(({ reads }) => walkNs(reads, GUEST) / 1_000_000);
  expect(fitted?.low).toBeCloseTo((56 - 48) / (small - huge), 9);
  expect(fitted?.high).toBe(fitted?.low);
});

test('without a difference that can be told from noise, or an array large enough, there is no factor', async () => {
  expect(await fitWalkFactor(measured(BYTES, 101, 100), TLB)).toBeUndefined();
  expect(await fitWalkFactor(measured(2 ** 20, 150, 100), TLB)).toBeUndefined();
  expect(await fitWalkFactor(PRICES, TLB)).toBeUndefined();
});

test('what was measured of loads that wait for each other, and of loads that wait for none, lies in the range predicted', async () => {
  expect(fitted?.overlapped?.map(({ bytes }) => bytes)).toEqual([BYTES]);
  const sources = [{ name: 'loads', open: () => openWorkload('uniform', { footprint: BYTES, accesses: 500_000 }) }];
  const prices = { ...GUEST, walkFactor: fitted! };
  const { traces } = await compare({ sources, shifts: [12, 21], tlb: TLB, prices });
  const { low, high } = traces[0].speedup!;
  const [dependent, independent] = [56 / 48, 5.2 / 3.6];
  expect(dependent).toBeGreaterThanOrEqual(low);
  // A load-modify-store has instructions of its own besides.
  expect(independent).toBeLessThanOrEqual(1.05 * high);
  expect(high / low).toBeLessThan(1.5);
});
