import { describe, expect, it } from 'vitest';
import { PTE_D } from '../../../../hw/x86/format.js';
import type { OpenFile } from '../../../../src/kernel/space/model.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { FRAME_REFERENCED } from '../../../../src/kernel/frames/frames.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { vmaUsage } from '../../../../src/kernel/proc/smaps.js';
import type { VmaUsage } from '../../../../src/kernel/proc/smaps.js';
import { alive, boot, GIB, MIB } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const RW = f.PROT_READ | f.PROT_WRITE;

class World {
  readonly kernel = boot(16 * MIB);
  readonly process = alive(this.kernel.spawn({ hugePages: 'always' }));
  readonly file = this.kernel.files.memfd('file');
  readonly disk = this.kernel.files.open('/disk/file', 'disk');

  anonymous(pages: number, shared = false): void {
    const kind = f.MAP_ANONYMOUS | f.MAP_FIXED | (shared ? f.MAP_SHARED : f.MAP_PRIVATE);
    this.kernel.mmap(this.process, {
      address: BASE,
      length: pages * PAGE,
      prot: RW,
      flags: kind,
      file: null,
      offset: 0,
    });
  }

  map(pages: number, file: OpenFile = this.file, sharing = f.MAP_SHARED, address = BASE): void {
    const flags = sharing | f.MAP_FIXED;
    this.kernel.mmap(this.process, { address, length: pages * PAGE, prot: RW, flags, file, offset: 0 });
  }

  read(page: number, process = this.process): void {
    expect(this.kernel.load(process, BASE + page * PAGE, 1)).toBe(0);
  }

  write(page: number, process = this.process): void {
    expect(this.kernel.store(process, BASE + page * PAGE, 1, 7)).toBe(0);
  }

  put(offset: number, file = this.file): void {
    expect(this.kernel.files.write(file, offset, Uint8Array.of(1))).toBe(1);
  }

  get(offset: number): void {
    expect(this.kernel.files.read(this.file, offset, new Uint8Array(1))).toBe(1);
  }

  advise(advice: number, pages: number, page = 0, process = this.process): void {
    expect(this.kernel.madvise(process, BASE + page * PAGE, pages * PAGE, advice)).toBe(0);
  }

  fork(): Process {
    return alive(this.kernel.fork(this.process));
  }

  usage(process = this.process, address = BASE): VmaUsage {
    const vma = process.space?.vmas.at(address);
    if (vma === undefined) throw new Error('nothing is mapped there');
    return vmaUsage(this.kernel.memory, vma);
  }

  /** Pages shared clean, shared dirty, private clean, private dirty. */
  dirt(process = this.process): number[] {
    const { sharedClean, sharedDirty, privateClean, privateDirty } = this.usage(process);
    return [sharedClean, sharedDirty, privateClean, privateDirty].map((bytes) => bytes / PAGE);
  }

  referenced(process: Process): number {
    return this.usage(process).referenced / PAGE;
  }
}

