import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PTE_A, PTE_D, PTE_G, PTE_P, PTE_RW } from '../../../../hw/x86/format.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { MAP_EXCLUSIVE } from '../../../../src/kernel/frames/frames.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import { X86Entries } from '../../../../src/kernel/tables/entries-x86.js';
import { TableCopy } from '../../../../src/kernel/tables/table-copy.js';
import { FLUSH_CEILING } from '../../../../src/kernel/tables/tlb-batch.js';
import { alive, GIB, peek, spawn } from '../machine.js';

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

const entries = fc.array(
  fc.record<Entry>({
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
  }),
  { minLength: 1, maxLength: 80 },
);

it('copies each entry, absent ones too, by the rules for that entry alone', () => {
  fc.assert(
    fc.property(entries, fc.boolean(), fc.boolean(), fc.boolean(), (list, isPrivate, isShared, shared) => {
      const lose = isPrivate ? PTE_RW : 0;
      const childLose = lose | PTE_A | (isShared ? PTE_D : 0);
      const target = 2 * list.length;
      const bytes = 16 * list.length;
      const words = new Int32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)).fill(-1, target);
      const map = new Int32Array(list.length + 1);
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
      const format = new X86Entries({ words, shared, journal: null, storeLabel: '' });
      copy.run(format, map, 0, target, list.length, format.changeAtFork(isPrivate), isShared);
      expect([...words]).toEqual([...expected.words, ...expected.copy]);
      expect([...map]).toEqual(expected.map);
      expect([...copy.largeFrames.subarray(0, copy.large)]).toEqual(expected.large);
      expect(copy.changed).toBe(expected.changed.length);
      const told = Math.min(copy.changed, FLUSH_CEILING + 1);
      expect([...copy.changedAt.subarray(0, told)]).toEqual(expected.changed.slice(0, told));
      expect(copy.copied).toBe(list.filter(({ bits }) => bits !== 0).length);
      expect(copy.counted).toBe(
        list.filter(({ bits }) => (bits & (PTE_P | PROT_NONE)) !== 0 && (bits & SPECIAL) === 0).length,
      );
    }),
  );
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
