import { describe, expect, it } from 'vitest';
import { READ, USER } from '../../../../hw/base/access.js';
import { GENERAL_PROTECTION } from '../../../../hw/x86/exception.js';
import type { Mmu } from '../../../../hw/x86/mmu.js';
import { Tables } from '../../tables.js';

const ACCESS = READ | USER;
const PAGES = 32;
/** The same pages again, with other frames, where only the high word of an address differs. */
const HIGH = 0x40;
/** Odd, so that one load is left when they are made two at a time. */
const LOADS = 1001;

/** Two times 32 pages, every word of which is unlike any other. */
function machine(path: 'soft' | 'walk' | 'modelled'): Mmu {
  const tables = new Tables(4 << 20);
  for (let page = 0; page < PAGES; page++) {
    tables.map(page * 4096, 256 + page);
    tables.map(HIGH * 2 ** 32 + page * 4096, 256 + PAGES + page);
  }
  const { words } = tables.ram;
  for (let i = 256 << 10; i < (256 + 2 * PAGES) << 10; i++) words[i] = Math.imul(i, 0x9e3779b1);
  return tables.mmu({ path });
}

/** What loads from these addresses give one by one. */
function oneByOne(mmu: Mmu, his: Int32Array, los: Int32Array): Int32Array {
  return los.map((lo, i) => {
    expect(mmu.read(his[i], lo, 4, ACCESS)).toBe(0);
    return mmu.valueLo;
  });
}

describe.each(['soft', 'walk', 'modelled'] as const)('a batch of loads, path %s', (path) => {
  const los = Int32Array.from({ length: LOADS }, (_, i) => (i * 2052) & (PAGES * 4096 - 4));

  it.each([
    ['aligned addresses', (i: number) => [0, los[i]]],
    ['one at an even place that is not aligned', (i: number) => [0, los[i] + (i === 500 ? 2 : 0)]],
    ['one at an odd place that is not aligned', (i: number) => [0, los[i] + (i === 501 ? 1 : 0)]],
    ['one that crosses into the next page', (i: number) => [0, i === 500 ? 4094 : los[i]]],
    ['addresses that differ in the high word alone', (i: number) => [(i & 2) === 0 ? 0 : HIGH, los[i & ~3]]],
    ['neighbours that differ in the high word alone', (i: number) => [(i & 1) === 0 ? 0 : HIGH, los[i & ~1]]],
  ])('gives what single loads give, cold and warm: %s', (_name, addressAt) => {
    const mmu = machine(path);
    const his = los.map((_lo, i) => addressAt(i)[0]);
    const batch = los.map((_lo, i) => addressAt(i)[1]);
    for (let round = 0; round < 3; round++) {
      const values = new Int32Array(LOADS);
      expect(mmu.loadMany(his, batch, LOADS, ACCESS, values)).toBe(LOADS);
      expect(values).toEqual(oneByOne(mmu, his, batch));
    }
  });

  it.each([700, 701])('ends at an address that is not canonical, warm as its page is, at place %i', (place) => {
    const mmu = machine(path);
    const his = new Int32Array(LOADS);
    expect(mmu.loadMany(his, los, LOADS, ACCESS, new Int32Array(LOADS))).toBe(LOADS);
    his[place] = 0x4000_0000;
    expect(mmu.loadMany(his, los, LOADS, ACCESS, new Int32Array(LOADS))).toBe(place);
    expect(mmu.fault.status).toBe(GENERAL_PROTECTION);
  });
});
