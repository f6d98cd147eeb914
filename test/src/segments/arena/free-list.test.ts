import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { HOLE_ORDERS } from '../../../../src/segments/arena/arena.js';
import type { HoleOrder } from '../../../../src/segments/arena/arena.js';
import { FreeList } from '../../../../src/segments/arena/free-list.js';
import type { FreeListRules } from '../../../../src/segments/arena/free-list.js';

const RULES: FreeListRules = {
  base: 1000,
  bytes: 100,
  fit: 'best',
  order: 'address',
  coalesce: false,
  header: 0,
  align: 1,
};

function holesOf({ holes }: FreeList): [number, number][] {
  return holes.map(({ base, bytes }) => [base, bytes]);
}

test('a request is rounded up, and then gets its header', () => {
  const heap = new FreeList({ ...RULES, header: 3, align: 4 });
  expect(heap.allocate(6)).toEqual({ at: 1003, searched: 1 });
  expect(holesOf(heap)).toEqual([[1011, 89]]);
});

test('a request that fits nowhere gets -1 and changes nothing', () => {
  const heap = new FreeList(RULES);
  heap.allocate(60);
  expect(heap.allocate(41).at).toBe(-1);
  expect(holesOf(heap)).toEqual([[1060, 40]]);
});

test('an address not allocated cannot be freed', () => {
  const heap = new FreeList({ ...RULES, header: 4 });
  const { at } = heap.allocate(10);
  expect([heap.free(at - 4), heap.free(at), heap.free(at)]).toEqual([false, true, false]);
});

/** Blocks of 5, 20, 10 and the rest; the first three are freed, the largest first. */
function freed(order: HoleOrder, coalesce: boolean): [number, number][] {
  const heap = new FreeList({ ...RULES, order, coalesce });
  const [five, twenty, ten] = [5, 20, 10, 65].map((bytes) => heap.allocate(bytes).at);
  for (const at of [twenty, ten, five]) heap.free(at);
  return holesOf(heap);
}

describe('freed blocks stand in the list', () => {
  it.each<[HoleOrder, number[]]>([
    ['address', [1000, 1005, 1025]],
    ['smallest', [1000, 1025, 1005]],
    ['largest', [1005, 1025, 1000]],
    ['front', [1000, 1025, 1005]],
    ['back', [1005, 1025, 1000]],
  ])('in the order %s', (order, bases) => {
    expect(freed(order, false).map(([base]) => base)).toEqual(bases);
  });

  it('one hole once neighbours coalesce, if the list is in address order', () => {
    expect(freed('address', true)).toEqual([[1000, 35]]);
  });

  it('coalesced only with the next in the list, as malloc.py does', () => {
    // 1005 to 1034, then 1000: each next one in the list must begin where the hole ends.
    expect(freed('back', true)).toEqual([
      [1005, 30],
      [1000, 5],
    ]);
  });
});

test('a hole that was cut finds its place by size at the next free, as in malloc.py', () => {
  const heap = new FreeList({ ...RULES, fit: 'worst', order: 'smallest' });
  const [first] = [heap.allocate(10).at, heap.allocate(1).at];
  heap.free(first);
  heap.allocate(85);
  expect(holesOf(heap)).toEqual([
    [1000, 10],
    [1096, 4],
  ]);
  heap.free(1010);
  expect(holesOf(heap)).toEqual([
    [1010, 1],
    [1096, 4],
    [1000, 10],
  ]);
});

test('first, best and worst fit search as long as the book says', () => {
  const searched = (fit: FreeListRules['fit']): number[] => {
    const heap = new FreeList({ ...RULES, fit });
    const at = [10, 1, 20, 1].map((bytes) => heap.allocate(bytes).at);
    heap.free(at[0]);
    heap.free(at[2]);
    const got = heap.allocate(10);
    return [got.at, got.searched];
  };
  expect(searched('first')).toEqual([1000, 1]);
  expect(searched('best')).toEqual([1000, 3]);
  expect(searched('worst')).toEqual([1032, 3]);
});

test('holes and blocks make up the heap, byte for byte, under every order', () => {
  const rules = fc.record({
    base: fc.nat(2000),
    bytes: fc.integer({ min: 20, max: 200 }),
    fit: fc.constantFrom('first' as const, 'best' as const, 'worst' as const),
    order: fc.constantFrom(...HOLE_ORDERS),
    coalesce: fc.boolean(),
    header: fc.nat(8),
    align: fc.constantFrom(1, 2, 4, 8),
  });
  const deeds = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: -9, max: -1 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(rules, deeds, (given, list) => {
      const heap = new FreeList(given);
      const blocks: { at: number; bytes: number }[] = [];
      for (const deed of list) {
        if (deed > 0) {
          const { at } = heap.allocate(deed);
          const most = Math.max(0, ...heap.holes.map(({ bytes }) => bytes));
          if (at < 0) expect(most).toBeLessThan(heap.roomFor(deed));
          else blocks.push({ at, bytes: deed });
        } else {
          const gone = blocks.splice(-deed % Math.max(1, blocks.length), 1);
          expect(gone.every(({ at }) => heap.free(at))).toBe(true);
        }
        const owner = new Uint8Array(given.bytes);
        const claim = (base: number, bytes: number): void => {
          for (let at = base; at < base + bytes; at++) owner[at - given.base]++;
        };
        for (const { base, bytes } of heap.holes) claim(base, bytes);
        for (const { at, bytes } of blocks) claim(at - given.header, heap.roomFor(bytes));
        expect(owner.every((count) => count === 1)).toBe(true);
      }
    }),
  );
});
