import { describe, expect, it } from 'vitest';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { longestTransfer, readFile } from '../../../../src/kernel/files/file-io.js';
import { LARGEST_FILE, USER_END } from '../../../../src/kernel/abi/layout.js';
import { EBADF, EFBIG, EINVAL } from '../../../../src/kernel/abi/errno.js';
import type { OpenFile } from '../../../../src/kernel/space/model.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { mappingsOf } from '../../../../src/kernel/pages/rmap.js';
import { SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, GIB, MIB, peek, ranges, spawn } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const RW = f.PROT_READ | f.PROT_WRITE;

function withPages(pages: number): { kernel: Kernel; process: Process } {
  const kernel = boot();
  const process = spawn(kernel);
  expect(kernel.mapRegion(process, BASE, pages * PAGE)).toBe(0);
  return { kernel, process };
}

function mapFile(
  kernel: Kernel,
  process: Process,
  file: OpenFile,
  pages: number,
  prot = RW,
  at = BASE,
  offset = 0,
): void {
  const flags = f.MAP_SHARED | f.MAP_FIXED;
  expect(kernel.mmap(process, { address: at, length: pages * PAGE, prot, flags, file, offset })).toBe(at);
}

describe('mprotect', () => {
  it('that makes locked private memory writable faults its pages in: mlock(2), no fault later', () => {
    const { kernel, process } = withPages(2);
    kernel.mprotect(process, BASE, 2 * PAGE, f.PROT_READ);
    kernel.mlock(process, BASE, 2 * PAGE);
    expect(process.space!.residentPages).toBe(0);
    expect(kernel.mprotect(process, BASE, 2 * PAGE, RW)).toBe(0);
    expect(process.space!.residentPages).toBe(2);
  });

  it('leaves memory that is not locked, or that stays read-only, to faults', () => {
    const { kernel, process } = withPages(2);
    kernel.mprotect(process, BASE, 2 * PAGE, f.PROT_READ);
    kernel.mprotect(process, BASE, 2 * PAGE, RW);
    expect(process.space!.residentPages).toBe(0);
    kernel.mprotect(process, BASE, 2 * PAGE, f.PROT_NONE);
    kernel.mlock(process, BASE, 2 * PAGE);
    const { minorFaults } = kernel.counters;
    kernel.mprotect(process, BASE, 2 * PAGE, f.PROT_READ);
    expect(kernel.counters.minorFaults).toBe(minorFaults);
  });

  it('invalidates nothing where no entry changes', () => {
    const { kernel, process } = withPages(1);
    kernel.store(process, BASE, 1, 5);
    alive(kernel.fork(process));
    const { invlpg } = kernel.counters;
    expect(kernel.mprotect(process, BASE, PAGE, f.PROT_READ)).toBe(0);
    expect(kernel.counters.invlpg).toBe(invlpg);
  });

  it('undone makes neighbours one mapping again, since they kept one anon_vma for their pages', () => {
    const { kernel, process } = withPages(2);
    kernel.mprotect(process, BASE + PAGE, PAGE, RW | f.PROT_EXEC);
    kernel.store(process, BASE, 1, 1);
    kernel.store(process, BASE + PAGE, 1, 2);
    expect(ranges(process)).toHaveLength(2);
    kernel.mprotect(process, BASE + PAGE, PAGE, RW);
    expect(ranges(process)).toEqual([[BASE, 2]]);
  });
});

