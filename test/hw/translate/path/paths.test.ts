import fc from 'fast-check';
import { expect, it } from 'vitest';
import { READ } from '../../../../hw/base/access.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { MODES } from '../../x86/random-tables.js';
import { Tables } from '../../tables.js';
import { RandomDriver } from '../random-driver.js';
import { runs } from '../../../runs.js';

const TINY = parseTlb('4x2+8x2+psc');
/** Every path, over RAM of its own kind; the first is what the others are held to. */
const WAYS = [false, true].flatMap((shared) =>
  [{ path: 'walk' as const }, { path: 'soft' as const }, { tlb: TINY }].map((options) => ({
    options,
    ram: new Ram({ bytes: 1 << 26, shared }),
  })),
);
const STEPS = 60;

it.each(MODES)('every path gives the same answers, faults and tables, on shared RAM too: mode %s', (mode) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [truth, ...others] = WAYS.map(({ ram, options }) => new RandomDriver(ram, mode, seed, options));
      for (let i = 0; i < STEPS; i++) {
        const step = truth.step();
        expect(others.map((driver) => driver.step())).toEqual(others.map(() => step));
      }
      const tables = truth.tables();
      for (const driver of others) expect(driver.tables().every((word, i) => word === tables[i])).toBe(true);
    }),
    { numRuns: runs(30) },
  );
});

it('a soft TLB keeps answering from an entry that software changed, until it is invalidated', () => {
  const tables = new Tables();
  tables.map(0x5000, 100);
  const mmu = tables.mmu({ path: 'soft' });
  expect(mmu.translate(0, 0x5000, READ)).toBe(100);
  tables.map(0x5000, 200);
  expect(mmu.translate(0, 0x5000, READ)).toBe(100);
  mmu.invlpg(0, 0x5000);
  expect(mmu.translate(0, 0x5000, READ)).toBe(200);
});

it.each([{ tlb: TINY }, { check: true }, { entryCache: { entries: 4, ways: 4 } }])(
  'what belongs to the modelled TLB is refused on another path: %o',
  (options) => {
    expect(() => new Tables().mmu({ path: 'soft', ...options })).toThrow(/cannot go with path 'soft'/);
  },
);
