import { describe, expect, it } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import { KernelCounters } from '../../../../src/kernel/frames/counters.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { FRAME_ACTIVE, FRAME_MLOCKED, Frames } from '../../../../src/kernel/frames/frames.js';
import { LruBatches } from '../../../../src/kernel/frames/lru-batches.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { alive, boot, GIB } from '../machine.js';

function machine(): { frames: Frames; lru: LruBatches; listed: () => number; isActive: (head: number) => boolean } {
  const frames = new Frames(new Ram({ bytes: 1 << 22 }), new KernelCounters(), true);
  const lru = new LruBatches(frames);
  /** A folio that is on a list. */
  const listed = (): number => {
    const head = frames.allocate(0, 0);
    lru.addNew(head);
    lru.drain();
    return head;
  };
  return { frames, lru, listed, isActive: (head) => (frames.flags[head] & FRAME_ACTIVE) !== 0 };
}

it('a folio on a list that is used twice becomes active when its batch is emptied', () => {
  const { lru, listed, isActive } = machine();
  const head = listed();
  lru.markAccessed(head);
  lru.markAccessed(head);
  expect(isActive(head)).toBe(false);
  lru.drain();
  expect(isActive(head)).toBe(true);
});

it('a new folio that is used twice is active at once', () => {
  const { frames, lru, isActive } = machine();
  const head = frames.allocate(0, 0);
  lru.addNew(head);
  lru.markAccessed(head);
  lru.markAccessed(head);
  expect(isActive(head)).toBe(true);
});

it('a frame that was freed and given out again is not what it was', () => {
  const { frames, lru, listed, isActive } = machine();
  const head = listed();
  lru.markAccessed(head);
  lru.markAccessed(head);
  frames.release(head);
  expect(frames.allocate(0, 0)).toBe(head);
  lru.drain();
  expect(isActive(head)).toBe(false);
});

it('a new folio that was freed is not in the batch any more: the next one of its frame is there once', () => {
  const { frames, lru } = machine();
  const head = frames.allocate(0, 0);
  lru.addNew(head);
  frames.release(head);
  expect(frames.allocate(0, 0)).toBe(head);
  expect(lru.isNew(head)).toBe(false);
  lru.addNew(head);
  expect(lru.references(head)).toBe(1);
});

it('a full batch of 31 new folios goes to the list', () => {
  const { frames, lru } = machine();
  const heads = Array.from({ length: 31 }, () => frames.allocate(0, 0));
  for (const head of heads.slice(0, 30)) lru.addNew(head);
  expect(lru.isNew(heads[0])).toBe(true);
  lru.addNew(heads[30]);
  expect(heads.some((head) => lru.isNew(head))).toBe(false);
});

it("a folio on a list that is active stops to be once MADV_COLD's batch is emptied", () => {
  const { lru, listed, isActive } = machine();
  const head = listed();
  for (let i = 0; i < 2; i++) lru.markAccessed(head);
  lru.drain();
  lru.markUnused(head);
  expect(isActive(head)).toBe(true);
  expect(lru.references(head)).toBe(1);
  lru.drain();
  expect(isActive(head)).toBe(false);
  expect(lru.references(head)).toBe(0);
});

it('a folio that waits in several batches is referred to by each', () => {
  const { lru, listed } = machine();
  const head = listed();
  for (let i = 0; i < 2; i++) lru.markAccessed(head);
  lru.addLazyFree(head);
  lru.lock(head);
  expect(lru.references(head)).toBe(3);
  lru.drain();
  expect(lru.references(head)).toBe(0);
});

it('one batch that is full is emptied alone: another still refers to the folio', () => {
  const { lru, listed } = machine();
  const head = listed();
  for (let i = 0; i < 2; i++) lru.markAccessed(head);
  for (let i = 0; i < 31; i++) lru.unlock(head);
  expect(lru.references(head)).toBe(1);
});

it('a locked folio is never active, and MADV_FREE passes it by', () => {
  const { lru, listed, isActive } = machine();
  const head = listed();
  lru.lock(head);
  lru.drain();
  for (let i = 0; i < 4; i++) lru.markAccessed(head);
  lru.addLazyFree(head);
  expect(lru.references(head)).toBe(0);
  lru.drain();
  expect(isActive(head)).toBe(false);
});

describe('locks of a folio are counted', () => {
  const isLocked = (frames: Frames, head: number): boolean => (frames.flags[head] & FRAME_MLOCKED) !== 0;

  it('one on a list: two locks need two unlocks', () => {
    const { frames, lru, listed } = machine();
    const head = listed();
    for (let i = 0; i < 2; i++) lru.lock(head);
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(true);
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });

  it('a new one of a file: its lock counts once it is on a list', () => {
    const { frames, lru } = machine();
    const head = frames.allocate(0, 0);
    lru.addNew(head);
    lru.lock(head);
    lru.drain();
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });

  it('a full batch of locks leaves those of new folios uncounted: one unlock takes all', () => {
    const { frames, lru, listed } = machine();
    const other = listed();
    const head = frames.allocate(0, 0);
    lru.addNew(head);
    for (let i = 0; i < 31; i++) lru.lock(head);
    lru.unlock(head);
    for (let i = 0; i < 30; i++) lru.unlock(other);
    expect(isLocked(frames, head)).toBe(false);
  });

  it.each([
    [
      'unlocked',
      (_frames: Frames, lru: LruBatches, head: number) => {
        lru.unlock(head);
        lru.drain();
      },
    ],
    [
      'freed and given out again',
      (frames: Frames, _lru: LruBatches, head: number) => {
        frames.release(head);
        expect(frames.allocate(0, 0)).toBe(head);
      },
    ],
    [
      'unlocked and locked in one batch',
      (_frames: Frames, lru: LruBatches, head: number) => {
        lru.unlock(head);
        lru.lock(head);
        lru.drain();
      },
    ],
  ])('from the beginning once it was %s', (_what, end) => {
    const { frames, lru, listed } = machine();
    const head = listed();
    lru.lock(head);
    lru.drain();
    end(frames, lru, head);
    lru.lock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(true);
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });

  it('an unlock between two locks in one batch: the page is not locked', () => {
    const { frames, lru, listed } = machine();
    const head = listed();
    lru.lock(head);
    lru.drain();
    lru.unlock(head);
    lru.lock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });
});

it('new folios of others put those that wait on their lists, and leave the other batches', () => {
  const { frames, lru, listed } = machine();
  const freed = listed();
  lru.addLazyFree(freed);
  const head = frames.allocate(0, 0);
  lru.addNew(head);
  lru.fillWithOthers();
  expect(lru.isNew(head)).toBe(false);
  expect(lru.references(freed)).toBe(1);
});

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
