import { expect, test } from 'vitest';
import { highWord, lowWord } from '../../../hw/base/address.js';
import { Footprint } from '../../../src/compare/footprint.js';
import { judgeRegions } from '../../../src/compare/recorded-regions.js';
import type { RecordedMapping } from '../../../src/compare/recorded-regions.js';
import { ActionResult, RegionResult } from '../../../src/report/region-result.js';
import { DEFAULT_POLICY } from '../../../src/regions/policy.js';

const MIB = 2 ** 20;
const HUGE = 2 * MIB;
const AT = 0x7f00_0000_0000;

function traced(start: number, bytes: number, fields: Partial<RecordedMapping> = {}): RecordedMapping {
  const whole = { start, end: start + bytes, permissions: 'rw-p', name: '', offset: 0, pageBytes: 4096 };
  return { ...whole, advice: 'none', residentBytes: bytes, cameAt: 0, wentAt: null, ...fields };
}

function touch(footprint: Footprint, start: number, bytes: number, step = 4096): void {
  for (let at = start; at < start + bytes; at += step) footprint.add(highWord(at), lowWord(at));
}

const LIBC = traced(AT + 2 ** 32, HUGE, { name: '/lib/libc.so.6', permissions: 'r-xp', residentBytes: MIB });

test('a recorded program gets regions with kinds, and actions by its libraries and its name', () => {
  const heap = traced(2 ** 32, 16 * MIB, { name: '[heap]' });
  const footprint = new Footprint();
  touch(footprint, heap.start, 16 * MIB);
  const { regions, actions } = judgeRegions(
    { program: '/usr/bin/sort', regions: [LIBC, heap], footprint },
    DEFAULT_POLICY,
    true,
  );
  expect(regions.map(({ kind, couldBytes }) => [kind, couldBytes])).toEqual([
    ['heap', 16 * MIB],
    ['library', 0],
  ]);
  expect(actions.map(({ id, price }) => [id, price.addedBytes?.atFaults])).toEqual([
    ['glibc', 0],
    ['madvise', 0],
  ]);
  expect(judgeRegions({ program: 'sort', regions: [heap], footprint }, DEFAULT_POLICY, false).actions).toEqual([]);
});

test('touched pages price the memory that huge pages would add', () => {
  const pool = traced(AT, 8 * HUGE, { residentBytes: 8 * 4096 });
  const footprint = new Footprint();
  touch(footprint, AT, 8 * HUGE, HUGE);
  const { regions } = judgeRegions({ program: 'app', regions: [pool], footprint }, DEFAULT_POLICY, true);
  expect(regions[0].addedBytes?.atFaults).toBe(8 * 511 * 4096);
});

test('where more was in RAM than the recording touched, nobody knows what would be added', () => {
  const footprint = new Footprint();
  touch(footprint, AT, MIB);
  const { regions } = judgeRegions(
    { program: 'app', regions: [traced(AT, 8 * HUGE)], footprint },
    DEFAULT_POLICY,
    true,
  );
  expect(regions[0]).toMatchObject({ residentBytes: 8 * HUGE, couldBytes: 8 * HUGE, addedBytes: null });
});

test('regions that followed one another count at the moment when most was in RAM', () => {
  const early = traced(AT, 8 * MIB, { wentAt: 100 });
  const late = traced(AT, 32 * MIB, { cameAt: 100, wentAt: 200 });
  const last = traced(AT, 4 * MIB, { cameAt: 200 });
  const { regions } = judgeRegions(
    { program: 'app', regions: [early, late, last, LIBC], footprint: new Footprint() },
    DEFAULT_POLICY,
    true,
  );
  expect(regions.map(({ residentBytes }) => residentBytes / MIB)).toEqual([32, 1]);
});

test('regions and actions have the forms of results', () => {
  const found = judgeRegions(
    { program: 'app', regions: [LIBC, traced(AT, 8 * HUGE), traced(2 ** 33, HUGE - 4096)], footprint: new Footprint() },
    DEFAULT_POLICY,
    true,
  );
  expect(found.actions.length).toBeGreaterThan(0);
  expect(found.regions.map((region) => RegionResult.parse(region))).toEqual(found.regions);
  expect(found.actions.map((action) => ActionResult.parse(action))).toEqual(found.actions);
});
