import { describe, expect, it } from 'vitest';
import { READ, USER } from '../../../hw/base/access.js';
import { OK } from '../../../hw/base/fault.js';
import { GENERAL_PROTECTION } from '../../../hw/x86/exception.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { RWU, Tables } from '../tables.js';

const PGE = 0x80;
const PCIDE = 0x2_0000;
const GLOBAL = 0x100;
const KEEP = 0x8000_0000 | 0;
const PAGE = 0x40_0000;
const GLOBAL_PAGE = 0x80_0000;

/** Two pages, one of them global, both in the TLB of PCID 1; then RAM says something else. */
function changedUnderTheTlb(tlb = '8x2+16x4+psc'): { mmu: Mmu; old: (address: number) => boolean } {
  const tables = new Tables();
  tables.map(PAGE, 100);
  tables.map(GLOBAL_PAGE, 100, RWU | GLOBAL);
  const mmu = tables.mmu({ tlb: parseTlb(tlb) }, PGE | PCIDE);
  mmu.writeCr3(0, 0x1001);
  for (const address of [PAGE, GLOBAL_PAGE]) mmu.translate(0, address, READ | USER);
  tables.map(PAGE, 200);
  tables.map(GLOBAL_PAGE, 200, RWU | GLOBAL);
  return { mmu, old: (address) => mmu.translate(0, address, READ | USER) === 100 };
}

describe('invalidation', () => {
  it('is never made by the store alone', () => {
    const { old } = changedUnderTheTlb();
    expect([old(PAGE), old(GLOBAL_PAGE)]).toEqual([true, true]);
  });

  it('INVLPG drops one page, global or not', () => {
    const { mmu, old } = changedUnderTheTlb();
    mmu.invlpg(0, PAGE + 5);
    expect([old(PAGE), old(GLOBAL_PAGE)]).toEqual([false, true]);
    mmu.invlpg(0, GLOBAL_PAGE);
    expect(old(GLOBAL_PAGE)).toBe(false);
  });

  it('MOV to CR3 drops what is not global', () => {
    const { mmu, old } = changedUnderTheTlb();
    mmu.writeCr3(0, 0x1001);
    expect([old(PAGE), old(GLOBAL_PAGE)]).toEqual([false, true]);
  });

  it('MOV to CR3 with bit 63 drops nothing, and another PCID sees only the global page', () => {
    const { mmu, old } = changedUnderTheTlb();
    mmu.writeCr3(KEEP, 0x1002);
    expect([old(PAGE), old(GLOBAL_PAGE)]).toEqual([false, true]);
    mmu.writeCr3(KEEP, 0x1001);
    expect(old(PAGE)).toBe(true);
  });

  it.each([
    [0, false, true],
    [1, false, true],
    [2, false, false],
    [3, false, true],
  ])('INVPCID type %i drops what it must', (type, page, global) => {
    const { mmu, old } = changedUnderTheTlb();
    expect(mmu.invpcid(type, 1, 0, PAGE)).toBe(OK);
    expect([old(PAGE), old(GLOBAL_PAGE)]).toEqual([page, global]);
  });

  it('INVPCID of another PCID drops nothing here', () => {
    const { mmu, old } = changedUnderTheTlb();
    mmu.invpcid(0, 2, 0, PAGE);
    mmu.invpcid(1, 2, 0, 0);
    expect(old(PAGE)).toBe(true);
  });

  it('INVPCID refuses a type, PCID or address that the manual refuses', () => {
    const { mmu } = changedUnderTheTlb();
    expect(mmu.invpcid(4, 0, 0, 0)).toBe(GENERAL_PROTECTION);
    expect(mmu.invpcid(1, 4096, 0, 0)).toBe(GENERAL_PROTECTION);
    expect(mmu.invpcid(0, 1, 0x0000_8000, 0)).toBe(GENERAL_PROTECTION);
  });

  it('toggling CR4.PGE drops global pages too', () => {
    const { mmu, old } = changedUnderTheTlb();
    mmu.writeCr4(mmu.cr4 ^ PGE);
    expect([old(PAGE), old(GLOBAL_PAGE)]).toEqual([false, false]);
  });

  it('INVLPG of one page drops every paging-structure-cache entry of the PCID', () => {
    const tables = new Tables();
    tables.map(PAGE, 100);
    tables.map(PAGE + 4096, 101);
    const mmu = tables.mmu({ tlb: parseTlb('8x2+16x4+psc') });
    mmu.translate(0, PAGE, READ | USER);
    mmu.invlpg(0, 0x7000_0000);
    mmu.translate(0, PAGE + 4096, READ | USER);
    expect(mmu.counters.snapshot().data).toMatchObject({ walks: 2, entryReads: 8, shortenedWalks: 0 });
  });

  it('a paging-structure cache shortens the walk of a neighbour, and serves a stale table until it is dropped', () => {
    const tables = new Tables();
    tables.map(PAGE, 100);
    tables.map(PAGE + 4096, 101);
    tables.map(GLOBAL_PAGE + 4096, 300);
    const mmu = tables.mmu({ tlb: parseTlb('8x2+16x4+psc') });
    mmu.translate(0, PAGE, READ | USER);
    tables.put(tables.entryAddress(PAGE, 1), tables.ram.read64(tables.entryAddress(GLOBAL_PAGE, 1)));
    expect(mmu.translate(0, PAGE + 4096, READ | USER)).toBe(101);
    expect(mmu.counters.snapshot().data).toMatchObject({ entryReads: 5, shortenedWalks: 1 });
    mmu.invlpg(0, PAGE + 4096);
    expect(mmu.translate(0, PAGE + 4096, READ | USER)).toBe(300);
  });

  it('drops all pieces of a page that the TLB keeps in pieces', () => {
    const tables = new Tables();
    tables.map(PAGE, 512, RWU, 1);
    const mmu = tables.mmu({ tlb: parseTlb('8x8@4K') });
    for (const offset of [0, 0x3000]) mmu.translate(0, PAGE + offset, READ | USER);
    tables.map(PAGE, 1024, RWU, 1);
    expect(mmu.translate(0, PAGE + 0x3000, READ | USER)).toBe(515);
    mmu.invlpg(0, PAGE);
    expect(mmu.translate(0, PAGE + 0x3000, READ | USER)).toBe(1027);
  });
});

it('INVPCID of everything drops the very page that was translated last', () => {
  for (const type of [2, 3]) {
    const { mmu, old } = changedUnderTheTlb();
    expect(old(PAGE)).toBe(true);
    mmu.invpcid(type, 0, 0, 0);
    expect(old(PAGE)).toBe(false);
  }
});
