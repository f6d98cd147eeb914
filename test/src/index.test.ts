import { expect, test } from 'vitest';
import { compare, compareText, DEFAULT_COSTS, openWorkload, parseTlb } from '../../src/index.js';

test('a comparison can be made with what the package exports', async () => {
  const source = { name: 'stride', open: () => openWorkload('stride', { footprint: 2 ** 20, accesses: 1000 }) };
  const result = await compare({ sources: [source], shifts: [12], tlb: parseTlb('16x4'), costs: DEFAULT_COSTS });
  expect(result.runs[0].counts).toEqual({ lookups: 1000, l1Hits: 0, l2Hits: 0, walks: 1000, entryReads: 4000 });
  expect(compareText(result)).toContain('1,000');
});
