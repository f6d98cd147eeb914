import { describe, expect, it } from 'vitest';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { EINVAL } from '../../../../src/kernel/abi/errno.js';
import { pageFault } from '../../../../src/kernel/faults/fault.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { FAULT_MINOR } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, GIB, MIB, peek, spawn } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const RW = f.PROT_READ | f.PROT_WRITE;
const ANON = f.MAP_PRIVATE | f.MAP_ANONYMOUS;

/** A figure of smaps for the first VMA, in KiB. */
function smaps(kernel: Kernel, process: Process, name: string): number {
  const found = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(kernel.smaps(process));
  return Number(found?.[1]);
}

/** A process with `length` bytes at BASE, the first of them written. */
function written(pages: '4K' | '2M', length: number): { kernel: Kernel; parent: Process } {
  const kernel = boot();
  const parent = spawn(kernel, pages);
  expect(kernel.mapRegion(parent, BASE, length)).toBe(0);
  expect(kernel.store(parent, BASE, 1, 5)).toBe(0);
  return { kernel, parent };
}

describe('a child of fork', () => {
  it('chooses addresses where its parent would: fork(2), a duplicate of the address space', () => {
    const kernel = new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ bytes: 4 * MIB }) })), seed: 7 });
    const parent = spawn(kernel);
    const child = alive(kernel.fork(parent));
    const request = { address: 0, length: PAGE, prot: RW, flags: ANON, file: null, offset: 0 };
    expect(kernel.mmap(child, request)).toBe(kernel.mmap(parent, request));
    expect(kernel.mmap(spawn(kernel), request)).not.toBe(kernel.mmap(child, request) + PAGE);
  });

  it('has no memory locks: mlock(2), "Memory locks are not inherited"', () => {
    const { kernel, parent } = written('4K', PAGE);
    expect(kernel.mlock(parent, BASE, PAGE)).toBe(0);
    const child = alive(kernel.fork(parent));
    expect(kernel.madvise(parent, BASE, PAGE, f.MADV_DONTNEED)).toBe(EINVAL);
    expect(kernel.madvise(child, BASE, PAGE, f.MADV_DONTNEED)).toBe(0);
    expect(kernel.smaps(child)).not.toMatch(/VmFlags:.* lo /);
  });

  // Linux mm/memory.c __copy_present_ptes() and mm/huge_memory.c copy_huge_pmd(): pte_mkold, pmd_mkold.
  it.each([
    ['4K', PAGE, 4],
    ['2M', 2 * MIB, 2048],
  ] as const)(
    'has not accessed the pages of %s that its parent has: proc_pid_smaps(5), Referenced',
    (pages, length, kib) => {
      const { kernel, parent } = written(pages, length);
      const child = alive(kernel.fork(parent));
      expect([parent, child].map((process) => smaps(kernel, process, 'Referenced'))).toEqual([kib, 0]);
      expect(peek(kernel, child, BASE)).toBe(5);
      expect(smaps(kernel, child, 'Referenced')).toBe(kib);
    },
  );

  // Linux mm/memory.c __copy_present_ptes(): "If it's a shared mapping, mark it clean in the child".
  it('has not written to the shared pages that its parent wrote: only the parent says dirty', () => {
    const kernel = boot();
    const parent = spawn(kernel);
    const file = kernel.files.open('/data', 'disk');
    kernel.files.truncate(file, PAGE);
    const flags = f.MAP_SHARED | f.MAP_FIXED;
    expect(kernel.mmap(parent, { address: BASE, length: PAGE, prot: RW, flags, file, offset: 0 })).toBe(BASE);
    // A VMA that has had guard pages is one whose tables fork copies.
    expect(kernel.madvise(parent, BASE, PAGE, f.MADV_GUARD_INSTALL)).toBe(0);
    expect(kernel.madvise(parent, BASE, PAGE, f.MADV_GUARD_REMOVE)).toBe(0);
    expect(kernel.store(parent, BASE, 1, 5)).toBe(0);
    const child = alive(kernel.fork(parent));
    const dirty = (process: Process): boolean => {
      const { tables } = kernel.memory;
      return (tables.words[tables.find(process.space!, BASE, 12)] & 0x40) !== 0;
    };
    expect([parent, child].map(dirty)).toEqual([true, false]);
  });
});

