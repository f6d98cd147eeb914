import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTlb } from '../../../../../hw/tlb/parse.js';
import { hugeShare } from '../../../../../src/compare/machine/pages/mixed-pages.js';
import { x86Pages } from '../../../../../src/compare/machine/pages/page-kinds.js';
import { makeMachine } from '../../../../../src/compare/machine/make-machine.js';

const HUGE = 2 ** 21;
const EVERY_OTHER = { ...x86Pages(21), isHuge: (block: number): boolean => block % 2 === 0 };

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

test('chosen places take one huge page, others a page for each that is touched', () => {
  const machine = makeMachine(EVERY_OTHER, parseTlb('64x4'), 2 ** 30);
  for (let block = 0; block < 4; block++) {
    for (const page of [0, 1, 1, 511]) machine.makeResident(1, block * HUGE + page * 4096 + 7);
  }
  expect([machine.pages, machine.smallPages, machine.mappedBytes]).toEqual([8, 6, 2 * HUGE + 6 * 4096]);
  // Root, two tables below it, a page directory, and a page table for each place in small pages.
  expect(machine.tableBytes).toBe((3 + 2) * 4096);
  expect(machine.fork().entriesCopied).toBe(8);
});

test('a process that made room for others gets its pages of both sizes again', () => {
  const machine = makeMachine(EVERY_OTHER, parseTlb('64x4'), 2 ** 30);
  const fill = (process: number): void => {
    machine.enter(process, 0);
    for (let block = 0; block < 600; block++) machine.makeResident(1, block * HUGE);
  };
  for (const process of [0, 1, 0]) fill(process);
  expect([machine.pages, machine.smallPages]).toEqual([1200, 600]);
});
