import { expect, it } from 'vitest';
import * as f from '../../../../src/kernel/abi/flags.js';

// Linux include/uapi/asm-generic/mman-common.h, mman.h and linux/mman.h, for x86-64.
it('the constants have the values of Linux, by which traces and programs name them', () => {
  expect([f.PROT_NONE, f.PROT_READ, f.PROT_WRITE, f.PROT_EXEC]).toEqual([0, 1, 2, 4]);
  expect([f.MAP_SHARED, f.MAP_PRIVATE, f.MAP_SHARED_VALIDATE, f.MAP_TYPE, f.MAP_FIXED]).toEqual([1, 2, 3, 15, 16]);
  expect([f.MAP_ANONYMOUS, f.MAP_GROWSDOWN, f.MAP_LOCKED, f.MAP_NORESERVE]).toEqual([0x20, 0x100, 0x2000, 0x4000]);
  expect([f.MAP_POPULATE, f.MAP_NONBLOCK, f.MAP_HUGETLB]).toEqual([0x8000, 0x1_0000, 0x4_0000]);
  expect([f.MAP_FIXED_NOREPLACE, f.MAP_HUGE_SHIFT, f.MAP_HUGE_1GB]).toEqual([0x10_0000, 26, 0x7800_0000]);
  expect([f.MREMAP_MAYMOVE, f.MREMAP_FIXED, f.MREMAP_DONTUNMAP]).toEqual([1, 2, 4]);
  expect([f.MS_ASYNC, f.MS_INVALIDATE, f.MS_SYNC]).toEqual([1, 2, 4]);
  expect([f.MADV_NORMAL, f.MADV_RANDOM, f.MADV_SEQUENTIAL, f.MADV_WILLNEED, f.MADV_DONTNEED]).toEqual([0, 1, 2, 3, 4]);
  expect([f.MADV_FREE, f.MADV_REMOVE, f.MADV_DONTFORK, f.MADV_DOFORK]).toEqual([8, 9, 10, 11]);
  expect([f.MADV_HUGEPAGE, f.MADV_NOHUGEPAGE, f.MADV_WIPEONFORK, f.MADV_KEEPONFORK]).toEqual([14, 15, 18, 19]);
  expect([f.MADV_POPULATE_READ, f.MADV_POPULATE_WRITE, f.MADV_DONTNEED_LOCKED, f.MADV_COLLAPSE]).toEqual([
    22, 23, 24, 25,
  ]);
  expect([f.MADV_GUARD_INSTALL, f.MADV_GUARD_REMOVE]).toEqual([102, 103]);
  expect([f.FALLOC_KEEP_SIZE, f.FALLOC_PUNCH_HOLE]).toEqual([1, 2]);
});

it.each([
  ['---p', 0],
  ['r--p', 1],
  ['rw-s', 3],
  ['r-xp', 5],
  ['rwxp', 7],
])('the rights of %s are %i', (permissions, prot) => {
  expect(f.protOf(permissions)).toBe(prot);
});
