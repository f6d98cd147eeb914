import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PTE_A, PTE_D, PTE_G, PTE_P, PTE_RW } from '../../../../hw/x86/format.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { MAP_EXCLUSIVE } from '../../../../src/kernel/frames/frames.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import { AArch64Entries } from '../../../../src/kernel/tables/entries-aarch64.js';
import { RiscvEntries } from '../../../../src/kernel/tables/entries-riscv.js';
import { X86Entries } from '../../../../src/kernel/tables/entries-x86.js';
import { PAGE_HUGE } from '../../../../src/kernel/tables/entries.js';
import { FORK_SOURCE } from '../../../../src/kernel/tables/hot/module.js';
import { TableCopy } from '../../../../src/kernel/tables/table-copy.js';
import { FLUSH_CEILING } from '../../../../src/kernel/tables/tlb-batch.js';
import { alive, GIB, peek, spawn } from '../machine.js';
import { hashOfSource } from '../../../compiled-source.js';

const PAGE = 4096;
/** Bits that the kernel gives a meaning: of software, and of the hardware where P = 0. */
const SPECIAL = 1 << 9;
const GUARD = 1 << 10;
const PROT_NONE = PTE_G;
/** Words of the map that say: mapped once by its owner alone, and part of a large folio mapped once. */
const EXCLUSIVE = MAP_EXCLUSIVE | 1;
const LARGE = (1 << 31) | 1;

interface Entry {
  /** Bits of the low word below the frame; 0 is no entry. */
  readonly bits: number;
  readonly large: boolean;
  readonly high: number;
}

/** The most entries of a table here: many times four, which the loop in WebAssembly copies at once. */
const MOST = 200;
/** RAM with map words behind it, where the loop in WebAssembly reaches both. */
const hotRam = new Ram({ bytes: 2 ** 23 });
const hotMap = hotRam.hot?.take(MOST + 1) ?? null;
/** What lies behind those, from the next line of 16 words on. */
const behindMap = hotRam.hot?.take(16) ?? null;
const BEHIND = 16 * Math.ceil((MOST + 1) / 16);

interface Place {
  readonly words: Int32Array;
  readonly map: Int32Array;
}

/** Places for the words of two tables, and for the map. */
const PLACES = {
  plain: (words: number): Place => ({ words: new Int32Array(words), map: new Int32Array(MOST + 1) }),
  shared: (words: number): Place => ({ ...PLACES.plain(0), words: new Int32Array(new SharedArrayBuffer(4 * words)) }),
  hot: (words: number): Place => {
    if (hotMap === null) throw new Error('this host has no WebAssembly');
    hotRam.words.fill(0, 0, words);
    return { words: hotRam.words, map: hotMap.fill(0) };
  },
};
const KINDS = Object.keys(PLACES) as (keyof typeof PLACES)[];

const entry = fc.record<Entry>({
  bits: fc.constantFrom(
    0,
    GUARD,
    PTE_P,
    PTE_P | PTE_A,
    PTE_P | PTE_RW | PTE_A | PTE_D,
    PTE_P | SPECIAL,
    PROT_NONE,
    PROT_NONE | PTE_RW | PTE_D,
  ),
  large: fc.boolean(),
  high: fc.constantFrom(0, -0x8000_0000),
});
/** Runs of like entries, long ones and single ones. */
const entries = fc
  .array(fc.tuple(entry, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: MOST / 2 }))), { minLength: 1 })
  .map((runs) => runs.flatMap(([like, times]) => Array.from({ length: times }, () => like)).slice(0, MOST));

/** Offsets of the changed entries in the runs that it tells. */
function changedBy({ changedRuns, changedFrom, changedEnd }: TableCopy): number[] {
  const offsets: number[] = [];
  for (let run = 0; run < changedRuns; run++) {
    for (let i = changedFrom[run]; i < changedEnd[run]; i += 2) offsets.push(i);
  }
  return offsets;
}

it('copies each entry, absent ones too, by the rules for that entry alone', () => {
  fc.assert(
    fc.property(entries, fc.boolean(), fc.boolean(), fc.constantFrom(...KINDS), (list, isPrivate, isShared, kind) => {
      const lose = isPrivate ? PTE_RW : 0;
      const childLose = lose | PTE_A | (isShared ? PTE_D : 0);
      const target = 2 * list.length;
      const { words, map } = PLACES[kind](2 * target);
      words.fill(-1, target, 2 * target);
      const expected = {
        words: [] as number[],
        copy: [] as number[],
        map: [0],
        large: [] as number[],
        changed: [] as number[],
      };
      list.forEach(({ bits, large, high }, i) => {
        const page = (bits & (PTE_P | PROT_NONE)) !== 0;
        const frame = page ? i + 1 : 0;
        const low = (frame << 12) | bits;
        const highWord = page ? high : 0;
        words.set([low, highWord], 2 * i);
        const counted = page && (bits & SPECIAL) === 0;
        map[i + 1] = counted ? (large ? LARGE : EXCLUSIVE) : 0;
        // The copy is one more mapping, and neither side has the page to itself any longer.
        expected.map.push(counted ? (map[i + 1] & ~MAP_EXCLUSIVE) + 1 : 0);
        if (counted && large) expected.large.push(frame);
        // What is absent for the hardware is in no TLB, so that nobody need be told.
        if ((bits & PTE_P) !== 0 && (bits & lose) !== 0) expected.changed.push(2 * i);
        expected.words.push(low & ~lose, highWord);
        expected.copy.push(low & ~childLose, highWord);
      });
      const copy = new TableCopy();
      const hot = kind === 'hot' ? hotRam.hot : null;
      const format = new X86Entries({ words, shared: kind === 'shared', hot, journal: null, storeLabel: '' });
      copy.run(format, map, 0, target, list.length, format.changeAtFork(isPrivate), isShared);
      expect([...words.subarray(0, 2 * target)]).toEqual([...expected.words, ...expected.copy]);
      expect([...map.subarray(0, list.length + 1)]).toEqual(expected.map);
      expect([...copy.largeFrames.subarray(0, copy.large)]).toEqual(expected.large);
      expect(copy.changed).toBe(expected.changed.length);
      const told = Math.min(copy.changed, FLUSH_CEILING + 1);
      expect(changedBy(copy).slice(0, told)).toEqual(expected.changed.slice(0, told));
      expect(copy.copied).toBe(list.filter(({ bits }) => bits !== 0).length);
      expect(copy.counted).toBe(
        list.filter(({ bits }) => (bits & (PTE_P | PROT_NONE)) !== 0 && (bits & SPECIAL) === 0).length,
      );
    }),
  );
});

