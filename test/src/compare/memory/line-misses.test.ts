import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LINES_SOURCE } from '../../../../src/compare/memory/hot/module.js';
import { FIRST, LineMisses, lineOf } from '../../../../src/compare/memory/line-misses.js';
import { AccessBlock, FETCH, LOAD, MODIFY, STORE } from '../../../../src/trace/block.js';
import { ALONE, EXPECTED, PAGE_END } from '../../../../src/compare/memory/streams.js';
import { runs } from '../../../runs.js';
import { hashOfSource } from '../../../compiled-source.js';

const SHAPE = { bytes: 4096, ways: 1 };

function find(accesses: readonly (readonly [address: number, size?: number, kind?: number])[]): LineMisses {
  const block = new AccessBlock();
  for (const [address, size = 8, kind = LOAD] of accesses) {
    block.push(kind, Math.floor(address / 2 ** 32), (address % 2 ** 32) | 0, size);
  }
  const misses = new LineMisses(SHAPE);
  misses.find(block);
  return misses;
}

function found({ length, accesses, flags }: LineMisses): [access: number, flags: number][] {
  return Array.from({ length }, (_, i) => [accesses[i] / 3, flags[i]]);
}

test('a line misses once, until another of its set takes its place', () => {
  const misses = find([[0x1000], [0x1008], [0x1010], [0x2000], [0x1000]]);
  expect(found(misses)).toEqual([
    [0, FIRST],
    [3, FIRST],
    [4, 0],
  ]);
});

test('an access across lines reads all of them, and the last is still held', () => {
  const misses = find([[0x1020, 128], [0x1080], [0x1000]]);
  expect(found(misses).map(([access]) => access)).toEqual([0, 0, 0]);
});

test('more lines in one block than accesses are all found', () => {
  const accesses = Array.from({ length: 2000 }, (_, i) => [i * 4096, 4096] as const);
  expect(find(accesses).length).toBe(2000 * 64);
});

test('instruction fetches and addresses of the kernel have no lines', () => {
  expect(find([[0x1000, 8, FETCH], [2 ** 63]]).length).toBe(0);
});

test('the third neighbour in a row is expected, up or down, but not across pages of 4 KiB or after a jump', () => {
  const line = (n: number): readonly [number] => [0x10_0000 + 64 * n];
  const expectedOf = (lines: number[]): boolean[] =>
    found(find(lines.map(line))).map(([, flags]) => (flags & EXPECTED) !== 0);
  expect(expectedOf([0, 1, 2, 3])).toEqual([false, false, true, true]);
  expect(expectedOf([9, 8, 7])).toEqual([false, false, true]);
  expect(expectedOf([62, 63, 64])).toEqual([false, false, false]);
  expect(expectedOf([0, 2, 4, 6])).toEqual([false, false, false, false]);
});

test('streams in several pages at once are told apart', () => {
  const lines = [0, 1, 2].flatMap((step) => [0, 1, 2].map((page): readonly [number] => [page * 4096 + step * 64]));
  const flags = found(find(lines)).map(([, one]) => one & EXPECTED);
  expect(flags).toEqual([0, 0, 0, 0, 0, 0, EXPECTED, EXPECTED, EXPECTED]);
});

test('the first line of a page ends a stream that came from the page beside, up or down, and nothing else', () => {
  const endsOf = (lines: number[]): number[] =>
    found(find(lines.map((n): readonly [number] => [0x10_0000 + 64 * n]))).map(
      ([, flags]) => flags & (PAGE_END | ALONE),
    );
  const page = (first: number, step: 1 | -1): number[] => Array.from({ length: 64 }, (_, i) => first + step * i);
  expect(endsOf([...page(0, 1), 64]).at(-1)).toBe(PAGE_END | ALONE);
  expect(endsOf([...page(127, -1), 63]).at(-1)).toBe(PAGE_END | ALONE);
  // A jump, a stream that stopped before its page's last line, and a page that is no neighbour.
  expect(endsOf([63, 64]).at(-1)).toBe(0);
  expect(endsOf([...page(0, 1).slice(0, 63), 64]).at(-1)).toBe(0);
  expect(endsOf([...page(0, 1), 128]).at(-1)).toBe(0);
});

