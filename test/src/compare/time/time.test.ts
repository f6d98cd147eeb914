import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pricesFor } from '../../../../src/compare/time/preset-prices.js';
import { speedupOf, timePerAccess, timeShare, type PricedRun } from '../../../../src/compare/time/time.js';
import { presetNames } from '../../../../hw/tlb/presets.js';
import { MachinePrices } from '../../../../src/report/results/prices.js';
import { runs } from '../../../runs.js';

const cache = (ns: number) => ({ bytes: 2 ** 20, ways: 8, ns });
const PRICES: MachinePrices = {
  ...pricesFor('zen3'),
  nsPerInstruction: 1,
  nsPerCycle: 4,
  caches: { l1: cache(1), l2: cache(10), l3: cache(50) },
  memoryNs: 100,
  missesInFlight: 10,
  walksInFlight: 2,
  walkFactor: { low: 1, high: 1 },
  l2TlbHitNs: 2,
};
const NONE = { l2: 0, l3: 0, contested: 0, memory: 0 };
const NO_ENDS = { alone: 0, together: 0 };

function run(changes: Partial<PricedRun['reads']> = {}, others: Partial<PricedRun> = {}): PricedRun {
  const reads = { data: NONE, expected: NONE, walks: NONE, pageEnds: NONE, ...changes };
  return {
    instructions: { low: 1000, high: 1000 },
    slowTlbHits: 0,
    memoryBytes: 2 ** 30,
    reads,
    pageEnds: NO_ENDS,
    ...others,
  };
}

/** Nanoseconds of a run alone on its machine: overlapped, in turn, in turn slowly. */
function ways(one: PricedRun, prices = PRICES): number[] {
  const [overlapped, , , , inTurn, , , , inTurnSlowly] = timePerAccess(one, 1, prices);
  return [overlapped, inTurn, inTurnSlowly];
}

test('instructions alone take their best time, or a cycle each', () => {
  expect(ways(run())).toEqual([1000, 1000, 4000]);
});

test('each miss waits for the last, or as many are under way as the processor keeps', () => {
  const data = { l2: 100, l3: 100, contested: 0, memory: 1000 };
  expect(ways(run({ data }))).toEqual([106_000 / 10, 1000 + 106_000, 4000 + 106_000]);
});

test('misses that a prefetcher expects wait for the second level alone, but memory has to deliver them', () => {
  const expected = { ...NONE, memory: 1000 };
  expect(ways(run({ expected }))).toEqual([100_000 / 10, 1000 + 10_000, 4000 + 10_000]);
});

test('overlapped walks are hidden behind instructions as far as there are walkers, or stand beside data where dear', () => {
  const walks = { ...NONE, memory: 100 };
  const times = timePerAccess(run({ walks }), 1, PRICES);
  expect([times[0], times[1]]).toEqual([10_000 / 2, 10_000 / 2]);
  expect(ways(run({ walks }))).toEqual([10_000 / 2, 11_000, 14_000]);
  const beside = timePerAccess(run({ walks, data: { ...NONE, memory: 1000 } }), 1, PRICES);
  // Cheap: misses like any other. Dear: as the walkers get through them, beside the data.
  expect([beside[0], beside[1]]).toEqual([110_000 / 10, 100_000 / 10 + 10_000 / 2]);
});

test('the measured price of overlapped walks takes the place of the number of walkers', () => {
  const prices = {
    ...PRICES,
    walkFactor: { low: 1, high: 1, overlapped: [{ bytes: 2 ** 20, factor: 0.7, misses: 20 }] },
  };
  const one = run({ walks: { ...NONE, memory: 100 }, data: { ...NONE, memory: 1000 } });
  expect(timePerAccess(one, 1, prices)[1]).toBe(100_000 / 20 + 7000);
});

test('page ends of streams may stop everything where nobody measured them', () => {
  const walks = { ...NONE, memory: 10 };
  const times = timePerAccess(run({ walks, pageEnds: walks }, { pageEnds: { alone: 5, together: 5 } }), 1, PRICES);
  expect([times[0], times[1]]).toEqual([1000, 1000 + 1000]);
  expect(times[4]).toBe(1000 + 1000);
});

