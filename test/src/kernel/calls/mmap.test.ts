import { describe, expect, it } from 'vitest';
import { EACCES, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, EOVERFLOW, EPERM } from '../../../../src/kernel/abi/errno.js';
import type { OpenFile } from '../../../../src/kernel/space/model.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, bootWithMmu, GIB, MIB, peek, ranges, spawn } from '../machine.js';
import { Core } from '../../../../hw/x86/core.js';

const BASE = GIB;
const PAGE = 4096;
const RW = f.PROT_READ | f.PROT_WRITE;
const ANON = f.MAP_PRIVATE | f.MAP_ANONYMOUS;

function map(
  kernel: Kernel,
  process: Process,
  address: number,
  pages: number,
  more: Partial<{ prot: number; flags: number; file: OpenFile | null; offset: number }> = {},
): number {
  const { prot = RW, flags = ANON | f.MAP_FIXED, file = null, offset = 0 } = more;
  return kernel.mmap(process, { address, length: pages * PAGE, prot, flags, file, offset });
}

describe('mmap', () => {
  it.each([
    ['length 0', { length: 0 }, EINVAL],
    ['an unaligned fixed address', { address: BASE + 1, flags: ANON | f.MAP_FIXED }, EINVAL],
    ['an unaligned offset', { offset: 1 }, EINVAL],
    ['neither shared nor private', { flags: f.MAP_ANONYMOUS }, EINVAL],
    ['a range past the user addresses', { address: 2 ** 47 - PAGE, flags: ANON | f.MAP_FIXED }, ENOMEM],
    ['more than there are addresses', { length: 2 ** 48 }, ENOMEM],
    ['an address below the lowest', { address: PAGE, flags: ANON | f.MAP_FIXED }, EPERM],
    ['a negative offset', { offset: -PAGE }, EOVERFLOW],
    ['a shared stack', { flags: f.MAP_SHARED | f.MAP_ANONYMOUS | f.MAP_GROWSDOWN }, EINVAL],
  ])('refuses %s', (_what, change, errno) => {
    const kernel = boot();
    const request = { address: 0, length: PAGE, prot: RW, flags: ANON, file: null, offset: 0, ...change };
    expect(kernel.mmap(spawn(kernel), request)).toBe(errno);
  });

  it('gives back what MAP_FIXED covers, and refuses with MAP_FIXED_NOREPLACE', () => {
    const kernel = boot();
    const process = spawn(kernel);
    map(kernel, process, BASE, 4);
    kernel.store(process, BASE + PAGE, 1, 5);
    expect(map(kernel, process, BASE + PAGE, 1, { flags: ANON | f.MAP_FIXED_NOREPLACE })).toBe(EEXIST);
    expect(map(kernel, process, BASE + PAGE, 1)).toBe(BASE + PAGE);
    expect(peek(kernel, process, BASE + PAGE)).toBe(0);
  });

  it('chooses addresses downwards, next to what is there, and uses a free hint', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const first = map(kernel, process, 0, 3, { flags: ANON });
    expect(map(kernel, process, 0, 5, { flags: ANON })).toBe(first - 5 * PAGE);
    expect(ranges(process)).toEqual([[first - 5 * PAGE, 8]]);
    expect(map(kernel, process, BASE, 1, { flags: ANON })).toBe(BASE);
    expect(map(kernel, process, BASE, 1, { flags: ANON })).toBe(first - 6 * PAGE);
  });

  it('aligns a mapping of whole huge pages to them', () => {
    const kernel = boot();
    const process = spawn(kernel, '2M');
    map(kernel, process, 0, 3, { flags: ANON });
    expect(map(kernel, process, 0, 1024, { flags: ANON }) % (2 * MIB)).toBe(0);
  });

  it('spreads addresses by the seed', () => {
    const addressOf = (seed: number): number => {
      const kernel = new Kernel({ processor: new Core(bootWithMmu(MIB).mmu), seed });
      return map(kernel, alive(kernel.spawn()), 0, 1, { flags: ANON });
    };
    expect(addressOf(1)).toBe(addressOf(1));
    expect(new Set([1, 2, 3, 4, 5].map(addressOf)).size).toBe(5);
  });

  it('maps a read-only descriptor shared for reading alone', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.files.truncate(kernel.files.open('x', 'shmem'), PAGE);
    const file = kernel.files.open('x', 'shmem', true, false);
    const flags = f.MAP_SHARED | f.MAP_FIXED;
    expect(map(kernel, process, BASE, 1, { file, flags })).toBe(EACCES);
    expect(map(kernel, process, BASE, 1, { file, flags, prot: f.PROT_READ })).toBe(BASE);
    expect(kernel.mprotect(process, BASE, PAGE, RW)).toBe(EACCES);
    expect(kernel.store(process, BASE, 1, 1)).toBe(SEGV_ACCERR);
    expect(map(kernel, process, BASE, 1, { file, flags: f.MAP_PRIVATE | f.MAP_FIXED })).toBe(BASE);
    expect(kernel.store(process, BASE, 1, 1)).toBe(0);
  });
});

