/** Sums about translation: the time of an access with a TLB, and the size of tables. */

import { z } from 'zod';
import { checkWhole } from '../../hw/base/arguments.js';
import type { Random } from '../../hw/base/random.js';
import { countOf, formatCount } from '../report/output/units.js';
import { between, listed, pick } from './exercise.js';
import type { Difficulty, Posed } from './exercise.js';
import { givenKind } from './given.js';

/** A second. */
const MOST_NS = 1e9;
/** Of a virtual address. */
const MOST_BITS = 64;

const AccessTime = z.strictObject({
  kind: z.literal('access-time'),
  tlbNs: z.number().min(0).max(MOST_NS).describe('to look into the TLB'),
  memoryNs: z.number().min(0).max(MOST_NS).describe('of one access to memory'),
  levels: z.int().min(1).max(5).default(1).describe('of page tables'),
  hitPercent: z.number().min(0).max(100),
});
type AccessTime = z.infer<typeof AccessTime>;

const LEVELS: Readonly<Record<Difficulty, readonly [least: number, most: number]>> = {
  easy: [1, 1],
  medium: [1, 4],
  hard: [3, 5],
};

function drawAccessTime(random: Random, difficulty: Difficulty): AccessTime {
  const [least, most] = LEVELS[difficulty];
  return {
    kind: 'access-time',
    tlbNs: between(random, 1, 20),
    memoryNs: 10 * between(random, 5, 20),
    levels: between(random, least, most),
    hitPercent: pick(random, [80, 90, 95, 98, 99]),
  };
}

/** All digits of the numbers, and none added by binary fractions. */
function exact(value: number): string {
  return String(Number(value.toPrecision(12)));
}

function poseAccessTime({ tlbNs, memoryNs, levels, hitPercent }: AccessTime): Posed {
  const hit = tlbNs + memoryNs;
  const miss = hit + levels * memoryNs;
  const mean = (hitPercent * hit + (100 - hitPercent) * miss) / 100;
  const tables = countOf(levels, 'level');
  return {
    question:
      `A look into the TLB takes ${tlbNs} ns, an access to memory ${memoryNs} ns. Page tables have ${tables}, nothing of ` +
      `them is cached, and ${hitPercent}% of the accesses hit in the TLB. How long does an access take on average?`,
    given: [],
    answer: `${exact(mean)} ns`,
    parts: [
      {
        label: 'average in ns',
        value: exact(mean),
        also: [`${exact(mean)} ns`, ...(mean < 1 ? [] : [mean.toFixed(2)])],
      },
    ],
    reasoning: [
      `a hit: ${tlbNs} + ${memoryNs} = ${hit} ns`,
      `a miss reads ${countOf(levels, 'entry', 'entries')} first: ${tlbNs} + ${levels} x ${memoryNs} + ${memoryNs} = ${miss} ns`,
      `on average: ${hitPercent}% x ${hit} + ${exact(100 - hitPercent)}% x ${miss} = ${exact(mean)} ns`,
    ],
  };
}

export const ACCESS_TIME = givenKind('tlb', 'access-time', {
  schema: AccessTime,
  draw: drawAccessTime,
  pose: poseAccessTime,
});

const TableSize = z.strictObject({
  kind: z.literal('table-size'),
  pageBytes: z.int(),
  entryBytes: z.int().min(1).max(16),
  levels: z.array(z.int().min(1).max(28)).min(1).max(5).describe('bits of each index, root first'),
  pages: z.array(z.int().min(0)).min(1).max(100).describe('numbers of the pages in use'),
});
type TableSize = z.infer<typeof TableSize>;

