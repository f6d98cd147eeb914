import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hugeBacking, hugeBackings, mainObstacle, wholeHuge } from '../../../src/regions/backing.js';
import type { Obstacle } from '../../../src/regions/backing.js';
import { DEFAULT_POLICY } from '../../../src/regions/policy.js';
import type { HugePolicy, ShmemMode } from '../../../src/regions/policy.js';
import type { RecordedRegion, Region } from '../../../src/regions/region.js';
import { region } from './regions.js';

const PAGE = 4096;
const MIB = 2 ** 20;
const HUGE = 2 * MIB;
const AT = 0x7f00_0000_0000;
const ALWAYS: HugePolicy = { ...DEFAULT_POLICY, enabled: 'always' };

/** What a real kernel (Linux 6.18, enabled = madvise) made huge of such mappings, each advised and written whole. */
test.each([
  ['8 MiB at a multiple of 2 MiB', 0, 8 * MIB, 8 * MIB],
  ['8 MiB less its first page', PAGE, 8 * MIB - PAGE, 6 * MIB],
  ['4 MiB less a page at both ends', PAGE, 4 * MIB - 2 * PAGE, 0],
  ['2 MiB less a page', 0, HUGE - PAGE, 0],
])('%s: Linux backs %i + %i with %i bytes', (_, from, bytes, huge) => {
  expect(hugeBacking(region(AT + from, bytes, { advice: 'huge' }), DEFAULT_POLICY).bytes).toBe(huge);
});

test('the bytes and the obstacles of a region add up to its size', () => {
  const kinds = ['', '[heap]', '[stack]', '/lib/a.so', '/data', '/memfd:a', '/dev/shm/b', '[vdso]'];
  fc.assert(
    fc.property(
      fc.record({
        page: fc.nat(2000),
        pages: fc.integer({ min: 1, max: 5000 }),
        name: fc.constantFrom(...kinds),
        permissions: fc.constantFrom('rw-p', 'r--p', '---p', 'rw-s'),
        advice: fc.constantFrom('none' as const, 'huge' as const, 'nohuge' as const),
        offset: fc.constantFrom(0, PAGE, HUGE),
        enabled: fc.constantFrom('always' as const, 'madvise' as const, 'never' as const),
        shmem: fc.constantFrom<ShmemMode>('always', 'within_size', 'advise', 'never', 'deny', 'force'),
      }),
      ({ page, pages, name, permissions, advice, offset, enabled, shmem }) => {
        const mapped = region(AT + page * PAGE, pages * PAGE, { name, permissions, advice, offset });
        const { bytes, hindered, byItself } = hugeBacking(mapped, { ...DEFAULT_POLICY, enabled, shmem });
        expect(bytes + hindered.reduce((sum, item) => sum + item.bytes, 0)).toBe(pages * PAGE);
        expect(bytes % HUGE).toBe(0);
        expect(byItself && bytes === 0).toBe(false);
        const { from, to } = wholeHuge(mapped);
        expect([0, to - from]).toContain(bytes);
      },
    ),
  );
});

test.each<[Obstacle, Partial<Region>, Partial<HugePolicy>]>([
  ['inaccessible', { permissions: '---p' }, {}],
  ['special', { name: '[vdso]' }, {}],
  ['file', { name: '/data/table' }, {}],
  ['file', { name: '/usr/lib/libc.so.6', permissions: 'r-xp' }, {}],
  ['nohugepage', { advice: 'nohuge' }, {}],
  ['disabled', { advice: 'huge' }, { disabled: true }],
  ['setting', { advice: 'huge' }, { enabled: 'never' }],
  ['shmem', { name: '/memfd:pool', permissions: 'rw-s' }, { shmem: 'never', enabled: 'always' }],
  ['shmem', { name: '/dev/shm/pool', permissions: 'rw-s' }, { shmem: 'always', devShm: 'never' }],
  ['shmem', { name: '/dev/shm/pool', permissions: 'rw-s' }, { shmem: 'deny', devShm: 'always' }],
  ['offset', { name: '/memfd:pool', permissions: 'rw-s', offset: PAGE }, { shmem: 'always' }],
])('all of it is kept small by: %s', (obstacle, fields, policy) => {
  const { bytes, hindered } = hugeBacking(region(AT, 8 * MIB, fields), { ...ALWAYS, ...policy });
  expect([bytes, hindered]).toEqual([0, [{ obstacle, bytes: 8 * MIB }]]);
});

test.each<[string, Partial<Region>, Partial<HugePolicy>, boolean]>([
  ['anonymous memory under always', {}, { enabled: 'always' }, true],
  ['anonymous memory under madvise', {}, { enabled: 'madvise' }, false],
  ['advised memory under madvise', { advice: 'huge' }, { enabled: 'madvise' }, true],
  ['read-only anonymous memory', { permissions: 'r--p' }, { enabled: 'always' }, true],
  ['shared memory under advise', { name: '/memfd:a', permissions: 'rw-s' }, { shmem: 'advise' }, false],
  ['advised shared memory', { name: '/memfd:a', permissions: 'rw-s', advice: 'huge' }, { shmem: 'advise' }, true],
  ['shared memory within its size', { name: '/memfd:a', permissions: 'rw-s' }, { shmem: 'within_size' }, true],
  ['a tmpfs of its own mind', { name: '/dev/shm/a', permissions: 'rw-s' }, { devShm: 'always' }, true],
  ['every tmpfs under force', { name: '/dev/shm/a', permissions: 'rw-s' }, { shmem: 'force' }, true],
  ['MAP_HUGETLB under never', { pageBytes: HUGE }, { enabled: 'never' }, true],
])('could be huge, by itself or not: %s', (_, fields, policy, byItself) => {
  const backing = hugeBacking(region(AT, 8 * MIB, fields), { ...DEFAULT_POLICY, ...policy });
  expect(backing).toEqual({ bytes: 8 * MIB, byItself, hindered: [] });
});

describe('the main cause', () => {
  test('a large region names its ends, a small one its size, a stack its growth', () => {
    const cause = (mapped: Region): Obstacle | undefined => mainObstacle(hugeBacking(mapped, ALWAYS));
    expect(cause(region(AT + PAGE, 8 * MIB))).toBe('edges');
    expect(cause(region(AT + PAGE, 3 * MIB))).toBe('unaligned');
    expect(cause(region(AT, MIB))).toBe('small');
    expect(cause(region(AT, 132 * 1024, { name: '[stack]' }))).toBe('stack');
    expect(cause(region(AT, HUGE))).toBeUndefined();
  });

  test('guard pages at its side are named', () => {
    const pool = region(AT, HUGE - PAGE);
    const guard = region(AT + HUGE - PAGE, PAGE, { permissions: '---p' });
    const far = region(AT + 8 * HUGE, MIB);
    expect(hugeBackings([pool, guard, far], ALWAYS).map(mainObstacle)).toEqual(['guard', 'inaccessible', 'small']);
  });

  test('a guard that was there at another time is none', () => {
    const at = (cameAt: number, wentAt: number | null): Pick<RecordedRegion, 'cameAt' | 'wentAt'> => ({
      cameAt,
      wentAt,
    });
    const guard = { ...region(AT + MIB, PAGE, { permissions: '---p' }), ...at(0, 100) };
    const early = { ...region(AT, MIB), ...at(50, 100) };
    const late = { ...region(AT, MIB), ...at(100, null) };
    const [, ...found] = hugeBackings([guard, early, late], ALWAYS).map(mainObstacle);
    expect(found).toEqual(['guard', 'small']);
  });
});