test('a stream is not alone at its page end if others made as many expected misses meanwhile', () => {
  // Two arrays, a power of two apart.
  const both = Array.from({ length: 65 }, (_, i): (readonly [number])[] => [
    [0x10_0000 + 64 * i],
    [0x20_0000 + 64 * i],
  ]);
  const flags = found(find(both.flat())).map(([, one]) => one & (PAGE_END | ALONE));
  expect(flags.slice(-2)).toEqual([PAGE_END, PAGE_END]);
  expect(new Set(flags.slice(0, -2))).toEqual(new Set([0]));
});

test('streams of another process at the same addresses have pages that are neighbours too', () => {
  const block = new AccessBlock();
  block.process = 3;
  for (let line = 0; line <= 64; line++) block.push(LOAD, 0x7fff, (0x1000_0000 + 64 * line) | 0, 8);
  const misses = new LineMisses(SHAPE);
  misses.find(block);
  expect(misses.flags[64] & PAGE_END).toBe(PAGE_END);
});

test('lines of heap, libraries and stack have numbers of their own, and neighbours stay neighbours', () => {
  const places = [0x5555_5555_4000, 0x7f12_3456_7000, 0x7fff_ffff_e000];
  const numbers = places.map((at) => lineOf(Math.floor(at / 2 ** 32), at | 0));
  expect(new Set(numbers).size).toBe(3);
  for (const [i, at] of places.entries()) {
    const next = at + 64;
    expect(lineOf(Math.floor(next / 2 ** 32), (next % 2 ** 32) | 0)).toBe(numbers[i] + 1);
    expect(numbers[i]).toBeGreaterThanOrEqual(0);
  }
});

/** Accesses to a few places by turns, in two blocks: near the ends of lines, of user space and of low words. */
const anyBlocks: fc.Arbitrary<AccessBlock[]> = fc
  .record({
    spots: fc.array(
      fc.record({
        hi: fc.constantFrom(0, 0, 1, 0x7fff, 0x8000, -1),
        lo: fc.constantFrom(-64, -8, 0, 60, 64, 128, 4096, 8192, 12288, 2 ** 26),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    processes: fc.tuple(fc.nat(1), fc.nat(1)),
    steps: fc.array(
      fc.tuple(fc.nat(5), fc.constantFrom(LOAD, LOAD, STORE, FETCH, MODIFY), fc.constantFrom(1, 8, 65, 300, 4096)),
      { minLength: 40, maxLength: 60 },
    ),
  })
  .map(({ spots, processes, steps }) =>
    processes.map((process) => {
      const block = new AccessBlock();
      block.process = process;
      for (const [spot, kind, size] of steps) {
        const { hi, lo } = spots[spot % spots.length];
        block.push(kind, hi, lo, size);
      }
      return block;
    }),
  );

/** All that is found in some blocks, one after the other. */
function outcomes(misses: LineMisses, blocks: readonly AccessBlock[]): unknown {
  return blocks.map((block) => {
    misses.find(block);
    return [misses.lines, misses.accesses, misses.flags].map((column) => [...column.subarray(0, misses.length)]);
  });
}

// The last has a number of sets that is no power of two.
test('the loop in WebAssembly finds the misses of the plain path', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(SHAPE, { bytes: 8192, ways: 4 }, { bytes: 3 * 1024, ways: 8 }),
      anyBlocks,
      (shape, blocks) => {
        const plain = new LineMisses(shape, () => null);
        expect(outcomes(new LineMisses(shape), blocks)).toEqual(outcomes(plain, blocks));
      },
    ),
    { numRuns: runs(40) },
  );
});

test('the loop in WebAssembly stops where there may be no room for the misses of an access', () => {
  const block = new AccessBlock();
  for (let i = 0; i < 300; i++) block.push(LOAD, 0, i * 8192 + 32, 4096);
  const plain = new LineMisses(SHAPE, () => null);
  expect(outcomes(new LineMisses(SHAPE), [block])).toEqual(outcomes(plain, [block]));
});

test('the loop in WebAssembly is that of its source: else run npm run build:hot', () => {
  expect(hashOfSource('src/compare/memory/hot')).toBe(LINES_SOURCE);
});
