import { describe, expect, it } from 'vitest';
import { READ, USER, WRITE } from '../../../hw/base/access.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { writeRegisters } from '../../../hw/x86/write-registers.js';
import type { WalkCacheGeometry } from '../../../hw/tlb/hierarchy.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { Tables } from '../tables.js';

/** 4-level paging with one 4 KiB page: 0x1000 of the lower half on frame 9, tables in frames 1 to 4. */
function onePage(flags = 7, tlb = '4x2+8x2', check = false): Mmu {
  const ram = new Ram({ bytes: 16 << 20 });
  ram.store64(0, 0x1000, 0, 0x2007);
  ram.store64(0, 0x2000, 0, 0x3007);
  ram.store64(0, 0x3000, 0, 0x4007);
  ram.store64(0, 0x4008, 0, 0x9000 | flags);
  const mmu = new Mmu({ ram, tlb: parseTlb(tlb), check });
  expect(writeRegisters(mmu, { cr0: 0x8001_0001, cr3Hi: 0, cr3Lo: 0x1000, cr4: 0x20, efer: 0x900 })).toBe(0);
  return mmu;
}

describe('Mmu', () => {
  it('walks once and then answers from the TLB', () => {
    const mmu = onePage();
    expect(mmu.translate(0, 0x1234, READ | USER)).toBe(9);
    expect(mmu.translate(0, 0x1ff8, READ | USER)).toBe(9);
    const { data } = mmu.counters.snapshot();
    expect(data).toMatchObject({ lookups: 2, l1Hits: 1, walks: 1, entryReads: 4 });
    expect(mmu.counters.check()).toEqual([]);
  });

  it('takes walk caches by the names of their entries, as by their levels', () => {
    const readsWith = (walkCaches: WalkCacheGeometry): number => {
      const tables = new Tables();
      for (let page = 0; page < 2; page++) tables.map(page * 4096, 20 + page);
      const mmu = tables.mmu({ tlb: { ...parseTlb('none'), walkCaches } });
      for (let page = 0; page < 2; page++) mmu.translate(0, page * 4096, READ | USER);
      return mmu.counters.snapshot().data.entryReads;
    };
    expect(readsWith({})).toBe(8);
    expect(readsWith({ pde: { entries: 4, ways: 4 } })).toBe(5);
    expect(readsWith({ level1: { entries: 4, ways: 4 } })).toBe(5);
  });

  it('sets accessed bits on the way and dirty at the first store', () => {
    const mmu = onePage();
    mmu.translate(0, 0x1000, READ | USER);
    expect(mmu.ram.read64(0x4008)).toBe(0x9027n);
    expect(mmu.ram.read64(0x1000)).toBe(0x2027n);
    mmu.translate(0, 0x1000, WRITE | USER);
    expect(mmu.ram.read64(0x4008)).toBe(0x9067n);
    expect(mmu.counters.snapshot()).toMatchObject({ dirtyUpdates: 1, dirtyUpdateReads: 4 });
    expect(mmu.counters.snapshot().data).toMatchObject({ lookups: 2, l1Hits: 1, walks: 1, entryReads: 4 });
  });

  it.each(['4x4/fifo', '1x1+4x4'])('sets D on a hit without a use in the eyes of replacement (%s)', (tlb) => {
    const tables = new Tables();
    for (let page = 0; page < 5; page++) tables.map(page * 4096, 20 + page);
    const mmu = tables.mmu({ tlb: parseTlb(tlb) });
    const access = (page: number, kind: number): number => mmu.translate(0, page * 4096, kind | USER);
    for (const page of [0, 1, 2, 3]) access(page, READ);
    // With FIFO page 0 stays the oldest; with two levels the store hits L1 alone, so L2 still has page 0 as oldest.
    access(tlb === '4x4/fifo' ? 0 : 3, WRITE);
    access(4, READ);
    const { walks } = mmu.counters.snapshot().data;
    access(0, READ);
    expect(mmu.counters.snapshot().data.walks).toBe(walks + 1);
    access(3, READ);
    expect(mmu.counters.snapshot().data.walks).toBe(walks + 1);
    expect(mmu.counters.snapshot().dirtyUpdates).toBe(1);
  });

  it('reports a missing page with the error code and address', () => {
    const mmu = onePage();
    expect(mmu.translate(0, 0x2abc, WRITE | USER)).toBe(PAGE_FAULT);
    expect(mmu.fault).toMatchObject({ status: PAGE_FAULT, errorCode: 6, hi: 0, lo: 0x2abc });
    expect(mmu.counters.check()).toEqual([]);
  });

  it('uses a stale entry until it is invalidated', () => {
    const mmu = onePage(7, '4x2+8x2', true);
    mmu.translate(0, 0x1000, READ | USER);
    mmu.ram.store64(0, 0x4008, 0, 0xa007);
    expect(mmu.translate(0, 0x1000, READ | USER)).toBe(9);
    expect(mmu.checker?.found).toHaveLength(1);
    mmu.invlpg(0, 0x1000);
    expect(mmu.translate(0, 0x1000, READ | USER)).toBe(10);
    expect(mmu.checker?.found).toHaveLength(1);
  });
});
