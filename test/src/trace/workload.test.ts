import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOAD, MODIFY, STORE } from '../../../src/trace/block.js';
import { openWorkload, WORKLOAD_BASE, WORKLOADS } from '../../../src/trace/workload.js';
import { collect, type Access } from './blocks.js';
import { runs } from '../../runs.js';

const offsets = (accesses: Access[]): number[] => accesses.map(({ address }) => Number(address) - WORKLOAD_BASE);

describe('workloads', () => {
  it.each(WORKLOADS.map(({ name }) => name))(
    '%s makes as many accesses as asked, all inside its footprint',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 64, max: 5000 }),
          fc.integer({ min: 1, max: 40_000 }),
          fc.nat(),
          async (lines, accesses, seed) => {
            const footprint = lines * 64;
            const trace = openWorkload(name, { footprint, accesses, seed });
            const made = await collect(trace);
            expect(made.length).toBe(accesses);
            expect(trace.counts.accesses).toBe(accesses);
            expect(offsets(made).every((offset) => offset >= 0 && offset + 8 <= footprint && offset % 8 === 0)).toBe(
              true,
            );
          },
        ),
        { numRuns: runs(10) },
      );
    },
  );

  it.each(['uniform', 'chase', 'zipf'])('%s depends on the seed and on nothing else', async (name) => {
    const run = (seed: number): Promise<Access[]> =>
      collect(openWorkload(name, { footprint: 2 ** 20, accesses: 1000, seed }));
    expect(await run(7)).toEqual(await run(7));
    expect(await run(7)).not.toEqual(await run(8));
  });

  it('stream copies the lower half to the upper, word by word, around and around', async () => {
    const made = await collect(openWorkload('stream', { footprint: 4096, accesses: 514 }));
    expect(made.slice(0, 4).map(({ kind }) => kind)).toEqual([LOAD, STORE, LOAD, STORE]);
    expect(offsets(made).slice(0, 4)).toEqual([0, 2048, 8, 2056]);
    expect(offsets(made).slice(512)).toEqual([0, 2048]);
  });

  it('stride steps by its stride and begins again at the start', async () => {
    const made = await collect(openWorkload('stride', { footprint: 16384, accesses: 6, stride: 4096 }));
    expect(offsets(made)).toEqual([0, 4096, 8192, 12288, 0, 4096]);
  });

  it('uniform modifies, and reaches every page about as often', async () => {
    const made = await collect(openWorkload('uniform', { footprint: 16 * 4096, accesses: 32_000 }));
    expect(made.every(({ kind }) => kind === MODIFY)).toBe(true);
    const byPage = new Array<number>(16).fill(0);
    for (const offset of offsets(made)) byPage[offset >> 12]++;
    expect(Math.min(...byPage)).toBeGreaterThan(1800);
    expect(Math.max(...byPage)).toBeLessThan(2200);
  });

  it('chase visits every cache line once before it begins again, out of order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 64, max: 3000 }), fc.nat(), async (lines, seed) => {
        const made = offsets(
          await collect(openWorkload('chase', { footprint: lines * 64, accesses: 2 * lines, seed })),
        );
        expect(new Set(made.slice(0, lines)).size).toBe(lines);
        expect(made.slice(lines)).toEqual(made.slice(0, lines));
        const neighbours = made.slice(1, lines).filter((offset, i) => Math.abs(offset - made[i]) === 64);
        expect(neighbours.length).toBeLessThan(lines / 4);
      }),
      { numRuns: runs(30) },
    );
  });

  it('zipf gives the k-th most popular item the share that its law says', async () => {
    const items = 1024;
    const accesses = 200_000;
    const made = offsets(await collect(openWorkload('zipf', { footprint: items * 64, accesses })));
    const counts = new Map<number, number>();
    for (const offset of made) counts.set(offset, (counts.get(offset) ?? 0) + 1);
    const sorted = [...counts.values()].sort((a, b) => b - a);
    const total = Array.from({ length: items }, (_, k) => (k + 1) ** -0.99).reduce((sum, share) => sum + share, 0);
    for (const k of [1, 2, 3, 10]) {
      const expected = (accesses * k ** -0.99) / total;
      expect(Math.abs(sorted[k - 1] - expected) / expected, `rank ${k}`).toBeLessThan(0.1);
    }
  });

  it.each([
    ['stream', { footprint: 100, accesses: 1 }, 'footprint 100'],
    ['stream', { footprint: 4097, accesses: 1 }, 'footprint 4097'],
    ['uniform', { footprint: 2 ** 40, accesses: 1 }, 'footprint'],
    ['uniform', { footprint: 4096, accesses: 0 }, 'accesses 0'],
    ['chase', { footprint: 4096, accesses: 1, seed: -1 }, 'seed -1'],
    ['stride', { footprint: 4096, accesses: 1, stride: 8192 }, 'stride 8192'],
    ['walk', { footprint: 4096, accesses: 1 }, "workload 'walk' is unknown; choose from stream"],
  ])('refuses what cannot be: %s %o', (name, options, expected) => {
    expect(() => openWorkload(name, options)).toThrow(expected);
  });
});
