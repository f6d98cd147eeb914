import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import { inspect } from '../../../src/inspect/inspect.js';
import type { InspectResult } from '../../../src/inspect/inspect-result.js';
import { inspectText } from '../../../src/inspect/inspect-text.js';
import { boundVerdict } from '../../../src/inspect/verdict.js';
import { DEFAULT_POLICY } from '../../../src/regions/policy.js';
import type { HugePolicy } from '../../../src/regions/policy.js';
import { parseSmaps } from '../../../src/regions/smaps.js';
import * as processes from '../regions/processes.js';
import { image, region } from './images.js';

const MIB = 2 ** 20;
/** The model's TLB holds 1,536 entries in its second level: 6 MiB of 4 KiB pages. */
const TLB = MODEL_DEFAULT;

describe('the verdict by memory alone', () => {
  const extent = { words: 'resident', bytes: 6 * MIB, hugeBytes: 0, couldGainBytes: 6 * MIB };

  test('is no up to the reach of the TLB, and between beyond it', () => {
    expect(boundVerdict(extent, TLB).verdict).toBe('no');
    expect(boundVerdict({ ...extent, bytes: 6 * MIB + 4096 }, TLB).verdict).toBe('between');
  });

  test('counts what is huge already as huge', () => {
    expect(boundVerdict({ ...extent, bytes: 100 * MIB, hugeBytes: 96 * MIB }, TLB).verdict).toBe('no');
    expect(boundVerdict({ ...extent, bytes: 100 * MIB, hugeBytes: 90 * MIB }, TLB).verdict).toBe('between');
  });

  test('is no where nothing could become huge', () => {
    expect(boundVerdict({ ...extent, bytes: 100 * MIB, couldGainBytes: MIB }, TLB)).toMatchObject({
      verdict: 'no',
      advice: expect.stringContaining('none of it could be huge') as string,
    });
  });

  test('is none without memory', () => {
    expect(boundVerdict({ ...extent, bytes: 0 }, TLB).verdict).toBe('none');
  });
});

async function inspected(smaps: string, command: string, settings: Partial<HugePolicy> = {}): Promise<InspectResult> {
  const live = { ...image(parseSmaps(smaps)), command };
  return await inspect(live, { tlb: TLB, policy: { ...DEFAULT_POLICY, ...settings } });
}

test('the regions say how much is huge, could be, and why not; sums by kind agree', async () => {
  const { regions, kinds, verdict, actions } = await inspected(processes.PLAIN, 'a.out');
  const inMib = ({
    residentBytes,
    hugeBytes,
    couldBytes,
  }: (typeof kinds)[number] | (typeof regions)[number]): number[] =>
    [residentBytes, hugeBytes, couldBytes].map((bytes) => bytes / MIB);
  expect(regions.map((found) => [found.kind, found.whyNot, ...inMib(found)])).toEqual([
    ['heap', null, 8, 0, 8],
    ['anonymous', null, 24, 12, 24],
    ['anonymous', 'nohugepage', 20, 0, 0],
    ['library', 'file', 1, 0, 0],
    ['stack', 'stack', 1, 0, 0],
  ]);
  expect(kinds.map((sums) => [sums.kind, sums.regions, ...inMib(sums)])).toEqual([
    ['heap', 1, 8, 0, 8],
    ['anonymous', 2, 44, 12, 24],
    ['stack', 1, 1, 0, 0],
    ['library', 1, 1, 0, 0],
  ]);
  expect(verdict).toBe('between');
  expect(actions.map(({ id }) => id)).toEqual(['glibc', 'madvise', 'nohugepage', 'collapse']);
});

test('shared memory gains by a setting only, and counts as something to gain', async () => {
  const { verdict, actions, regions } = await inspected(processes.POSTGRES, 'postgres');
  expect(regions[2]).toMatchObject({ kind: 'shared memory', couldBytes: 0, whyNot: 'shmem' });
  expect([verdict, actions[0].id]).toEqual(['between', 'postgresql']);
});

test('a small process is told no, and nothing to do', async () => {
  const heap = region(2 ** 31, 4 * MIB, { resident: 4 * MIB, anonymous: 4 * MIB, name: '[heap]' });
  const result = await inspect(image([heap]), { tlb: TLB, policy: DEFAULT_POLICY });
  expect([result.verdict, result.actions]).toEqual(['no', []]);
  expect(inspectText(result)).toContain('What to do: nothing, as things are.');
});

test.each([
  ['java', processes.JAVA, '-XX:+UseTransparentHugePages'],
  ['redis-server', processes.REDIS, 'disable-thp yes'],
  ['python3.11', processes.PYTHON_JEMALLOC, 'MALLOC_CONF=thp:always'],
  ['server', processes.GO, 'Go Garbage Collector'],
])('the text about %s ends with what to do, and no line is wider than a terminal', async (command, smaps, what) => {
  const text = stripVTControlCharacters(inspectText(await inspected(smaps, command)));
  expect(text.slice(text.indexOf('What to do:'))).toContain(what);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('every cause in the table is explained below it', async () => {
  const text = stripVTControlCharacters(inspectText(await inspected(processes.PLAIN, 'a.out')));
  for (const cause of ['refused', 'file', 'stack']) {
    expect(text).toMatch(new RegExp(` ${cause}$`, 'm'));
    expect(text).toMatch(new RegExp(`^${cause}: `, 'm'));
  }
});
