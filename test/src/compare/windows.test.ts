import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { compare } from '../../../src/compare/compare.js';
import type { CompareRun } from '../../../src/report/results/compare-result.js';
import { pricesFor } from '../../../src/compare/time/preset-prices.js';
import type { MachinePrices } from '../../../src/report/results/prices.js';
import { AccessBlock, LOAD } from '../../../src/trace/block.js';
import { openTrace } from '../../../src/trace/node/open.js';
import { writePacked } from '../../../src/trace/packed/packed-writer.js';
import { temporaryFolder } from '../../folder.js';

/** By window: where it begins, and the pages that its accesses load from. */
type Windows = Record<number, readonly number[]>;

async function* accessesOf(windows: Windows): AsyncGenerator<AccessBlock> {
  const block = new AccessBlock();
  for (const [window, pages] of Object.entries(windows)) {
    block.window = Number(window);
    for (const page of pages) block.push(LOAD, 0, 4096 * page, 8);
    yield await Promise.resolve(block);
    block.clear();
  }
}

/** Compares a recording of windows of 8 accesses; two of each after a gap warm up. */
async function run(windows: Windows): Promise<CompareRun> {
  const [only] = await runsOf(windows, [SHIFT_4K], '4xfa', 'none');
  return only;
}

async function runsOf(
  windows: Windows,
  shifts: readonly number[],
  shape: string,
  nested: MachinePrices['nested'],
): Promise<CompareRun[]> {
  const path = join(temporaryFolder(), 'x.pwt');
  const metadata = { command: ['x'], tool: 't', skip: 0, limit: null, fetches: false, window: 8 };
  await writePacked(path, accessesOf(windows), metadata);
  const tlb = parseTlb(shape);
  const sources = [{ name: 'x', open: () => openTrace(path) }];
  return (await compare({ sources, shifts, tlb, prices: { ...pricesFor(shape), nested } })).runs;
}

it('counts all of a recording without gaps', async () => {
  const { counts, coldPages } = await run({ 0: [1, 2, 3, 4, 1, 2, 3, 4], 8: [5, 5, 5, 5, 5, 5, 5, 5] });
  expect([counts.lookups, counts.walks, coldPages]).toEqual([16, 5, 0]);
});

it('lets each window after a gap warm up first, uncounted', async () => {
  const { counts, coldPages } = await run({ 0: [1, 1, 1, 1, 1, 1, 1, 1], 80: [2, 3, 2, 3, 2, 3, 2, 3] });
  // The pages 2 and 3 come into the TLB before the counting begins.
  expect([counts.lookups, counts.walks, coldPages]).toEqual([14, 1, 0]);
});

it('says how many walks a gap may have made of hits: pages that came first after it', async () => {
  const { counts, coldPages } = await run({ 0: [1, 1, 1, 1, 1, 1, 1, 1], 80: [1, 2, 2, 4, 5, 6, 1, 1] });
  // 4, 5 and 6 are new. Page 1, which they drove out, is not.
  expect([counts.lookups, counts.walks, coldPages]).toEqual([14, 5, 3]);
});

it('takes a piece of a huge page for new after a gap, where the TLB holds no more than a piece', async () => {
  const windows = { 0: [1, 1, 1, 1, 1, 1, 1, 1], 80: [1, 2, 2, 4, 5, 6, 1, 1] };
  const sizes = [SHIFT_4K, SHIFT_2M];
  const cold = async (nested: MachinePrices['nested']): Promise<number[]> =>
    (await runsOf(windows, sizes, 'zen3', nested)).map(({ coldPages }) => coldPages);
  expect(await cold('4K')).toEqual([3, 3]);
  expect(await cold('2M')).toEqual([3, 0]);
  expect(await cold('none')).toEqual([3, 0]);
});

it('prices the walks of pages that came first after a gap as hits too', async () => {
  const whole = await run({ 0: [1, 2, 3, 4, 5, 6, 1, 2] });
  expect(whole.time.nsPerAccess).toHaveLength(12);
  const { time } = await run({ 0: [1, 1, 1, 1, 1, 1, 1, 1], 80: [1, 2, 2, 4, 5, 6, 2, 2] });
  const [walking, hitting] = [time.nsPerAccess.slice(0, 12), time.nsPerAccess.slice(12)];
  expect(hitting).toHaveLength(12);
  hitting.forEach((ns, i) => {
    expect(ns).toBeLessThanOrEqual(walking[i]);
  });
  expect(Math.max(...hitting)).toBeLessThan(Math.max(...walking));
});
