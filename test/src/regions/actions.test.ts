import { describe, expect, test } from 'vitest';
import { ACTIONS } from '../../../src/regions/action-table.js';
import { actionsFor } from '../../../src/regions/actions.js';
import type { Action } from '../../../src/regions/actions.js';
import { DEFAULT_POLICY } from '../../../src/regions/policy.js';
import type { HugePolicy } from '../../../src/regions/policy.js';
import { runtimesOf } from '../../../src/regions/programs.js';
import type { Runtime } from '../../../src/regions/programs.js';
import type { Region } from '../../../src/regions/region.js';
import { parseSmaps } from '../../../src/regions/smaps.js';
import { regionUsages } from '../../../src/regions/usage.js';
import type { PresentRun } from '../../../src/regions/usage.js';
import * as processes from './processes.js';
import { region } from './regions.js';

const MIB = 2 ** 20;
const HUGE = 2 * MIB;

function actionsIn(smaps: string, program: string, settings: Partial<HugePolicy> = {}, mayGain = true): Action[] {
  const policy = { ...DEFAULT_POLICY, ...settings };
  const occupied = parseSmaps(smaps).map((live) => {
    return { region: live, residentBytes: live.resident, hugeBytes: live.anonymousHuge };
  });
  return actionsFor({ program, policy, mayGain, usages: regionUsages(occupied, policy) });
}

function idsIn(...args: Parameters<typeof actionsIn>): string[] {
  return actionsIn(...args).map(({ id }) => id);
}

test.each<[string, string, string, string[]]>([
  ['a JVM', processes.JAVA, 'java', ['JVM', 'glibc']],
  ['Redis', processes.REDIS, 'redis-server', ['Redis', 'glibc']],
  ['Python over jemalloc', processes.PYTHON_JEMALLOC, 'python3.11', ['Python', 'jemalloc', 'glibc']],
  ['PostgreSQL', processes.POSTGRES, 'postgres', ['PostgreSQL', 'glibc']],
  ['Go', processes.GO, 'server', ['Go']],
])('%s is known by its name, its libraries or its addresses', (_, smaps, program, runtimes) => {
  expect([...runtimesOf(program, parseSmaps(smaps))]).toEqual(runtimes);
});

describe('the actions fit the process', () => {
  test('a JVM is told its own option, and nothing about malloc', () => {
    expect(idsIn(processes.JAVA, 'java')).toEqual(['java']);
  });

  test('Redis is told to leave them off, be there something to gain or not', () => {
    expect(idsIn(processes.REDIS, 'redis-server')).toEqual(['redis']);
    expect(idsIn(processes.REDIS, 'redis-server', { disabled: true }, false)).toEqual(['redis']);
  });

  test('Python over jemalloc is told to ask jemalloc, over glibc to go through its heap', () => {
    expect(idsIn(processes.PYTHON_JEMALLOC, 'python3.11')).toEqual(['jemalloc', 'madvise']);
    expect(idsIn(processes.PYTHON, 'python3.11')).toEqual(['python', 'madvise']);
  });

  test('PostgreSQL is told of its shared buffers', () => {
    expect(idsIn(processes.POSTGRES, 'postgres')).toContain('postgresql');
    expect(idsIn(processes.POSTGRES, 'postgres')).not.toContain('shared-memory');
  });

  test('other shared memory needs a setting, or a pool', () => {
    expect(idsIn(processes.POSTGRES, 'cache-daemon')).toEqual(expect.arrayContaining(['shared-memory', 'hugetlb']));
  });

  test('Go needs the setting always, since it does not ask', () => {
    expect(idsIn(processes.GO, 'server')).toEqual(['go']);
    expect(idsIn(processes.GO, 'server', { enabled: 'always' })).toEqual(['collapse']);
  });

  test('each part of a plain program has its own: unasked, asked and not there, refused', () => {
    const found = actionsIn(processes.PLAIN, 'a.out');
    expect(found.map(({ id, bytes }) => [id, bytes / MIB])).toEqual([
      ['glibc', 8],
      ['madvise', 8],
      ['nohugepage', 20],
      ['collapse', 12],
    ]);
    expect(found[0].regions).toEqual(['[heap]']);
  });

  test('under never the setting comes first, and the tunable of glibc would do nothing', () => {
    expect(idsIn(processes.PLAIN, 'a.out', { enabled: 'never' })).toEqual(['nohugepage', 'setting']);
  });

  test('where nothing is to be gained, nothing is to be done', () => {
    for (const smaps of [processes.JAVA, processes.PLAIN, processes.POSTGRES]) {
      expect(actionsIn(smaps, 'a.out', {}, false)).toEqual([]);
    }
  });
});

/** One page present in each of `blocks` huge pages. */
function sparse(start: number, blocks: number, bytes = 4096): PresentRun[] {
  return Array.from({ length: blocks }, (_, i) => ({ start: start + i * HUGE, bytes }));
}

