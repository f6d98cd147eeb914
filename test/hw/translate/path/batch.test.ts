import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../../hw/base/access.js';
import { GENERAL_PROTECTION } from '../../../../hw/x86/exception.js';
import type { MmuOptions } from '../../../../hw/x86/mmu.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { runs } from '../../../runs.js';
import { RWU, Tables } from '../../tables.js';

it.each(['walk', 'soft', 'modelled'] as const)(
  'a batch on the %s path stops at an address that is not canonical, beside the page that it looks like',
  (path) => {
    const tables = new Tables();
    tables.map(0x5000, 100);
    const mmu = tables.mmu({ path });
    for (let bit = 16; bit < 32; bit++) {
      const his = Int32Array.of(0, 0, 1 << bit);
      const los = Int32Array.of(0x5000, 0x5000, 0x5000);
      const frames = new Int32Array(3);
      expect(mmu.translateMany(his, los, 3, READ, frames)).toBe(2);
      expect(mmu.fault.status).toBe(GENERAL_PROTECTION);
      expect([...frames]).toEqual([100, 100, 0]);
    }
  },
);

const MIB_2 = 2 ** 21;
const DIRTY = 0x60;

/** Pages of 4 KiB, and as many of 2 MiB behind them, half of them never stored to. */
const PAGES = 32;

function mixedTables(): Tables {
  const tables = new Tables(8 * MIB_2);
  for (let page = 0; page < PAGES; page++) {
    const flags = page % 2 === 0 ? RWU : RWU | DIRTY;
    tables.map(addressOf(page), 100 + page, flags);
    tables.map(addressOf(PAGES + page), 512 * (page % 8), flags, 1);
  }
  return tables;
}

function addressOf(page: number): number {
  return page < PAGES ? page * 4096 : page * MIB_2;
}

const SHAPES: readonly Omit<MmuOptions, 'ram'>[] = [
  { tlb: parseTlb('4x2+8x2+psc') },
  { tlb: parseTlb('8x4/tree-plru') },
  { tlb: parseTlb('8x4/random+16x4/random') },
  { tlb: parseTlb('4x4@4K,2x2@2M+16x4') },
  // The first level holds no page of one size: all of its lookups go on to the second.
  { tlb: parseTlb('4x4@2M+16x4') },
  // A page may be in the first level whole, and in pieces that came from the second.
  { tlb: parseTlb('4x2@4K,2x2@2M+16x4@4K') },
  { tlb: parseTlb('none') },
  { tlb: parseTlb('4x2+8x2'), check: true },
  { path: 'soft' },
  { path: 'walk' },
];

/** Pages of 4 KiB, of 2 MiB, or both, looked up up to five times in a row, and where in them. */
const lookups = fc.constantFrom([0, PAGES - 1], [PAGES, 2 * PAGES - 1], [0, 2 * PAGES - 1]).chain(([min, max]) =>
  fc.array(
    fc.record({
      page: fc.integer({ min, max }),
      offsets: fc.array(fc.integer({ min: 0, max: 4095 }), { minLength: 1, maxLength: 5 }),
    }),
    { maxLength: 200 },
  ),
);

it('a batch finds and counts what the same accesses one at a time do', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SHAPES),
      fc.constantFrom(READ, WRITE | USER, FETCH),
      lookups,
      lookups,
      (options, access, ...lists) => {
        const [batch, single] = [mixedTables().mmu(options), mixedTables().mmu(options)];
        for (const list of lists) {
          const los = Int32Array.from(
            list.flatMap(({ page, offsets }) => offsets.map((offset) => addressOf(page) + offset)),
          );
          const frames = new Int32Array(los.length);
          expect(batch.translateMany(new Int32Array(los.length), los, los.length, access, frames)).toBe(los.length);
          expect([...frames]).toEqual([...los].map((lo) => single.translate(0, lo, access)));
          expect(batch.counters.snapshot()).toEqual(single.counters.snapshot());
          // Pages of one size may follow a flush of pages of both.
          for (const mmu of [batch, single]) mmu.writeCr3(mmu.cr3Hi, mmu.cr3Lo);
        }
        expect(batch.checker?.found).toEqual(single.checker?.found);
      },
    ),
    { numRuns: runs(40) },
  );
});
