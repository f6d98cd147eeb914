import { describe, expect, it } from 'vitest';
import { READ, USER, WRITE } from '../../../hw/base/access.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { RWU, Tables } from '../tables.js';

const PAGE = 0x5000;
const LARGE = 0x40_0000;

/** A soft TLB that has two places of a small page and of a large one; then RAM says something else. */
function changedUnderTheTlb(): { mmu: Mmu; old: (address: number, access?: number) => boolean } {
  const tables = new Tables();
  tables.map(PAGE, 512);
  tables.map(LARGE, 512, RWU, 1);
  const mmu = tables.mmu({ path: 'soft' });
  const first = (address: number): number => 512 + (address >= LARGE ? (address - LARGE) / 4096 : 0);
  for (const address of [PAGE, PAGE + 0x800, LARGE, LARGE + 0x3000]) {
    for (const access of [READ, READ | USER, WRITE]) mmu.translate(0, address, access);
  }
  tables.map(PAGE, 1024);
  tables.map(LARGE, 1024, RWU, 1);
  return {
    mmu,
    old: (address, access = READ) => mmu.translate(0, address, access) === Math.floor(first(address)),
  };
}

describe('the soft TLB', () => {
  it('answers from what it has, for every kind of access', () => {
    const { old } = changedUnderTheTlb();
    for (const address of [PAGE, LARGE]) {
      expect([READ, READ | USER, WRITE].map((access) => old(address, access))).toEqual([true, true, true]);
    }
  });

  it('forgets a whole page at INVLPG of any address in it, for every kind of access', () => {
    for (const [page, other] of [
      [PAGE, 0x800],
      [LARGE, 0x3000],
    ]) {
      const { mmu, old } = changedUnderTheTlb();
      mmu.invlpg(0, page);
      for (const access of [READ, READ | USER, WRITE]) {
        expect([old(page, access), old(page + other, access)]).toEqual([false, false]);
      }
    }
  });

  it('forgets everything at MOV to CR3, time and again', () => {
    for (let round = 0; round < 2; round++) {
      const { mmu, old } = changedUnderTheTlb();
      mmu.writeCr3(0, 0x1000);
      expect([PAGE, PAGE + 0x800, LARGE].map((address) => old(address))).toEqual([false, false, false]);
    }
  });

  it('does not load from a page that it has never seen, beside one that it has', () => {
    const tables = new Tables();
    tables.map(PAGE, 512);
    tables.map(PAGE + 0x1000, 513);
    const mmu = tables.mmu({ path: 'soft' });
    tables.ram.store32(0, 0x20_0000, 11);
    tables.ram.store32(0, 0x20_1000, 22);
    expect(mmu.translate(0, PAGE, READ)).toBe(512);
    const values = new Int32Array(2);
    expect(mmu.loadMany(new Int32Array(2), Int32Array.of(PAGE, PAGE + 0x1000), 2, READ, values)).toBe(2);
    expect([...values]).toEqual([11, 22]);
  });
});

it.each(['walk', 'soft', 'modelled'] as const)('PS in a PML4E is a reserved bit, settled or not: path %s', (path) => {
  const tables = new Tables();
  tables.map(PAGE, 512);
  const mmu = tables.mmu({ path });
  for (const page of [PAGE, PAGE]) expect(mmu.translate(0, page, READ)).toBe(512);
  const pml4e = tables.entryAddress(PAGE, 3);
  tables.put(pml4e, tables.ram.read64(pml4e) | 0x80n);
  mmu.writeCr3(0, 0x1000);
  expect(mmu.translate(0, PAGE, READ)).toBe(PAGE_FAULT);
  expect(mmu.fault.errorCode).toBe(9);
});

it('without large pages INVLPG of any address in a page drops that page alone from the soft TLB', () => {
  const tables = new Tables();
  for (const page of [PAGE, PAGE + 0x1000]) tables.map(page, 512);
  const mmu = tables.mmu({ path: 'soft' });
  const all = [PAGE, PAGE + 0x800, PAGE + 0x1000];
  for (const address of all) expect(mmu.translate(0, address, READ)).toBe(512);
  for (const page of [PAGE, PAGE + 0x1000]) tables.map(page, 513);
  mmu.invlpg(0, PAGE);
  expect(all.map((address) => mmu.translate(0, address, READ))).toEqual([513, 513, 512]);
});
