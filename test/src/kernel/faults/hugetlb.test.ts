import { describe, expect, it } from 'vitest';
import { EINVAL } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { alive, boot, GIB, MIB, peek, ranges } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const HUGE = 2 * MIB;
const RW = f.PROT_READ | f.PROT_WRITE;

function start(kind: number, pages = 1) {
  const kernel = boot();
  const process = alive(kernel.spawn());
  const map = (i: number, count = 1): number => {
    const flags = kind | f.MAP_ANONYMOUS | f.MAP_FIXED | f.MAP_HUGETLB;
    const request = { address: BASE + i * HUGE, length: count * HUGE, prot: RW, flags, file: null, offset: 0 };
    return kernel.mmap(process, request);
  };
  const mapped = map(0, pages);
  const faults = (call: () => number): number => {
    const before = kernel.counters.minorFaults;
    call();
    return kernel.counters.minorFaults - before;
  };
  return { kernel, process, map, mapped, faults };
}

describe('private hugetlb memory', () => {
  it('a first read maps the page read-only: the first write takes a fault that reuses it', () => {
    const { kernel, process, faults } = start(f.MAP_PRIVATE);
    expect(faults(() => kernel.load(process, BASE, 1))).toBe(1);
    expect(faults(() => kernel.store(process, BASE, 1, 7))).toBe(1);
    expect([kernel.counters.reuseFaults, kernel.counters.cowFaults]).toEqual([1, 0]);
    expect(faults(() => kernel.store(process, BASE + PAGE, 1, 7))).toBe(0);
  });

  it('a first write maps it writable', () => {
    const { kernel, process, faults } = start(f.MAP_PRIVATE);
    expect(faults(() => kernel.store(process, BASE, 1, 7))).toBe(1);
    expect(faults(() => kernel.store(process, BASE, 1, 8))).toBe(0);
  });

  it('neighbours never merge', () => {
    const { process, map } = start(f.MAP_PRIVATE);
    map(1);
    expect(ranges(process)).toEqual([
      [BASE, 512],
      [BASE + HUGE, 512],
    ]);
  });

  it('nor do the parts that mprotect made', () => {
    const { kernel, process } = start(f.MAP_PRIVATE, 2);
    kernel.mprotect(process, BASE, HUGE, f.PROT_READ);
    kernel.mprotect(process, BASE, HUGE, RW);
    expect(ranges(process).length).toBe(2);
  });

  it('refuses MADV_WIPEONFORK, MADV_FREE, MADV_COLD and MADV_GUARD_INSTALL, and does not grow', () => {
    const { kernel, process } = start(f.MAP_PRIVATE);
    for (const advice of [f.MADV_WIPEONFORK, f.MADV_FREE, f.MADV_COLD, f.MADV_GUARD_INSTALL]) {
      expect(kernel.madvise(process, BASE, HUGE, advice)).toBe(EINVAL);
    }
    const request = { address: BASE, oldLength: HUGE, newLength: 2 * HUGE, flags: f.MREMAP_MAYMOVE, newAddress: 0 };
    expect(kernel.mremap(process, request)).toBe(EINVAL);
  });
});

describe('shared anonymous hugetlb memory', () => {
  it('is one object of huge pages: a read maps it writable, a child sees the same page', () => {
    const { kernel, process, mapped, faults } = start(f.MAP_SHARED);
    expect(mapped).toBe(BASE);
    expect(faults(() => kernel.load(process, BASE, 1))).toBe(1);
    expect(faults(() => kernel.store(process, BASE + 5 * PAGE, 1, 9))).toBe(0);
    const child = alive(kernel.fork(process));
    expect(peek(kernel, child, BASE + 5 * PAGE)).toBe(9);
    expect(kernel.smaps(process)).toMatch(/Shared_Hugetlb: +2048 kB/);
    expect(kernel.maps(process)).toMatch(/rw-s .*\/anon_hugepage \(deleted\)/);
    expect(kernel.audit()).toEqual([]);
  });

  it('goes with its last mapping', () => {
    const { kernel, process } = start(f.MAP_SHARED, 2);
    kernel.store(process, BASE + HUGE, 1, 1);
    kernel.munmap(process, BASE, 2 * HUGE);
    expect(kernel.memory.objects.size).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });

  it('MADV_REMOVE gives whole pages back', () => {
    const { kernel, process } = start(f.MAP_SHARED, 2);
    for (const page of [0, 1]) kernel.store(process, BASE + page * HUGE, 1, 1);
    expect(kernel.madvise(process, BASE, HUGE + PAGE, f.MADV_REMOVE)).toBe(0);
    expect([peek(kernel, process, BASE), peek(kernel, process, BASE + HUGE)]).toEqual([0, 1]);
    expect(kernel.audit()).toEqual([]);
  });
});
