import { describe, expect, it } from 'vitest';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { alive, boot, GIB } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const RW = f.PROT_READ | f.PROT_WRITE;
const OTHER = BASE + 64 * PAGE;

/** A process with two pages written, and a child that shares them; the parent has then told MADV_FREE. */
class Freed {
  readonly kernel = boot();
  readonly process = alive(this.kernel.spawn());

  constructor() {
    this.map(BASE, 2);
    this.map(OTHER, 40);
    this.write(BASE);
    this.write(BASE + PAGE);
    this.fork();
    this.kernel.madvise(this.process, BASE, 2 * PAGE, f.MADV_FREE);
  }

  map(address: number, pages: number): void {
    const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED;
    this.kernel.mmap(this.process, { address, length: pages * PAGE, prot: RW, flags, file: null, offset: 0 });
  }

  write(address: number, process = this.process): void {
    this.kernel.store(process, address, 1, 1);
  }

  /** Whether a write to the freed page copies it when the children are gone. */
  copies(): boolean {
    for (const child of this.process.children) this.kernel.exit(child);
    const before = this.kernel.counters.cowFaults;
    this.write(BASE);
    return this.kernel.counters.cowFaults > before;
  }

  fork(): Process {
    return alive(this.kernel.fork(this.process));
  }
}

describe('pages in a batch', () => {
  it('a page told MADV_FREE is copied by the next write though nobody else maps it', () => {
    expect(new Freed().copies()).toBe(true);
  });

  it('a write fault that reuses a new page empties the batches', () => {
    const run = new Freed();
    run.write(OTHER);
    run.kernel.exit(run.fork());
    run.write(OTHER);
    expect(run.copies()).toBe(false);
  });

  it('so does one that copies a new page with at most 3 references', () => {
    const run = new Freed();
    run.write(OTHER);
    run.fork();
    run.write(OTHER);
    expect(run.copies()).toBe(false);
  });

  it('a new page that three processes map has 4 references: nothing is emptied', () => {
    const run = new Freed();
    run.write(OTHER);
    run.fork();
    run.fork();
    run.write(OTHER);
    expect(run.copies()).toBe(true);
  });

  it('31 pages later the page is on its list, and its write empties nothing', () => {
    const run = new Freed();
    for (let i = 0; i < 31; i++) run.write(OTHER + i * PAGE);
    run.kernel.exit(run.fork());
    run.write(OTHER);
    expect(run.copies()).toBe(true);
  });

  it.each([f.MADV_COLD, f.MADV_WILLNEED, f.MADV_POPULATE_READ])('advice %d empties them', (advice) => {
    const run = new Freed();
    run.kernel.madvise(run.process, OTHER, PAGE, advice);
    expect(run.copies()).toBe(false);
  });

  it.each([
    ['empties them', RW, false],
    ['of memory that nobody may access leaves them', f.PROT_NONE, true],
  ])('MAP_POPULATE %s', (_what, prot, copies) => {
    const run = new Freed();
    const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED | f.MAP_POPULATE;
    run.kernel.mmap(run.process, { address: OTHER, length: PAGE, prot, flags, file: null, offset: 0 });
    expect(run.copies()).toBe(copies);
  });

  it('LazyFree of smaps counts a page once the batch is emptied', () => {
    const run = new Freed();
    expect(run.kernel.smaps(run.process)).not.toMatch(/LazyFree: +8 kB/);
    run.kernel.madvise(run.process, OTHER, PAGE, f.MADV_COLD);
    expect(run.kernel.smaps(run.process)).toMatch(/LazyFree: +8 kB/);
  });
});

describe('pages that a locked VMA unmaps', () => {
  /** A locked page that a child shares; the parent then gives it up. */
  function unmapped(): { run: Freed; heir: Process } {
    const run = new Freed();
    run.kernel.mlock(run.process, OTHER, PAGE);
    const heir = run.fork();
    run.kernel.munmap(run.process, OTHER, PAGE);
    return { run, heir };
  }

  it('wait in a batch: the mark is still there, and the heir copies', () => {
    const { run, heir } = unmapped();
    expect(run.kernel.pagemap(heir, OTHER)?.mlocked).toBe(true);
    const before = run.kernel.counters.cowFaults;
    run.write(OTHER, heir);
    expect(run.kernel.counters.cowFaults).toBe(before + 1);
  });

  it('once the batch is emptied the mark is gone, and the heir writes in place', () => {
    const { run, heir } = unmapped();
    run.kernel.madvise(run.process, BASE, PAGE, f.MADV_COLD);
    expect(run.kernel.pagemap(heir, OTHER)?.mlocked).toBe(false);
    const before = run.kernel.counters.cowFaults;
    run.write(OTHER, heir);
    expect(run.kernel.counters.cowFaults).toBe(before);
  });

  it('a page that a second locked VMA maps keeps its mark', () => {
    const run = new Freed();
    const flags = f.MAP_SHARED | f.MAP_ANONYMOUS | f.MAP_FIXED | f.MAP_LOCKED;
    run.kernel.mmap(run.process, { address: OTHER, length: PAGE, prot: RW, flags, file: null, offset: 0 });
    const heir = run.fork();
    run.kernel.mlock(heir, OTHER, PAGE);
    run.kernel.munlock(run.process, OTHER, PAGE);
    expect(run.kernel.pagemap(heir, OTHER)?.mlocked).toBe(true);
    run.kernel.munlock(heir, OTHER, PAGE);
    expect(run.kernel.pagemap(heir, OTHER)?.mlocked).toBe(false);
  });
});

describe('a call that replaces a mapping', () => {
  it('populates before the object that it replaced is gone, so both wait in the same batch', () => {
    const run = new Freed();
    const file = run.kernel.files.memfd('f');
    run.kernel.files.truncate(file, PAGE);
    const shared = f.MAP_SHARED | f.MAP_FIXED | f.MAP_LOCKED;
    const map = (address: number, flags: number, length = PAGE): number =>
      run.kernel.mmap(run.process, {
        address,
        length,
        prot: RW,
        flags,
        file: (flags & f.MAP_ANONYMOUS) === 0 ? file : null,
        offset: 0,
      });
    map(OTHER, shared);
    map(OTHER + PAGE, f.MAP_SHARED | f.MAP_ANONYMOUS | f.MAP_FIXED | f.MAP_POPULATE);
    map(OTHER, shared, 2 * PAGE);
    expect(run.kernel.pagemap(run.process, OTHER)?.mlocked).toBe(false);
    expect(run.kernel.audit()).toEqual([]);
  });
});
