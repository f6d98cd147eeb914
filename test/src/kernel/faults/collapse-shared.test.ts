import { describe, expect, it } from 'vitest';
import { EINVAL } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { alive, boot, GIB, MIB, peek } from '../machine.js';

// The answers are those of Linux 6.18 to the same calls.
const BASE = GIB;
const PAGE = 4096;
const HUGE = 2 * MIB;
const RW = f.PROT_READ | f.PROT_WRITE;

function start(bytes = HUGE) {
  const kernel = boot();
  const process = alive(kernel.spawn({ hugePages: 'madvise' }));
  const file = kernel.files.memfd('m');
  kernel.files.truncate(file, bytes);
  const map = (address: number, kind: number, length = HUGE): number =>
    kernel.mmap(process, { address, length, prot: RW, flags: kind | f.MAP_FIXED, file, offset: 0 });
  map(BASE, f.MAP_SHARED);
  const collapse = (address = BASE, length = HUGE): number => kernel.madvise(process, address, length, f.MADV_COLLAPSE);
  const faults = (call: () => unknown): number => {
    const before = kernel.counters.minorFaults;
    call();
    return kernel.counters.minorFaults - before;
  };
  /** Rss, Anonymous and ShmemPmdMapped of the VMA at an address, pages. */
  const usage = (address = BASE): number[] => {
    const text = kernel.smaps(process).split(/^(?=[0-9a-f]+-)/m);
    const entry = text.find((part) => part.startsWith(`${address.toString(16)}-`)) ?? '';
    return ['Rss', 'Anonymous', 'ShmemPmdMapped'].map(
      (name) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(entry)?.[1]) / 4,
    );
  };
  return { kernel, process, file, map, collapse, faults, usage };
}

describe('MADV_COLLAPSE of shared memory', () => {
  it('makes one folio, holes filled with zeros, and maps it', () => {
    const { kernel, process, collapse, faults, usage } = start();
    kernel.store(process, BASE + 5 * PAGE, 1, 7);
    expect(collapse()).toBe(0);
    expect(usage()).toEqual([512, 0, 512]);
    expect(faults(() => kernel.store(process, BASE + 100 * PAGE, 1, 1))).toBe(0);
    expect([5, 6].map((page) => peek(kernel, process, BASE + page * PAGE))).toEqual([7, 0]);
    expect(kernel.pagemap(process, BASE)?.huge).toBe(true);
    expect(kernel.audit()).toEqual([]);
  });

  it('a child maps it whole by one fault', () => {
    const { kernel, process, collapse, faults } = start();
    kernel.store(process, BASE, 1, 7);
    collapse();
    const child = alive(kernel.fork(process));
    expect(faults(() => kernel.load(child, BASE + 300 * PAGE, 1))).toBe(1);
    expect(faults(() => kernel.store(child, BASE, 1, 9))).toBe(0);
    expect(peek(kernel, process, BASE)).toBe(9);
  });

  it.each([
    ['2 MiB with nothing in them', BASE, HUGE, EINVAL],
    ['less than 2 MiB from their beginning', BASE, 100 * PAGE, 0],
    ['a part inside of 2 MiB', BASE + PAGE, 100 * PAGE, EINVAL],
  ])('%s', (_what, address, length, result) => {
    const { collapse, usage } = start();
    expect(collapse(address, length)).toBe(result);
    expect(usage()).toEqual([0, 0, 0]);
  });

  it('is EINVAL where the object lies otherwise than the addresses', () => {
    const { kernel, process, map, collapse } = start(2 * HUGE);
    map(BASE + PAGE, f.MAP_SHARED, 2 * HUGE);
    kernel.store(process, BASE + HUGE, 1, 1);
    expect(collapse(BASE + HUGE)).toBe(EINVAL);
  });

  it('keeps a private copy, and is EINVAL there', () => {
    const { kernel, process, map, collapse, faults, usage } = start();
    kernel.store(process, BASE, 1, 1);
    collapse();
    const own = BASE + HUGE;
    map(own, f.MAP_PRIVATE);
    expect(faults(() => kernel.load(process, own + 9 * PAGE, 1))).toBe(1);
    expect(usage(own)).toEqual([512, 0, 512]);
    expect(faults(() => kernel.store(process, own + 9 * PAGE, 1, 3))).toBe(1);
    expect(usage(own)).toEqual([1, 1, 0]);
    expect(faults(() => kernel.load(process, own + 10 * PAGE, 1))).toBe(1);
    expect(usage(own)).toEqual([512, 1, 0]);
    expect(collapse(own)).toBe(EINVAL);
    expect(usage(own)).toEqual([512, 1, 0]);
    expect(peek(kernel, process, BASE + 9 * PAGE)).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });

  it('a cut of the VMA unmaps it; read faults map 16 pages of it, or all where it fits again', () => {
    const { kernel, process, collapse, usage } = start();
    kernel.store(process, BASE, 1, 1);
    collapse();
    kernel.mprotect(process, BASE, PAGE, f.PROT_READ);
    expect(usage(BASE + PAGE)).toEqual([0, 0, 0]);
    peek(kernel, process, BASE + 3 * PAGE);
    expect(usage(BASE + PAGE)).toEqual([16, 0, 0]);
    kernel.mprotect(process, BASE, PAGE, RW);
    peek(kernel, process, BASE + 511 * PAGE);
    expect(usage()).toEqual([512, 0, 0]);
    expect(collapse()).toBe(0);
    expect(usage()).toEqual([512, 0, 512]);
    expect(kernel.audit()).toEqual([]);
  });

  it('MADV_DONTNEED of a part unmaps all of it, and the next touch maps it whole', () => {
    const { kernel, process, collapse, usage } = start();
    kernel.store(process, BASE, 1, 1);
    collapse();
    kernel.madvise(process, BASE, PAGE, f.MADV_DONTNEED);
    expect(usage()).toEqual([0, 0, 0]);
    expect(peek(kernel, process, BASE)).toBe(1);
    expect(usage()).toEqual([512, 0, 512]);
  });

  it('a hole punched in it splits it; the other pages keep their bytes', () => {
    const { kernel, process, file, collapse, usage } = start();
    for (const page of [3, 4, 100]) kernel.store(process, BASE + page * PAGE, 1, page);
    collapse();
    const mode = f.FALLOC_PUNCH_HOLE | f.FALLOC_KEEP_SIZE;
    expect(kernel.files.allocate(file, mode, 4 * PAGE, PAGE)).toBe(0);
    expect(usage()).toEqual([0, 0, 0]);
    expect([3, 4, 100].map((page) => peek(kernel, process, BASE + page * PAGE))).toEqual([3, 0, 100]);
    expect(kernel.audit()).toEqual([]);
    kernel.files.close(file);
    kernel.exit(process);
    expect(kernel.audit()).toEqual([]);
    expect(kernel.memory.objects.size).toBe(0);
  });

  it('reaches past the end of a short file, where an access in a child is SIGBUS still', () => {
    const { kernel, process, collapse, usage } = start(10 * PAGE);
    kernel.store(process, BASE, 1, 1);
    expect(collapse()).toBe(0);
    expect(usage()).toEqual([512, 0, 512]);
    expect(peek(kernel, alive(kernel.fork(process)), BASE + 20 * PAGE)).toBeLessThan(0);
  });
});