type TableShape = Pick<TableSize, 'levels' | 'pageBytes' | 'entryBytes'>;
const X86_SHAPE: TableShape = { levels: [10, 10], pageBytes: 4096, entryBytes: 4 };
const SMALL_SHAPES: readonly TableShape[] = [
  { levels: [4, 4], pageBytes: 64, entryBytes: 4 },
  { levels: [5, 5], pageBytes: 32, entryBytes: 1 },
];
const THREE_LEVELS: TableShape = { levels: [6, 6, 6], pageBytes: 256, entryBytes: 4 };
const SHAPES: Readonly<Record<Difficulty, readonly TableShape[]>> = {
  easy: SMALL_SHAPES,
  medium: [X86_SHAPE, { levels: [9, 9], pageBytes: 4096, entryBytes: 8 }, ...SMALL_SHAPES, THREE_LEVELS],
  hard: [THREE_LEVELS, { levels: [9, 9, 9], pageBytes: 4096, entryBytes: 8 }],
};
const NEIGHBOURS: Readonly<Record<Difficulty, number>> = { easy: 2, medium: 3, hard: 5 };

function drawTableSize(random: Random, difficulty: Difficulty): TableSize {
  const { levels, pageBytes, entryBytes } = pick(random, SHAPES[difficulty]);
  const all = 2 ** levels.reduce((sum, bits) => sum + bits, 0);
  const pages = [
    ...new Set(
      Array.from({ length: NEIGHBOURS[difficulty] }, () => random.below(all)).flatMap((page) => [
        page,
        (page + 1) % all,
      ]),
    ),
  ];
  return { kind: 'table-size', pageBytes, entryBytes, levels: [...levels], pages: pages.sort((a, b) => a - b) };
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB'];

/** Bytes in the largest unit with a whole number: `1,792 bytes`, `20 KiB`. */
function exactBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && value % 1024 === 0 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${formatCount(value)} ${value === 1 && unit === 0 ? 'byte' : UNITS[unit]}`;
}

/** `2 tables of 4 KiB`. */
function tablesOf(count: number, bytes: number): string {
  return `${countOf(count, 'table')} of ${exactBytes(bytes)}`;
}

function poseTableSize({ pageBytes, entryBytes, levels, pages }: TableSize): Posed {
  const offsetBits = Math.log2(pageBytes);
  if (!Number.isInteger(offsetBits)) throw new RangeError(`pageBytes ${pageBytes}: must be a power of two`);
  const bits = sumOf(levels);
  if (bits + offsetBits > MOST_BITS) {
    throw new RangeError(`levels: ${bits} bits and ${offsetBits} of the offset; give at most ${MOST_BITS} together`);
  }
  for (const [number, page] of pages.entries()) checkWhole(`pages.${number}`, page, 0, 2 ** bits - 1);
  const linear = 2 ** bits * entryBytes;
  let below = bits;
  const rows = levels.map((width) => {
    const count = new Set(pages.map((page) => Math.floor(page / 2 ** below))).size;
    below -= width;
    return { count, bytes: 2 ** width * entryBytes };
  });
  const all = rows.reduce((sum, { count, bytes }) => sum + count * bytes, 0);
  const shown = pages.map((page) => `0x${page.toString(16)}`);
  return {
    question:
      `Virtual addresses have ${bits + offsetBits} bits, pages ${exactBytes(pageBytes)}, entries ${exactBytes(entryBytes)}. ` +
      `How large is a table of one level? How large are all tables together with ${countOf(levels.length, 'level')}, indexed by ` +
      `${listed(levels.map(String))} bits, when the pages of these numbers are in use and no table is kept without need?`,
    given: [shown.join(' ')],
    answer: `one level: ${exactBytes(linear)}; ${countOf(levels.length, 'level')}: ${exactBytes(all)}`,
    parts: [
      { label: 'table of one level', value: exactBytes(linear) },
      { label: `all tables with ${countOf(levels.length, 'level')}`, value: exactBytes(all) },
    ],
    reasoning: [
      `one level: 2^${bits} pages x ${exactBytes(entryBytes)} = ${exactBytes(linear)}`,
      ...rows.map(({ count, bytes }, depth) => {
        const level = levels.length - 1 - depth;
        const why =
          depth === 0 ? 'the root' : `one for each part of 2^${bits - sumOf(levels.slice(0, depth))} pages in use`;
        return `level ${level}, ${why}: ${tablesOf(count, bytes)}`;
      }),
      `together ${exactBytes(all)}`,
    ],
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

export const TABLE_SIZE = givenKind('paging', 'table-size', {
  schema: TableSize,
  draw: drawTableSize,
  pose: poseTableSize,
});
