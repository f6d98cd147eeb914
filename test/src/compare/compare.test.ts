import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBigInt, SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import { compare, type CompareOptions } from '../../../src/compare/compare.js';
import { pricesFor } from '../../../src/compare/time/preset-prices.js';
import { CompareResult, type TraceSummary } from '../../../src/report/results/compare-result.js';
import type { MachinePrices } from '../../../src/report/results/prices.js';
import { hugeShare } from '../../../src/compare/machine/pages/mixed-pages.js';
import { AccessBlock, AccessTally, FETCH, LOAD, MODIFY, STORE, type Trace } from '../../../src/trace/block.js';
import { openWorkload } from '../../../src/trace/workload.js';
import { referenceReplay } from './reference-tlb.js';
import type { ReferenceShapes } from './reference-tlb.js';
import { runs } from '../../runs.js';

type Access = readonly ['I' | 'L' | 'S' | 'M', bigint, number];

const KINDS = { I: FETCH, L: LOAD, S: STORE, M: MODIFY };

/** A trace that delivers `accesses` in blocks of ten, so that every property crosses blocks. */
function traceOf(accesses: readonly Access[]): Trace {
  const counts = new AccessTally();
  return {
    name: 'test',
    counts,
    async *[Symbol.asyncIterator]() {
      const block = new AccessBlock();
      for (let i = 0; i < accesses.length; i += 10) {
        block.clear();
        for (const [kind, address, size] of accesses.slice(i, i + 10)) {
          const { hi, lo } = fromBigInt(address);
          block.push(KINDS[kind], hi, lo, size);
        }
        counts.add(block);
        yield await Promise.resolve(block);
      }
    },
  };
}

async function compareOn(
  accesses: readonly Access[],
  shifts: readonly number[],
  tlb: TlbGeometry,
  share?: CompareOptions['hugeShare'],
): Promise<CompareResult> {
  const source = { name: 'test', open: () => traceOf(accesses) };
  return CompareResult.parse(await compare({ sources: [source], shifts, tlb, hugeShare: share }));
}

/** Addresses of a program: a code area, a heap, a stack at the very top, and some anywhere. */
const address = fc.oneof(
  fc.integer({ min: 0, max: 0x40_0000 }).map(BigInt),
  fc.integer({ min: 0, max: 0x800_0000 }).map((offset) => 0x5555_5000_0000n + BigInt(offset)),
  fc.integer({ min: 0, max: 0x4_0000 }).map((offset) => 0x7fff_ffff_ffffn - BigInt(offset)),
  fc.integer({ min: 0, max: 40 }).map((page) => 0x7f00_0000_0ffcn + BigInt(page) * 0x20_0000n),
);
const kind = fc.constantFrom('I' as const, 'L' as const, 'S' as const, 'M' as const);
const size = fc.constantFrom(1, 4, 8, 16, 64, 512);
/** Accesses that begin at one address and go on beside it, as a program's do. */
const neighbours: fc.Arbitrary<readonly Access[]> = fc
  .tuple(address, fc.array(fc.tuple(kind, fc.integer({ min: 0, max: 2000 }), size), { minLength: 1, maxLength: 6 }))
  .map(([start, steps]) => steps.map(([what, step, bytes]): Access => [what, start + BigInt(step), bytes]))
  .map((accesses) => accesses.filter(([, at, bytes]) => at + BigInt(bytes) <= 1n << 47n));

const SMALL_TLBS: readonly (readonly [TlbGeometry, ReferenceShapes])[] = [
  [parseTlb('4x2+16x4'), { l1: { entries: 4, ways: 2 }, l2: { entries: 16, ways: 4 } }],
  [parseTlb('3x1+12x12'), { l1: { entries: 3, ways: 1 }, l2: { entries: 12, ways: 12 } }],
  [parseTlb('6x2'), { l1: { entries: 6, ways: 2 } }],
  [
    { ...parseTlb('4x2+16x4'), l1Store: parseTlb('2xfa').l1Data },
    { l1: { entries: 4, ways: 2 }, l2: { entries: 16, ways: 4 }, store: { entries: 2, ways: 2 } },
  ],
];

