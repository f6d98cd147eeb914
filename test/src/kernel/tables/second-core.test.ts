import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHIFT_2M, SHIFT_4K } from '../../../../hw/base/address.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import { unmapHuge, unmapPage } from '../../../../src/kernel/pages/mapping.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { runs } from '../../../runs.js';
import { boot, GIB, MIB, spawn } from '../machine.js';
import { EagerCore } from './eager-core.js';
import { SecondCore } from './second-core.js';

const PAGE = 4096;
const BYTES = 4 * MIB;
const ALL = f.PROT_READ | f.PROT_WRITE;

/** A process with all of its 4 MiB touched, and a second core at work in it. */
function busy(pages: '4K' | '2M', seed = 1, accesses = 8): { kernel: Kernel; process: Process; other: SecondCore } {
  const kernel = boot(64 * MIB);
  const process = spawn(kernel, pages);
  kernel.mapRegion(process, GIB, BYTES);
  for (let at = 0; at < BYTES; at += PAGE) kernel.store(process, GIB + at, 4, -1);
  const other = new SecondCore(kernel, seed, GIB, BYTES, accesses);
  other.run(process);
  for (let i = 0; i < 200; i++) other.work();
  return { kernel, process, other };
}

/** Pages of a process with another value than the second core wrote there last. */
function lost(kernel: Kernel, process: Process, other: SecondCore): number[] {
  const isLost = ([address, value]: [number, number]): boolean =>
    kernel.load(process, address, 4) < 0 || kernel.valueLo !== value;
  return other.apart(() => [...(other.written.get(process) ?? [])].filter(isLost).map(([at]) => (at - GIB) / PAGE));
}

describe('while a second core makes accesses between the stores of', () => {
  it('MADV_COLLAPSE, none of its writes is lost, and it reaches nothing that is freed', () => {
    const { kernel, process, other } = busy('4K', 2, 64);
    // From here on it may have huge pages.
    if (process.space !== null) process.space.hugePages = 'always';
    expect(kernel.madvise(process, GIB, BYTES, f.MADV_COLLAPSE)).toBe(0);
    expect([other.reachable, lost(kernel, process, other)]).toEqual([[], []]);
  });

  it('the split of a huge page with zeros in it, none of its writes is lost', () => {
    const kernel = boot(64 * MIB);
    const process = spawn(kernel, '2M');
    kernel.mapRegion(process, GIB, BYTES);
    for (const at of [0, BYTES / 2]) kernel.store(process, GIB + at, 4, 0);
    const other = new SecondCore(kernel, 3, GIB, BYTES, 1);
    other.run(process);
    // Parts of huge pages are freed: both are split, and pages of zeros give way to the zero page.
    for (const at of [0, BYTES / 2]) expect(kernel.madvise(process, GIB + at, PAGE, f.MADV_FREE)).toBe(0);
    expect([other.reachable, lost(kernel, process, other)]).toEqual([[], []]);
  });
});