describe('a page is dirty', () => {
  it('when fallocate reserves it, though nobody has written to it', () => {
    const world = new World();
    world.kernel.files.allocate(world.file, 0, 0, 2 * PAGE);
    world.map(4);
    world.read(1);
    expect(world.dirt()).toEqual([0, 0, 0, 1]);
  });

  it('when fallocate finds it there', () => {
    const world = new World();
    world.kernel.files.truncate(world.file, 4 * PAGE);
    world.map(4);
    for (const page of [0, 1, 2]) world.read(page);
    world.kernel.files.allocate(world.file, f.FALLOC_KEEP_SIZE, PAGE, 2 * PAGE);
    expect(world.dirt()).toEqual([0, 0, 1, 2]);
  });

  it.each([
    ['ftruncate', (world: World) => world.kernel.files.truncate(world.file, PAGE + 100), [0, 0, 1, 1]],
    [
      'a hole that begins and ends in it',
      (world: World) =>
        world.kernel.files.allocate(world.file, f.FALLOC_PUNCH_HOLE | f.FALLOC_KEEP_SIZE, 2 * PAGE + 8, PAGE / 2),
      [0, 0, 2, 1],
    ],
    [
      'the two ends of a hole',
      (world: World) => world.kernel.files.allocate(world.file, f.FALLOC_PUNCH_HOLE | f.FALLOC_KEEP_SIZE, 8, 2 * PAGE),
      [0, 0, 0, 2],
    ],
    ['nothing, at its boundary', (world: World) => world.kernel.files.truncate(world.file, 2 * PAGE), [0, 0, 2, 0]],
  ])('when it is cut by %s', (_by, cut, dirt) => {
    const world = new World();
    world.kernel.files.truncate(world.file, 3 * PAGE);
    world.map(3);
    for (const page of [0, 1, 2]) world.read(page);
    expect(world.dirt()).toEqual([0, 0, 3, 0]);
    expect(cut(world)).toBe(0);
    expect(world.dirt()).toEqual(dirt);
  });

  it('when it is populated for writing: the page, not its entry', () => {
    const world = new World();
    world.anonymous(2, true);
    world.advise(f.MADV_POPULATE_READ, 2);
    expect(world.dirt()).toEqual([0, 0, 2, 0]);
    world.advise(f.MADV_POPULATE_WRITE, 1);
    expect(world.dirt()).toEqual([0, 0, 1, 1]);
    const dirtyEntry = (page: number): boolean => {
      const { tables } = world.kernel.memory;
      const at = world.process.space === null ? 0 : tables.findLeaf(world.process.space, BASE + page * PAGE);
      return (tables.words[at] & PTE_D) !== 0;
    };
    expect([0, 1].map(dirtyEntry)).toEqual([false, false]);
  });

  it('after its written entry has gone', () => {
    const world = new World();
    world.kernel.files.truncate(world.file, 2 * PAGE);
    world.map(2);
    world.read(0);
    world.write(0);
    world.advise(f.MADV_DONTNEED, 2);
    world.read(0);
    world.read(1);
    expect(world.dirt()).toEqual([0, 0, 1, 1]);
  });

  it('when a dirty entry of 2 MiB is split, and MADV_FREE of a shared part does not undo that', () => {
    const world = new World();
    world.anonymous(512);
    world.write(0);
    const child = world.fork();
    world.kernel.munmap(world.process, BASE + 312 * PAGE, 200 * PAGE);
    world.advise(f.MADV_FREE, 312);
    expect(world.dirt()).toEqual([0, 312, 0, 0]);
    expect(world.dirt(child)).toEqual([0, 312, 0, 200]);
    expect(world.usage().lazyFree).toBe(0);
  });

  it('no longer after MADV_FREE by its only user', () => {
    const world = new World();
    world.anonymous(1);
    world.write(0);
    world.advise(f.MADV_FREE, 1);
    world.advise(f.MADV_POPULATE_WRITE, 1);
    expect([world.dirt(), world.usage().lazyFree]).toEqual([[0, 0, 0, 1], 0]);
    world.advise(f.MADV_FREE, 1);
    world.advise(f.MADV_POPULATE_READ, 1);
    expect([world.dirt(), world.usage().lazyFree]).toEqual([[0, 0, 1, 0], PAGE]);
  });

  it('when the kernel collapses it, though the process may not write', () => {
    const world = new World();
    world.anonymous(512);
    world.advise(f.MADV_NOHUGEPAGE, 512);
    world.write(0);
    world.advise(f.MADV_HUGEPAGE, 512);
    world.kernel.mprotect(world.process, BASE, 512 * PAGE, f.PROT_READ);
    world.advise(f.MADV_COLLAPSE, 512);
    world.fork();
    expect(world.dirt()).toEqual([0, 512, 0, 0]);
    expect(world.kernel.audit()).toEqual([]);
  });
});

