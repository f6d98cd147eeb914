import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENOMEM } from '../../../../src/kernel/abi/errno.js';
import {
  externalFragmentation,
  HoleArena,
  internalFragmentation,
  largestHole,
} from '../../../../src/segments/arena/arena.js';
import type { Arena, Fit } from '../../../../src/segments/arena/arena.js';
import { BuddyArena } from '../../../../src/segments/arena/buddy-arena.js';
import { runs } from '../../../runs.js';

const BASE = 0x1000;

/** Holes of 300, 100, 500 and 200 granules, in this order, with a granule in use between them. */
function withHoles(fit: Fit): HoleArena {
  const arena = new HoleArena(BASE, 16 * 1103, fit);
  let at = BASE;
  for (const granules of [300, 100, 500]) {
    at += granules * 16;
    expect(arena.take(at, 16)).toBe(true);
    at += 16;
  }
  return arena;
}

/** Granules before the address in the arena of {@link withHoles}. */
function place(arena: HoleArena, granules: number): number {
  return (arena.allocate(granules * 16) - BASE) / 16;
}

describe('which hole is cut', () => {
  it.each([
    ['first', 0],
    ['best', 301],
    ['worst', 402],
    ['next', 0],
  ] as const)('%s fit', (fit, expected) => {
    expect(place(withHoles(fit), 90)).toBe(expected);
  });

  it('next fit goes on where the last cut ended, and round', () => {
    const arena = withHoles('next');
    expect(place(arena, 250)).toBe(0);
    expect(place(arena, 40)).toBe(250);
    expect(place(arena, 80)).toBe(301);
    expect(place(arena, 500)).toBe(402);
    expect(place(arena, 200)).toBe(903);
    expect(place(arena, 10)).toBe(290);
  });

  it('none when every hole is too small, although enough is free', () => {
    const arena = withHoles('best');
    expect(arena.free).toBe(1100 * 16);
    expect(largestHole(arena)).toBe(500 * 16);
    expect(arena.allocate(501 * 16)).toBe(ENOMEM);
    expect(externalFragmentation(arena)).toBeCloseTo(1 - 500 / 1100);
  });
});

describe.each<[string, () => Arena]>([
  ['first', () => new HoleArena(BASE, 2 ** 18, 'first')],
  ['best', () => new HoleArena(BASE, 2 ** 18, 'best')],
  ['next', () => new HoleArena(BASE, 2 ** 18, 'next')],
  ['worst', () => new HoleArena(BASE, 2 ** 18, 'worst')],
  ['buddy', () => new BuddyArena(2 ** 18, 2 ** 18)],
])('an arena with %s fit', (_, make) => {
  it('hands out no byte twice, and coalesces to one hole when all is free again', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 2 ** 15 }), drop: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const arena = make();
        const live: { base: number; room: number }[] = [];
        for (const { bytes, drop } of steps) {
          const room = arena.roomFor(bytes);
          const base = arena.allocate(room);
          if (base >= 0) {
            expect(base).toBeGreaterThanOrEqual(arena.base);
            expect(live.some((piece) => base < piece.base + piece.room && piece.base < base + room)).toBe(false);
            live.push({ base, room });
          }
          if (drop % 3 === 0 && live.length > 0) {
            const [piece] = live.splice(drop % live.length, 1);
            arena.release(piece.base, piece.room);
          }
          const used = live.reduce((sum, piece) => sum + piece.room, 0);
          expect(arena.free).toBe(arena.bytes - used);
        }
        for (const piece of live) arena.release(piece.base, piece.room);
        expect(arena.holes).toEqual([{ base: arena.base, bytes: arena.bytes }]);
      }),
      { numRuns: runs(60) },
    );
  });
});

describe('next fit', () => {
  /** 16 KiB, with a used piece of 100 granules behind a hole of 100 and before the rest. */
  function cutTwice(): HoleArena {
    const arena = new HoleArena(BASE, 2 ** 14, 'next');
    expect([place(arena, 100), place(arena, 100)]).toEqual([0, 100]);
    arena.release(BASE, 1600);
    return arena;
  }

  it('leaves a hole below the last cut alone while there is room above it', () => {
    expect(place(cutTwice(), 50)).toBe(200);
  });

  it('goes on from the end of what compaction packed', () => {
    const arena = cutTwice();
    expect(place(arena, 700)).toBe(200);
    // The two pieces slide down by 100 granules; then the lower one goes away.
    arena.pack(BASE + 800 * 16);
    arena.release(BASE, 1600);
    expect(place(arena, 50)).toBe(800);
  });
});

it('a hole can be taken whole, and no more than the hole', () => {
  const arena = new HoleArena(BASE, 160);
  expect(arena.take(BASE, 176)).toBe(false);
  expect(arena.take(BASE - 16, 32)).toBe(false);
  expect(arena.take(BASE, 160)).toBe(true);
  expect(arena.holes).toEqual([]);
});

it.each([
  ['best', 3, 4],
  ['worst', 3, 4],
  ['first', 3, 1],
  ['next', 3, 1],
] as const)('%s fit takes the lowest of equal holes, which it may fill', (fit, granules, probes) => {
  const arena = new HoleArena(BASE, 16 * 15, fit);
  for (const used of [3, 7, 11]) expect(arena.take(BASE + used * 16, 16)).toBe(true);
  expect(place(arena, granules)).toBe(0);
  expect(arena.probes).toBe(probes);
});

it('without segments there is no fragmentation of either kind', () => {
  expect(internalFragmentation([])).toBe(0);
  const full = new HoleArena(BASE, 160);
  full.take(BASE, 160);
  expect(externalFragmentation(full)).toBe(0);
});

it('internal fragmentation is the share of the room that nobody asked for', () => {
  const segments = [
    { asked: 60, room: 80 },
    { asked: 100, room: 120 },
  ];
  expect(internalFragmentation(segments)).toBeCloseTo(40 / 200);
});