test('the counts are those of a hand-written reference, at every page size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(neighbours, { minLength: 1, maxLength: 1000 }),
      fc.boolean(),
      fc.constantFrom(...SMALL_TLBS),
      async (places, fetches, [tlb, shapes]) => {
        const accesses = places.flat().filter(([what]) => fetches || what !== 'I');
        const { runs } = await compareOn(accesses, [SHIFT_4K, SHIFT_2M, SHIFT_1G], tlb);
        for (const [index, shift] of [SHIFT_4K, SHIFT_2M, SHIFT_1G].entries()) {
          const { data, fetch } = referenceReplay(accesses, shift, shapes);
          expect(runs[index].counts).toEqual(data);
          expect(runs[index].fetches?.counts).toEqual(fetch.lookups > 0 ? fetch : undefined);
        }
      },
    ),
    { numRuns: runs(20) },
  );
});

test('with pages of both sizes the counts are those of the reference, and those of the same share again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(neighbours, { minLength: 1, maxLength: 1000 }),
      fc.constantFrom(...SMALL_TLBS),
      fc.constantFrom(0, 0.3, 0.7, 1),
      fc.nat(9),
      async (places, [tlb, shapes], share, seed) => {
        const accesses = places.flat();
        const { runs } = await compareOn(accesses, [SHIFT_4K, SHIFT_2M], tlb, { share, seed });
        const isHuge = hugeShare(share, seed);
        const sizes = (at: bigint): number => (isHuge(Number(at >> 21n)) ? SHIFT_2M : SHIFT_4K);
        const expected = [SHIFT_4K, sizes].map((shift) => referenceReplay(accesses, shift, shapes));
        expect(runs.map(({ counts }) => counts)).toEqual(expected.map(({ data }) => data));
        expect(runs.map(({ fetches }) => fetches?.counts)).toEqual(
          expected.map(({ fetch }) => (fetch.lookups > 0 ? fetch : undefined)),
        );
        expect(runs.map((run) => run.hugeShare)).toEqual([undefined, share]);
      },
    ),
    { numRuns: runs(20) },
  );
});

test('none of the places are small pages, all of them huge ones, and the speed-up of a share lies between', async () => {
  const gain = async (share: number): Promise<TraceSummary> => {
    const open = (): Trace => openWorkload('uniform', { footprint: 2 ** 26, accesses: 20_000 });
    const options = { sources: [{ name: 'uniform', open }], shifts: [SHIFT_4K, SHIFT_2M], tlb: MODEL_DEFAULT };
    return (await compare({ ...options, hugeShare: { share, seed: 1 } })).traces[0];
  };
  const [none, some, all] = [await gain(0), await gain(0.6), await gain(1)];
  expect(none.speedup).toEqual({ low: 1, high: 1 });
  const [part, whole] = [some.speedup?.high ?? 0, all.speedup?.high ?? 0];
  expect([part > 1.01, part < whole, some.hugeShare]).toEqual([true, true, 0.6]);
  expect(some.why).toMatch(/needs [\d,]+ entries of 2M and 4K, not [\d,]+ of 4K/);
});

test.each([
  ['pages that differ in the high word alone', [0x1000n, 0x1_0000_1000n], { lookups: 2, walks: 2 }],
  [
    'an access that ends above user space, between two below',
    [0x1000n, 0x7fff_ffff_fffcn, 0x1000n],
    { lookups: 2, walks: 1 },
  ],
])('lookups keep %s apart', async (_what, addresses, counts) => {
  const { runs } = await compareOn(
    addresses.map((at) => ['L', at, 8]),
    [SHIFT_4K],
    parseTlb('64x4'),
  );
  expect(runs[0].counts).toMatchObject(counts);
});

