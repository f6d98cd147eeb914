import { expect, test } from 'vitest';
import { SIZE_4K } from '../../../../hw/base/address.js';
import { FETCH_SIDE } from '../../../../hw/translate/counts/counters.js';
import { READ_INDEX, READ_LEVEL, READ_STAGE, WalkRecord } from '../../../../hw/translate/walk/walk-record.js';
import { LineMisses } from '../../../../src/compare/memory/line-misses.js';
import { Lookups } from '../../../../src/compare/lookups/lookups.js';
import { MemoryPath, type MemoryShape } from '../../../../src/compare/memory/memory-path.js';
import { AccessBlock, ACCESS_WORDS, LOAD } from '../../../../src/trace/block.js';

/** One line of L2, four of L3. */
const SHAPE: MemoryShape = { l2: { bytes: 64, ways: 1 }, l3: { bytes: 256, ways: 4 }, levels: 4 };
const NONE = { l2: 0, l3: 0, contested: 0, memory: 0, first: 0 };

/** A walk that reads one entry, at a word of RAM. */
function walkOf(word: number): WalkRecord {
  const record = new WalkRecord();
  record.count = 1;
  record.size = SIZE_4K;
  record.rows[READ_INDEX] = word;
  record.rows[READ_LEVEL] = 0;
  return record;
}

/** A path in the middle of a block of loads, whose lookups are of the accesses given. */
function pathOn(
  addresses: readonly number[],
  lookupsOf: readonly number[],
  shape = SHAPE,
  cold = new Set<number>(),
): MemoryPath {
  const block = new AccessBlock();
  for (const address of addresses) block.push(LOAD, 0, address, 8);
  const misses = new LineMisses({ bytes: 64, ways: 1 });
  misses.find(block);
  const lookups = new Lookups().of4K;
  lookups.accesses.set(lookupsOf.map((access) => ACCESS_WORDS * access));
  lookups.los.set(lookupsOf.map((access) => addresses[access] | 3));
  const path = new MemoryPath(shape);
  path.begin(misses, lookups, cold);
  return path;
}

test('a walk reads after the data of the accesses before its own, and before its own', () => {
  // The walk's line takes the only way of L2, so the line that comes again after it is no longer there.
  const before = pathOn([0x1000, 0x2000, 0x1000], [1]);
  before.walked(walkOf(0x100), 0, 0);
  expect([before.counts.data, before.counts.walks]).toEqual([
    { ...NONE, first: 1 },
    { ...NONE, memory: 1 },
  ]);
  before.end();
  expect(before.counts.data).toEqual({ ...NONE, first: 2, l3: 1 });
});

test('the first walk to a page that is new after a gap is counted apart, and no other', () => {
  const path = pathOn([], []);
  const lookups = new Lookups().of4K;
  [0x7000, 0x8000, 0x7000].forEach((address, i) => (lookups.los[i] = address | 3));
  path.begin(new LineMisses({ bytes: 64, ways: 1 }), lookups, new Set([0x7000]));
  for (const index of [0, 1, 2]) path.walked(walkOf(0x100), index === 2 ? FETCH_SIDE : 0, index);
  const { coldWalks, walks, fetchWalks } = path.counts;
  expect([coldWalks, walks, fetchWalks]).toEqual([
    { ...NONE, memory: 1 },
    { ...NONE, l2: 1 },
    { ...NONE, l2: 1 },
  ]);
});

test('a walk for the first line of a page is one at the end of a stream, though it may come after a gap', () => {
  const lines = Array.from({ length: 66 }, (_, i) => 0x1000 + 64 * i);
  const path = pathOn(lines, [0, 64, 65], SHAPE, new Set([0x1000, 0x2000]));
  for (const index of [0, 1, 2]) path.walked(walkOf(0x100), 0, index);
  const { coldWalks, walks, pageEndWalks, pageEnds } = path.counts;
  expect([coldWalks.memory, pageEndWalks.memory, walks.l2 + walks.l3]).toEqual([1, 1, 1]);
  expect(pageEnds).toEqual({ alone: 1, together: 0 });
});

test('streams in step come to a page end each, side by side with the others', () => {
  const lines = Array.from({ length: 65 }, (_, i) => [0x1000 + 64 * i, 0x10_1000 + 64 * i]).flat();
  const path = pathOn(lines, [128, 129]);
  path.walked(walkOf(0x100), 0, 0);
  path.walked(walkOf(0x100), 0, 1);
  const { walks, pageEndWalks, pageEnds } = path.counts;
  expect([pageEndWalks.memory, pageEndWalks.l2 + pageEndWalks.l3]).toEqual([1, 1]);
  expect(walks).toEqual(NONE);
  expect(pageEnds).toEqual({ alone: 0, together: 2 });
});

test('data pushes page-table entries out, and the other way round', () => {
  const path = pathOn([0x1000, 0x2000, 0x3000, 0x4000, 0x5000], [0, 4]);
  path.walked(walkOf(0x100), 0, 0);
  path.walked(walkOf(0x100), 0, 1);
  expect(path.counts.walks).toEqual({ ...NONE, memory: 2 });
});

test('entries side by side are one line, and walks of fetches are counted apart', () => {
  const path = pathOn([], []);
  path.walked(walkOf(0x100), 0, 0);
  path.walked(walkOf(0x10e), FETCH_SIDE, 0);
  expect([path.counts.walks, path.counts.fetchWalks]).toEqual([
    { ...NONE, memory: 1 },
    { ...NONE, l2: 1 },
  ]);
});

test('a share of L3 that holds less tells what others would take', () => {
  const path = pathOn([0x1000, 0x2000, 0x3000, 0x1000], [], { ...SHAPE, l3: { bytes: 256, ways: 4, shareBytes: 256 } });
  path.end();
  expect(path.counts.data).toEqual({ ...NONE, first: 3, l3: 1 });
  const tight = pathOn([0x1000, 0x2040, 0x3040, 0x1000], [], {
    ...SHAPE,
    l3: { bytes: 256, ways: 2, shareBytes: 128 },
  });
  tight.end();
  expect(tight.counts.data).toMatchObject({ first: 3, contested: 1 });
});

test('a hit of the second-level TLB is slow when its access misses the first-level data cache', () => {
  const path = pathOn([0x1000, 0x1008, 0x2000], [0, 1, 2]);
  for (let i = 0; i < 3; i++) path.secondLevelHit(0, i);
  path.secondLevelHit(FETCH_SIDE, 0);
  expect(path.counts.slowTlbHits).toBe(2);
});

test('entries of a host are read in their turn, but not for a level that the processor does not have', () => {
  const record = new WalkRecord();
  // The host for the root, the root, the host for the last table, the last table.
  [
    [2, 0, 0x100],
    [1, 3, 0x200],
    [2, 0, 0x300],
    [1, 2, 0x400],
  ].forEach(([stage, level, word], n) => {
    record.rows[8 * n + READ_STAGE] = stage;
    record.rows[8 * n + READ_LEVEL] = level;
    record.rows[8 * n + READ_INDEX] = word;
  });
  record.count = 4;
  record.startLevel = 3;
  const readsOf = (levels: number): number[] => {
    const path = pathOn([], [], { ...SHAPE, levels });
    path.walked(record, 0, 0);
    return [path.counts.walks.memory, path.counts.hostReads];
  };
  expect([readsOf(4), readsOf(3)]).toEqual([
    [4, 2],
    [2, 1],
  ]);
});