/** The child's entries are not accessed, so what it counts as referenced is what the pages know. */
describe('a page is referenced', () => {
  it('when it was populated, not when it was touched', () => {
    const world = new World();
    world.anonymous(4);
    world.advise(f.MADV_POPULATE_WRITE, 2);
    world.write(2);
    const child = world.fork();
    expect([world.referenced(world.process), world.referenced(child)]).toEqual([3, 2]);
  });

  it('once: a second use moves it on to the active list, where the third makes it referenced for good', () => {
    const world = new World();
    world.anonymous(2);
    world.advise(f.MADV_POPULATE_WRITE, 2);
    const child = world.fork();
    const seen = [1, 2, 3, 4].map(() => {
      const before = world.referenced(child);
      world.advise(f.MADV_POPULATE_READ, 2, 0, child);
      return before / 2;
    });
    expect(seen).toEqual([1, 0, 1, 1]);
  });

  /** What the child counts of page 0 of a private mapping of the file, after `use` of that page. */
  function inChild(use: (world: World) => void): number {
    const world = new World();
    world.kernel.files.truncate(world.file, 3 * PAGE);
    world.map(3, world.file, f.MAP_PRIVATE);
    world.write(2);
    use(world);
    world.read(0);
    return world.referenced(world.fork());
  }

  it.each([
    ['nothing', () => undefined, 0],
    [
      'write(2)',
      (world: World) => {
        world.put(8);
      },
      1,
    ],
    [
      'write(2) twice',
      (world: World) => {
        world.put(0);
        world.put(1);
      },
      0,
    ],
    [
      'read(2) from its beginning',
      (world: World) => {
        world.read(0);
        world.get(0);
      },
      1,
    ],
    [
      'read(2) from within',
      (world: World) => {
        world.read(0);
        world.get(1);
      },
      0,
    ],
    [
      'an unmapping after an access',
      (world: World) => {
        world.read(0);
        world.advise(f.MADV_DONTNEED, 1);
      },
      1,
    ],
    [
      'an unmapping where access is at random',
      (world: World) => {
        world.advise(f.MADV_RANDOM, 3);
        world.read(0);
        world.advise(f.MADV_DONTNEED, 1);
      },
      0,
    ],
    [
      'an unmapping without an access',
      (world: World) => {
        world.fork();
        world.advise(f.MADV_DONTNEED, 1);
      },
      0,
    ],
  ])('after %s', (_what, use, pages) => {
    expect(inChild(use)).toBe(pages);
  });

  it('by each try of write(2): one without a fault, one after it', () => {
    const world = new World();
    world.map(1, world.file, f.MAP_PRIVATE);
    const source = BASE + 16 * PAGE;
    world.kernel.mapRegion(world.process, source, PAGE);
    expect(world.kernel.pwrite(world.process, world.file, source, 10, 0)).toBe(10);
    const { frames } = world.kernel.memory;
    const frame = world.file.object.pages.get(0) ?? 0;
    const once = world.kernel.files.memfd('once');
    expect(world.kernel.pwrite(world.process, once, source, 10, 0)).toBe(10);
    const other = once.object.pages.get(0) ?? 0;
    expect([frame, other].map((page) => frames.flags[page] & FRAME_REFERENCED)).toEqual([0, FRAME_REFERENCED]);
  });

  it('for write(2) to memory, not to a disk', () => {
    const world = new World();
    world.put(0, world.disk);
    world.put(PAGE, world.disk);
    world.map(2, world.disk, f.MAP_PRIVATE);
    world.write(1);
    world.read(0);
    expect(world.referenced(world.fork())).toBe(0);
  });

  it('when a page of a disk file is cut', () => {
    const world = new World();
    world.put(0, world.disk);
    world.put(PAGE, world.disk);
    world.kernel.files.truncate(world.disk, PAGE + 8);
    world.kernel.files.truncate(world.disk, 8);
    world.put(PAGE, world.disk);
    world.map(2, world.disk, f.MAP_PRIVATE);
    world.write(1);
    world.read(0);
    expect(world.referenced(world.fork())).toBe(1);
  });

  it('no longer when MADV_FREE leaves it for the taking', () => {
    const world = new World();
    world.anonymous(1);
    world.advise(f.MADV_POPULATE_WRITE, 1);
    world.advise(f.MADV_FREE, 1);
    world.kernel.memory.lru.drain();
    expect(world.referenced(world.process)).toBe(0);
  });
});

describe('on the way to the active list', () => {
  /** Whether the page is referenced after four uses, with `between` after the first two. */
  function afterFour(isNew: boolean, between: (world: World) => void): boolean {
    const world = new World();
    world.kernel.files.truncate(world.file, PAGE);
    world.put(0);
    if (!isNew) world.kernel.memory.lru.drain();
    world.put(0);
    between(world);
    world.put(0);
    world.put(0);
    return (world.kernel.memory.frames.flags[world.file.object.pages.get(0) ?? 0] & FRAME_REFERENCED) !== 0;
  }

  it('a new page is active at once, any other when the batch is emptied', () => {
    expect(afterFour(true, () => undefined)).toBe(true);
    expect(afterFour(false, () => undefined)).toBe(false);
    expect(
      afterFour(false, (world) => {
        world.kernel.memory.lru.drain();
      }),
    ).toBe(true);
  });

  it('new pages of others make a page no longer new', () => {
    const world = new World();
    world.put(0);
    world.kernel.memory.lru.fillWithOthers();
    for (let i = 0; i < 3; i++) world.put(0);
    expect(world.kernel.memory.frames.flags[world.file.object.pages.get(0) ?? 0] & FRAME_REFERENCED).toBe(0);
  });
});