it('fork counts the bytes of the tables it makes: four for one page', () => {
  const { kernel, parent } = written('4K', PAGE);
  alive(kernel.fork(parent));
  expect(kernel.counters).toMatchObject({ forks: 1, forkTableBytes: 4 * PAGE });
});

it('a copied page is not cleared first', () => {
  const { kernel, parent } = written('4K', PAGE);
  const child = alive(kernel.fork(parent));
  const { framesZeroed, framesCopied } = kernel.counters;
  expect(kernel.store(child, BASE, 1, 6)).toBe(0);
  expect(kernel.counters).toMatchObject({ framesZeroed, framesCopied: framesCopied + 1 });
});

it('the last owner of a page adopts it: no process that is gone is asked for its mappings', () => {
  const { kernel, parent } = written('4K', PAGE);
  const child = alive(kernel.fork(parent));
  kernel.exit(parent);
  expect(kernel.store(child, BASE, 1, 6)).toBe(0);
  const { frames, tables } = kernel.memory;
  const frame = tables.frameAt(tables.find(child.space!, BASE, 12));
  expect(frames.owner[frame]).toBe(child.space!.vmas.at(BASE)!.anonVma!.id);
});

it('a page that is exclusive is written in place, though it is the last part of a large folio', () => {
  const { kernel, parent } = written('2M', 2 * MIB);
  expect(kernel.munmap(parent, BASE + PAGE, 2 * MIB - PAGE)).toBe(0);
  // Linux Documentation/admin-guide/mm/soft-dirty.rst: the page becomes read-only, so that the next write is noticed.
  kernel.clearSoftDirty(parent);
  const { framesCopied, reuseFaults } = kernel.counters;
  expect(kernel.store(parent, BASE, 1, 6)).toBe(0);
  expect(kernel.counters).toMatchObject({ framesCopied, reuseFaults: reuseFaults + 1 });
});

it('the last part of a large folio that was shared is copied, so that the rest can be freed', () => {
  const { kernel, parent } = written('2M', 2 * MIB);
  const child = alive(kernel.fork(parent));
  kernel.exit(child);
  expect(kernel.munmap(parent, BASE + PAGE, 2 * MIB - PAGE)).toBe(0);
  const { framesCopied } = kernel.counters;
  expect(kernel.store(parent, BASE, 1, 6)).toBe(0);
  expect(kernel.counters.framesCopied).toBe(framesCopied + 1);
});

it('fork tells the TLB of the 34th page that it makes read-only, although 33 are the most it names', () => {
  const { kernel, parent } = written('4K', 34 * PAGE);
  for (let page = 0; page < 34; page++) kernel.store(parent, BASE + page * PAGE, 1, page);
  const { fullFlushes, invlpg } = kernel.counters;
  const child = alive(kernel.fork(parent));
  expect(kernel.counters).toMatchObject({ fullFlushes: fullFlushes + 1, invlpg });
  kernel.store(parent, BASE + 33 * PAGE, 1, 99);
  expect(peek(kernel, child, BASE + 33 * PAGE)).toBe(33);
});

// Linux mm/memory.c handle_pte_fault() and mm/huge_memory.c huge_pmd_set_accessed(): mkyoung, and mkdirty for a write.
it.each([
  ['4K', PAGE, 4],
  ['2M', 2 * MIB, 2048],
] as const)('a fault on a page of %s that is right already marks it as the access would', (pages, length, kib) => {
  const { kernel, parent } = written(pages, length);
  const child = alive(kernel.fork(parent));
  expect(smaps(kernel, child, 'Referenced')).toBe(0);
  expect(pageFault(kernel.memory, child.space!, BASE, 0)).toBe(FAULT_MINOR);
  expect(smaps(kernel, child, 'Referenced')).toBe(kib);
});
