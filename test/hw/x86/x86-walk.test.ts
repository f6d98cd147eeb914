import { describe, expect, it } from 'vitest';
import { READ, USER } from '../../../hw/base/access.js';
import { ROOT_RIGHTS } from '../../../hw/x86/words.js';
import { WalkRecord } from '../../../hw/translate/walk/walk-record.js';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import { BUS_ERROR, FaultRecord, PAGE_FAULT } from '../../../hw/base/fault.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { SettledWalk } from '../../../hw/x86/settled-walk.js';
import { X86Walker } from '../../../hw/x86/walk.js';
import { Ram } from '../../../hw/memory/ram.js';
import * as reg from '../../../hw/x86/registers.js';
import { writeRegisters } from '../../../hw/x86/write-registers.js';

const LONG = { cr4: reg.CR4_PAE, efer: reg.EFER_LME | reg.EFER_NXE };
const MODES = { '4l': LONG, pae: { cr4: reg.CR4_PAE, efer: 0 }, '32': { cr4: reg.CR4_PSE, efer: 0 } };
/** Bits 62:52 of an entry, which 4-level paging ignores, and XD: they are no address. */
const NO_ADDRESS = 0xfff0_0000_0000_0000n;

/** 1 MiB of RAM with these entries, by address, the root at 0x1000; the default M of 40. */
function boot(mode: keyof typeof MODES, entries: Readonly<Record<number, bigint>>, shared = false): Mmu {
  const ram = new Ram({ bytes: 2 ** 20, shared });
  for (const [address, value] of Object.entries(entries)) {
    const { hi, lo } = fromBigInt(value);
    if (mode === '32') ram.store32(0, Number(address), lo);
    else ram.store64(0, Number(address), hi, lo);
  }
  const mmu = new Mmu({ ram });
  const { cr4, efer } = MODES[mode];
  expect(writeRegisters(mmu, { cr0: reg.CR0_PE | reg.CR0_PG, cr3Hi: 0, cr3Lo: 0x1000, cr4, efer })).toBe(0);
  return mmu;
}

/** The settled walk under an MMU's registers, in this RAM. */
function settledWalk(ram: Ram, mmu: Mmu): SettledWalk {
  const walk = new SettledWalk(ram, mmu.rules);
  walk.regimeChanged(mmu.cr3Lo >>> 12);
  return walk;
}

/** A 4-level path to the table at 0x4000. */
const PATH = { 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3000: 0x4007n };
const PATH_ACCESSED = { 0x1000: 0x2027n, 0x2000: 0x3027n, 0x3000: 0x4027n };

describe('a bus error names the physical address where no RAM answers', () => {
  it.each([
    [
      'a table, and no bits that are not of its address',
      '4l',
      { 0x1000: NO_ADDRESS | 0x98_7654_3007n },
      0x4000_0000,
      0x98_7654_3008n,
    ],
    ['a 4 KiB page', '4l', { ...PATH, 0x4000: NO_ADDRESS | 0x98_7654_3007n }, 0xabc, 0x98_7654_3abcn],
    ['a 2 MiB page', '4l', { ...PATH, 0x3000: NO_ADDRESS | 0x98_7640_0087n }, 0x1f_edcb, 0x98_765f_edcbn],
    ['a 1 GiB page', '4l', { ...PATH, 0x2000: NO_ADDRESS | 0x98_4000_0087n }, 0x3fed_cba9, 0x98_7fed_cba9n],
    ['a page directory that a PDPTE names', 'pae', { 0x1000: 0x98_7654_3001n }, 0x60_0000, 0x98_7654_3018n],
    ['a table of 32-bit paging', '32', { 0x1004: 0x8765_4007n }, 0x40_5000, 0x8765_4014n],
    ['a 4 MiB page above 4 GiB', '32', { 0x1000: 0xc05b_4087n }, 0x23_4567, 0xda_c063_4567n],
  ] as const)('%s', (_what, mode, entries, linear, physical) => {
    const mmu = boot(mode, entries);
    expect(mmu.translate(0, linear, READ | USER)).toBe(BUS_ERROR);
    expect(toBigInt(mmu.fault.hi, mmu.fault.lo).toString(16)).toBe(physical.toString(16));
  });
});