test('a stream pays the measured price of its page ends in every case, on its own or among others', () => {
  const streams = { lineNs: 4, pageEndNs: { alone: 100, together: { low: 60, high: 70 } } };
  const walks = { ...NONE, l2: 10 };
  const reads = { walks, pageEnds: walks, expected: { ...NONE, l2: 5, memory: 500 } };
  const one = (pageEnds: PricedRun['pageEnds']): number[] => ways(run(reads, { pageEnds, streams }));
  expect(one({ alone: 10, together: 0 })).toEqual([2000 + 1000, 1000 + 5050 + 1000, 4000 + 5050 + 1000]);
  expect(one({ alone: 0, together: 10 })).toEqual([2000 + 600, 1000 + 5050 + 600, 4000 + 5050 + 600]);
  // In the dear cases by the high end of it.
  expect(timePerAccess(run(reads, { pageEnds: { alone: 0, together: 10 }, streams }), 1, PRICES)[1]).toBe(2000 + 700);
  // But no less than its walks, one after the other.
  expect(one({ alone: 0, together: 1 })[1]).toBe(1000 + 5050 + 100);
});

test('hits of the second-level TLB are hidden where all overlaps', () => {
  expect(ways(run({}, { slowTlbHits: 500 }))).toEqual([1000, 2000, 5000]);
});

test('data that L3 would answer alone come from memory in a crowd, and walks may be dear', () => {
  const prices = { ...PRICES, walkFactor: { low: 1, high: 2 } };
  const walks = { ...NONE, l2: 1, contested: 1 };
  const times = timePerAccess(run({ data: { ...NONE, contested: 10 }, walks }), 1, prices);
  expect(times.slice(4, 8)).toEqual([1000 + 500 + 60, 1000 + 500 + 120, 1000 + 1000 + 60, 1000 + 1000 + 120]);
});

test('first touches after gaps walk in one half of the cases and hit in the other', () => {
  const walks = { ...NONE, l2: 10, memory: 30 };
  const coldWalks = { ...NONE, memory: 20 };
  const times = timePerAccess(run({ walks }, { coldWalks }), 1, PRICES);
  expect(times.slice(0, 12)).toEqual(timePerAccess(run({ walks }), 1, PRICES));
  expect(times.slice(12)).toEqual(timePerAccess(run({ walks: { ...walks, memory: 10 } }), 1, PRICES));
  const none = timePerAccess(run({}, { coldWalks: NONE }), 1, PRICES);
  // The low bound has them as hits, the high one as walks.
  const alone = run({ walks: coldWalks }, { coldWalks });
  expect(speedupOf(timePerAccess(alone, 1, PRICES), none)).toEqual({ low: 1, high: 3 });
  expect(timeShare(alone, PRICES).low).toBe(0);
});

test('the share of translation is 0 without walks, and never above 1', () => {
  expect(timeShare(run({ data: { ...NONE, memory: 5 } }), PRICES)).toEqual({ low: 0, high: 0 });
  const { low, high } = timeShare(run({ walks: { ...NONE, memory: 1e6 } }), PRICES);
  expect(low).toBeGreaterThan(0.9);
  expect(high).toBeLessThan(1);
});

test('system time of both lowers the speed-up', () => {
  expect(speedupOf([20], [10])).toEqual({ low: 2, high: 2 });
  expect(speedupOf([20], [10], { base: 10, other: 20 })).toEqual({ low: 1, high: 1 });
  expect(speedupOf([0], [0])).toEqual({ low: 1, high: 1 });
});

const counts = fc.record({ l2: fc.nat(1e6), l3: fc.nat(1e6), contested: fc.nat(1e6), memory: fc.nat(1e6) });

test('fewer walk reads and nothing else never slow a program down', () => {
  fc.assert(
    fc.property(counts, counts, counts, fc.nat(1e6), (data, expected, walks, slowTlbHits) => {
      const base = run({ data, expected, walks }, { slowTlbHits });
      const other = run({ data, expected });
      const { low, high } = speedupOf(timePerAccess(base, 1, PRICES), timePerAccess(other, 1, PRICES));
      expect(low).toBeGreaterThanOrEqual(1);
      expect(high).toBeGreaterThanOrEqual(low);
    }),
    { numRuns: runs(100) },
  );
});

test.each(presetNames())('the prices of %s keep to the schema, and grow from level to level', (name) => {
  const prices = MachinePrices.parse(pricesFor(name));
  const { l1, l2, l3 } = prices.caches;
  const latencies = [prices.nsPerInstruction, l1.ns, l2.ns, l3?.ns ?? l2.ns + 1, prices.memoryNs];
  expect(latencies).toEqual([...latencies].sort((one, other) => one - other));
  // A processor without prices of its own takes those of its nearest relative, and says whose.
  expect(presetNames()).toContain(prices.source.split(':')[0]);
});

test('a TLB that is spelled has prices too, and they say whose', () => {
  expect(pricesFor('64x4').source).toMatch(/^skylake: /);
});