test('a load-modify-store is two accesses, and the rates are per access', async () => {
  const accesses: Access[] = [
    ['M', 0x1000n, 8],
    ['L', 0x2000n, 8],
  ];
  const { runs } = await compareOn(accesses, [SHIFT_4K], parseTlb('64x4'));
  expect(runs[0].perAccess).toEqual({ accesses: 3, entryReads: 8 / 3 });
});

test('memory is mapped in whole pages, and what is not touched of them is wasted', async () => {
  const accesses: Access[] = [
    ['L', 0x1000n, 8],
    ['L', 0x3ff8n, 16],
    ['L', 0x4000_0000n, 8],
  ];
  const { traces, runs } = await compareOn(accesses, [SHIFT_4K, SHIFT_2M, SHIFT_1G], parseTlb('64x4'));
  expect(traces[0].coverage.touchedBytes).toBe(4 * 4096);
  expect(runs.map(({ memory }) => [memory.mappedBytes, memory.wastedBytes])).toEqual([
    [4 * 4096, 0],
    [2 * 2 ** 21, 2 * 2 ** 21 - 4 * 4096],
    [2 * 2 ** 30, 2 * 2 ** 30 - 4 * 4096],
  ]);
});

test('page tables and fork are those of the pages mapped', async () => {
  // Two pages in one table; PML4, PDPT, page directory and page table. A page of 2 MiB needs no page table.
  const accesses: Access[] = [
    ['L', 0x1000n, 8],
    ['S', 0x2000n, 8],
  ];
  const { runs } = await compareOn(accesses, [SHIFT_4K, SHIFT_2M], parseTlb('64x4'));
  expect(runs.map(({ memory, fork }) => [memory.pageTableBytes, fork.entriesCopied, fork.tableBytes])).toEqual([
    [4 * 4096, 2, 4 * 4096],
    [3 * 4096, 1, 3 * 4096],
  ]);
});

test('a trace whose accesses are all outside user space gives an error and no verdict', async () => {
  const kernel: readonly Access[] = [['L', 0xffff_8000_0000_0000n, 8]];
  await expect(compareOn(kernel, [SHIFT_4K], parseTlb('4x4'))).rejects.toThrow('found only 1 above');
});

/** Long enough for the first walk to each page, which comes once, to count for little. */
async function answer(workload: string, footprint: number, nested: MachinePrices['nested']): Promise<TraceSummary> {
  // A chase walks so often that first walks count for little sooner.
  const accesses = workload === 'chase' ? 1_000_000 : 2_000_000;
  const source = { name: workload, open: (): Trace => openWorkload(workload, { footprint, accesses }) };
  const prices = { ...pricesFor('skylake'), nested };
  const { traces } = await compare({ sources: [source], shifts: [SHIFT_4K, SHIFT_2M], tlb: MODEL_DEFAULT, prices });
  return traces[0];
}

test('a hot set of 2 MiB gains nothing where all overlaps, and hits of the second level where each load waits', async () => {
  const { verdict, speedup } = await answer('uniform', 2 ** 21, 'none');
  expect(verdict).toBe('between');
  expect(speedup?.low).toBeCloseTo(1, 2);
});

test('where the host has pages of 4 KiB, the TLB holds no more, and a hot set of 2 MiB gains nothing', async () => {
  expect((await answer('uniform', 2 ** 21, '4K')).verdict).toBe('no');
});

test('a chase through 64 MiB gains, below a host the more', async () => {
  const [bare, guest] = [await answer('chase', 2 ** 26, 'none'), await answer('chase', 2 ** 26, '2M')];
  expect([bare.verdict, guest.verdict]).toEqual(['yes', 'yes']);
  expect(guest.speedup?.high).toBeGreaterThan(bare.speedup?.high ?? Infinity);
});

test('without sizes the pages are those of the command line', async () => {
  const source = { name: 'test', open: () => traceOf([['L', 0x1000n, 8]]) };
  const result = await compare({ sources: [source], tlb: parseTlb('16x4') });
  expect(result.runs.map(({ pages }) => pages)).toEqual(['4K', '2M', '1G']);
});
