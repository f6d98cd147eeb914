import { describe, expect, it } from 'vitest';
import { READ, USER } from '../../../../hw/base/access.js';
import { DEFAULT_COSTS, translationCycles } from '../../../../hw/translate/counts/cost.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { Tables } from '../../tables.js';

describe('translationCycles', () => {
  it('prices hits and entry reads by the table', () => {
    const tables = new Tables();
    tables.map(0x5000, 70);
    const mmu = tables.mmu({ tlb: parseTlb('1x1+4x4') });
    tables.map(0x6000, 71);
    for (const address of [0x5000, 0x5000, 0x6000, 0x5000]) mmu.translate(0, address, READ | USER);
    const cycles = translationCycles(mmu.counters.snapshot().data, { ...DEFAULT_COSTS, l1Hit: 1, walk: 100 });
    expect(cycles).toEqual({ l1: 1, l2: 7, walks: 2 * 100 + 8 * 20, total: 1 + 7 + 200 + 160 });
  });

  it('prices reads by the cache of entries when there is one', () => {
    const tables = new Tables();
    for (const page of [0, 1, 16]) tables.map(0x5000 + page * 4096, 70 + page);
    const mmu = tables.mmu({ tlb: parseTlb('none'), entryCache: { entries: 8, ways: 8 } });
    for (const page of [0, 1, 16]) mmu.translate(0, 0x5000 + page * 4096, READ | USER);
    // Entries 5 and 6 of the page table share a line of 64 bytes; entry 21 does not. The upper levels are read again.
    expect(mmu.counters.snapshot().data).toMatchObject({ entryReads: 12, entryCacheMisses: 5, entryCacheHits: 7 });
    expect(mmu.counters.check()).toEqual([]);
    expect(translationCycles(mmu.counters.snapshot().data, DEFAULT_COSTS).walks).toBe(5 * 80 + 7 * 14);
  });
});