describe('mremap', () => {
  const move = (kernel: Kernel, process: Process, address: number, pages: number, more: number, flags = 0): number =>
    kernel.mremap(process, { address, oldLength: pages * PAGE, newLength: more * PAGE, flags, newAddress: 0 });

  it('to the same length looks no further than the first page', () => {
    const { kernel, process } = withPages(1);
    expect(move(kernel, process, BASE, 3, 3)).toBe(BASE);
    expect(move(kernel, process, BASE, 1, 1)).toBe(BASE);
  });

  it('grows up to the last user address, and no further', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const at = USER_END - 2 * PAGE;
    expect(kernel.mapRegion(process, at, PAGE)).toBe(0);
    expect(move(kernel, process, at, 1, 3)).toBeLessThan(0);
    expect(move(kernel, process, at, 1, 2)).toBe(at);
  });

  it('faults in what a locked mapping gains by moving', () => {
    const { kernel, process } = withPages(2);
    kernel.mlock(process, BASE, PAGE);
    expect(process.space!.residentPages).toBe(1);
    expect(move(kernel, process, BASE, 1, 4, f.MREMAP_MAYMOVE)).toBeGreaterThan(0);
    expect(process.space!.residentPages).toBe(4);
  });

  it('of huge pages takes whole huge pages: EINVAL', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED | f.MAP_HUGETLB;
    const request = { address: BASE, length: 4 * MIB, prot: RW, flags, file: null, offset: 0 };
    expect(kernel.mmap(process, request)).toBe(BASE);
    expect(move(kernel, process, BASE, 1024, 513)).toBe(EINVAL);
    expect(move(kernel, process, BASE, 513, 512)).toBe(EINVAL);
    expect(move(kernel, process, BASE, 1024, 1025, f.MREMAP_MAYMOVE)).toBe(EINVAL);
    expect(move(kernel, process, BASE, 1024, 512)).toBe(BASE);
  });

  // Linux mm/mremap.c, move_soft_dirty_pte(): "Set soft dirty bit so we can notice in userspace the ptes were moved".
  it('page by page makes each page it moves soft-dirty, and invalidates it alone', () => {
    const { kernel, process } = withPages(1);
    kernel.store(process, BASE, 1, 5);
    kernel.clearSoftDirty(process);
    expect(peek(kernel, process, BASE)).toBe(5);
    const target = BASE + 3 * PAGE;
    const { fullFlushes } = kernel.counters;
    const flags = f.MREMAP_MAYMOVE | f.MREMAP_FIXED;
    kernel.mremap(process, { address: BASE, oldLength: PAGE, newLength: PAGE, flags, newAddress: target });
    expect(kernel.pagemap(process, target)?.softDirty).toBe(true);
    expect(kernel.counters.fullFlushes).toBe(fullFlushes);
  });
});

