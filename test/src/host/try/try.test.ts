import { describe, expect, it } from 'vitest';
import type { Run } from '../../../../src/host/try/launch.js';
import type { HugePageSystem } from '../../../../src/host/thp.js';
import { resultOf, type Pair } from '../../../../src/host/try/try.js';
import { TryResult } from '../../../../src/report/results/try-result.js';
import { tryText } from '../../../../src/report/views/try-views.js';

const MIB = 2 ** 20;
const SYSTEM: HugePageSystem = { setting: 'madvise', basePageBytes: 4096, hugePageBytes: 2 * MIB, glibc: '2.36' };

function run(side: Run['side'], changes: Partial<Run> = {}): Run {
  return {
    side,
    exitCode: 0,
    signal: 0,
    user: 1,
    system: 0.5,
    wall: 1.6,
    minorFaults: 1000,
    majorFaults: 0,
    leftRunning: 0,
    memory: { resident: 130 * MIB, anonymous: 120 * MIB, huge: side === 'huge' ? 118 * MIB : 0 },
    advised: true,
    output: 'same',
    errors: '',
    ...changes,
  };
}

/** Pairs with these user times on the two sides. */
function pairs(times: readonly (readonly [number, number])[], huge: Partial<Run> = {}): Pair[] {
  return times.map(([base, other]) => ({
    base: run('base', { user: base }),
    huge: run('huge', { user: other, ...huge }),
  }));
}

const result = (given: readonly Pair[], system = SYSTEM, others = 0): TryResult =>
  TryResult.parse(resultOf(['app', '--fast'], system, given, others));

const FASTER = [
  [1.2, 1],
  [1.24, 1],
  [1.3, 1],
  [1.25, 1],
  [1.21, 1],
] as const;

describe('the answer', () => {
  it('is yes when even the low end is a gain, with figures and how much was huge', () => {
    const { verdict, answer, speedup, confidence } = result(pairs(FASTER));
    expect(verdict).toBe('yes');
    expect(answer).toBe(
      'Yes: with huge pages 1.24 times as fast (1.20 to 1.30), user time, 5 pairs; 118 MiB of 120 MiB were huge.',
    );
    expect([speedup.user?.median, speedup.wall?.median, confidence]).toEqual([1.24, 1, 0.9375]);
  });

  it.each([
    [
      'no',
      [
        [1, 1],
        [1.01, 1],
        [0.99, 1],
        [1, 1],
        [1, 1],
      ],
    ],
    [
      'no',
      [
        [0.8, 1],
        [0.81, 1],
        [0.85, 1],
        [0.8, 1],
        [0.8, 1],
      ],
    ],
    [
      'between',
      [
        [1.1, 1],
        [1.01, 1],
        [1.2, 1],
        [1.1, 1],
        [1.1, 1],
      ],
    ],
  ] as const)('is %s for the pairs %j', (verdict, times) => {
    expect(result(pairs(times)).verdict).toBe(verdict);
  });

  it('pairs the runs: a machine that grows slower changes no ratio', () => {
    const slower = FASTER.map(([base, huge], i) => [base * (1 + i), huge * (1 + i)] as const);
    expect(result(pairs(slower)).speedup.user?.median).toBeCloseTo(1.24);
  });

  it.each<[string, readonly Pair[], Partial<HugePageSystem>?]>([
    [
      '2 pairs cannot tell; give --pairs 5 or more',
      pairs([
        [1.2, 1],
        [1.2, 1],
      ]),
    ],
    ['too little user time', pairs([...FASTER, [0.01, 0]])],
    ['could not be seen', pairs(FASTER, { memory: undefined })],
    [
      '2 MiB of 120 MiB were in huge pages: its memory comes in pieces smaller than 2 MiB, from malloc in threads',
      pairs(FASTER, { memory: { resident: 130 * MIB, anonymous: 120 * MIB, huge: 2 * MIB } }),
    ],
    [
      'from a malloc without a setting for huge pages, or the system',
      pairs(FASTER, { memory: { resident: 130 * MIB, anonymous: 120 * MIB, huge: 0 } }),
      { glibc: '2.31' },
    ],
    [
      'does not load the library that asks for them',
      pairs(FASTER, { advised: false, memory: { resident: 130 * MIB, anonymous: 120 * MIB, huge: 0 } }),
    ],
    ['is too small for huge pages of 2 MiB', pairs(FASTER, { memory: { resident: 3 * MIB, anonymous: MIB, huge: 0 } })],
    [
      'with PR_SET_THP_DISABLE too, 118 MiB were in huge pages',
      pairs(FASTER).map(({ huge }) => ({ base: { ...huge, side: 'base' as const }, huge })),
    ],
  ])('is none, with the reason: %s', (reason, given, system = {}) => {
    const { verdict, answer } = result(given, { ...SYSTEM, ...system });
    expect(verdict).toBe('none');
    expect(answer).toMatch(/^No answer: .*\.$/);
    expect(answer).toContain(reason);
  });
});

describe('the notes', () => {
  it('are none for a clean experiment', () => {
    expect(result(pairs(FASTER)).notes).toEqual([]);
  });

  it('tell when system time turns the total around', () => {
    const { verdict, notes } = result(pairs(FASTER, { system: 0.9 }));
    expect(verdict).toBe('yes');
    expect(notes).toEqual([
      expect.stringMatching(/^user and system time together: 0\.92 times as fast \(0\.89 to 0\.95\)/),
    ]);
  });

  it.each<[string, Partial<Run>]>([
    ['printed 2 different outputs in 10 runs', { output: 'other' }],
    ['5 runs failed', { exitCode: 1 }],
    ['5 runs failed', { signal: 11 }],
    ['3 processes still ran', { leftRunning: 3 }],
    ['most memory had no huge pages', { memory: { resident: 130 * MIB, anonymous: 120 * MIB, huge: 40 * MIB } }],
  ])('say: %s', (words, huge) => {
    expect(result(pairs(FASTER, huge)).notes).toEqual([expect.stringContaining(words)]);
  });

  it('tell of a short command, and of a busy machine', () => {
    const short = FASTER.map(([base, huge]) => [base / 100, huge / 100] as const);
    const { notes } = result(pairs(short, { system: 0.4 }), SYSTEM, 1.5);
    expect(notes).toEqual([expect.stringContaining('a run takes'), expect.stringContaining('other programs kept 1.5')]);
  });
});

it('names how huge pages were had', () => {
  const means = (system: Partial<HugePageSystem>, advised: boolean): string[] =>
    result(pairs(FASTER, { advised }), { ...SYSTEM, ...system }).means.slice(1);
  expect(means({}, true)).toEqual(['glibc.malloc.hugetlb=1', 'madvise after mmap, by LD_PRELOAD']);
  expect(means({ glibc: null }, true)).toEqual(['madvise after mmap, by LD_PRELOAD']);
  expect(means({ setting: 'always' }, false)).toEqual(['transparent_hugepage=always', 'glibc.malloc.hugetlb=1']);
});

it('the text fits 80 columns and has the answer as its last sentence', () => {
  const given = result(pairs(FASTER, { leftRunning: 1, output: 'other', system: 0.9 }), SYSTEM, 2);
  const text = tryText(given);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text.replaceAll('\n', ' ')).toContain(`${given.answer} `);
  expect(text).toMatch(/user time +1\.240 s +1\.000 s +1\.24 +1\.20 to 1\.30\n/);
  expect(text).toMatch(/of it huge +0 bytes +118 MiB\n/);
});
