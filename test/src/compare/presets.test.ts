import { describe, expect, it } from 'vitest';
import { SHIFT_1G, SHIFT_4K } from '../../../hw/base/address.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { compare } from '../../../src/compare/compare.js';
import type { CompareRun } from '../../../src/report/results/compare-result.js';
import { openWorkload } from '../../../src/trace/workload.js';

async function compareUniform(tlb: string, shift: number, footprint: number, accesses: number): Promise<CompareRun> {
  const source = { name: 'uniform', open: () => openWorkload('uniform', { footprint, accesses }) };
  const { runs } = await compare({ sources: [source], shifts: [shift], tlb: parseTlb(tlb) });
  return runs[0];
}

describe('Arm presets', () => {
  it.each(['cortex-a76', 'neoverse-n1'])('%s holds 1 GiB pages in its second level alone', async (name) => {
    const { counts } = await compareUniform(name, SHIFT_1G, 2 ** 33, 20_000);
    const spelled = await compareUniform('48xfa@4K2M+1280x5+psc', SHIFT_1G, 2 ** 33, 20_000);
    expect(counts).toEqual(spelled.counts);
    expect(counts).toMatchObject({ lookups: 40_000, walks: 8 });
    // The first level keeps pieces of 2 MiB: the store beside a load finds its piece, another word seldom.
    expect(counts.l1Hits + counts.l2Hits).toBe(39_992);
    expect(counts.l2Hits).toBeGreaterThan(19_000);
  });
});

describe('sifive-u74, an Sv39 machine', () => {
  it('reads three entries on a cold walk, and never one of a fourth level', async () => {
    const cold = await compareUniform('sifive-u74', SHIFT_4K, 4096, 1);
    expect(cold.counts).toMatchObject({ walks: 1, entryReads: 3 });
    expect(cold.reads.walks).toEqual({ l2: 0, l3: 0, contested: 0, memory: 3 });
    const { entryReadsByLevel, counts } = await compareUniform('sifive-u74', SHIFT_4K, 2 ** 28, 5000);
    const { pml4, pdpt, pd, pt } = entryReadsByLevel;
    expect([pml4, pdpt + pd + pt]).toEqual([0, counts.entryReads]);
  });

  it('has tables of three levels, and forks those', async () => {
    const { memory, fork } = await compareUniform('sifive-u74', SHIFT_4K, 4096, 1);
    expect([memory.pageTableBytes, fork.tableBytes]).toEqual([3 * 4096, 3 * 4096]);
  });
});