describe('files', () => {
  it('read(2) and write(2) go on over the end of a page', () => {
    const { kernel, process } = withPages(2);
    const file = kernel.files.memfd('data');
    // The second page comes first, so that its frame does not follow the first one's.
    expect(kernel.pwrite(process, file, BASE, 1, PAGE)).toBe(1);
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
    expect(kernel.copyOut(process, BASE, bytes)).toBe(300);
    expect(kernel.pwrite(process, file, BASE, 300, 4000)).toBe(300);
    expect(kernel.pread(process, file, BASE + PAGE, 300, 4000)).toBe(300);
    const read = new Uint8Array(300);
    expect(kernel.copyIn(process, BASE + PAGE, read)).toBe(300);
    expect(read).toEqual(bytes);
  });

  it('move at most 2 GiB less a page in one call, either way', () => {
    const sizes = [0, 0x7fff_efff, 0x7fff_f000, 0x7fff_f001, 2 ** 32, Number.MAX_SAFE_INTEGER];
    const moved = sizes.map((bytes) => longestTransfer(true, 0, bytes));
    expect(moved).toEqual([0, 0x7fff_efff, 0x7fff_f000, 0x7fff_f000, 0x7fff_f000, 0x7fff_f000]);
  });

  it('are read no further than that', () => {
    const { kernel } = withPages(1);
    const file = kernel.files.memfd('data');
    kernel.files.truncate(file, 2 ** 32);
    expect(readFile(kernel.memory, file, 0, 2 ** 32, (_frame, _inPage, bytes) => bytes)).toBe(0x7fff_f000);
  });

  it('grow up to the largest size: a write over it is cut, one past it refused, one of nothing neither', () => {
    const { kernel, process } = withPages(1);
    const file = kernel.files.memfd('data');
    const write = (bytes: number, offset: number): number => kernel.pwrite(process, file, BASE, bytes, offset);
    expect([write(100, LARGEST_FILE - 30), file.object.size]).toEqual([30, LARGEST_FILE]);
    expect([write(1, LARGEST_FILE), write(0, LARGEST_FILE)]).toEqual([EFBIG, 0]);
  });

  it('are refused as pread(2), pwrite(2) and fallocate(2) say', () => {
    const { kernel, process } = withPages(1);
    const file = kernel.files.memfd('data');
    kernel.files.truncate(file, PAGE);
    expect([kernel.pread(process, file, BASE, 1, -1), kernel.pwrite(process, file, BASE, 1, -1)]).toEqual([
      EINVAL,
      EINVAL,
    ]);
    const readOnly = kernel.files.open('/data', 'shmem', true, false);
    expect(kernel.pwrite(process, readOnly, BASE, 1, 0)).toBe(EBADF);
    const writeOnly = kernel.files.open('/data', 'shmem', false, true);
    expect(kernel.pread(process, writeOnly, BASE, 1, 0)).toBe(EBADF);
    // The offset is looked at before the file.
    expect([kernel.pwrite(process, readOnly, BASE, 1, -1), kernel.pread(process, writeOnly, BASE, 1, -1)]).toEqual([
      EINVAL,
      EINVAL,
    ]);
    expect(kernel.files.allocate(file, f.FALLOC_KEEP_SIZE, LARGEST_FILE - PAGE, 2 * PAGE)).toBe(EFBIG);
  });

  // Linux truncate_setsize() and block_truncate_page(): the page that the new end cuts is read to be zeroed.
  it.each([
    ['cuts a page', PAGE + 904, 0],
    ['lies between pages', 2 * PAGE, 1],
  ])('a disk file whose end %s: the next read of its last page is a major fault %i times', (_what, size, major) => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.open('/data', 'disk');
    kernel.files.truncate(file, 9 * PAGE);
    kernel.files.truncate(file, size);
    mapFile(kernel, process, file, 2, f.PROT_READ);
    expect(peek(kernel, process, BASE + PAGE)).toBe(0);
    expect(kernel.counters.majorFaults).toBe(major);
  });

  // Linux mm/filemap.c, next_uptodate_folio() skips a page marked for read-ahead; do_sync_mmap_readahead() marks 3/4.
  it('a fault maps the neighbours that were read with the page, but for the one that shall start more reading', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.open('/data', 'disk');
    kernel.files.truncate(file, 32 * PAGE);
    mapFile(kernel, process, file, 32, f.PROT_READ);
    peek(kernel, process, BASE);
    expect(process.space!.residentPages).toBe(16);
    peek(kernel, process, BASE + 16 * PAGE);
    expect(process.space!.residentPages).toBe(31);
    expect(kernel.pagemap(process, BASE + 24 * PAGE)?.present).toBe(false);
  });

  it('a page behind the end of a mapping is not its page, whatever is mapped there', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.memfd('data');
    kernel.files.truncate(file, 2 * PAGE);
    mapFile(kernel, process, file, 1);
    mapFile(kernel, process, file, 1, f.PROT_READ, BASE + PAGE, PAGE);
    peek(kernel, process, BASE + PAGE);
    const { tables } = kernel.memory;
    const frame = tables.frameAt(tables.find(process.space!, BASE + PAGE, 12));
    expect(mappingsOf(kernel.memory, frame).map(({ vma }) => vma.start)).toEqual([BASE + PAGE]);
  });
});

