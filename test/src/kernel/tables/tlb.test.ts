import { describe, expect, it } from 'vitest';
import { SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import { alive, bootWithMmu, GIB, MIB, peek, spawn } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;

/** INVLPG instructions and full flushes that `work` needs. */
function cost(kernel: Kernel, work: () => void): { invlpg: number; fullFlushes: number } {
  const { invlpg, fullFlushes } = kernel.counters;
  work();
  return { invlpg: kernel.counters.invlpg - invlpg, fullFlushes: kernel.counters.fullFlushes - fullFlushes };
}

function touched(pages: number): { kernel: Kernel; process: ReturnType<typeof spawn>; stale: () => unknown } {
  const { kernel, mmu } = bootWithMmu(64 * MIB);
  const process = spawn(kernel);
  kernel.mapRegion(process, BASE, pages * PAGE);
  for (let i = 0; i < pages; i++) kernel.store(process, BASE + i * PAGE, 1, 1 + (i % 200));
  return { kernel, process, stale: () => mmu.checker?.found };
}

describe('invalidation', () => {
  it('is by page up to 33 pages and of everything above', () => {
    const { kernel, process, stale } = touched(100);
    const protect = (pages: number, prot: number): (() => void) => {
      return () => kernel.mprotect(process, BASE, pages * PAGE, prot);
    };
    expect(cost(kernel, protect(33, f.PROT_READ))).toEqual({ invlpg: 33, fullFlushes: 0 });
    expect(cost(kernel, protect(34, f.PROT_NONE))).toEqual({ invlpg: 0, fullFlushes: 1 });
    expect(peek(kernel, process, BASE + 99 * PAGE)).toBe(100);
    expect(stale()).toEqual([]);
  });

  it('is not needed for pages that become present', () => {
    const { kernel, process } = touched(1);
    const work = (): void => {
      kernel.munmap(process, BASE, PAGE);
      kernel.mapRegion(process, BASE, PAGE);
    };
    work();
    expect(cost(kernel, () => kernel.store(process, BASE, 1, 1))).toEqual({ invlpg: 0, fullFlushes: 0 });
  });

  it('is not needed for what a process that is not loaded has', () => {
    const { kernel, process } = touched(4);
    const other = spawn(kernel);
    kernel.mapRegion(other, BASE, PAGE);
    kernel.store(other, BASE, 1, 1);
    expect(cost(kernel, () => kernel.munmap(process, BASE, PAGE))).toEqual({ invlpg: 0, fullFlushes: 0 });
  });

  it('follows when fork makes the parent read-only', () => {
    const { kernel, process, stale } = touched(4);
    let child = process;
    const forked = cost(kernel, () => {
      child = alive(kernel.fork(process));
    });
    expect(forked).toEqual({ invlpg: 4, fullFlushes: 0 });
    kernel.store(process, BASE, 1, 50);
    expect(peek(kernel, child, BASE)).toBe(1);
    expect(stale()).toEqual([]);
  });

  it('follows when the kernel itself breaks copy-on-write', () => {
    const { kernel, process, stale } = touched(1);
    alive(kernel.fork(process));
    expect(peek(kernel, process, BASE)).toBe(1);
    expect(kernel.copyOut(process, BASE, Uint8Array.of(77))).toBe(1);
    expect(peek(kernel, process, BASE)).toBe(77);
    expect(stale()).toEqual([]);
  });

  it.each([
    ['page by page', 1, f.MREMAP_MAYMOVE | f.MREMAP_FIXED],
    ['page by page, leaving the old mapping', 1, f.MREMAP_MAYMOVE | f.MREMAP_FIXED | f.MREMAP_DONTUNMAP],
    ['by whole tables', 0, f.MREMAP_MAYMOVE | f.MREMAP_FIXED],
    ['by whole tables, leaving the old mapping', 0, f.MREMAP_MAYMOVE | f.MREMAP_FIXED | f.MREMAP_DONTUNMAP],
  ])('follows when mremap moves pages %s', (_how, shifted, flags) => {
    const { kernel, process, stale } = touched(512);
    const newAddress = BASE + (1024 + shifted) * PAGE;
    const length = 512 * PAGE;
    expect(kernel.mremap(process, { address: BASE, oldLength: length, newLength: length, flags, newAddress })).toBe(
      newAddress,
    );
    for (const page of [1, 5, 511]) {
      const left = peek(kernel, process, BASE + page * PAGE);
      expect(left).toBe((flags & f.MREMAP_DONTUNMAP) === 0 ? SEGV_MAPERR : 0);
      expect(peek(kernel, process, newAddress + page * PAGE)).toBe(1 + (page % 200));
    }
    expect(stale()).toEqual([]);
  });

  it('follows when small pages are collapsed into a huge one', () => {
    const { kernel, mmu } = bootWithMmu(64 * MIB);
    const process = alive(kernel.spawn({ hugePages: 'madvise' }));
    kernel.mapRegion(process, BASE, 2 * MIB);
    kernel.store(process, BASE + 3 * PAGE, 1, 9);
    expect(kernel.madvise(process, BASE, 2 * MIB, f.MADV_COLLAPSE)).toBe(0);
    expect(kernel.store(process, BASE + 3 * PAGE, 1, 10)).toBe(0);
    expect(peek(kernel, process, BASE + 3 * PAGE)).toBe(10);
    expect(mmu.checker?.found).toEqual([]);
  });

  it('drops what the walk caches know before a table is freed', () => {
    const { kernel, process, stale } = touched(1);
    kernel.munmap(process, BASE, PAGE);
    kernel.mapRegion(process, BASE, 4 * MIB);
    kernel.store(process, BASE + 2 * MIB, 1, 9);
    expect(peek(kernel, process, BASE)).toBe(0);
    expect(stale()).toEqual([]);
  });

  it('a kernel that forgets one really sees the stale page', () => {
    const { kernel, process, stale } = touched(1);
    const space = process.space;
    const at = space === null ? -1 : kernel.memory.tables.find(space, BASE, 12);
    kernel.memory.tables.words[at] = 0;
    expect(peek(kernel, process, BASE)).toBe(1);
    expect(stale()).toHaveLength(1);
  });
});
