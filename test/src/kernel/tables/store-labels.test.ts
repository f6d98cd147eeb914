import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import { describeStale } from '../../../../hw/translate/path/stale-check.js';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { PTE_A, PTE_D } from '../../../../hw/x86/format.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { FRAME_TABLE } from '../../../../src/kernel/frames/frames.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { entryChange } from '../../../../src/kernel/tables/entry-change.js';
import { alive, bootWithMmu, GIB, MIB, spawn } from '../machine.js';
import { runs } from '../../../runs.js';

const PAGE = 4096;
const PAGES = 1024;
const TABLE_WORDS = 1024;

/** Frames that hold tables. */
function tablesOf(kernel: Kernel): number[] {
  const { flags } = kernel.memory.frames;
  return [...flags.keys()].filter((frame) => (flags[frame] & FRAME_TABLE) !== 0);
}

function wordsOf(ram: Ram, frame: number): Int32Array {
  return ram.words.subarray(frame * TABLE_WORDS, (frame + 1) * TABLE_WORDS);
}

/** Calls of the kernel that store entries, with the name that the journal should have for each. */
const CALLS: readonly (readonly [string, (kernel: Kernel, process: Process, at: number, bytes: number) => unknown])[] =
  [
    ['page fault', (kernel, process, at) => kernel.store(process, at, 4, 1)],
    ['page fault', (kernel, process, at) => kernel.load(process, at, 4)],
    ['mprotect', (kernel, process, at, bytes) => kernel.mprotect(process, at, bytes, f.PROT_READ)],
    ['mprotect', (kernel, process, at, bytes) => kernel.mprotect(process, at, bytes, f.PROT_READ | f.PROT_WRITE)],
    ['mprotect', (kernel, process, at, bytes) => kernel.mprotect(process, at, bytes, f.PROT_NONE)],
    ['munmap', (kernel, process, at, bytes) => kernel.munmap(process, at, bytes)],
    ['madvise', (kernel, process, at, bytes) => kernel.madvise(process, at, bytes, f.MADV_DONTNEED)],
    ['madvise', (kernel, process, at, bytes) => kernel.madvise(process, at, bytes, f.MADV_FREE)],
    ['madvise', (kernel, process, at, bytes) => kernel.madvise(process, at, bytes, f.MADV_COLD)],
    ['madvise', (kernel, process, at, bytes) => kernel.madvise(process, at, bytes, f.MADV_GUARD_INSTALL)],
    ['madvise', (kernel, process, at, bytes) => kernel.madvise(process, at, bytes, f.MADV_COLLAPSE)],
    [
      'mremap',
      (kernel, process, at, bytes) => {
        const flags = f.MREMAP_MAYMOVE | f.MREMAP_FIXED;
        const request = { address: at, oldLength: bytes, newLength: bytes, flags, newAddress: 3 * GIB + at };
        return kernel.mremap(process, request);
      },
    ],
    ['mlock2', (kernel, process, at, bytes) => kernel.mlock(process, at, bytes)],
    [
      'clear_refs',
      (kernel, process) => {
        kernel.clearSoftDirty(process);
      },
    ],
    ['fork', (kernel, process) => kernel.fork(process)],
    ['populate', (kernel, process, at) => kernel.populate(process, at)],
  ];

/** The labels of stores to an entry since a store of that number. */
function labelsSince(ram: Ram, at: number, sequence: number): string[] {
  const stores = ram.keepJournal().storesTo(at);
  return stores.filter((store) => store.sequence > sequence).map(({ label }) => label);
}

