import { describe, expect, it } from 'vitest';
import { READ } from '../../../../hw/base/access.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { pageSizeName, SHIFT_2M, SHIFT_4K } from '../../../../hw/base/address.js';
import { OutOfModelMemory } from '../../../../src/compare/machine/machine.js';
import { makeMachine } from '../../../../src/compare/machine/make-machine.js';
import { MACHINE_NAMES, pageKinds } from '../../../../src/compare/machine/pages/page-kinds.js';
import type { MachineName } from '../../../../src/compare/machine/pages/page-kinds.js';
import { Processors, PROCESSORS } from '../../../../src/compare/machine/processors.js';
import { Resident } from '../../../../src/compare/machine/resident.js';
import { replay } from '../../../../src/compare/machine/replay.js';
import { X86_TARGET } from '../../../../src/compare/machine/targets/x86.js';
import { AccessBlock, LOAD } from '../../../../src/trace/block.js';
import { Tables } from '../../../hw/tables.js';

/** A turn: some pages that a thread of a process loads from. */
type Turn = readonly [process: number, thread: number, ...pages: number[]];

/** What a machine counts of turns, with pages of `2^shift` bytes. */
type Count = (
  turns: readonly Turn[],
  tlb?: string,
  shift?: number,
  ramBytes?: number,
) => { walks: number; pages: number; tables: number };

function countsOn(name: MachineName): Count {
  return (turns, tlb = '16xfa', shift = SHIFT_4K, ramBytes) => {
    const [kind] = pageKinds(name, [pageSizeName(shift)]);
    const machine = makeMachine(kind, parseTlb(tlb), ramBytes, name);
    const resident = new Resident([machine]);
    const block = new AccessBlock();
    for (const [process, thread, ...pages] of turns) {
      block.clear();
      Object.assign(block, { process, thread });
      for (const page of pages) block.push(LOAD, Math.floor((page * 2 ** shift) / 2 ** 32), (page * 2 ** shift) | 0, 8);
      const lookups = resident.lookupsOf(machine, block, resident.prepare(block));
      replay(machine.mmu, lookups);
    }
    return { walks: machine.counts().data.walks, pages: machine.pages, tables: machine.tableBytes };
  };
}

describe.each(MACHINE_NAMES)('the processors of a comparison on %s', (name) => {
  const walksOf = countsOn(name);

  it('walk for each page of each process, though the addresses are the same', () => {
    expect(
      walksOf([
        [0, 0, 1, 2, 3],
        [1, 0, 1, 2, 3],
        [2, 0, 1, 2],
      ]),
    ).toMatchObject({ walks: 8, pages: 8 });
  });

  it('keep what a process has in the TLB while another one runs', () => {
    expect(
      walksOf([
        [0, 0, 1, 2],
        [1, 0, 1, 2],
        [0, 0, 1, 2],
        [1, 0, 1, 2],
      ]).walks,
    ).toBe(4);
    // In a TLB too small for both they drive each other out.
    expect(
      walksOf(
        [
          [0, 0, 1, 2],
          [1, 0, 1, 2],
          [0, 0, 1, 2],
          [1, 0, 1, 2],
        ],
        '2xfa',
      ).walks,
    ).toBe(8);
  });

  it('are one for each thread: a page of two threads is walked for twice, and is there once', () => {
    expect(
      walksOf([
        [0, 0, 1, 2],
        [0, 1, 1, 2],
        [0, 0, 1, 2],
        [0, 1, 1, 2],
      ]),
    ).toMatchObject({ walks: 4, pages: 2 });
  });

  it('are shared by the first threads of all processes, and beyond so many threads', () => {
    const drivenOut: Turn[] = [
      [0, 0, 1],
      [0, PROCESSORS, 2],
      [0, 0, 1],
    ];
    expect(walksOf(drivenOut, '1xfa').walks).toBe(3);
    expect(
      walksOf(
        [
          [0, 0, 1],
          [0, PROCESSORS - 1, 2],
          [0, 0, 1],
        ],
        '1xfa',
      ).walks,
    ).toBe(2);
    expect(
      walksOf(
        [
          [0, 0, 1],
          [1, 0, 1],
          [0, 0, 1],
        ],
        '1xfa',
      ).walks,
    ).toBe(3);
  });

  it('tell processes apart whose PCIDs or ASIDs are the same', () => {
    expect(
      walksOf([
        [0, 0, 1],
        [4096, 0, 1],
        [0, 0, 1],
        [4096, 0, 1],
      ]).walks,
    ).toBe(4);
  });

  it('take the memory of a process that waited longest, and give it back when it goes on', () => {
    // Of 512 pages that the smallest memory has, 300 are more than half.
    const pages = Array.from({ length: 300 }, (_, i) => i);
    const turns: Turn[] = [
      [0, 0, ...pages],
      [1, 0, ...pages],
      [0, 0, ...pages],
      [1, 0, 1],
    ];
    const ample = walksOf(turns, '1024xfa', SHIFT_2M, 2 ** 31);
    const scarce = walksOf(turns, '1024xfa', SHIFT_2M, 2 ** 30);
    expect(ample).toMatchObject({ walks: 600, pages: 600 });
    // Its pages are others then, and the TLB knows none of them.
    expect(scarce).toMatchObject({ walks: 901, pages: 600, tables: ample.tables });
    const tooMany = Array.from({ length: 600 }, (_, i) => i);
    expect(() => walksOf([[0, 0, ...tooMany]], '1024xfa', SHIFT_2M, 2 ** 30)).toThrow(OutOfModelMemory);
  });
});

it('lookups that only warm up are not counted when hot loops begin amid them', () => {
  const tables = new Tables();
  tables.map(0x5000, 100, 0x27);
  const tlb = parseTlb('16xfa+64xfa');
  const mmu = tables.mmu({ tlb });
  if (tables.ram.hot !== null) tables.ram.hot.leastBatch = 1;
  const processors = new Processors(tlb, mmu, X86_TARGET, mmu);
  const los = Int32Array.of(0x5000);
  const load = (): number => mmu.translateMany(new Int32Array(1), los, 1, READ, new Int32Array(1));
  processors.uncounted(load);
  load();
  expect(processors.counters().snapshot().data).toMatchObject({ lookups: 1, walks: 0 });
});
