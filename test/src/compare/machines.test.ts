import { describe, expect, it } from 'vitest';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { compare } from '../../../src/compare/compare.js';
import type { CompareOptions } from '../../../src/compare/compare.js';
import { makeMachine } from '../../../src/compare/machine/make-machine.js';
import { MACHINE_NAMES, pageKinds, pageNames } from '../../../src/compare/machine/pages/page-kinds.js';
import type { MachineName } from '../../../src/compare/machine/pages/page-kinds.js';
import { replay } from '../../../src/compare/machine/replay.js';
import { Resident } from '../../../src/compare/machine/resident.js';
import { pricesFor } from '../../../src/compare/time/preset-prices.js';
import type { CompareRun } from '../../../src/report/results/compare-result.js';
import type { PageName } from '../../../src/report/results/schema.js';
import { AccessBlock, FETCH, LOAD, MODIFY, STORE } from '../../../src/trace/block.js';
import { openWorkload } from '../../../src/trace/workload.js';

const MIB = 2 ** 20;

async function runsOf(
  machine: MachineName,
  pages: readonly PageName[],
  tlb: string,
  options: Partial<CompareOptions> = {},
): Promise<CompareRun[]> {
  const source = { name: 'zipf', open: () => openWorkload('zipf', { footprint: 16 * MIB, accesses: 30_000 }) };
  return (await compare({ sources: [source], machine, pages, tlb: parseTlb(tlb), ...options })).runs;
}

describe('the same pages on every machine', () => {
  it.each([
    ['of one size an array', '64x4@4K,32x4@2M,4xfa@1G+1536x12@4K2M'],
    ['of few sets', '4x1@4K,4x2@2M1G+16x4@4K2M1G'],
    ['with stores of their own', 'ice-lake'],
  ])('count the same in a TLB %s', async (_, tlb) => {
    const [x86, riscv, aarch64] = await Promise.all(MACHINE_NAMES.map((machine) => runsOf(machine, ['4K', '2M'], tlb)));
    const counted = (runs: readonly CompareRun[]): unknown =>
      runs.map(({ counts, memory, firstTouch, fork, reach }) => [counts, memory, firstTouch, fork, reach]);
    expect(counted(riscv)).toEqual(counted(x86));
    expect(counted(aarch64)).toEqual(counted(x86));
  });

  it('of Svnapot and of the contiguous bit count the same', async () => {
    const tlb = '16x4@4K64K+64x4@4K64K';
    const [riscv] = await runsOf('riscv', ['64K'], tlb);
    const [aarch64] = await runsOf('aarch64', ['4K+contig'], tlb);
    expect({ ...riscv, pages: '', trace: '' }).toEqual({ ...aarch64, pages: '', trace: '' });
    const [small] = await runsOf('riscv', ['4K'], tlb);
    expect(riscv.counts.walks).toBeLessThan(small.counts.walks);
  });
});

describe('pages and their price', () => {
  it('have a table of the granule for each part of the address, and an entry each', async () => {
    const runs = await runsOf('aarch64', ['4K', '4K+contig', '16K', '64K', '2M', '32M'], '64xfa');
    const bytes = Object.fromEntries(runs.map(({ pages, memory }) => [pages, memory.pageTableBytes]));
    // 16 MiB: 8 last tables of 2 MiB, 1 of 32 MiB, 1 of 512 MiB; and those above, 3, 2 and 2.
    expect(bytes).toMatchObject({ '4K': 11 * 4096, '16K': 3 * 16_384, '64K': 3 * 65_536, '2M': 3 * 4096 });
    expect(bytes).toMatchObject({ '4K+contig': 11 * 4096, '32M': 2 * 16_384 });
    for (const { pages, memory, firstTouch, fork } of runs) {
      const { shift, entryShift } = pageKinds('aarch64', [pages])[0];
      expect(memory.mappedBytes).toBe(firstTouch.faults * 2 ** shift);
      expect(fork.entriesCopied).toBe(firstTouch.faults * 2 ** (shift - entryShift));
    }
  });

  it('x86: folios need as many entries as the TLB coalesces them to', async () => {
    const needs = async (tlb: string, options?: Partial<CompareOptions>): Promise<CompareRun['reach']> =>
      (await runsOf('x86', ['4K+contig'], tlb, options))[0].reach;
    expect(await needs('64xfa')).toEqual({ entriesNeeded: 4096, entries: 64 });
    expect(await needs('64xfa@4K32K')).toEqual({ entriesNeeded: 512, entries: 64 });
    const guest = { prices: { ...pricesFor('zen3'), nested: '2M' as const } };
    expect(await needs('64xfa@4K32K', guest)).toEqual({ entriesNeeded: 4096, entries: 64 });
  });

  it('are refused where the machine has none', () => {
    expect(() => pageKinds('riscv', ['16K'])).toThrow("'16K' is no page of riscv; choose from 4K, 64K, 2M, 1G");
  });
});

/** Counts of some accesses, the same with and without repeats left out. */
function countsOf(machine: MachineName, page: PageName, tlb: string, leaveOutRepeats: boolean): unknown {
  const [kind] = pageKinds(machine, [page]);
  const one = makeMachine(kind, parseTlb(tlb), 2 ** 31, machine);
  const resident = new Resident([one], { leaveOutRepeats });
  // First touched in order: so some frames are adjacent, and in step with their pages.
  for (let address = 0; address < 2 ** 22; address += 4096) one.makeResident(0, address);
  const block = new AccessBlock();
  let state = 1;
  for (let i = 0; i < 5000; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // Few pages, often the last one again, and accesses over the ends of pages.
    const address = (state >>> 8) % (i % 3 === 0 ? 2 ** 22 : 2 ** 14);
    block.push([LOAD, STORE, MODIFY, FETCH][(state >>> 28) % 4], 0, state % 7 === 0 ? address | 0xffd : address, 8);
  }
  replay(one.mmu, resident.lookupsOf(one, block, resident.prepare(block)));
  return one.counts();
}

describe('lookups of pages of any size', () => {
  it.each(
    MACHINE_NAMES.flatMap((machine) =>
      pageNames(machine)
        .filter((page) => page !== '512M' && page !== '1G')
        .map((page) => [machine, page] as const),
    ),
  )('%s, %s: the same counts with and without repeats left out', (machine, page) => {
    for (const tlb of ['4x2@4K16K64K2M+16x4', '8xfa@4K32K', 'ice-lake', '4x1@4K+8x2@2M32M']) {
      expect(countsOf(machine, page, tlb, true)).toEqual(countsOf(machine, page, tlb, false));
    }
  });
});
