import { describe, expect, it } from 'vitest';
import { EINVAL, ENOMEM } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { mappingsOf } from '../../../../src/kernel/pages/rmap.js';
import { alive, boot, GIB, MIB, spawn } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;

/** The value of a field of /proc text, in its unit. */
function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:? +(\\d+)`, 'm').exec(text)?.[1]);
}

describe('smaps', () => {
  it('shares a library between two processes and counts each private page once', () => {
    const kernel = boot();
    const library = kernel.files.open('/usr/lib/libc.so.6', 'disk');
    kernel.files.write(library, 0, new Uint8Array(8 * PAGE).fill(1));
    kernel.files.sync(library);
    const processes = [spawn(kernel), spawn(kernel)];
    for (const process of processes) {
      const request = { address: BASE, length: 8 * PAGE, prot: 3, flags: f.MAP_PRIVATE | f.MAP_FIXED };
      kernel.mmap(process, { ...request, file: library, offset: 0 });
      kernel.load(process, BASE, 1);
    }
    kernel.store(processes[0], BASE + PAGE, 1, 2);
    const [first, second] = processes.map((process) => kernel.smaps(process));
    expect(['Rss', 'Pss', 'Shared_Clean', 'Private_Dirty', 'Anonymous'].map((name) => field(first, name))).toEqual([
      32, 18, 28, 4, 4,
    ]);
    expect(['Rss', 'Pss', 'Anonymous'].map((name) => field(second, name))).toEqual([32, 18, 0]);
    expect(first).toMatch(/^40000000-40008000 rw-p 00000000 00:00 \d+ +\/usr\/lib\/libc\.so\.6$/m);
    expect(first).toMatch(/^VmFlags: rd wr mr mw me ac sd $/m);
  });

  it('shows huge pages and huge pages alone', () => {
    const kernel = boot();
    const process = spawn(kernel, '2M');
    kernel.mapRegion(process, BASE, 2 * MIB);
    kernel.store(process, BASE, 1, 1);
    const text = kernel.smaps(process);
    expect(['Rss', 'AnonHugePages', 'KernelPageSize', 'THPeligible'].map((name) => field(text, name))).toEqual([
      2048, 2048, 4, 1,
    ]);
    const wide = { address: 2 * BASE, length: MIB, prot: 3, flags: 0x22 | f.MAP_FIXED | f.MAP_HUGETLB };
    kernel.mmap(process, { ...wide, file: null, offset: 0 });
    kernel.store(process, 2 * BASE, 1, 1);
    const second = kernel.smaps(process).slice(text.length);
    expect(['Size', 'Rss', 'Private_Hugetlb', 'MMUPageSize'].map((name) => field(second, name))).toEqual([
      2048, 0, 2048, 2048,
    ]);
    expect(kernel.munmap(process, 2 * BASE, PAGE)).toBe(EINVAL);
    expect(kernel.audit()).toEqual([]);
  });
});

describe('maps', () => {
  it('names heap, stack and deleted objects', () => {
    const kernel = boot();
    const process = alive(kernel.spawn({ brk: BASE }));
    kernel.brk(process, BASE + PAGE);
    const stack = { address: 4 * BASE, length: PAGE, prot: 3, flags: 0x22 | f.MAP_FIXED | f.MAP_GROWSDOWN };
    kernel.mmap(process, { ...stack, file: null, offset: 0 });
    const shared = { address: 2 * BASE, length: PAGE, prot: 1, flags: 0x21 | f.MAP_FIXED };
    kernel.mmap(process, { ...shared, file: null, offset: 0 });
    expect(kernel.maps(process)).toMatch(
      /^40000000-40001000 rw-p .*\[heap\]\n80000000-80001000 r--s .*\/dev\/zero \(deleted\)\n100000000-100001000 rw-p .*\[stack\]\n$/,
    );
  });
});

describe('pagemap and clear_refs', () => {
  it('knows which pages were written since', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, 2 * PAGE);
    for (const at of [0, PAGE]) kernel.store(process, BASE + at, 1, 1);
    kernel.clearSoftDirty(process);
    kernel.store(process, BASE + PAGE, 1, 2);
    expect([0, PAGE].map((at) => kernel.pagemap(process, BASE + at)?.softDirty)).toEqual([false, true]);
    expect(kernel.counters.reuseFaults).toBe(1);
    expect(kernel.audit()).toEqual([]);
  });
});

describe('vmstat', () => {
  it('counts by the names of Linux', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, 2 * PAGE);
    for (const at of [0, PAGE]) kernel.store(process, BASE + at, 1, 1);
    const text = kernel.vmstat();
    const names = ['nr_anon_pages', 'pgfault', 'pgmajfault', 'nr_page_table_pages', 'nr_shmem'];
    expect(names.map((name) => field(text, name))).toEqual([2, 2, 0, 4, 0]);
  });
});

describe('the reverse map', () => {
  it('finds every mapping of a page, across forks and through huge pages', () => {
    const kernel = boot();
    const parent = spawn(kernel, '2M');
    kernel.mapRegion(parent, BASE, 2 * MIB);
    kernel.store(parent, BASE, 1, 1);
    const child = alive(kernel.fork(parent));
    const grandchild = alive(kernel.fork(child));
    kernel.store(child, BASE, 1, 2);
    const shared = kernel.pagemap(parent, BASE + PAGE)?.frame ?? 0;
    const found = mappingsOf(kernel.memory, shared);
    expect(found.map(({ vma, shift }) => [vma.space.id, shift]).sort()).toEqual(
      [
        [parent.space?.id, 21],
        [child.space?.id, 12],
        [grandchild.space?.id, 21],
      ].sort(),
    );
    expect(found.every(({ address }) => address === BASE + PAGE)).toBe(true);
    const own = kernel.pagemap(child, BASE)?.frame ?? 0;
    expect(mappingsOf(kernel.memory, own)).toHaveLength(1);
  });

  it('finds the mappings of a file page', () => {
    const kernel = boot();
    const file = kernel.files.memfd('m');
    kernel.files.write(file, PAGE, Uint8Array.of(1));
    for (const [i, process] of [spawn(kernel), spawn(kernel)].entries()) {
      const address = BASE * (i + 1);
      kernel.mmap(process, { address, length: 2 * PAGE, prot: 1, flags: f.MAP_SHARED | f.MAP_FIXED, file, offset: 0 });
      kernel.load(process, address + PAGE, 1);
    }
    const found = mappingsOf(kernel.memory, file.object.pages.get(1) ?? 0);
    expect(found.map(({ address }) => address)).toEqual([BASE + PAGE, 2 * BASE + PAGE]);
  });
});

describe('msync and mincore', () => {
  it('look at their arguments', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, PAGE);
    kernel.mapRegion(process, BASE + 2 * PAGE, PAGE);
    expect(kernel.msync(process, BASE, PAGE, f.MS_SYNC | f.MS_ASYNC)).toBe(EINVAL);
    expect(kernel.msync(process, BASE + 1, PAGE, f.MS_SYNC)).toBe(EINVAL);
    expect(kernel.msync(process, BASE, PAGE, 8)).toBe(EINVAL);
    expect(kernel.msync(process, BASE, 3 * PAGE, f.MS_SYNC)).toBe(ENOMEM);
    expect(kernel.msync(process, BASE, PAGE, f.MS_SYNC)).toBe(0);
    expect(kernel.mincore(process, BASE, 2 * PAGE)).toBe(ENOMEM);
    expect(kernel.mincore(process, BASE + 1, PAGE)).toBe(EINVAL);
    kernel.store(process, BASE, 1, 1);
    expect(kernel.mincore(process, BASE, PAGE)).toEqual([true]);
  });
});