describe('while a second core holds every entry that the kernel is about to change,', () => {
  /** A process with this many pages touched; the other core looks for 8 of them, the last among them. */
  function watched(
    pages: '4K' | '2M',
    count: number,
    size = PAGE,
  ): { kernel: Kernel; process: Process; other: EagerCore } {
    const kernel = boot(16 * MIB);
    const process = spawn(kernel, pages);
    kernel.mapRegion(process, GIB, count * size);
    const addresses = Array.from({ length: count }, (_, i) => GIB + i * size);
    for (const address of addresses) kernel.store(process, address, 4, 1);
    if (process.space === null) throw new Error('the process has no memory');
    return { kernel, process, other: new EagerCore(kernel, process.space, addresses.slice(-8)) };
  }

  it('munmap frees its tables and pages once it holds none', () => {
    const { kernel, process, other } = watched('4K', 8);
    expect(kernel.munmap(process, GIB, 8 * PAGE)).toBe(0);
    expect(other.reachable).toEqual([]);
    expect(kernel.counters.tablesFreed).toBe(3);
  });

  it('MADV_DONTNEED frees the table of 2 MiB once it holds none', () => {
    const { kernel, process, other } = watched('4K', 512);
    expect(kernel.madvise(process, GIB, 512 * PAGE, f.MADV_DONTNEED)).toBe(0);
    expect(other.reachable).toEqual([]);
    expect(kernel.counters.tablesFreed).toBe(1);
  });

  it('MADV_COLLAPSE frees the table and the pages in it once it holds none', () => {
    const { kernel, process, other } = watched('4K', 512);
    if (process.space !== null) process.space.hugePages = 'always';
    expect(kernel.madvise(process, GIB, 512 * PAGE, f.MADV_COLLAPSE)).toBe(0);
    expect(other.reachable).toEqual([]);
    expect(kernel.counters.hugeCollapses).toBe(1);
  });

  it('a batch of pages unmapped one by one frees none of them before the flush', () => {
    const { kernel, process, other } = watched('4K', 8);
    const { memory } = kernel;
    const vma = process.space?.vmas.at(GIB);
    if (vma === undefined) throw new Error('nothing is mapped');
    for (let address = GIB; address < GIB + 8 * PAGE; address += PAGE)
      unmapPage(memory, vma, memory.tables.find(vma.space, address, SHIFT_4K), address);
    expect([other.reachable, process.space?.residentPages]).toEqual([[], 0]);
    memory.tlb.flush();
    expect(other.reachable).toEqual([]);
  });

  it('nor of huge pages', () => {
    const { kernel, process, other } = watched('2M', 2, 2 * MIB);
    const { memory } = kernel;
    const vma = process.space?.vmas.at(GIB);
    if (vma === undefined) throw new Error('nothing is mapped');
    const free = memory.frames.buddy.free;
    for (const address of [GIB, GIB + 2 * MIB])
      unmapHuge(memory, vma, memory.tables.find(vma.space, address, SHIFT_2M), SHIFT_2M, address);
    memory.tlb.flush();
    expect([other.reachable, memory.frames.buddy.free - free]).toEqual([[], 1024]);
  });
});

interface Step {
  readonly call: number;
  readonly page: number;
  readonly pages: number;
}

/** One call of the kernel over some pages of one of the processes; by it their contents may go. */
function perform(kernel: Kernel, processes: Process[], other: SecondCore, { call, page, pages }: Step): void {
  const process = processes[page % processes.length];
  const [start, length] = [GIB + page * PAGE, Math.min(pages, BYTES / PAGE - page) * PAGE];
  const forget = (): void => {
    for (let at = start; at < start + length; at += PAGE) other.written.get(process)?.delete(at);
  };
  if (call === 0) {
    kernel.munmap(process, start, length);
    forget();
    kernel.mapRegion(process, start, length);
  } else if (call === 1) {
    kernel.madvise(process, start, length, f.MADV_DONTNEED);
    forget();
  } else if (call === 2) kernel.mprotect(process, start, length, f.PROT_READ);
  else if (call === 3) kernel.mprotect(process, start, length, ALL);
  else if (call === 4) kernel.madvise(process, start, length, f.MADV_FREE);
  else if (call === 5) kernel.madvise(process, GIB, BYTES, f.MADV_COLLAPSE);
  else if (call === 6 && processes.length < 3) {
    const child = kernel.fork(process);
    if (typeof child === 'object') processes.push(child);
  } else if (call === 7) other.run(process);
  else if (call === 8) {
    const stored = kernel.store(process, start, 4, -2) >= 0;
    if (stored && other.written.get(process)?.has(start) === true) other.written.get(process)?.set(start, -2);
  } else if (call === 9) kernel.clearSoftDirty(process);
}

it('whatever is called, a second core reaches nothing that is freed, and none of its writes is lost', () => {
  const step = fc.record({ call: fc.nat(9), page: fc.nat(BYTES / PAGE - 1), pages: fc.integer({ min: 1, max: 700 }) });
  fc.assert(
    fc.property(
      fc.nat(),
      fc.constantFrom('4K' as const, '2M' as const),
      fc.array(step, { maxLength: 12 }),
      (seed, pages, steps) => {
        const { kernel, process, other } = busy(pages, seed, 2);
        const processes = [process];
        for (const each of steps) {
          perform(kernel, processes, other, each);
          for (const one of processes) expect(lost(kernel, one, other)).toEqual([]);
        }
        expect(other.reachable).toEqual([]);
      },
    ),
    { numRuns: runs(8) },
  );
});
