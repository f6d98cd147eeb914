import { expect, it } from 'vitest';
import type { CacheSizes } from '../../../../src/host/calibrate/caches.js';
import { Samples } from '../../../../src/host/calibrate/figures.js';
import { pricesOf, type MeasuredPrices } from '../../../../src/host/calibrate/measured-prices.js';
import { MachinePrices } from '../../../../src/report/results/prices.js';
import { linesOf, MADE_UP } from './made-up-machine.js';

const CACHES: CacheSizes = {
  l1: { bytes: MADE_UP.l1.bytes, ways: 8 },
  l2: { bytes: MADE_UP.l2.bytes, ways: 16 },
  // Of a cache that others use too, the system tells the whole.
  l3: { bytes: 256 * 2 ** 20, ways: 16 },
};

function pricesFrom(lines: readonly string[], caches = CACHES, virtual = false): MeasuredPrices {
  const samples = new Samples();
  for (const line of lines) samples.add(line);
  return pricesOf(samples.figures(), caches, virtual);
}

it('finds the prices of a known machine again', () => {
  const prices = pricesFrom(linesOf());
  expect(prices).toMatchObject({
    nsPerInstruction: MADE_UP.instructionNs,
    nsPerCycle: MADE_UP.cycleNs,
    caches: { l1: MADE_UP.l1, l2: MADE_UP.l2, l3: { ways: 16 } },
    l2TlbHitNs: MADE_UP.hitNs,
    walksInFlight: MADE_UP.walks,
    nested: 'none',
    firstTouch: {
      '4K': { faultNs: 500, zeroNsPerByte: 0.1 },
      '2M': { faultNs: 1000, zeroNsPerByte: 0.05 },
    },
    forkNsPerEntry: MADE_UP.forkNs,
  });
  expect(prices.missesInFlight).toBeCloseTo(MADE_UP.misses, 1);
  expect(prices.memoryNs / MADE_UP.memoryNs).toBeCloseTo(1, 1);
  expect(prices.caches.l3!.ns / MADE_UP.l3.ns).toBeCloseTo(1, 1);
  expect(prices.caches.l3!.bytes / MADE_UP.l3.bytes).toBeCloseTo(1, 1);
  expect(prices.loads).toHaveLength(32);
  expect(prices.loads?.[0]).toEqual({ bytes: 16384, pages: '4K', dependentNs: 1.25, independentNs: 0.5 });
});

it('takes what a chase in laps finds again of L3 for a share of it, where that is less', () => {
  expect(pricesFrom(linesOf()).caches.l3).not.toHaveProperty('shareBytes');
  const { shareBytes, bytes } = pricesFrom(linesOf({ lapBytes: 8 * 2 ** 20 })).caches.l3!;
  expect(shareBytes! / 2 ** 23).toBeCloseTo(1, 1);
  expect(shareBytes! % (16 * 64)).toBe(0);
  expect(shareBytes).toBeLessThan(bytes);
});

it('keeps what 4 KiB of one stream and of three took, in step and out of it, by array and pages', () => {
  const { streams } = pricesFrom(linesOf());
  expect(streams).toHaveLength(18);
  expect(streams).toContainEqual({ bytes: 2 ** 28, pages: '4K', streams: 1, pageNs: 224 });
  expect(streams).toContainEqual({ bytes: 2 ** 28, pages: '2M', streams: 3, pageNs: 200 });
  expect(streams).toContainEqual({ bytes: 2 ** 28, pages: '2M', streams: 3, inStep: true, pageNs: 200 });
});

it('makes what a file of prices may hold', () => {
  const file = MachinePrices.partial().safeParse({ version: 1, source: 'a test', ...pricesFrom(linesOf()) });
  expect(file.error).toBeUndefined();
});

it('sees host pages of 4 KiB by TLB misses that huge pages do not spare, and takes their time off', () => {
  const prices = pricesFrom(linesOf({ inPieces: true }), CACHES, true);
  expect(prices.nested).toBe('4K');
  expect(prices.memoryNs / MADE_UP.memoryNs).toBeCloseTo(1, 1);
  expect(prices.caches.l3!.ns / MADE_UP.l3.ns).toBeCloseTo(1, 1);
  expect(pricesFrom(linesOf(), CACHES, true).nested).toBe('2M');
});

it('counts misses at once in the largest array, where none is four times the cache', () => {
  expect(pricesFrom(linesOf({ size: 64 * 2 ** 20 })).missesInFlight).toBeCloseTo(MADE_UP.misses, 1);
});

it('has no third level where the system knows none', () => {
  const machine = { ...MADE_UP, l3: { ...MADE_UP.l3, bytes: 1 } };
  const { caches, memoryNs } = pricesFrom(linesOf({ machine }), { ...CACHES, l3: null });
  expect(caches.l3).toBeNull();
  expect(memoryNs).toBe(MADE_UP.memoryNs);
});

it('asks for larger arrays where memory was never reached', () => {
  const lines = linesOf({ size: 64 * 2 ** 20, machine: { ...MADE_UP, l3: { ...MADE_UP.l3, bytes: 2 ** 30 } } });
  expect(() => pricesFrom(lines)).toThrow(
    'the arrays were too small to tell memory from the last cache; give --size 1024M',
  );
  expect(() => pricesFrom(linesOf({ size: 2 ** 21 }), { ...CACHES, l3: null })).toThrow('give --size 4M');
});

it('says what is missing when the program ended early', () => {
  expect(() => pricesFrom(linesOf().filter((line) => !line.startsWith('fork')))).toThrow("told nothing of 'fork'");
});
