import { expect, test } from 'vitest';
import { SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { describeTlb, entriesFor } from '../../../hw/tlb/words.js';
import { X86_TERMS } from '../../../hw/x86/terms.js';

test('a shape is described level by level', () => {
  expect(describeTlb(parseTlb('64x4+1536x12'), X86_TERMS)).toBe(
    'L1 64x4 for 4K/2M/1G; L2 1536x12 for 4K/2M/1G; no paging-structure caches',
  );
  expect(describeTlb(parseTlb('48xfa'), X86_TERMS)).toBe(
    'L1 48 fully associative for 4K/2M/1G; no L2; no paging-structure caches',
  );
});

test('arrays by page size and paging-structure caches are told apart', () => {
  expect(describeTlb(parseTlb('64x4@4K,4xfa@1G+16x4+psc'), X86_TERMS)).toBe(
    'L1 64x4 for 4K, 4 fully associative for 1G; L2 16x4 for 4K/2M/1G; paging-structure caches PML4E 4x4, PDPTE 8x4, PDE 32x8',
  );
});

test('coalesced pages are told of the machine that has them, and outside of guests', () => {
  const zen = parseTlb('zen4');
  expect(describeTlb(zen, X86_TERMS)).toMatch(
    /^L1 72 fully associative for 4K\/16K\/2M\/1G; L2 3072x8 for 4K\/16K\/2M, /,
  );
  expect(describeTlb(zen, X86_TERMS, undefined, true)).toMatch(/^L1 72 fully associative for 4K\/2M\/1G; /);
  expect(describeTlb(zen, { walkCaches: [] })).toMatch(/^L1 72 fully associative for 4K\/2M\/1G; /);
});

test('walks of fewer levels than four are told', () => {
  expect(describeTlb(parseTlb('sifive-u74'), X86_TERMS)).toMatch(/; walks of 3 levels$/);
});

test('of a guest, what its second stage keeps is told too', () => {
  expect(describeTlb(parseTlb('64x4+psc'), X86_TERMS, undefined, true)).toMatch(
    /PDE 32x8; second stage \(a model default\) 64x4 for 4K\/2M\/1G, walk caches level 3 4x4, level 2 8x4, level 1 32x8$/,
  );
  const named = { ...parseTlb('64x4'), walkCaches: { pde: { entries: 4, ways: 2 } } };
  expect(describeTlb(named, X86_TERMS, undefined, true)).toMatch(/PDE 4x2; second stage .*, walk caches level 1 4x2$/);
  expect(describeTlb(parseTlb('none'), X86_TERMS, undefined, true)).toMatch(/; second stage no TLB, no walk caches$/);
});

test('no TLB at all is said so', () => {
  expect(describeTlb(parseTlb('none'), X86_TERMS)).toBe('no L1; no L2; no paging-structure caches');
});

test('the entries for a page size are those of the level that has most of them', () => {
  const tlb = parseTlb('64x4@4K,32x4@2M,4xfa@1G+1536x12@4K2M');
  expect([SHIFT_4K, SHIFT_2M, SHIFT_1G].map((shift) => entriesFor(tlb, shift))).toEqual([1536, 1536, 4]);
});