describe('the price in memory', () => {
  const heap = region(2 ** 40, 16 * HUGE, { name: '[heap]' });
  const usage = (runs: readonly PresentRun[], maxPtesNone = 511) => {
    const residentBytes = runs.reduce((sum, { bytes }) => sum + bytes, 0);
    const policy: HugePolicy = { ...DEFAULT_POLICY, enabled: 'always', maxPtesNone };
    return { policy, usages: regionUsages([{ region: heap, residentBytes, hugeBytes: 0, runs }], policy) };
  };

  test('is what a page in each 2 MiB leaves free', () => {
    const { usages } = usage(sparse(heap.start, 16));
    expect(usages[0]).toMatchObject({ residentBytes: 16 * 4096, couldBytes: 16 * 4096 });
    expect(usages[0].added).toEqual({ atFaults: 16 * 511 * 4096, byKhugepaged: 16 * 511 * 4096 });
  });

  test('is less from khugepaged where max_ptes_none is lower', () => {
    const runs = [...sparse(heap.start, 8), ...sparse(heap.start + 8 * HUGE, 8, 448 * 4096)];
    expect(usage(runs, 64).usages[0].added).toEqual({
      atFaults: 8 * 511 * 4096 + 8 * 64 * 4096,
      byKhugepaged: 8 * 64 * 4096,
    });
    expect(usage(runs, 63).usages[0].added?.byKhugepaged).toBe(0);
  });

  test('does not count pages outside of whole 2 MiB, nor those in a huge page already', () => {
    const odd = region(2 ** 40 + 4096, 2 * HUGE);
    const runs = [{ start: odd.start, bytes: 2 * HUGE }];
    const [found] = regionUsages([{ region: odd, residentBytes: 2 * HUGE, hugeBytes: HUGE, runs }], DEFAULT_POLICY);
    expect([found.couldBytes, found.added]).toEqual([HUGE, { atFaults: 0, byKhugepaged: 0 }]);
  });

  test('is unknown where only sums are known', () => {
    const [found] = regionUsages([{ region: heap, residentBytes: HUGE, hugeBytes: 0 }], DEFAULT_POLICY);
    expect([found.couldBytes, found.added]).toEqual([HUGE, null]);
  });

  test('makes an action of its own once it is a tenth of the memory, also when nothing is to be gained', () => {
    const half = usage(sparse(heap.start, 16, MIB));
    const full = usage(sparse(heap.start, 16, HUGE - 4096));
    const ids = (found: ReturnType<typeof usage>): string[] =>
      actionsFor({ program: 'app', ...found, mayGain: false }).map(({ id }) => id);
    expect(ids(half)).toEqual(['max-ptes-none']);
    expect(ids(full)).toEqual([]);
  });
});

/** A file that gives a process away as one with this runtime. */
const FILES: Readonly<Partial<Record<Runtime, string>>> = {
  JVM: '/lib/libjvm.so',
  Node: '/bin/node',
  Python: '/lib/libpython3.11.so',
  jemalloc: '/lib/libjemalloc.so.2',
  mimalloc: '/lib/libmimalloc.so.2',
  glibc: '/lib/libc.so.6',
};
const PROGRAMS: Readonly<Partial<Record<Runtime, string>>> = {
  Redis: 'redis-server',
  PostgreSQL: 'postgres',
  MySQL: 'mysqld',
  MongoDB: 'mongod',
};

/** Large regions of every kind, with every advice and at both alignments; half of each 2 MiB is present. */
function everyRegion(): Region[] {
  const start = (i: number): number => 2 ** 41 + i * 2 ** 30;
  const advices = ['none', 'huge', 'nohuge'] as const;
  return [
    ...['[heap]', '', '/memfd:pool'].flatMap((name, i) =>
      advices.map((advice, j) => {
        const permissions = name.startsWith('/') ? 'rw-s' : 'rw-p';
        return region(start(4 * i + j), 8 * HUGE, { name, permissions, advice });
      }),
    ),
    ...[20, 21].map((i) => region(start(i) + 4096, HUGE + 4096)),
  ];
}

test.each(ACTIONS.map((row) => [row.id, row] as const))('%s fits some process', (id, row) => {
  const needs = row.needs ?? [];
  const program = needs.map((name) => PROGRAMS[name]).find((name) => name !== undefined) ?? 'app';
  const files = needs.flatMap((name) => FILES[name] ?? []);
  const code = files.map((name, i) => region(2 ** 45 + i * 2 ** 30, 32 * MIB, { name, permissions: 'r-xp' }));
  const go = needs.includes('Go') ? [region(0xc0_0000_0000, 64 * MIB)] : [];
  const regions = [...go, ...everyRegion(), ...code];
  const occupied = regions.map((mapped) => {
    const runs = sparse(mapped.start, Math.ceil((mapped.end - mapped.start) / HUGE), MIB);
    return { region: mapped, runs, residentBytes: (mapped.end - mapped.start) / 2, hugeBytes: 0 };
  });
  const policies = (['madvise', 'always', 'never'] as const).flatMap((enabled) =>
    [true, false].map((disabled): HugePolicy => ({ ...DEFAULT_POLICY, enabled, disabled })),
  );
  const found = policies.flatMap((policy) =>
    actionsFor({ program, policy, mayGain: true, usages: regionUsages(occupied, policy) }),
  );
  const action = found.find((candidate) => candidate.id === id);
  expect(action?.bytes).toBeGreaterThanOrEqual(HUGE);
  expect(action?.source).toMatch(/documentation|Documentation|[Mm]anual|wiki|Java Development Kit|jemalloc\(3\)/);
});

test('no two actions have one name', () => {
  expect(new Set(ACTIONS.map(({ id }) => id)).size).toBe(ACTIONS.length);
});