it('a PDPTE that is not present is a page fault before any entry is read: PAE keeps PDPTEs in registers', () => {
  const mmu = boot('pae', { 0x1000: 0x2001n, 0x2000: 0x3007n, 0x3000: 0x5007n });
  expect(mmu.translate(0, 0, READ)).toBe(5);
  const { faultReads } = mmu.counters.snapshot();
  expect(mmu.translate(0, 0x4000_0000, READ)).toBe(PAGE_FAULT);
  expect(mmu.counters.snapshot().faultReads).toBe(faultReads);
});

it.each([
  ['2 MiB', { ...PATH, 0x3000: 0x98_7640_0087n }],
  ['1 GiB', { ...PATH, 0x2000: 0x98_4000_0087n }],
])('an observing walker takes no place in a page of %s past all RAM for a fault', (_size, entries) => {
  const mmu = boot('4l', entries);
  const { observer } = mmu;
  for (let page = 0; page < 512; page++) expect(observer.walk(0, page * 4096, READ)).toBe(-1);
  expect(observer.fault.status).toBe(0);
});

describe('an entry that another processor stores between the reads of its two words', () => {
  /** RAM in which that happens at the first read of the page's entry: page 5 with bit 36 before, page 9 after. */
  function racing(): { mmu: Mmu; ram: Ram } {
    const mmu = boot('4l', { ...PATH_ACCESSED, 0x4000: 0x10_0000_5027n }, true);
    let reads = 0;
    const words = new Proxy(mmu.ram.words, {
      get: (target, key): unknown => {
        const value: unknown = Reflect.get(target, key, target);
        if (key === String(0x4000 / 4) && ++reads === 1) mmu.ram.store64(0, 0x4000, 0, 0x9027);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    return { mmu, ram: Object.create(mmu.ram, { words: { value: words } }) as Ram };
  }

  // The old low word with the new high one would be frame 5, which no entry ever named.
  it('is read anew by a walk', () => {
    const { mmu, ram } = racing();
    const walker = new X86Walker(ram, mmu.rules, new WalkRecord(), new FaultRecord());
    expect(walker.walkWide(3, 1, ROOT_RIGHTS, 0, 0, READ)).toBe(9);
  });

  it('is not settled', () => {
    const { mmu, ram } = racing();
    const walk = settledWalk(ram, mmu);
    expect(walk.walk(0, 0, READ)).toBe(-1);
    expect(walk.walk(0, 0, READ)).toBe(9);
  });
});

it.each([false, true])('a PML4E with PS, which is reserved, is never settled: shared RAM %s', (shared) => {
  const mmu = boot('4l', { ...PATH_ACCESSED, 0x4000: 0x9027n }, shared);
  const walk = settledWalk(mmu.ram, mmu);
  expect(walk.walk(0, 0, READ)).toBe(9);
  mmu.ram.store64(0, 0x1000, 0, 0x20a7);
  expect(walk.walk(0, 0, READ)).toBe(-1);
});

it('without PSE-36 bits 21:13 of a 4 MiB page are reserved, each of them', () => {
  for (let bit = 13; bit <= 21; bit++) {
    const ram = new Ram({ bytes: 2 ** 20 });
    ram.store32(0, 0x1000, 0x87 | (1 << bit));
    const mmu = new Mmu({ ram, pse36: false });
    const values = { cr0: reg.CR0_PE | reg.CR0_PG, cr3Hi: 0, cr3Lo: 0x1000, cr4: reg.CR4_PSE, efer: 0 };
    expect(writeRegisters(mmu, values)).toBe(0);
    expect(mmu.translate(0, 0, READ)).toBe(PAGE_FAULT);
    expect(mmu.fault.errorCode).toBe(9);
  }
});

it('a page directory in frame 0 is a table, though its PDPTE could be a page of 1 GiB but for PS', () => {
  const mmu = boot('4l', { 0x1000: 0x2027n, 0x2000: 0x0027n, 0x0000: 0x4027n, 0x4000: 0x9027n });
  expect(settledWalk(mmu.ram, mmu).walk(0, 0, READ)).toBe(9);
  expect(mmu.translate(0, 0, READ)).toBe(9);
});
