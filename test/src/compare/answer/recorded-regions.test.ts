import { join } from 'node:path';
import { expect, test } from 'vitest';
import { highWord, lowWord } from '../../../../hw/base/address.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { compare } from '../../../../src/compare/compare.js';
import { Footprint } from '../../../../src/compare/machine/footprint.js';
import { judgeRegions, largestProgram } from '../../../../src/compare/answer/recorded-regions.js';
import type { RecordedMapping } from '../../../../src/compare/answer/recorded-regions.js';
import { ActionResult, RegionResult } from '../../../../src/report/results/region-result.js';
import { DEFAULT_POLICY, type HugePolicy } from '../../../../src/regions/policy.js';
import { AccessBlock, LOAD } from '../../../../src/trace/block.js';
import { openTrace } from '../../../../src/trace/node/open.js';
import { writePacked } from '../../../../src/trace/packed/packed-writer.js';
import { temporaryFolder } from '../../../folder.js';

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

test('the process with most memory is the one to judge, if its regions are known', () => {
  const process = { program: 'app', regions: [traced(AT, HUGE)], residentBytes: 3 * MIB };
  const small = { ...process, program: 'sh', residentBytes: MIB };
  const bare = { program: 'db', regions: [], residentBytes: 2 ** 30 };
  expect(largestProgram([small, process, bare], [])?.program).toBe('app');
  expect(largestProgram([bare], [])).toBeUndefined();
  // Accesses above user space are left out, and an empty region is none.
  const nowhere = { ...process, regions: [traced(AT, 2 ** 52), traced(AT, 0)] };
  expect(largestProgram([nowhere], [])).toBeUndefined();
  // What was touched was in RAM, though nobody looked.
  const footprint = new Footprint();
  touch(footprint, AT, 4 * MIB);
  expect(largestProgram([small, process], [footprint])).toEqual({ program: 'sh', regions: small.regions, footprint });
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

const LOADS = 30_000;

/** A recording of a program that hops about in 16 MiB of anonymous memory, all of it touched. */
async function hops(): Promise<string> {
  async function* blocks(): AsyncGenerator<AccessBlock> {
    const block = new AccessBlock();
    for (let i = 0; i < LOADS; i++) {
      if (i % 10_000 === 0) {
        if (i > 0) yield await Promise.resolve(block);
        block.clear();
      }
      const address = AT + ((i * 1031) % 4096) * 4096;
      block.push(LOAD, highWord(address), lowWord(address), 8);
    }
    yield await Promise.resolve(block);
  }
  const path = join(temporaryFolder(), 'x.pwt');
  const metadata = { command: ['x'], tool: 't', skip: 0, limit: null, fetches: false, window: LOADS };
  const process = { pid: 1, program: '/bin/hop', origin: 'command' as const, accesses: LOADS, threads: [] };
  const regions = [traced(AT, 16 * MIB), LIBC].map((region) => ({ ...region, stack: false }));
  const facts = { accesses: LOADS, processes: [{ ...process, regions }], unseen: [] };
  await writePacked(path, blocks(), metadata, { facts: () => Promise.resolve(facts) });
  return path;
}

test('a comparison gives the regions of a recording, and actions for the settings of the system', async () => {
  const path = await hops();
  const found = async (policy?: HugePolicy) => {
    const sources = [{ name: 'x', open: () => openTrace(path) }];
    const tlb = parseTlb('16xfa');
    const { traces } = await compare({ sources, shifts: [12, 21], tlb, ...(policy !== undefined && { policy }) });
    const [{ verdict, regions, actions }] = traces;
    return [verdict, regions.map(({ couldBytes, whyNot }) => [couldBytes, whyNot]), actions.map(({ id }) => id)];
  };
  expect(await found()).toEqual([
    'yes',
    [
      [16 * MIB, null],
      [0, 'file'],
    ],
    ['glibc', 'madvise'],
  ]);
  expect(await found({ ...DEFAULT_POLICY, enabled: 'never' })).toEqual([
    'yes',
    [
      [0, 'setting'],
      [0, 'file'],
    ],
    ['setting'],
  ]);
});