it.each(['4K', '2M'] as const)(
  'every change of an entry is in the journal, under the name of its call: %s',
  (pages) => {
    const draw = fc.tuple(fc.nat(CALLS.length - 1), fc.nat(PAGES - 1), fc.constantFrom(1, 3, 512), fc.boolean());
    fc.assert(
      fc.property(fc.array(draw, { minLength: 5, maxLength: 20 }), (draws) => {
        const { kernel, mmu } = bootWithMmu(16 * MIB);
        const processes = [spawn(kernel, pages)];
        kernel.mapRegion(processes[0], GIB, PAGES * PAGE);
        const { ram } = mmu;
        const journal = ram.keepJournal();
        for (const [which, page, length, second] of draws) {
          const [name, call] = CALLS[which];
          const before = new Map(tablesOf(kernel).map((frame) => [frame, wordsOf(ram, frame).slice()]));
          const { count } = journal;
          const result = call(kernel, processes[second ? processes.length - 1 : 0], GIB + page * PAGE, length * PAGE);
          if (name === 'fork' && typeof result !== 'number') processes.push(alive(result as Process));
          for (const frame of tablesOf(kernel)) {
            const old = before.get(frame);
            wordsOf(ram, frame).forEach((word, index) => {
              if (((word ^ (old?.[index] ?? 0)) & ~(PTE_A | PTE_D)) === 0) return;
              const labels = labelsSince(ram, frame * TABLE_WORDS + index, count);
              if (labels.length === 0 || !labels.every((label) => label.startsWith(name))) {
                expect(labels).toEqual([name]);
              }
            });
          }
        }
        expect(ram.storeLabel).toBe('');
      }),
      { numRuns: runs(10) },
    );
  },
);

describe('a kernel that forgets', () => {
  /** A page that a process has written, on a machine whose INVLPG does nothing. */
  function forgetful(): { kernel: Kernel; process: Process; mmu: Mmu } {
    const { kernel, mmu } = bootWithMmu(16 * MIB);
    const process = spawn(kernel);
    kernel.mapRegion(process, GIB, PAGE);
    kernel.store(process, GIB, 4, 1);
    mmu.invlpg = () => undefined;
    return { kernel, process, mmu };
  }

  it('is named by call, change, time, and the invalidation that is missing', () => {
    const { kernel, process, mmu } = forgetful();
    kernel.mprotect(process, GIB, PAGE, f.PROT_READ);
    kernel.store(process, GIB, 4, 2);
    expect(mmu.checker!.found.map(describeStale)).toEqual([
      expect.stringMatching(
        /no INVLPG 0x40000000 .* stored by mprotect\(0x40000000, 0x1000, 0x1\): clear R\/W \(store \d+, after lookup 1\)$/,
      ),
    ]);
  });

  it('is named for what fork shares', () => {
    const { kernel, process, mmu } = forgetful();
    kernel.fork(process);
    kernel.store(process, GIB, 4, 2);
    expect(mmu.checker!.found.map(describeStale)).toEqual([expect.stringContaining('stored by fork: clear R/W')]);
  });

  it('is named for a page that it took away', () => {
    const { kernel, process, mmu } = forgetful();
    kernel.madvise(process, GIB, PAGE, f.MADV_DONTNEED);
    kernel.load(process, GIB, 4);
    expect(mmu.checker!.found.map(describeStale)).toEqual([expect.stringMatching(/stored by madvise\(.*\): empty it/)]);
  });
});

it('keeps no journal while nobody checks', () => {
  const ram = new Ram({ bytes: 16 * MIB });
  const kernel = new Kernel({ processor: new Core(new Mmu({ ram })) });
  const process = spawn(kernel);
  kernel.mapRegion(process, GIB, PAGE);
  kernel.store(process, GIB, 4, 1);
  expect([ram.journal, ram.storeLabel]).toEqual([null, '']);
});

describe('the change of an entry in words', () => {
  const FLAGS = [
    { name: 'P', low: 1, high: 0 },
    { name: 'W', low: 2, high: 0 },
    { name: 'X', low: 0, high: 1 },
  ];

  it.each([
    ['', 3, 3],
    ['clear W', 0x1003, 0x1001],
    ['clear W, set X', 0x1003, 0x1001 + 2 ** 32],
    ['set P W', 0, 0x1003],
    ['lead elsewhere', 0x1001, 0x2001],
    ['empty it', 0x1003, 0],
  ])('%s', (words, before, after) => {
    const entry = (value: number): { high: number; low: number } => ({ high: (value / 2 ** 32) | 0, low: value | 0 });
    expect(entryChange(FLAGS, entry(before), entry(after))).toBe(words);
  });
});
