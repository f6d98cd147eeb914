import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { hugeShare, MixedPages } from '../../../../src/compare/machine/mixed-pages.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import { EFAULT } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';

const MIB = 2 ** 20;
const HUGE = 2 * MIB;
const START = 2 ** 32;

describe('a share of huge pages', () => {
  const seeds = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const blocks = fc.nat(2 ** 26 - 1);

  test('is none at 0 and all at 1', () => {
    fc.assert(
      fc.property(seeds, blocks, (seed, block) => {
        expect([hugeShare(0, seed)(block), hugeShare(1, seed)(block)]).toEqual([false, true]);
      }),
    );
  });

  test('keeps its blocks when it grows', () => {
    fc.assert(
      fc.property(seeds, blocks, fc.double({ min: 0, max: 1, noNaN: true }), (seed, block, share) => {
        if (hugeShare(share, seed)(block)) expect(hugeShare(Math.min(1, share * 1.5), seed)(block)).toBe(true);
      }),
    );
  });

  test.each([0.1, 0.6, 0.9])('of %d is about that many blocks side by side, others by another seed', (share) => {
    const chosen = (seed: number): boolean[] =>
      Array.from({ length: 10_000 }, (_, i) => hugeShare(share, seed)(4096 + i));
    const count = chosen(1).filter(Boolean).length;
    // Five standard deviations of a fair draw.
    expect(Math.abs(count - 10_000 * share)).toBeLessThan(5 * Math.sqrt(10_000 * share * (1 - share)));
    expect(chosen(2)).not.toEqual(chosen(1));
  });

  test('must be one', () => {
    expect(() => hugeShare(1.1, 0)).toThrow('share must be from 0 to 1, not 1.1');
    expect(() => hugeShare(NaN, 0)).toThrow(RangeError);
  });
});

/** A process with 32 MiB of anonymous memory at {@link START}. */
function machine(isHuge: (block: number) => boolean, ramBytes = 64 * MIB) {
  const mmu = new Mmu({ ram: new Ram({ bytes: ramBytes }), tlb: parseTlb('64x4') });
  const core = new Core(mmu);
  const kernel = new Kernel({ processor: core });
  const process = kernel.spawn({ pages: '2M' });
  const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED;
  kernel.mmap(process, {
    address: START,
    length: 32 * MIB,
    prot: f.PROT_READ | f.PROT_WRITE,
    flags,
    file: null,
    offset: 0,
  });
  return { mmu, kernel, process, pages: new MixedPages(kernel, process, isHuge) };
}

test('chosen blocks take one huge page, others a page for each that is touched', () => {
  const { pages } = machine((block) => block % 2 === 0);
  for (let block = 0; block < 4; block++) {
    for (const page of [0, 1, 1, 511]) expect(pages.makeResident(1, block * HUGE + page * 4096 + 7)).toBe(0);
  }
  expect([pages.hugePages, pages.smallPages, pages.mappedBytes]).toEqual([2, 6, 2 * HUGE + 6 * 4096]);
});

test('a walk reads three entries for a huge page, and four for a small one', () => {
  const { mmu, kernel, process, pages } = machine((block) => block % 2 === 0);
  for (const at of [0, HUGE]) pages.makeResident(1, at);
  mmu.counters.reset();
  for (const at of [0, HUGE]) expect(kernel.load(process, START + at, 8)).toBe(0);
  expect(mmu.counters.snapshot().data.entryReads).toBe(3 + 4);
});

test('a block falls back to small pages when no huge page is free', () => {
  const { pages } = machine(() => true, 8 * MIB);
  let status = 0;
  for (let block = 0; block < 8 && status === 0; block++) status = pages.makeResident(1, block * HUGE);
  expect(status).toBe(0);
  expect(pages.hugePages).toBeGreaterThan(0);
  expect(pages.smallPages).toBe(8 - pages.hugePages);
});

test('an address without memory is refused', () => {
  const { pages } = machine(() => true);
  expect(pages.makeResident(2, 0)).toBe(EFAULT);
  expect([pages.hugePages, pages.smallPages]).toEqual([0, 0]);
});
