import { describe, expect, it } from 'vitest';
import { EFAULT, EINVAL, ENOMEM } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, GIB, MIB, peek, ranges } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const HUGE = 2 * MIB;
const FIXED = f.MREMAP_MAYMOVE | f.MREMAP_FIXED;

function start(pages: number, flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS): { kernel: Kernel; process: Process } {
  const kernel = boot();
  const process = alive(kernel.spawn({ hugePages: 'madvise' }));
  map(kernel, process, BASE, pages, flags);
  return { kernel, process };
}

function map(
  kernel: Kernel,
  process: Process,
  address: number,
  pages: number,
  flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS,
): void {
  kernel.mmap(process, { address, length: pages * PAGE, prot: 3, flags: flags | f.MAP_FIXED, file: null, offset: 0 });
}

/** In pages from BASE; the result too, unless it is an errno. */
function mremap(
  kernel: Kernel,
  process: Process,
  from: number,
  old: number,
  now: number,
  flags: number,
  to = 0,
): number {
  const request = {
    address: BASE + from * PAGE,
    oldLength: old * PAGE,
    newLength: now * PAGE,
    flags,
    newAddress: BASE + to * PAGE,
  };
  const result = kernel.mremap(process, request);
  return result < 0 ? result : (result - BASE) / PAGE;
}

describe('mremap', () => {
  it.each([
    ['an unaligned address', [0.5, 1, 1, f.MREMAP_MAYMOVE, 0], EINVAL],
    ['new length 0', [0, 1, 0, f.MREMAP_MAYMOVE, 0], EINVAL],
    ['unknown flags', [0, 1, 1, 8, 0], EINVAL],
    ['FIXED without MAYMOVE', [0, 1, 1, f.MREMAP_FIXED, 10], EINVAL],
    ['DONTUNMAP with another length', [0, 1, 2, FIXED | f.MREMAP_DONTUNMAP, 10], EINVAL],
    ['an overlap of old and new', [0, 2, 2, FIXED, 1], EINVAL],
    ['an unaligned new address', [0, 1, 1, FIXED, 10.5], EINVAL],
    ['a hole', [20, 1, 1, 0, 0], EFAULT],
    ['growing what two mappings hold', [0, 5, 6, f.MREMAP_MAYMOVE, 0], EFAULT],
    ['old length 0 of private memory', [0, 0, 1, f.MREMAP_MAYMOVE, 0], EINVAL],
    ['growing without room', [0, 4, 5, 0, 0], ENOMEM],
  ] as const)('refuses %s', (_what, [from, old, now, flags, to], errno) => {
    const { kernel, process } = start(4);
    map(kernel, process, BASE + 4 * PAGE, 1, f.MAP_SHARED | f.MAP_ANONYMOUS);
    expect(mremap(kernel, process, from, old, now, flags, to)).toBe(errno);
    expect(ranges(process)).toEqual([
      [BASE, 4],
      [BASE + 4 * PAGE, 1],
    ]);
  });

  it('grows in place where there is room, and moves where there is none', () => {
    const { kernel, process } = start(2);
    kernel.store(process, BASE, 1, 5);
    expect(mremap(kernel, process, 0, 2, 4, 0)).toBe(0);
    map(kernel, process, BASE + 4 * PAGE, 1, f.MAP_SHARED | f.MAP_ANONYMOUS);
    const moved = mremap(kernel, process, 0, 4, 8, f.MREMAP_MAYMOVE);
    expect(peek(kernel, process, BASE + moved * PAGE)).toBe(5);
    expect(peek(kernel, process, BASE)).toBe(SEGV_MAPERR);
    expect(kernel.audit()).toEqual([]);
  });

  it('shrinks at the end', () => {
    const { kernel, process } = start(4);
    expect(mremap(kernel, process, 0, 4, 1, 0)).toBe(0);
    expect(ranges(process)).toEqual([[BASE, 1]]);
  });

  it('DONTUNMAP leaves the old mapping, empty', () => {
    const { kernel, process } = start(4);
    for (let i = 0; i < 4; i++) kernel.store(process, BASE + i * PAGE, 1, 1 + i);
    expect(mremap(kernel, process, 0, 4, 4, FIXED | f.MREMAP_DONTUNMAP, 50)).toBe(50);
    expect([0, 3].map((i) => peek(kernel, process, BASE + i * PAGE))).toEqual([0, 0]);
    expect([50, 53].map((i) => peek(kernel, process, BASE + i * PAGE))).toEqual([1, 4]);
    expect(process.space?.vmas.at(BASE)?.anonVma).toBeNull();
    expect(kernel.audit()).toEqual([]);
  });

  it('takes the new address as a hint with DONTUNMAP alone', () => {
    const { kernel, process } = start(4);
    const flags = f.MREMAP_MAYMOVE | f.MREMAP_DONTUNMAP;
    expect(mremap(kernel, process, 0, 4, 4, flags, 30)).toBe(30);
    expect(mremap(kernel, process, 0, 4, 4, flags, 32)).toBeGreaterThan(1000);
  });

  it('maps shared memory a second time with old length 0', () => {
    const { kernel, process } = start(4, f.MAP_SHARED | f.MAP_ANONYMOUS);
    expect(mremap(kernel, process, 1, 0, 2, FIXED, 20)).toBe(20);
    kernel.store(process, BASE + PAGE, 1, 6);
    expect(peek(kernel, process, BASE + 20 * PAGE)).toBe(6);
  });

  it('moves all mappings of a range and keeps the gaps', () => {
    const { kernel, process } = start(2);
    map(kernel, process, BASE + 4 * PAGE, 2, f.MAP_SHARED | f.MAP_ANONYMOUS);
    expect(mremap(kernel, process, 0, 6, 6, FIXED, 20)).toBe(20);
    expect(ranges(process)).toEqual([
      [BASE + 20 * PAGE, 2],
      [BASE + 24 * PAGE, 2],
    ]);
  });

  it('brings touched memory back to a neighbour, which takes its anon_vma and so is copied by fork', () => {
    const { kernel, process } = start(4);
    for (const page of [2, 3]) kernel.store(process, BASE + page * PAGE, 1, page);
    mremap(kernel, process, 2, 2, 2, FIXED, 40);
    kernel.munmap(process, BASE, 2 * PAGE);
    map(kernel, process, BASE, 2);
    expect(mremap(kernel, process, 40, 2, 2, FIXED, 2)).toBe(2);
    expect(ranges(process)).toEqual([[BASE, 4]]);
    const child = alive(kernel.fork(process));
    expect([2, 3].map((page) => peek(kernel, child, BASE + page * PAGE))).toEqual([2, 3]);
    expect(kernel.audit()).toEqual([]);
  });

  it('moves a huge page whole between aligned places, in pieces otherwise', () => {
    const { kernel, process } = start(1024);
    kernel.madvise(process, BASE, 2 * HUGE, f.MADV_HUGEPAGE);
    for (const at of [0, HUGE]) kernel.store(process, BASE + at + 5, 1, 7);
    expect(mremap(kernel, process, 0, 512, 512, FIXED, 2048)).toBe(2048);
    expect(kernel.counters.hugeSplits).toBe(0);
    expect(mremap(kernel, process, 512, 512, 512, FIXED, 4097)).toBe(4097);
    expect(kernel.counters.hugeSplits).toBe(1);
    expect([2048, 4097].map((page) => peek(kernel, process, BASE + page * PAGE + 5))).toEqual([7, 7]);
    expect(kernel.audit()).toEqual([]);
  });
});
