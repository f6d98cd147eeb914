import fc from 'fast-check';
import { expect, test } from 'vitest';
import { USER, WRITE } from '../../../../hw/base/access.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { FindLoop } from '../../../../src/compare/lookups/hot/find-loop.js';
import { FIND_SOURCE } from '../../../../src/compare/lookups/hot/module.js';
import { LookupFinder } from '../../../../src/compare/lookups/lookup-finder.js';
import { RepeatFilter } from '../../../../src/compare/lookups/repeats.js';
import { makeMachine } from '../../../../src/compare/machine/make-machine.js';
import { AccessBlock, AccessTally, FETCH, LOAD, MODIFY, STORE } from '../../../../src/trace/block.js';
import { PackedDecoder } from '../../../../src/trace/packed/packed-decoder.js';
import { runs } from '../../../runs.js';
import { hashOfSource } from '../../../compiled-source.js';

type Access = readonly [kind: number, hi: number, lo: number, size: number];

/** A finder for TLBs with sets enough that nothing shares one. */
const newFinder = (): LookupFinder => new LookupFinder(new RepeatFilter(() => []));

function blockOf(accesses: readonly Access[]): AccessBlock {
  const block = new AccessBlock();
  for (const access of accesses) block.push(...access);
  return block;
}

/** By page size: lookups to be made, repeats of data, repeats of fetches. */
function found(...accesses: readonly Access[]): number[][] {
  const { bySize } = newFinder().find(blockOf(accesses));
  return bySize.map(({ length, dataRepeats, fetchRepeats }) => [length, dataRepeats, fetchRepeats]);
}

test('a repeat is counted where a lookup is not made, those of fetches apart', () => {
  const again: Access = [LOAD, 0, 0x1008, 8];
  expect(found([LOAD, 0, 0x1000, 8], again, [STORE, 0, 0x1010, 8])).toEqual([
    [1, 2, 0],
    [1, 2, 0],
    [1, 2, 0],
  ]);
  expect(found([LOAD, 0, 0x1000, 8], [FETCH, 0, 0x1000, 4], again, [FETCH, 0, 0x1004, 4])).toEqual([
    [2, 1, 1],
    [2, 1, 1],
    [2, 1, 1],
  ]);
});

test('a load-modify-store is two lookups', () => {
  expect(found([MODIFY, 0, 0x1000, 8])).toEqual([
    [1, 1, 0],
    [1, 1, 0],
    [1, 1, 0],
  ]);
});

test('an access that crosses into another page looks that up too, where pages of the size end there', () => {
  expect(found([LOAD, 0, 0x1ffc, 8])).toEqual([
    [2, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ]);
  expect(found([FETCH, 0, 2 ** 21 - 2, 4])).toEqual([
    [2, 0, 0],
    [2, 0, 0],
    [1, 0, 0],
  ]);
  // Load and store touch both pages, of 1 GiB too.
  expect(found([MODIFY, 0, 2 ** 30 - 4, 8])).toEqual([
    [2, 2, 0],
    [2, 2, 0],
    [2, 2, 0],
  ]);
});

test('a second page is looked up by the access of the first, at its own address', () => {
  const { his, los } = newFinder().find(blockOf([[STORE, 4, -4, 8]])).of4K;
  expect([...his.subarray(0, 2)]).toEqual([4, 5]);
  expect([...los.subarray(0, 2)]).toEqual([-4096 | USER | WRITE, 0 | USER | WRITE]);
});

test('accesses that no process makes are left out, a load-modify-store as two', () => {
  const finder = newFinder();
  const block = blockOf([
    [MODIFY, 0x8000, 0, 8],
    [FETCH, -1, 0, 4],
    [LOAD, 0x7fff, -4, 8],
    [MODIFY, 0, 0x1000, 8],
  ]);
  const tally = new AccessTally();
  tally.add(block);
  const { accesses, of4K } = finder.find(block);
  expect([accesses, of4K.length, of4K.dataRepeats, of4K.fetchRepeats]).toEqual([2, 1, 1, 0]);
  expect(finder.outsideUserSpace).toBe(3);
  expect(finder.made(tally)).toEqual({ data: 2, fetches: 0 });
});

test('a block whose kinds are not those of its accesses is refused', () => {
  const block = blockOf([[LOAD, 0, 0x1000, 8]]);
  block.length = 0;
  expect(() => newFinder().find(block)).toThrow('a block of 0 accesses whose kinds are 1, 0, 0, 0');
});

/** All that a finder has found in a block. */
function outcome(finder: LookupFinder, block: AccessBlock): unknown {
  const { accesses, bySize } = finder.find(block);
  const lists = bySize.map(({ length, his, los, accesses: of, ...told }) => [
    [his, los, of].map((column) => [...column.subarray(0, length)]),
    [length, told.allStores, told.dataRepeats, told.fetchRepeats],
  ]);
  return [accesses, lists, finder.outsideUserSpace, finder.made(new AccessTally())];
}

// Stores apart, and with loads; sets of every number; nothing left out; pages of two sizes in one machine.
const MMUS = ['4x2+16x4', '8x1', 'none', 'ice-lake', '4x2@2M'].map((tlb) => {
  const { mmu } = makeMachine(12, parseTlb(tlb), 2 ** 30);
  return [mmu];
});
const filter = fc
  .record({ mmus: fc.constantFrom(...MMUS), leaveOut: fc.boolean(), mixed: fc.boolean() })
  .map(({ mmus, leaveOut, mixed }) => new RepeatFilter(() => mmus, leaveOut, mixed));

/** Addresses near the ends of pages of all sizes, of user space, and of all addresses. */
const anySpot = fc.record({
  hi: fc.constantFrom(0, 0, 0, 0, 1, 0x7fff, 0x8000, -0x8000, -1),
  page: fc.constantFrom(-(2 ** 20), -(2 ** 18), -512, -2, -1, 0, 1, 512, 2 ** 18),
  offset: fc.constantFrom(0, 8, 4088, 4095),
});
/** Accesses to a few spots by turns. */
const anyAccesses: fc.Arbitrary<Access[]> = fc
  .tuple(
    fc.array(anySpot, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(3), fc.constantFrom(LOAD, STORE, FETCH, MODIFY), fc.constantFrom(1, 1, 8, 9, 4096)), {
      minLength: 50,
      maxLength: 80,
    }),
  )
  .map(([spots, accesses]) =>
    accesses.map(([spot, kind, size]): Access => {
      const { hi, page, offset } = spots[spot % spots.length];
      return [kind, hi, ((page << 12) + offset) | 0, size];
    }),
  );

test('the loop in WebAssembly finds the lookups of the plain path', () => {
  fc.assert(
    fc.property(filter, fc.array(anyAccesses, { minLength: 1, maxLength: 2 }), (one, blocks) => {
      const [loop, plain] = [new LookupFinder(one), new LookupFinder(one, () => null)];
      for (const block of blocks.map(blockOf)) expect(outcome(loop, block)).toEqual(outcome(plain, block));
    }),
    { numRuns: runs(100) },
  );
});

test('the loop in WebAssembly reads the blocks of packed recordings where they lie', () => {
  const { memory, words } = new PackedDecoder().newBlock();
  expect(FindLoop.make(memory)?.lookups.buffer).toBe(words.buffer);
});

test('the loop in WebAssembly is that of its source: else run npm run build:hot', () => {
  expect(hashOfSource('src/compare/lookups/hot')).toBe(FIND_SOURCE);
});
