import fc from 'fast-check';
import { expect, test } from 'vitest';
import { highWord, lowWord } from '../../../../hw/base/address.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { LOOKUP_SHIFTS } from '../../../../src/compare/lookups/lookups.js';
import { makeMachine } from '../../../../src/compare/machine/make-machine.js';
import { replay } from '../../../../src/compare/machine/replay.js';
import { Resident } from '../../../../src/compare/machine/resident.js';
import { AccessBlock, FETCH, LOAD, MODIFY, STORE } from '../../../../src/trace/block.js';
import { runs } from '../../../runs.js';

const RAM_BYTES = 4 * 2 ** 30;

/**
 * Every way in which a first level may keep a page: whole, in pieces, not at all, in pieces of the second level; with
 * stores apart; in two arrays.
 */
const SHAPES = [
  '4x2+16x4',
  '3x1+12x12',
  '8x4/tree-plru+16x2/fifo',
  '8x2/random',
  '128x1',
  '4x4@4K+16x4',
  '2x2@4K,4x2@2M',
  '4x2@2M+16x4',
  '4x2+16x4@4K',
  '2x1+16x4@4K2M',
  '4x1@4K,1x1@4K,4x2@2M,2x2@1G+16x4',
  'none',
  'skylake',
  'ice-lake',
];

/** Areas in three pages of 1 GiB, and pages of them that are near, far, and in the same set. */
const AREAS = [0x40_0000, 0x5555_5555_4000, 0x7fff_f7dd_0000];
const PAGES = [0, 1, 2, 3, 4, 5, 16, 17, 512, 513, 8192];
const spot = fc.record({
  kinds: fc.array(fc.constantFrom(FETCH, LOAD, STORE, MODIFY), { minLength: 1, maxLength: 4 }),
  area: fc.constantFrom(...AREAS),
  page: fc.constantFrom(...PAGES),
  offset: fc.constantFrom(0, 8, 4000, 4092),
  size: fc.constantFrom(1, 8, 512),
});
/** Data and code by turns in every page of every area. */
const EVERYWHERE = AREAS.flatMap((area) =>
  PAGES.map((page) => ({ kinds: [LOAD, FETCH, STORE, MODIFY], area, page, offset: 4092, size: 8 })),
);
type Spot = (typeof EVERYWHERE)[number];

function blockOf(spots: readonly Spot[]): AccessBlock {
  const block = new AccessBlock();
  for (const { kinds, area, page, offset, size } of spots) {
    const address = area + 4096 * page + offset;
    for (const kind of kinds) block.push(kind, highWord(address), lowWord(address), size);
  }
  return block;
}

/** What machines of all page sizes count that make the blocks' lookups. */
function counts(tlb: string, blocks: readonly AccessBlock[], leaveOutRepeats: boolean): unknown {
  const machines = LOOKUP_SHIFTS.map((shift) => makeMachine(shift, parseTlb(tlb), RAM_BYTES));
  const resident = new Resident(machines, { leaveOutRepeats });
  for (const block of blocks) {
    const lookups = resident.prepare(block);
    for (const { mmu, shift } of machines) replay(mmu, lookups.of(shift));
  }
  return machines.map(({ mmu }) => mmu.counters.snapshot());
}

test('to leave repeats out changes no count', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SHAPES),
      fc.array(fc.array(spot, { minLength: 20, maxLength: 100 }), { minLength: 1, maxLength: 3 }),
      (tlb, spots) => {
        const blocks = spots.map(blockOf);
        expect(counts(tlb, blocks, true)).toEqual(counts(tlb, blocks, false));
      },
    ),
    { examples: SHAPES.map((tlb) => [tlb, [EVERYWHERE]]), numRuns: runs(50) },
  );
});

/** Lookups to be made of accesses, loads unless told otherwise, by page size. */
function made(tlb: string, addresses: readonly number[], kind = LOAD): number[] {
  const machines = LOOKUP_SHIFTS.map((shift) => makeMachine(shift, parseTlb(tlb), RAM_BYTES));
  const block = new AccessBlock();
  for (const address of addresses) block.push(kind, highWord(address), lowWord(address), 8);
  return new Resident(machines).prepare(block).bySize.map(({ length }) => length);
}

test('a lookup is left out when its page was the last that was looked up in its set', () => {
  // Pages 0 and 1 are of two sets, and of one page of 2 MiB.
  expect(made('4x2', [0, 4096, 0, 4096])).toEqual([2, 1, 1]);
  // Of three pages by turns in one set, each comes too late.
  expect(made('4x2', [0, 8192, 16384, 0, 8192, 16384])).toEqual([6, 1, 1]);
  // Pages of 2 MiB, of two sets.
  expect(made('4x2', [0, 2 ** 21, 0, 2 ** 21])).toEqual([2, 2, 1]);
});

test('a lookup is left out when its page was the one before the last in its set', () => {
  expect(made('4x2', [0, 8192, 0, 8192])).toEqual([2, 1, 1]);
  expect(made('4x2', [0, 2 ** 22, 0, 2 ** 22])).toEqual([2, 2, 1]);
  // Page 0 is looked up once more: before another page, or at the end of the block.
  expect(made('4x2', [0, 8192, 0, 16384])[0]).toBe(4);
  expect(made('4x2', [0, 8192, 0])[0]).toBe(3);
});

test.each(['4x1', '4x2/fifo', '4x2/random'])('it is made where such a page may be gone: %s', (tlb) => {
  expect(made(tlb, [0, 16384, 0, 16384])[0]).toBe(4);
});

test('of two arrays for a size of pages the one with fewer sets decides', () => {
  // Pages 4 and 5 are of the second array, which has one set.
  expect(made('4x1@4K,1x1@4K,4x2@2M,2x2@1G', [0x4000, 0x5000, 0x4000])[0]).toBe(3);
});

test.each([
  ['nothing of a page', '4x2@2M'],
  ['pieces of 4 KiB of larger pages', '4x2@4K'],
])('none is left out where a first level keeps %s', (_what, tlb) => {
  expect(made(tlb, [0, 0, 0])).toEqual([3, 3, 3]);
  expect(made(tlb, [0, 0, 0], MODIFY)).toEqual([6, 6, 6]);
});
