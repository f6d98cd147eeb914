import { expect, test } from 'vitest';
import { USER, WRITE } from '../../../../hw/base/access.js';
import { LookupFinder } from '../../../../src/compare/lookups/lookup-finder.js';
import { RepeatFilter } from '../../../../src/compare/lookups/repeats.js';
import { AccessBlock, AccessTally, FETCH, LOAD, MODIFY, STORE } from '../../../../src/trace/block.js';

type Access = readonly [kind: number, hi: number, lo: number, size: number];

/** A finder for TLBs with sets enough that nothing shares one. */
const newFinder = (): LookupFinder => new LookupFinder(new RepeatFilter(() => []));

function blockOf(accesses: readonly Access[]): AccessBlock {
  const block = new AccessBlock();
  for (const access of accesses) block.push(...access);
  return block;
}

/** By page size: lookups to be made, repeats of data, repeats of fetches. */
function found(...accesses: readonly Access[]): number[][] {
  const { bySize } = newFinder().find(blockOf(accesses));
  return bySize.map(({ length, dataRepeats, fetchRepeats }) => [length, dataRepeats, fetchRepeats]);
}

test('a repeat is counted where a lookup is not made, those of fetches apart', () => {
  const again: Access = [LOAD, 0, 0x1008, 8];
  expect(found([LOAD, 0, 0x1000, 8], again, [STORE, 0, 0x1010, 8])).toEqual([
    [1, 2, 0],
    [1, 2, 0],
    [1, 2, 0],
  ]);
  expect(found([LOAD, 0, 0x1000, 8], [FETCH, 0, 0x1000, 4], again, [FETCH, 0, 0x1004, 4])).toEqual([
    [2, 1, 1],
    [2, 1, 1],
    [2, 1, 1],
  ]);
});

test('a load-modify-store is two lookups', () => {
  expect(found([MODIFY, 0, 0x1000, 8])).toEqual([
    [1, 1, 0],
    [1, 1, 0],
    [1, 1, 0],
  ]);
});

test('an access that crosses into another page looks that up too, where pages of the size end there', () => {
  expect(found([LOAD, 0, 0x1ffc, 8])).toEqual([
    [2, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ]);
  expect(found([FETCH, 0, 2 ** 21 - 2, 4])).toEqual([
    [2, 0, 0],
    [2, 0, 0],
    [1, 0, 0],
  ]);
  // Load and store touch both pages, of 1 GiB too.
  expect(found([MODIFY, 0, 2 ** 30 - 4, 8])).toEqual([
    [2, 2, 0],
    [2, 2, 0],
    [2, 2, 0],
  ]);
});

test('a second page is looked up by the access of the first, at its own address', () => {
  const { his, los } = newFinder().find(blockOf([[STORE, 4, -4, 8]])).of4K;
  expect([...his.subarray(0, 2)]).toEqual([4, 5]);
  expect([...los.subarray(0, 2)]).toEqual([-4096 | USER | WRITE, 0 | USER | WRITE]);
});

test('accesses that no process makes are left out, a load-modify-store as two', () => {
  const finder = newFinder();
  const block = blockOf([
    [MODIFY, 0x8000, 0, 8],
    [FETCH, -1, 0, 4],
    [LOAD, 0x7fff, -4, 8],
    [MODIFY, 0, 0x1000, 8],
  ]);
  const tally = new AccessTally();
  tally.add(block);
  const { accesses, of4K } = finder.find(block);
  expect([accesses, of4K.length, of4K.dataRepeats, of4K.fetchRepeats]).toEqual([2, 1, 1, 0]);
  expect(finder.outsideUserSpace).toBe(3);
  expect(finder.made(tally)).toEqual({ data: 2, fetches: 0 });
});

test('a block whose kinds are not those of its accesses is refused', () => {
  const block = blockOf([[LOAD, 0, 0x1000, 8]]);
  block.length = 0;
  expect(() => newFinder().find(block)).toThrow('a block of 0 accesses whose kinds are 1, 0, 0, 0');
});
