import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AccessBlock, BLOCK_ACCESSES, FETCH, LOAD, MODIFY, STORE } from '../../../../src/trace/block.js';
import { DECODE_SOURCE } from '../../../../src/trace/packed/hot/module.js';
import { PackedDecoder } from '../../../../src/trace/packed/packed-decoder.js';
import { PAIR_CODE, SITE_CODE } from '../../../../src/trace/packed/packed-format.js';
import { runs } from '../../../runs.js';
import { hashOfSource } from '../../../compiled-source.js';

/** The numbers of kinds in a file, from packed-format.ts' specification. */
const FILE = { fetch: 0, load: 1, store: 2, modify: 3 };

/** The first appearance of an operation: its number, kind in a file and size. */
const first = (number: number, kind: number, size: number): number[] => [number, kind, size & 255, size >>> 8];

/** What is wrong with the columns of a block of `accesses` accesses, or undefined. */
function problemOf(accesses: number, operations: number[], codes: number[], differences: number[]): string | undefined {
  const decoder = new PackedDecoder();
  decoder.begin(accesses, Uint8Array.from(operations), Uint8Array.from(codes), Uint8Array.from(differences));
  return decoder.fill(new AccessBlock());
}

test('columns are decoded by hand: a difference in zigzag form, then what the pair and the site say', () => {
  const decoder = new PackedDecoder();
  const block = new AccessBlock();
  const operations = [...first(0, FILE.load, 8), ...first(1, FILE.store, 4), 0];
  // 64 is 128 in zigzag form, which takes two bytes; -1 is 1.
  decoder.begin(3, Uint8Array.from(operations), Uint8Array.of(5, 5, 0), Uint8Array.of(0x80, 0x01, 0x01, 0x02));
  expect(decoder.fill(block)).toBe(undefined);
  const accesses = [0, 1, 2].map((i) => [block.kind(i), block.addressHi(i), block.addressLo(i), block.size(i)]);
  // Cursor 0 is where the access before was.
  expect(accesses).toEqual([
    [LOAD, 0, 64, 8],
    [STORE, 0, 63, 4],
    [LOAD, 0, 64, 8],
  ]);
  expect([LOAD, STORE, FETCH, MODIFY].map((kind) => block.kinds[kind])).toEqual([2, 1, 0, 0]);
});

test('every access is counted by its kind, over slices and blocks', () => {
  const decoder = new PackedDecoder();
  const block = new AccessBlock();
  const accesses = 3 * BLOCK_ACCESSES;
  const operations = [...first(0, FILE.load, 8), ...first(1, FILE.modify, 8)];
  for (let i = 2; i < accesses; i++) operations.push(i % 4 === 0 ? 1 : 0);
  decoder.begin(accesses, Uint8Array.from(operations), new Uint8Array(accesses).fill(SITE_CODE), new Uint8Array(0));
  const kinds = new Int32Array(4);
  for (; decoder.remaining > 0;) {
    expect(decoder.fill(block)).toBe(undefined);
    block.kinds.forEach((count, kind) => (kinds[kind] += count));
  }
  expect([LOAD, STORE, FETCH, MODIFY].map((kind) => kinds[kind])).toEqual([
    accesses - accesses / 4,
    0,
    0,
    accesses / 4,
  ]);
});

test.each([
  [FILE.fetch, FETCH],
  [FILE.load, LOAD],
  [FILE.store, STORE],
  [FILE.modify, MODIFY],
])('kind %i of a file is kind %i of a block', (inFile, inBlock) => {
  const decoder = new PackedDecoder();
  const block = new AccessBlock();
  decoder.begin(1, Uint8Array.from(first(0, inFile, 8)), Uint8Array.of(SITE_CODE), new Uint8Array(0));
  expect(decoder.fill(block)).toBe(undefined);
  expect([block.kind(0), block.kinds[inBlock]]).toEqual([inBlock, 1]);
});

test('a slice that is all of one kind is counted too', () => {
  const decoder = new PackedDecoder();
  const block = new AccessBlock();
  const operations = [...first(0, FILE.load, 8), ...new Array<number>(1023).fill(0)];
  decoder.begin(1024, Uint8Array.from(operations), new Uint8Array(1024).fill(SITE_CODE), new Uint8Array(0));
  expect(decoder.fill(block)).toBe(undefined);
  expect([LOAD, STORE, FETCH, MODIFY].map((kind) => block.kinds[kind])).toEqual([1024, 0, 0, 0]);
});

test.each([
  ['operations out of order', 2, [...first(0, FILE.load, 8), ...first(2, FILE.load, 8)], [SITE_CODE, SITE_CODE], []],
  ['a kind that there is not', 1, first(0, 4, 8), [SITE_CODE], []],
  ['no size', 1, first(0, FILE.load, 0), [SITE_CODE], []],
  ['a size above the largest', 1, first(0, FILE.load, 4097), [SITE_CODE], []],
  ['an operation without kind and size', 1, [0], [SITE_CODE], []],
])('%s are refused', (_what, accesses, operations, codes, differences) => {
  expect(problemOf(accesses, operations, codes, differences)).toBe('an operation that a trace can have');
});