describe('munmap', () => {
  it.each([
    ['an unaligned address', BASE + 1, PAGE],
    ['length 0', BASE, 0],
    ['a range past the user addresses', 2 ** 47 - 2 * PAGE, 3 * PAGE],
  ])('refuses %s', (_what, address, length) => {
    const kernel = boot();
    expect(kernel.munmap(spawn(kernel), address, length)).toBe(EINVAL);
  });

  it('cuts a hole and frees what lay there', () => {
    const kernel = boot();
    const process = spawn(kernel);
    map(kernel, process, BASE, 8);
    for (let i = 0; i < 8; i++) kernel.store(process, BASE + i * PAGE, 1, i);
    const { free } = kernel.memory.frames.buddy;
    expect(kernel.munmap(process, BASE + 2 * PAGE, 3 * PAGE)).toBe(0);
    expect(kernel.memory.frames.buddy.free).toBe(free + 3);
    expect(ranges(process)).toEqual([
      [BASE, 2],
      [BASE + 5 * PAGE, 3],
    ]);
    expect(peek(kernel, process, BASE + 3 * PAGE)).toBe(SEGV_MAPERR);
    expect(peek(kernel, process, BASE + 5 * PAGE)).toBe(5);
  });

  it('frees the page tables that nothing else needs', () => {
    const kernel = boot();
    const process = spawn(kernel);
    map(kernel, process, BASE, 1);
    map(kernel, process, BASE + 4 * MIB, 1);
    kernel.store(process, BASE, 1, 1);
    kernel.store(process, BASE + 4 * MIB, 1, 1);
    expect(process.space?.tables).toBe(5);
    kernel.munmap(process, BASE, PAGE);
    expect(process.space?.tables).toBe(4);
    kernel.munmap(process, BASE + 4 * MIB, PAGE);
    expect(process.space?.tables).toBe(1);
  });
});

describe('brk', () => {
  it('grows and shrinks the heap, and stays where it is when there is no room', () => {
    const kernel = boot();
    const process = alive(kernel.spawn({ brk: BASE }));
    expect(kernel.brk(process, 0)).toBe(BASE);
    expect(kernel.brk(process, BASE + 3.5 * PAGE)).toBe(BASE + 3.5 * PAGE);
    expect(kernel.store(process, BASE + 3 * PAGE, 1, 9)).toBe(0);
    expect(kernel.brk(process, BASE - PAGE)).toBe(BASE + 3.5 * PAGE);
    map(kernel, process, BASE + 6 * PAGE, 1);
    expect(kernel.brk(process, BASE + 6 * PAGE)).toBe(BASE + 3.5 * PAGE);
    expect(kernel.brk(process, BASE + PAGE)).toBe(BASE + PAGE);
    expect(peek(kernel, process, BASE + 3 * PAGE)).toBe(SEGV_MAPERR);
    expect(kernel.audit()).toEqual([]);
  });
});