describe('advice', () => {
  it('MADV_NORMAL takes MADV_RANDOM and MADV_SEQUENTIAL back', () => {
    const { kernel, process } = withPages(1);
    for (const [advice, name] of [
      [f.MADV_RANDOM, 'rr'],
      [f.MADV_SEQUENTIAL, 'sr'],
    ] as const) {
      expect(kernel.madvise(process, BASE, PAGE, advice)).toBe(0);
      expect(kernel.smaps(process)).toContain(` ${name} `);
      expect(kernel.madvise(process, BASE, PAGE, f.MADV_NORMAL)).toBe(0);
      expect(kernel.smaps(process)).not.toMatch(/ (rr|sr) /);
    }
  });

  it('MADV_GUARD_REMOVE returns 0', () => {
    const { kernel, process } = withPages(1);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_GUARD_INSTALL)).toBe(0);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_GUARD_REMOVE)).toBe(0);
    expect(peek(kernel, process, BASE)).toBe(0);
  });

  it('MADV_POPULATE_READ needs memory that can be read, MADV_POPULATE_WRITE memory that can be written', () => {
    const { kernel, process } = withPages(1);
    kernel.mprotect(process, BASE, PAGE, f.PROT_READ);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_POPULATE_WRITE)).toBe(EINVAL);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_POPULATE_READ)).toBe(0);
    kernel.mprotect(process, BASE, PAGE, f.PROT_NONE);
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_POPULATE_READ)).toBe(EINVAL);
  });

  it('MADV_DONTNEED of what no TLB can hold invalidates nothing', () => {
    const { kernel, process } = withPages(1);
    kernel.store(process, BASE, 1, 5);
    kernel.mprotect(process, BASE, PAGE, f.PROT_NONE);
    const { invlpg } = kernel.counters;
    expect(kernel.madvise(process, BASE, PAGE, f.MADV_DONTNEED)).toBe(0);
    expect(kernel.counters.invlpg).toBe(invlpg);
  });
});

it('msync(2) takes MS_ASYNC or MS_SYNC, not both', () => {
  const { kernel, process } = withPages(1);
  const call = (flags: number): number => kernel.msync(process, BASE, PAGE, flags);
  expect([f.MS_ASYNC, f.MS_SYNC, 0, f.MS_ASYNC | f.MS_SYNC].map(call)).toEqual([0, 0, 0, EINVAL]);
});

it('a region has a length', () => {
  const { kernel, process } = withPages(1);
  expect([0, -PAGE, NaN].map((length) => kernel.mapRegion(process, 2 * GIB, length))).toEqual([EINVAL, EINVAL, EINVAL]);
});

it('smaps counts the pages that are there, in the columns of Linux', () => {
  const { kernel, process } = withPages(3);
  kernel.store(process, BASE + PAGE, 1, 5);
  const lines = kernel.smaps(process).split('\n');
  for (const line of ['Size:                 12 kB', 'Rss:                   4 kB', 'Private_Dirty:         4 kB']) {
    expect(lines).toContain(line);
  }
});

it('each change of the process that runs is a switch', () => {
  const kernel = boot();
  const processes = [spawn(kernel), spawn(kernel)];
  for (const process of processes) kernel.mapRegion(process, BASE, PAGE);
  const { switches } = kernel.counters;
  for (const which of [0, 1, 1, 0]) kernel.store(processes[which], BASE, 1, which);
  expect(kernel.counters.switches).toBe(switches + 3);
});

it('after an access the processor is in the kernel: CPL 0', () => {
  const processor = new Core(new Mmu({ ram: new Ram({ bytes: MIB }) }));
  const kernel = new Kernel({ processor });
  const process = spawn(kernel);
  kernel.mapRegion(process, BASE, PAGE);
  for (const address of [BASE, 0]) {
    kernel.store(process, address, 1, 5);
    expect(processor.cpl).toBe(0);
  }
});

it('an address that is not canonical is no page fault, yet a SIGSEGV', () => {
  const { kernel, process } = withPages(1);
  expect(kernel.load(process, 2 ** 47, 1)).toBe(SEGV_MAPERR);
  expect(kernel.counters).toMatchObject({ failedFaults: 0, minorFaults: 0 });
});

it('two mappings in one 2 MiB come to the child both', () => {
  const { kernel, process } = withPages(1);
  kernel.mapRegion(process, BASE + 2 * PAGE, PAGE);
  kernel.store(process, BASE, 1, 5);
  kernel.store(process, BASE + 2 * PAGE, 1, 6);
  const child = alive(kernel.fork(process));
  expect([peek(kernel, child, BASE), peek(kernel, child, BASE + 2 * PAGE)]).toEqual([5, 6]);
  expect(kernel.audit()).toEqual([]);
});
