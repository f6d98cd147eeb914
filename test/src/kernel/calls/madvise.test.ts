import { describe, expect, it } from 'vitest';
import { EBUSY, EACCES, EFAULT, EINVAL, ENOMEM } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, GIB, MIB, peek, ranges } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const HUGE = 2 * MIB;

function start(pages: number, flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS): { kernel: Kernel; process: Process } {
  const kernel = boot();
  const process = alive(kernel.spawn({ hugePages: 'madvise' }));
  const prot = f.PROT_READ | f.PROT_WRITE;
  kernel.mmap(process, {
    address: BASE,
    length: pages * PAGE,
    prot,
    flags: flags | f.MAP_FIXED,
    file: null,
    offset: 0,
  });
  return { kernel, process };
}

describe('madvise', () => {
  it.each([
    ['an unaligned address', BASE + 1, PAGE, f.MADV_NORMAL, EINVAL],
    ['unknown advice', BASE, PAGE, 77, EINVAL],
    ['a hole', BASE + 8 * PAGE, PAGE, f.MADV_NORMAL, ENOMEM],
    ['MADV_REMOVE of anonymous memory', BASE, PAGE, f.MADV_REMOVE, EINVAL],
    ['MADV_COLLAPSE where no huge page fits', BASE, 4 * PAGE, f.MADV_COLLAPSE, EINVAL],
    ['MADV_COLLAPSE inside one huge page', BASE, PAGE, f.MADV_COLLAPSE, EINVAL],
    ['populating a hole', BASE + 3 * PAGE, 2 * PAGE, f.MADV_POPULATE_READ, ENOMEM],
  ])('refuses %s', (_what, address, length, advice, errno) => {
    const { kernel, process } = start(4);
    expect(kernel.madvise(process, address, length, advice)).toBe(errno);
  });

  it('refuses what shared memory does not allow', () => {
    const { kernel, process } = start(4, f.MAP_SHARED | f.MAP_ANONYMOUS);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_FREE)).toBe(EINVAL);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_WIPEONFORK)).toBe(EINVAL);
    kernel.mprotect(process, BASE, PAGE, f.PROT_READ);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_POPULATE_WRITE)).toBe(EINVAL);
  });

  it('MADV_REMOVE empties the object under a shared mapping, and needs one that may be written', () => {
    const { kernel, process } = start(4, f.MAP_SHARED | f.MAP_ANONYMOUS);
    for (let i = 0; i < 4; i++) kernel.store(process, BASE + i * PAGE, 1, 1 + i);
    expect(kernel.madvise(process, BASE + PAGE, 2 * PAGE, f.MADV_REMOVE)).toBe(0);
    expect([0, 1, 2, 3].map((i) => peek(kernel, process, BASE + i * PAGE))).toEqual([1, 0, 0, 4]);
    const file = kernel.files.memfd('m');
    const request = { address: BASE, length: PAGE, prot: 1, flags: f.MAP_PRIVATE | f.MAP_FIXED, file, offset: 0 };
    kernel.mmap(process, request);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_REMOVE)).toBe(EACCES);
    expect(kernel.audit()).toEqual([]);
  });

  it('MADV_FREE keeps the contents while memory is plenty', () => {
    const { kernel, process } = start(4);
    kernel.store(process, BASE, 1, 5);
    expect(kernel.madvise(process, BASE, 4 * PAGE, f.MADV_FREE)).toBe(0);
    expect(peek(kernel, process, BASE)).toBe(5);
    // The page waits in a batch until somebody asks for all pages on their lists.
    expect(kernel.smaps(process)).toMatch(/LazyFree: +0 kB/);
    kernel.madvise(process, BASE, PAGE, f.MADV_WILLNEED);
    expect(kernel.smaps(process)).toMatch(/LazyFree: +4 kB/);
    kernel.store(process, BASE, 1, 6);
    expect(kernel.smaps(process)).toMatch(/LazyFree: +0 kB/);
  });

  /** Frees a page that was shared with a child, runs `between`, and writes the page: was it copied? */
  function copiesAfterFree(between: (kernel: Kernel, process: Process) => void): boolean {
    const { kernel, process } = start(80);
    for (let i = 0; i < 40; i++) kernel.store(process, BASE + i * PAGE, 1, 5);
    kernel.exit(alive(kernel.fork(process)));
    kernel.madvise(process, BASE, PAGE, f.MADV_FREE);
    between(kernel, process);
    const copies = kernel.counters.cowFaults;
    kernel.store(process, BASE, 1, 6);
    expect(kernel.audit()).toEqual([]);
    return kernel.counters.cowFaults > copies;
  }

  it.each<[string, boolean, (kernel: Kernel, process: Process) => void]>([
    ['nothing else', true, () => undefined],
    ['MADV_DONTNEED', true, (kernel, process) => kernel.madvise(process, BASE + PAGE, PAGE, f.MADV_DONTNEED)],
    ['munmap', true, (kernel, process) => kernel.munmap(process, BASE + PAGE, PAGE)],
    ['MADV_FREE of nothing', false, (kernel, process) => kernel.madvise(process, BASE + 50 * PAGE, PAGE, f.MADV_FREE)],
    ['MADV_WILLNEED', false, (kernel, process) => kernel.madvise(process, BASE + PAGE, PAGE, f.MADV_WILLNEED)],
    ['populating', false, (kernel, process) => kernel.madvise(process, BASE + PAGE, PAGE, f.MADV_POPULATE_READ)],
  ])(
    'the page that MADV_FREE took up is held for a while: a write copies it after %s: %s',
    (_what, copies, between) => {
      expect(copiesAfterFree(between)).toBe(copies);
    },
  );

  it('at most 31 pages are held by MADV_FREE', () => {
    const { kernel, process } = start(40);
    for (let i = 0; i < 40; i++) kernel.store(process, BASE + i * PAGE, 1, 5);
    kernel.exit(alive(kernel.fork(process)));
    kernel.madvise(process, BASE, 40 * PAGE, f.MADV_FREE);
    for (let i = 0; i < 40; i++) kernel.store(process, BASE + i * PAGE, 1, 6);
    expect(kernel.counters.cowFaults).toBe(9);
  });

  it('MADV_FREE of part of a huge page splits the folio', () => {
    const { kernel, process } = start(2048);
    kernel.madvise(process, BASE, 2048 * PAGE, f.MADV_HUGEPAGE);
    kernel.store(process, BASE, 1, 5);
    kernel.madvise(process, BASE, PAGE, f.MADV_FREE);
    expect(kernel.pagemap(process, BASE)?.huge).toBe(false);
    expect(kernel.memory.frames.large.size).toBe(0);
    kernel.munmap(process, BASE + PAGE, PAGE);
    expect(kernel.audit()).toEqual([]);
  });

  it('the parts of a folio that MADV_FREE splits become the zero page where they hold only zeros', () => {
    const { kernel, process } = start(2048);
    kernel.madvise(process, BASE, 2048 * PAGE, f.MADV_HUGEPAGE);
    kernel.store(process, BASE + 5 * PAGE, 1, 5);
    kernel.madvise(process, BASE + 100 * PAGE, PAGE, f.MADV_FREE);
    expect(kernel.pagemap(process, BASE + 5 * PAGE)).toMatchObject({ zero: false, exclusive: true, huge: false });
    expect(kernel.pagemap(process, BASE + 300 * PAGE)).toMatchObject({ present: true, zero: true });
    expect(peek(kernel, process, BASE + 5 * PAGE)).toBe(5);
    expect(kernel.store(process, BASE + 300 * PAGE, 1, 6)).toBe(0);
    expect(kernel.smaps(process)).toMatch(/Rss: +8 kB/);
    expect(kernel.audit()).toEqual([]);
  });

  it('MADV_FREE of a split huge page splits its folio once the process alone has it', () => {
    const { kernel, process } = start(2048);
    kernel.madvise(process, BASE, 2048 * PAGE, f.MADV_HUGEPAGE);
    kernel.store(process, BASE, 1, 5);
    const child = alive(kernel.fork(process));
    kernel.store(child, BASE + PAGE, 1, 6);
    kernel.madvise(child, BASE, 2048 * PAGE, f.MADV_FREE);
    expect(kernel.pagemap(child, BASE)).toMatchObject({ zero: false, huge: true });
    kernel.exit(process);
    kernel.madvise(child, BASE, 2048 * PAGE, f.MADV_FREE);
    expect(kernel.pagemap(child, BASE)).toMatchObject({ zero: false, huge: false });
    expect(kernel.pagemap(child, BASE + 2 * PAGE)).toMatchObject({ zero: true });
    expect([0, 1, 2].map((i) => peek(kernel, child, BASE + i * PAGE))).toEqual([5, 6, 0]);
    expect(kernel.audit()).toEqual([]);
  });

  it('WIPEONFORK gives the child zeros, DONTFORK nothing', () => {
    const { kernel, process } = start(4);
    for (let i = 0; i < 3; i++) kernel.store(process, BASE + i * PAGE, 1, 9);
    kernel.madvise(process, BASE, PAGE, f.MADV_WIPEONFORK);
    kernel.madvise(process, BASE + PAGE, PAGE, f.MADV_DONTFORK);
    const child = alive(kernel.fork(process));
    expect([0, 1, 2].map((i) => peek(kernel, child, BASE + i * PAGE))).toEqual([0, SEGV_MAPERR, 9]);
    expect([0, 1, 2].map((i) => peek(kernel, process, BASE + i * PAGE))).toEqual([9, 9, 9]);
    kernel.madvise(process, BASE, PAGE, f.MADV_KEEPONFORK);
    kernel.madvise(process, BASE + PAGE, PAGE, f.MADV_DOFORK);
    expect(ranges(process)).toEqual([[BASE, 4]]);
  });

  it('mprotect to the rights that a wiped copy has already keeps its charge', () => {
    const { kernel, process } = start(4);
    kernel.store(process, BASE, 1, 9);
    kernel.madvise(process, BASE, 4 * PAGE, f.MADV_WIPEONFORK);
    kernel.mprotect(process, BASE, 4 * PAGE, f.PROT_READ);
    const child = alive(kernel.fork(process));
    expect(kernel.mprotect(child, BASE, 4 * PAGE, f.PROT_READ)).toBe(0);
    expect(kernel.smaps(child)).toMatch(/VmFlags:.* ac/);
    kernel.mprotect(child, BASE, 4 * PAGE, f.PROT_NONE);
    expect(kernel.smaps(child)).not.toMatch(/VmFlags:.* ac/);
  });

  it('guard pages fault, survive DONTNEED and fork, and go with GUARD_REMOVE', () => {
    const { kernel, process } = start(4);
    kernel.store(process, BASE + PAGE, 1, 9);
    expect(kernel.madvise(process, BASE + PAGE, 2 * PAGE, f.MADV_GUARD_INSTALL)).toBe(0);
    expect(ranges(process)).toEqual([[BASE, 4]]);
    expect(peek(kernel, process, BASE + PAGE)).toBe(SEGV_MAPERR);
    expect(kernel.madvise(process, BASE, 4 * PAGE, f.MADV_POPULATE_WRITE)).toBe(EFAULT);
    kernel.madvise(process, BASE, 4 * PAGE, f.MADV_DONTNEED);
    const child = alive(kernel.fork(process));
    expect(kernel.store(child, BASE + 2 * PAGE, 1, 1)).toBe(SEGV_MAPERR);
    expect(kernel.pagemap(child, BASE + PAGE)).toMatchObject({ present: false, guard: true });
    kernel.mprotect(process, BASE, 4 * PAGE, 0);
    expect(peek(kernel, process, BASE + PAGE)).toBe(SEGV_ACCERR);
    kernel.mprotect(process, BASE, 4 * PAGE, 3);
    expect(kernel.madvise(process, BASE, 4 * PAGE, f.MADV_GUARD_REMOVE)).toBe(0);
    expect(kernel.store(process, BASE + PAGE, 1, 2)).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });

  it('guards move with mremap and end with munmap', () => {
    const { kernel, process } = start(2);
    kernel.madvise(process, BASE, PAGE, f.MADV_GUARD_INSTALL);
    const to = BASE + 100 * PAGE;
    const flags = f.MREMAP_MAYMOVE | f.MREMAP_FIXED;
    kernel.mremap(process, { address: BASE, oldLength: 2 * PAGE, newLength: 2 * PAGE, flags, newAddress: to });
    expect(peek(kernel, process, to)).toBe(SEGV_MAPERR);
    expect(peek(kernel, process, to + PAGE)).toBe(0);
    kernel.munmap(process, to, 2 * PAGE);
    expect(kernel.audit()).toEqual([]);
  });

  it('COLLAPSE makes one page of small ones, shared and untouched ones too', () => {
    const { kernel, process } = start(1024);
    for (const i of [0, 7, 511]) kernel.store(process, BASE + i * PAGE, 1, 1 + (i % 200));
    const child = alive(kernel.fork(process));
    expect(kernel.madvise(process, BASE, HUGE, f.MADV_COLLAPSE)).toBe(0);
    expect(kernel.smaps(process)).toMatch(/AnonHugePages: +2048 kB/);
    expect([0, 1, 7, 511].map((i) => peek(kernel, process, BASE + i * PAGE))).toEqual([1, 0, 8, 112]);
    kernel.store(process, BASE, 1, 99);
    expect(peek(kernel, child, BASE)).toBe(1);
    expect(kernel.madvise(process, BASE, HUGE, f.MADV_COLLAPSE)).toBe(0);
    expect(kernel.madvise(process, BASE + HUGE, HUGE, f.MADV_COLLAPSE)).toBe(EINVAL);
    kernel.madvise(process, BASE, HUGE, f.MADV_NOHUGEPAGE);
    expect(kernel.madvise(process, BASE, HUGE, f.MADV_COLLAPSE)).toBe(EINVAL);
    expect(kernel.audit()).toEqual([]);
  });

  it('populating stops at the end of the file', () => {
    const { kernel, process } = start(1);
    const file = kernel.files.memfd('m');
    kernel.files.truncate(file, 2 * PAGE);
    kernel.mmap(process, {
      address: BASE,
      length: 4 * PAGE,
      prot: 3,
      flags: f.MAP_SHARED | f.MAP_FIXED,
      file,
      offset: 0,
    });
    expect(kernel.madvise(process, BASE, 4 * PAGE, f.MADV_POPULATE_WRITE)).toBe(EFAULT);
    expect(kernel.mincore(process, BASE, 4 * PAGE)).toEqual([true, true, false, false]);
    expect(peek(kernel, process, BASE + 2 * PAGE)).toBe(BUS_ADRERR);
  });
});

describe('mlock', () => {
  it('faults pages in and keeps them from DONTNEED', () => {
    const { kernel, process } = start(4);
    expect(kernel.mlock(process, BASE + 1, PAGE)).toBe(0);
    expect(process.space?.residentPages).toBe(2);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_DONTNEED)).toBe(EINVAL);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_DONTNEED_LOCKED)).toBe(0);
    expect(kernel.msync(process, BASE, PAGE, f.MS_INVALIDATE)).toBe(EBUSY);
    expect(kernel.munlock(process, BASE, 4 * PAGE)).toBe(0);
    expect(ranges(process)).toEqual([[BASE, 4]]);
    expect(kernel.mlock(process, BASE + 3 * PAGE, 2 * PAGE)).toBe(ENOMEM);
  });
});