describe('a GROWSDOWN mapping', () => {
  it('grows to what is touched below it, but not into the guard gap of what lies there', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const top = BASE + 1024 * PAGE;
    map(kernel, process, top, 1, { flags: ANON | f.MAP_FIXED | f.MAP_GROWSDOWN });
    map(kernel, process, BASE, 1);
    expect(kernel.store(process, top - 100 * PAGE, 1, 7)).toBe(0);
    expect(ranges(process)[1]).toEqual([top - 100 * PAGE, 101]);
    expect(kernel.store(process, BASE + 200 * PAGE, 1, 7)).toBe(SEGV_MAPERR);
    expect(kernel.store(process, BASE + 257 * PAGE, 1, 7)).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });

  it('stops at RLIMIT_STACK', () => {
    const kernel = boot();
    const process = spawn(kernel);
    map(kernel, process, BASE, 1, { flags: ANON | f.MAP_FIXED | f.MAP_GROWSDOWN });
    expect(peek(kernel, process, BASE - 8 * MIB)).toBe(SEGV_MAPERR);
    expect(peek(kernel, process, BASE - 8 * MIB + PAGE)).toBe(0);
  });
});

describe('files', () => {
  it('are one with their shared mappings, and end in SIGBUS', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.memfd('m');
    map(kernel, process, BASE, 2, { file, flags: f.MAP_SHARED | f.MAP_FIXED });
    expect(peek(kernel, process, BASE)).toBe(BUS_ADRERR);
    kernel.files.write(file, 3, Uint8Array.of(1, 2));
    expect(peek(kernel, process, BASE + 4)).toBe(2);
    kernel.store(process, BASE + 5, 1, 9);
    const bytes = new Uint8Array(4);
    expect(kernel.files.read(file, 3, bytes)).toBe(2);
    kernel.files.truncate(file, 6);
    expect(kernel.files.read(file, 3, bytes)).toBe(3);
    expect([...bytes.subarray(0, 3)]).toEqual([1, 2, 9]);
    expect(kernel.files.read(file, 6, bytes)).toBe(0);
    expect(peek(kernel, process, BASE + PAGE)).toBe(BUS_ADRERR);
  });

  it('keep private copies through a punched hole, lose them by truncation', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.memfd('m');
    kernel.files.write(file, 0, new Uint8Array(3 * PAGE).fill(1));
    map(kernel, process, BASE, 3, { file, flags: f.MAP_PRIVATE | f.MAP_FIXED });
    map(kernel, process, BASE + 8 * PAGE, 3, { file, flags: f.MAP_SHARED | f.MAP_FIXED });
    for (const page of [0, 1]) kernel.store(process, BASE + page * PAGE, 1, 7);
    const punch = f.FALLOC_PUNCH_HOLE | f.FALLOC_KEEP_SIZE;
    expect(kernel.files.allocate(file, punch, 0.5 * PAGE, 2 * PAGE)).toBe(0);
    const shared = [0, 0.5, 1, 2, 2.5].map((page) => peek(kernel, process, BASE + (8 + page) * PAGE));
    expect(shared).toEqual([1, 0, 0, 0, 1]);
    expect([0, 1, 2].map((page) => peek(kernel, process, BASE + page * PAGE))).toEqual([7, 7, 0]);
    kernel.files.truncate(file, PAGE);
    expect([0, 1].map((page) => peek(kernel, process, BASE + page * PAGE))).toEqual([7, BUS_ADRERR]);
    expect(kernel.audit()).toEqual([]);
  });

  it('read zeros from reserved pages, which mincore does not count', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.memfd('m');
    expect(kernel.files.allocate(file, 0, PAGE, 2 * PAGE)).toBe(0);
    expect(file.object.size).toBe(3 * PAGE);
    map(kernel, process, BASE, 3, { file, flags: f.MAP_SHARED | f.MAP_FIXED });
    expect(kernel.mincore(process, BASE, 3 * PAGE)).toEqual([false, false, false]);
    expect(peek(kernel, process, BASE + PAGE)).toBe(0);
    expect(kernel.mincore(process, BASE, 3 * PAGE)).toEqual([false, true, false]);
    kernel.files.allocate(file, 0, 0, 3 * PAGE);
    expect(kernel.mincore(process, BASE, 3 * PAGE)).toEqual([false, true, true]);
  });

  it('reach up to a write that could not read its bytes', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.memfd('m');
    map(kernel, process, BASE, 1);
    kernel.store(process, BASE + PAGE - 1, 1, 3);
    expect(kernel.pwrite(process, file, BASE + PAGE, 8, 100)).toBe(EFAULT);
    expect([file.object.pages.size, file.object.size]).toEqual([1, 100]);
    expect(kernel.pwrite(process, file, BASE + PAGE - 1, 8, 0)).toBe(1);
    expect(kernel.pread(process, file, BASE, 1, 0)).toBe(1);
    expect(peek(kernel, process, BASE)).toBe(3);
  });

  it('on disk are read onward for an executable mapping, and a page cut by a hole waits unread', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.open('/data', 'disk');
    kernel.files.truncate(file, 4 * PAGE);
    map(kernel, process, BASE, 4, { file, prot: f.PROT_READ | f.PROT_EXEC, flags: f.MAP_PRIVATE | f.MAP_FIXED });
    peek(kernel, process, BASE + 2 * PAGE);
    expect(kernel.mincore(process, BASE, 4 * PAGE)).toEqual([false, false, true, true]);
    kernel.files.allocate(file, f.FALLOC_PUNCH_HOLE | f.FALLOC_KEEP_SIZE, PAGE, PAGE / 2);
    map(kernel, process, BASE, 4, { file, flags: f.MAP_PRIVATE | f.MAP_FIXED });
    peek(kernel, process, BASE);
    expect(kernel.mincore(process, BASE, 4 * PAGE)).toEqual([true, false, true, true]);
  });

  it('grow by what of a buffer is present, before the rest of it is touched', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.memfd('m');
    map(kernel, process, BASE, 6, { file, flags: f.MAP_SHARED | f.MAP_FIXED });
    const mapped = (): number => [0, 1, 2, 3].filter((i) => kernel.pagemap(process, BASE + i * PAGE)?.present).length;
    const write = (page: number): number => kernel.pwrite(process, file, BASE + PAGE / 2, PAGE, page * PAGE);
    // Nothing is present: both pages are faulted in while the file ends where the write begins.
    expect([write(2), mapped()]).toEqual([PAGE, 2]);
    kernel.madvise(process, BASE + PAGE, 5 * PAGE, f.MADV_DONTNEED);
    // The first page is present: the file has grown when the second is faulted in, and the cache around it.
    expect([write(3), mapped()]).toEqual([PAGE, 4]);
    expect(kernel.audit()).toEqual([]);
  });

  it('on disk are clean after fsync, and a write to a clean page is noticed by a fault', () => {
    const { kernel, mmu } = bootWithMmu(MIB);
    const process = spawn(kernel);
    const file = kernel.files.open('/data', 'disk');
    kernel.files.write(file, 0, Uint8Array.of(1));
    map(kernel, process, BASE, 1, { file, flags: f.MAP_SHARED | f.MAP_FIXED });
    kernel.store(process, BASE, 1, 2);
    expect(kernel.smaps(process)).toMatch(/Private_Dirty: +4 kB/);
    kernel.files.sync(file);
    expect(kernel.smaps(process)).toMatch(/Private_Clean: +4 kB/);
    const { minorFaults } = kernel.counters;
    expect([kernel.store(process, BASE, 1, 3), kernel.store(process, BASE, 1, 4)]).toEqual([0, 0]);
    expect(kernel.counters.minorFaults).toBe(minorFaults + 1);
    expect(mmu.checker?.found).toEqual([]);
  });

  it('live on after unlink and close as long as they are mapped', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const file = kernel.files.open('/lib', 'disk');
    kernel.files.write(file, 0, Uint8Array.of(6));
    map(kernel, process, BASE, 1, { file, flags: f.MAP_SHARED | f.MAP_FIXED });
    expect([kernel.files.unlink('/lib'), kernel.files.close(file), kernel.files.close(file)]).toEqual([0, 0, EINVAL]);
    expect(kernel.files.unlink('/lib')).toBe(ENOENT);
    expect(peek(kernel, process, BASE)).toBe(6);
    kernel.munmap(process, BASE, PAGE);
    expect(kernel.memory.objects.size).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });
});
