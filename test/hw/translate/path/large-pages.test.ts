/** INVLPG and INVPCID of one address end all that TLBs keep of its page, whole or in pieces, in whichever array. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FETCH, READ, WRITE } from '../../../../hw/base/access.js';
import type { TlbGeometry, TlbLevelShape } from '../../../../hw/tlb/hierarchy.js';
import type { Mmu } from '../../../../hw/x86/mmu.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { runs } from '../../../runs.js';
import { RWU, Tables } from '../../tables.js';

const SMALL_PAGES = 0;
const SHIFTS = [12, 21, 30];

/** The page sizes of each array of a level: all ways in which sizes lie together, apart, in two arrays, or nowhere. */
const ARRAYS = [
  [[12]],
  [[12], [12]],
  [[12, 21]],
  [[12], [21, 30]],
  [
    [12, 21],
    [12, 30],
  ],
  [
    [12, 21],
    [21, 12],
  ],
];

const level: fc.Arbitrary<TlbLevelShape> = fc.constantFrom(...ARRAYS, [[12, 21, 22, 30]]).chain((pages) =>
  fc.tuple(
    ...pages.map((sizes) =>
      fc.record({ sets: fc.constantFrom(1, 2, 3, 8), ways: fc.constantFrom(1, 2, 4) }).map(({ sets, ways }) => ({
        entries: sets * ways,
        ways,
        pages: sizes,
      })),
    ),
  ),
);

const geometry: fc.Arbitrary<TlbGeometry> = fc
  .record({
    l1Data: level,
    l1Instruction: level,
    l2: fc.oneof(level, fc.constant([])),
    more: fc.boolean(),
    other: level,
  })
  .map(({ more, other, ...levels }) => ({
    name: 'random',
    ...levels,
    ...(more ? { l1Store: other, l2Instruction: other } : {}),
  }));

const access = fc.constantFrom(READ, WRITE, FETCH);
/** Accesses to pieces of the large page, and to small pages that drive some of them out. */
const accesses = fc.array(fc.record({ access, piece: fc.integer({ min: 0, max: 511 }), small: fc.boolean() }), {
  minLength: 1,
  maxLength: 120,
});

const invalidations: Record<string, (mmu: Mmu, lo: number) => void> = {
  INVLPG: (mmu, lo) => {
    mmu.invlpg(0, lo);
  },
  INVPCID: (mmu, lo) => {
    mmu.invpcid(0, 0, 0, lo);
  },
};

it.each(['INVLPG', 'INVPCID'])('%s of one address leaves nothing of its large page in any TLB', (name) => {
  const at = fc.integer({ min: 0, max: 511 });
  fc.assert(
    fc.property(geometry, fc.constantFrom(1, 2), accesses, at, (tlb, size, list, dropped) => {
      const tables = new Tables(2 ** 31);
      const [page, piece] = [2 ** SHIFTS[size], 2 ** SHIFTS[size] / 512];
      tables.map(page, 0, RWU, size);
      for (let i = 0; i < 16; i++) tables.map(SMALL_PAGES + i * 4096, 100 + i);
      const mmu = tables.mmu({ tlb, check: true });
      for (const { access: kind, piece: n, small } of list) {
        mmu.translate(0, small ? SMALL_PAGES + (n % 16) * 4096 : page + n * piece, kind);
      }
      const frame = page / 4096;
      tables.map(page, frame, RWU, size);
      invalidations[name](mmu, page + dropped * piece);
      for (const { piece: n } of list) {
        for (const kind of [READ, WRITE, FETCH]) {
          expect(mmu.translate(0, page + n * piece, kind)).toBe(frame + (n * piece) / 4096);
        }
      }
      expect(mmu.checker?.found).toEqual([]);
    }),
    { numRuns: runs(15) },
  );
});

it('INVLPG drops pieces from both arrays of a level that has two for small pages', () => {
  const tables = new Tables();
  tables.map(0x20_0000, 512, RWU, 1);
  const mmu = tables.mmu({ tlb: parseTlb('8x4@4K+64x4@4K,64x4@4K') });
  const translateAll = (): number[] =>
    Array.from({ length: 64 }, (_, i) => mmu.translate(0, 0x20_0000 + i * 4096, READ));
  translateAll();
  tables.map(0x20_0000, 1024, RWU, 1);
  mmu.invlpg(0, 0x20_0000);
  expect(translateAll()).toEqual(Array.from({ length: 64 }, (_, i) => 1024 + i));
});

it('INVLPG drops a piece that a first level, which holds the page whole, got from the second', () => {
  const tables = new Tables();
  tables.map(0x20_0000, 512, RWU, 1);
  tables.map(0x40_0000, 0, RWU, 1);
  const mmu = tables.mmu({ tlb: parseTlb('2x1@4K,1x1@2M+64x4@4K') });
  // Walked: whole in the first level, this piece in the second. The other page drives the whole one out.
  for (const lo of [0x20_0000, 0x40_0000, 0x20_0000]) mmu.translate(0, lo, READ);
  tables.map(0x20_0000, 1024, RWU, 1);
  mmu.invlpg(0, 0x20_5000);
  expect(mmu.translate(0, 0x20_0000, READ)).toBe(1024);
});
