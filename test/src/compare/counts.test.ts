import { afterEach, expect, it, vi } from 'vitest';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { compare, type TraceSource } from '../../../src/compare/compare.js';
import { countTraces } from '../../../src/compare/counts.js';
import type { MachineName } from '../../../src/compare/machine/pages/page-kinds.js';
import type { PageName } from '../../../src/report/results/schema.js';
import { openWorkload } from '../../../src/trace/workload.js';

const sources: TraceSource[] = ['stream', 'zipf'].map((name) => ({
  name,
  accesses: 5000,
  open: () => openWorkload(name, { footprint: 2 ** 24, accesses: 5000 }),
}));

afterEach(() => {
  vi.unstubAllGlobals();
});

it.each<[MachineName, PageName[], string]>([
  ['x86', ['4K', '2M', '1G'], '8x4+32x4+psc'],
  // Adjacent pages share entries, so it matters where they lie.
  ['x86', ['4K', '2M'], 'zen3'],
  ['riscv', ['4K', '64K'], '8x4+32x4+psc'],
  ['aarch64', ['4K+contig', '64K'], '8x4+32x4+psc'],
])('counts alone are those of a comparison, on %s with pages of %j and %s', async (machine, pages, shape) => {
  const tlb = parseTlb(shape);
  const told: number[] = [];
  const onProgress = (done: number): Promise<void> => Promise.resolve(void told.push(done));
  const rows = await countTraces({ sources, machine, pages, tlb, onProgress });
  const { runs, traces } = await compare({ sources, machine, pages, tlb });
  expect(
    rows.map(({ trace, pages: name, lookups, l1Hits, l2Hits, walks, entryReads }) => {
      return { trace, pages: name, counts: { lookups, l1Hits, l2Hits, walks, entryReads } };
    }),
  ).toEqual(runs.map(({ trace, pages: name, counts }) => ({ trace, pages: name, counts })));
  expect(rows.map(({ touchedBytes }) => touchedBytes)).toEqual(
    traces.flatMap(({ coverage }) => pages.map(() => coverage.touchedBytes)),
  );
  expect(told).toEqual([5000, 5000]);
});

it('counts are the same where the host refuses RAM for tables alone', async () => {
  const options = { sources, tlb: parseTlb('8x4+32x4+psc') };
  const expected = await countTraces(options);
  class SmallBuffer extends ArrayBuffer {
    constructor(bytes: number) {
      if (bytes > 2 ** 31) throw new RangeError('Array buffer allocation failed');
      super(bytes);
    }
  }
  vi.stubGlobal('WebAssembly', undefined);
  vi.stubGlobal('ArrayBuffer', SmallBuffer);
  expect(await countTraces(options)).toEqual(expected);
});
