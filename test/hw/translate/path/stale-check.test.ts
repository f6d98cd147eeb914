import { describe, expect, it } from 'vitest';
import { READ, USER, WRITE } from '../../../../hw/base/access.js';
import { INVPCID_ADDRESS } from '../../../../hw/x86/mmu.js';
import type { Mmu } from '../../../../hw/x86/mmu.js';
import { CR4_PCIDE } from '../../../../hw/x86/registers.js';
import { describeStale } from '../../../../hw/translate/path/stale-check.js';
import { RWU, Tables } from '../../tables.js';

const PAGE = 0x40_0000;

function checked(flags = RWU): { tables: Tables; mmu: Mmu } {
  const tables = new Tables();
  tables.map(PAGE, 100, flags);
  const mmu = tables.mmu({ check: true });
  mmu.translate(0, PAGE, WRITE | USER);
  return { tables, mmu };
}

describe('checking mode', () => {
  it('says nothing while software invalidates what it changes', () => {
    const { tables, mmu } = checked();
    tables.map(PAGE, 101);
    mmu.invlpg(0, PAGE);
    expect(mmu.translate(0, PAGE, READ | USER)).toBe(101);
    expect(mmu.checker?.found).toEqual([]);
  });

  it.each([
    ['another frame', 101, RWU],
    ['the page is gone', 0, 0],
    ['rights were taken away', 100, 0x65],
    ['the dirty bit was cleared', 100, 0x27],
  ])('reports %s, once, with the store that did it', (why, frame, flags) => {
    const { tables, mmu } = checked();
    tables.ram.storeLabel = 'a forgetful kernel';
    tables.map(PAGE, frame, flags);
    for (let i = 0; i < 3; i++) mmu.translate(0, PAGE, READ | USER);
    expect(mmu.checker?.found).toHaveLength(1);
    const [stale] = mmu.checker!.found;
    expect(stale).toMatchObject({ why, lo: PAGE, space: 0, pcid: 0, cachedFrame: 100, filledAt: 1, usedAt: 2 });
    expect(stale.changed).toMatchObject([{ level: 0, store: { label: 'a forgetful kernel' } }]);
    expect(describeStale(stale)).toContain('no INVLPG 0x400000');
    expect(describeStale(stale)).toContain('stored by a forgetful kernel');
  });

  it('tells every store since the entry was read, in order, and when each was made', () => {
    const { tables, mmu } = checked();
    tables.map(PAGE, 100, 0x67);
    mmu.invlpg(0, PAGE);
    mmu.translate(0, PAGE, READ | USER);
    tables.ram.storeLabel = 'mprotect';
    tables.map(PAGE, 100, 0x65);
    mmu.translate(0, PAGE + 4096, READ | USER);
    tables.map(PAGE + 4096, 101);
    mmu.translate(0, PAGE + 4096, READ | USER);
    tables.ram.storeLabel = 'aging';
    tables.map(PAGE, 100, 0x45);
    mmu.translate(0, PAGE, READ | USER);
    const [stale] = mmu.checker!.found;
    expect(stale.changed[0].stores).toMatchObject([
      { label: 'mprotect', madeAt: 2 },
      { label: 'aging', madeAt: 3 },
    ]);
    expect(describeStale(stale)).toMatch(
      /0x64067 is now 0x64045, stored by mprotect \(store \d+, after lookup 2\), stored by aging \(store \d+, after lookup 3\)$/,
    );
  });

  it('names the invalidation that is missing by the address space that was translated for at the store', () => {
    const tables = new Tables();
    tables.map(PAGE, 100);
    const mmu = tables.mmu({ check: true }, CR4_PCIDE);
    const switchTo = (pcid: number): number => mmu.writeCr3(1 << 31, 0x1000 | pcid);
    switchTo(5);
    mmu.translate(0, PAGE, WRITE | USER);
    tables.map(PAGE, 101);
    mmu.translate(0, PAGE, READ | USER);
    mmu.invpcid(INVPCID_ADDRESS, 5, 0, PAGE);
    mmu.translate(0, PAGE, READ | USER);
    switchTo(6);
    tables.map(PAGE, 103);
    switchTo(5);
    mmu.translate(0, PAGE, READ | USER);
    expect(mmu.checker?.found.map(({ missing }) => missing)).toEqual([
      'INVLPG 0x400000',
      'INVPCID of 0x400000 in PCID 5',
    ]);
  });

  it('names the store that made a walk cache lead astray, and when it was filled', () => {
    const { tables, mmu } = checked();
    tables.map(PAGE + 4096, 200);
    tables.ram.storeLabel = 'munmap';
    tables.put(tables.entryAddress(PAGE, 1), 0n);
    mmu.translate(0, PAGE + 4096, READ | USER);
    const [stale] = mmu.checker!.found;
    expect(stale).toMatchObject({ filledAt: 1, usedAt: 2 });
    expect(stale.changed).toMatchObject([{ level: 1, is: 0n, stores: [{ label: 'munmap', madeAt: 1 }] }]);
  });

  it('does not mind rights that were added, nor bits that the processor set itself', () => {
    const { tables, mmu } = checked(RWU);
    tables.map(PAGE, 100, 0x67 | 0x200);
    mmu.translate(0, PAGE, READ | USER);
    expect(mmu.checker?.found).toEqual([]);
  });

  it('finds a paging-structure-cache entry that leads a walk astray', () => {
    const { tables, mmu } = checked();
    tables.map(PAGE + 4096, 200);
    tables.put(tables.entryAddress(PAGE, 1), 0n);
    mmu.translate(0, PAGE + 4096, READ | USER);
    expect(mmu.checker?.found).toMatchObject([{ why: 'the page is gone', lo: PAGE + 4096 }]);
  });

  it('changes no count and no result', () => {
    const run = (check: boolean): unknown => {
      const tables = new Tables();
      for (let page = 0; page < 40; page++) tables.map(PAGE + page * 4096, 100 + page);
      const mmu = tables.mmu({ check });
      const frames = Array.from({ length: 400 }, (_, i) =>
        mmu.translate(0, PAGE + ((i * 7) % 40) * 4096, (i & 1) | USER),
      );
      return { frames, counts: mmu.counters.snapshot() };
    };
    expect(run(true)).toEqual(run(false));
  });
});