test('a code above the last is refused, and one that is missing', () => {
  expect(problemOf(1, first(0, FILE.load, 8), [PAIR_CODE + 1], [])).toBe('an address code from 0 to 33, found 34');
  const missing = 'an address code for each access, at least 1, found only 0';
  expect(problemOf(1, first(0, FILE.load, 8), [], [])).toBe(missing);
});

test.each([
  ['operations', [...first(0, FILE.load, 8), 0], [SITE_CODE], []],
  ['codes', first(0, FILE.load, 8), [SITE_CODE, SITE_CODE], []],
  ['differences', first(0, FILE.load, 8), [SITE_CODE], [0]],
])('left-over %s are refused', (_what, operations, codes, differences) => {
  expect(problemOf(1, operations, codes, differences)).toBe('columns that end with the last access');
});

test('a difference that is missing, or does not end, is refused', () => {
  expect(problemOf(1, first(0, FILE.load, 8), [0], [])).toBe('columns that end with the last access');
  expect(problemOf(1, first(0, FILE.load, 8), [0], new Array<number>(20).fill(0x80))).toBe(
    'columns that end with the last access',
  );
});

/** The columns of a block, and whether a window begins with it. */
interface Columns {
  readonly begins: boolean;
  readonly accesses: number;
  readonly lists: readonly (readonly number[])[];
}

/** What a decoder makes of some blocks: their words and counts, up to the first with a fault. */
function decoded(decoder: PackedDecoder, blocks: readonly Columns[]): unknown[] {
  const block = decoder.newBlock();
  const made: unknown[] = [];
  for (const { begins, accesses, lists } of blocks) {
    if (begins) decoder.reset();
    const [operations, codes, differences] = lists.map((list) => Uint8Array.from(list));
    decoder.begin(accesses, operations, codes, differences);
    const problem = decoder.fill(block);
    made.push(problem ?? [[...block.kinds], ...block.words.subarray(0, 3 * block.length)]);
    if (problem !== undefined) return made;
  }
  return made;
}

/**
 * Accesses as columns have them: an operation, a code, and bytes of a difference. They come again and again, so sites and
 * pairs are known; the loop leaves what is new to the plain path, and some accesses after it.
 */
const anyBlock = fc.record({
  begins: fc.boolean(),
  operations: fc.array(fc.record({ kind: fc.nat(3), size: fc.constantFrom(1, 8, 300, 4096) }), {
    minLength: 1,
    maxLength: 3,
  }),
  pattern: fc.array(
    fc.record({
      operation: fc.nat(3),
      codes: fc.array(fc.constantFrom(0, 1, 31, SITE_CODE, PAIR_CODE), { minLength: 1, maxLength: 3 }),
      difference: fc.oneof(
        fc.constantFrom<number[]>([0], [2], [1]),
        fc.array(fc.nat(127), { minLength: 1, maxLength: 10, size: 'max' }),
      ),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  length: fc.integer({ min: 1, max: 120 }),
  /** An operation is spelled out here. */
  explicit: fc.nat(200),
  /** What to do to a byte of a column; most often there is no such column. */
  fault: fc.record({ column: fc.nat(7), at: fc.nat(150), byte: fc.nat(255), cut: fc.boolean() }),
});

type AnyBlock = typeof anyBlock extends fc.Arbitrary<infer Block> ? Block : never;

function columnsOf(blocks: readonly AnyBlock[]): Columns[] {
  let known = 0;
  return blocks.map((block, i) => {
    const lists: number[][] = [[], [], []];
    const [operations, codes, differences] = lists;
    const begins = block.begins || i === 0;
    if (begins) known = 0;
    for (let n = 0; n < block.length; n++) {
      const step = block.pattern[n % block.pattern.length];
      const { kind, size } = block.operations[n % block.operations.length];
      if (n === block.explicit) operations.push(...first(255, kind, size));
      else if (n < block.operations.length) operations.push(...first(known++, kind, size));
      else operations.push(step.operation % known);
      const code = step.codes[n % step.codes.length];
      codes.push(code);
      const last = step.difference.length - 1;
      if (code < SITE_CODE) differences.push(...step.difference.map((byte, at) => (at < last ? byte | 128 : byte)));
    }
    const { column, cut, at, byte } = block.fault;
    const faulty = lists.find((_, each) => each === column);
    if (cut) faulty?.splice(at);
    else faulty?.splice(at, 1, byte);
    return { begins, accesses: block.length, lists };
  });
}

test('the loop in WebAssembly decodes as the plain path does, and finds the same faults', () => {
  const loop = new PackedDecoder();
  const plain = new PackedDecoder(null);
  fc.assert(
    fc.property(fc.array(anyBlock, { minLength: 1, maxLength: 4 }), (blocks) => {
      const columns = columnsOf(blocks);
      expect(decoded(loop, columns)).toEqual(decoded(plain, columns));
    }),
    { numRuns: runs(100) },
  );
});

test('the loop in WebAssembly is that of its source: else run npm run build:hot', () => {
  expect(hashOfSource('src/trace/packed/hot')).toBe(DECODE_SOURCE);
});