describe.each([
  ['x86', X86Entries],
  ['RISC-V', RiscvEntries],
  ['AArch64', AArch64Entries],
])('entries of %s', (_name, Format) => {
  const pages = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 127 }), fc.boolean(), fc.integer({ min: 1, max: MOST / 2 })),
    {
      minLength: 1,
      maxLength: 8,
    },
  );

  /** Frames of pages by their places: side by side, apart, and some of them twice. */
  const frames = fc.constantFrom(
    (place: number) => place + 1,
    (place: number) => ((7 * place) % MOST) + 1,
    (place: number) => (place >> 1) + 1,
  );

  it('are copied in runs as each is by itself', () => {
    fc.assert(
      fc.property(pages, frames, fc.boolean(), fc.boolean(), (runs, frameAt, isPrivate, isShared) => {
        const list = runs.flatMap(([bits, large, times]) => Array.from({ length: times }, () => ({ bits, large })));
        const count = Math.min(list.length, MOST);
        const results = KINDS.map((kind) => {
          const { words, map } = PLACES[kind](4 * count);
          const hot = kind === 'hot' ? hotRam.hot : null;
          const format = new Format({ words, shared: kind === 'shared', hot, journal: null, storeLabel: '' });
          for (let i = 0; i < count; i++) {
            const { bits, large } = list[i];
            if (bits !== 0) format.setPage(2 * i, frameAt(i), bits & ~PAGE_HUGE);
            map[frameAt(i)] = large ? LARGE : EXCLUSIVE;
          }
          const copy = new TableCopy();
          copy.run(format, map, 0, 2 * count, count, format.changeAtFork(isPrivate), isShared);
          const { copied, counted, changed, large } = copy;
          const told = changedBy(copy).slice(0, FLUSH_CEILING + 1);
          const lists = [words.slice(0, 4 * count), map.slice(0, MOST + 1), copy.largeFrames.slice(0, large)];
          return { counts: [copied, counted, changed], told, lists };
        });
        for (const result of results) expect(result).toEqual(results[0]);
      }),
    );
  });
});

it.each([20, 21, 22, 23, 100])('counts no mapping of a frame beyond the map, as entry %i', (odd) => {
  const count = 140;
  const { words, map } = PLACES.hot(4 * count);
  const format = new X86Entries({ words, shared: false, hot: hotRam.hot, journal: null, storeLabel: '' });
  for (let i = 0; i < count; i++) {
    const frame = i === odd ? BEHIND + 2 : i + 1;
    words[2 * i] = (frame << 12) | PTE_P | PTE_RW;
    if (frame <= MOST) map[frame] = EXCLUSIVE;
  }
  const copy = new TableCopy();
  copy.run(format, map, 0, 2 * count, count, format.changeAtFork(true), false);
  expect(copy.copied).toBe(count);
  expect([...(behindMap ?? [])]).toEqual(Array.from({ length: 16 }, () => 0));
});

it('has its loop in WebAssembly from the source: else run npm run build:hot', () => {
  expect(hashOfSource('src/kernel/tables/hot')).toBe(FORK_SOURCE);
});

describe('fork with frames above 4 GiB', () => {
  // All frames but the first sixteen lie past 12 GiB, where the places of entries no longer fit an int32.
  it.each([
    ['readable', f.PROT_READ | f.PROT_WRITE],
    ['PROT_NONE', f.PROT_NONE],
  ])('shares the very pages: %s', (_name, prot) => {
    const ranges = [
      { base: 0, bytes: 16 * PAGE },
      { base: 12 * GIB, bytes: 256 * PAGE },
    ];
    const kernel = new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ ranges }) })) });
    const parent = spawn(kernel);
    kernel.mapRegion(parent, GIB, 40 * PAGE);
    for (let page = 0; page < 40; page++) expect(kernel.store(parent, GIB + page * PAGE, 1, page)).toBe(0);
    expect(kernel.mprotect(parent, GIB, 40 * PAGE, prot)).toBe(0);
    const child = alive(kernel.fork(parent));
    expect(kernel.audit()).toEqual([]);
    expect(kernel.mprotect(child, GIB, 40 * PAGE, f.PROT_READ | f.PROT_WRITE)).toBe(0);
    expect(kernel.store(child, GIB + 39 * PAGE, 1, 99)).toBe(0);
    expect(kernel.mprotect(parent, GIB, 40 * PAGE, f.PROT_READ)).toBe(0);
    expect([5, 39].map((page) => peek(kernel, child, GIB + page * PAGE))).toEqual([5, 99]);
    expect(peek(kernel, parent, GIB + 39 * PAGE)).toBe(39);
  });
});
