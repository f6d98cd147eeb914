import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EFBIG, EINVAL } from '../../../../src/kernel/abi/errno.js';
import type { OpenFile } from '../../../../src/kernel/space/model.js';
import { Files } from '../../../../src/kernel/files/files.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import type { PagePolicy, Process } from '../../../../src/kernel/space/process.js';
import { ProcessTable } from '../../../../src/kernel/process-table.js';
import { IPC_CREAT, IPC_PRIVATE, SharedMemory } from '../../../../src/kernel/calls/shm.js';
import { SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import { alive, bootWithMmu, GIB, methodsOf, MIB, ranges } from '../machine.js';

const BASE = GIB;
const HEAP = 0x1000_0000;
const PAGE = 4096;
const RW = f.PROT_READ | f.PROT_WRITE;
const FIXED = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED;

/** A process with a heap, memory at {@link BASE}, a file and a segment. */
class World {
  readonly kernel: Kernel;
  readonly mmu;
  readonly process: Process;
  readonly file: OpenFile;
  readonly segment: number;

  constructor(bytes = 8 * MIB) {
    ({ kernel: this.kernel, mmu: this.mmu } = bootWithMmu(bytes));
    this.process = alive(this.kernel.spawn({ brk: HEAP }));
    this.file = this.kernel.files.memfd('m');
    this.segment = this.kernel.shm.get(IPC_PRIVATE, 2 * PAGE, IPC_CREAT);
    this.mmap(BASE, 4 * PAGE, RW, FIXED, 0, null);
    this.kernel.brk(this.process, HEAP + PAGE);
    this.kernel.files.truncate(this.file, 3 * PAGE);
  }

  mmap(address: number, length: number, prot: number, flags: number, offset: number, file: OpenFile | null): number {
    return this.kernel.mmap(this.process, { address, length, prot, flags, offset, file });
  }
}

/** Where all memory is locked, none is left for a process. */
function ifMade(made: Process | number, run: (process: Process) => unknown): void {
  if (typeof made !== 'number') run(made);
}

/** Every call that takes a number, with the numbers that it takes; those that take none are here for {@link publicCalls}. */
const CALLS: Record<string, (world: World, a: number, b: number, c: number, d: number) => unknown> = {
  mmap: (world, a, b, c, d) => world.mmap(a, b, RW, c, d, null),
  'mmap of a file': (world, a, b, c, d) => world.mmap(a, b, c, f.MAP_SHARED, d, world.file),
  munmap: ({ kernel, process }, a, b) => kernel.munmap(process, a, b),
  mprotect: ({ kernel, process }, a, b, c) => kernel.mprotect(process, a, b, c),
  mremap: ({ kernel, process }, address, oldLength, newLength, newAddress) =>
    kernel.mremap(process, { address, oldLength, newLength, newAddress, flags: f.MREMAP_MAYMOVE }),
  'mremap to a place': ({ kernel, process }, address, oldLength, newLength, newAddress) =>
    kernel.mremap(process, { address, oldLength, newLength, newAddress, flags: f.MREMAP_MAYMOVE | f.MREMAP_FIXED }),
  madvise: ({ kernel, process }, a, b, c) => kernel.madvise(process, a, b, c),
  'madvise DONTNEED': ({ kernel, process }, a, b) => kernel.madvise(process, a, b, f.MADV_DONTNEED),
  'madvise COLD': ({ kernel, process }, a, b) => kernel.madvise(process, a, b, f.MADV_COLD),
  'madvise COLLAPSE': ({ kernel, process }, a, b) => kernel.madvise(process, a, b, f.MADV_COLLAPSE),
  'madvise POPULATE_WRITE': ({ kernel, process }, a, b) => kernel.madvise(process, a, b, f.MADV_POPULATE_WRITE),
  msync: ({ kernel, process }, a, b, c) => kernel.msync(process, a, b, c),
  mlock: ({ kernel, process }, a, b) => kernel.mlock(process, a, b),
  mlock2: ({ kernel, process }, a, b, c) => kernel.mlock2(process, a, b, c),
  munlock: ({ kernel, process }, a, b) => kernel.munlock(process, a, b),
  mlockall: ({ kernel, process }, a) => kernel.mlockall(process, a),
  munlockall: ({ kernel, process }) => kernel.munlockall(process),
  mincore: ({ kernel, process }, a, b) => kernel.mincore(process, a, b),
  brk: ({ kernel, process }, a) => kernel.brk(process, a),
  shmat: ({ kernel, process, segment }, a, b) => kernel.shmat(process, segment, a, b),
  'shmat of another': ({ kernel, process }, a, b) => kernel.shmat(process, a, b, 0),
  shmdt: ({ kernel, process }, a) => kernel.shmdt(process, a),
  pread: ({ kernel, process, file }, a, b, c) => kernel.pread(process, file, a, b, c),
  pwrite: ({ kernel, process, file }, a, b, c) => kernel.pwrite(process, file, a, b, c),
  copyIn: ({ kernel, process }, a) => kernel.copyIn(process, a, new Uint8Array(5000)),
  copyOut: ({ kernel, process }, a) => kernel.copyOut(process, a, new Uint8Array(5000)),
  load: ({ kernel, process }, a, b) => kernel.load(process, a, b),
  store: ({ kernel, process }, a, b, c) => kernel.store(process, a, b, c),
  fetch: ({ kernel, process }, a, b) => kernel.fetch(process, a, b),
  mapRegion: ({ kernel, process }, a, b) => kernel.mapRegion(process, a, b),
  populate: ({ kernel, process }, a) => kernel.populate(process, a),
  pagemap: ({ kernel, process }, a) => kernel.pagemap(process, a),
  spawn: ({ kernel }, brk) => {
    ifMade(kernel.trySpawn(), (room) => {
      kernel.exit(room);
      kernel.exit(kernel.spawn({ brk }));
    });
  },
  trySpawn: ({ kernel }, brk) => kernel.trySpawn({ brk }),
  fork: ({ kernel, process }) => kernel.fork(process),
  vfork: ({ kernel, process }) => {
    ifMade(kernel.vfork(process), (child) => {
      kernel.exit(child);
    });
  },
  exec: ({ kernel }) => {
    ifMade(kernel.trySpawn(), (process) => kernel.exec(process));
  },
  exit: ({ kernel }, a) => {
    ifMade(kernel.trySpawn(), (process) => {
      kernel.exit(process, a);
    });
  },
  wait: ({ kernel, process }) => kernel.wait(process),
  maps: ({ kernel, process }) => kernel.maps(process),
  smaps: ({ kernel, process }) => kernel.smaps(process),
  vmstat: ({ kernel }) => kernel.vmstat(),
  clearSoftDirty: ({ kernel, process }) => {
    kernel.clearSoftDirty(process);
  },
  audit: ({ kernel }) => kernel.audit(),
  'files.memfd': ({ kernel }) => kernel.files.close(kernel.files.memfd('n')),
  'files.open': ({ kernel }) => kernel.files.close(kernel.files.open('o', 'disk')),
  'files.close': ({ kernel }) => kernel.files.close(kernel.files.memfd('n')),
  'files.unlink': ({ kernel }) => kernel.files.unlink('o'),
  'files.sync': ({ kernel, file }) => {
    kernel.files.sync(file);
  },
  'files.truncate': ({ kernel, file }, a) => kernel.files.truncate(file, a),
  'files.allocate': ({ kernel, file }, a, b, c) => kernel.files.allocate(file, a, b, c),
  'files.read': ({ kernel, file }, a) => kernel.files.read(file, a, new Uint8Array(5000)),
  'files.write': ({ kernel, file }, a) => kernel.files.write(file, a, new Uint8Array(5000)),
  'shm.get': ({ kernel }, a, b, c) => kernel.shm.get(a, b, c),
  'shm.attach': ({ kernel, process, segment }, a, b) => kernel.shm.attach(process.space!, segment, a, b),
  'shm.detach': ({ kernel, process }, a) => kernel.shm.detach(process.space!, a),
  'shm.remove': ({ kernel }, a) => kernel.shm.remove(a),
  'shm.attachments': ({ kernel }, a) => kernel.shm.attachments(a),
};

/** The names of the public methods of the kernel and its parts. */
function publicCalls(): string[] {
  return [
    ...methodsOf(Kernel.prototype),
    ...methodsOf(ProcessTable.prototype),
    ...methodsOf(Files.prototype).map((name) => `files.${name}`),
    ...methodsOf(SharedMemory.prototype).map((name) => `shm.${name}`),
  ];
}

const odd = fc.constantFrom(
  ...[NaN, Infinity, -Infinity, 0.5, -0.5, PAGE + 0.5, BASE + 0.5, 1e-9, -1, -PAGE, -(2 ** 53), -(2 ** 64)],
  ...[2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 47 - PAGE, 2 ** 47, 2 ** 52, 2 ** 53, 2 ** 63, 2 ** 64, 1e300],
);
const sane = fc.constantFrom(0, 1, 2, 4, 8, 0x22, 0x32, PAGE, 2 * PAGE, HEAP + 3 * PAGE, BASE, BASE + PAGE, 2 * BASE);
const number = fc.oneof({ weight: 2, arbitrary: odd }, { weight: 3, arbitrary: sane });
const step = fc.tuple(fc.constantFrom(...Object.keys(CALLS)), number, number, number, number);

/** The call's result, or the RangeError that it threw; anything else thrown fails the test. */
function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return error;
    throw error;
  }
}

describe('arguments that are no addresses and no sizes', () => {
  it('are tried with every public call', () => {
    expect(publicCalls().filter((name) => !(name in CALLS))).toEqual([]);
  });

  it('end every call soon, with nothing but a RangeError thrown and the books in order', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }), (steps) => {
        const world = new World();
        for (const [name, a, b, c, d] of steps) attempt(() => CALLS[name](world, a, b, c, d));
        expect(world.kernel.audit()).toEqual([]);
        expect(world.mmu.checker?.found).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('a read of more than there is memory ends soon, also where each store is checked', () => {
    const world = new World(MIB);
    world.mmap(2 ** 31, 2 ** 31, RW, FIXED, 0, null);
    world.kernel.files.truncate(world.file, 2 ** 32);
    world.kernel.pread(world.process, world.file, 2 ** 31, 2 ** 31, PAGE);
    expect(world.kernel.audit()).toEqual([]);
  });

  it.each([NaN, Infinity, -Infinity, 0.5])('%s is EINVAL wherever a call is given it', (value) => {
    const calls = [
      'mmap',
      'munmap',
      'mprotect',
      'mremap',
      'madvise',
      'msync',
      'mlock',
      'mlock2',
      'munlock',
      'mlockall',
      'mincore',
      'shmat',
      'shmdt',
      'pread',
      'pwrite',
      'copyIn',
      'copyOut',
      'mapRegion',
      'trySpawn',
      'files.truncate',
      'files.allocate',
      'files.read',
      'files.write',
      'shm.get',
    ];
    const world = new World();
    const before = ranges(world.process);
    expect(calls.map((name) => [name, CALLS[name](world, value, value, value, value)])).toEqual(
      calls.map((name) => [name, EINVAL]),
    );
    expect(ranges(world.process)).toEqual(before);
    expect(world.file.object.size).toBe(3 * PAGE);
  });

  it.each([NaN, Infinity, HEAP + 0.5, -1, 2 ** 64])('a break of %s leaves the old one', (wanted) => {
    const { kernel, process } = new World();
    expect(kernel.brk(process, wanted)).toBe(HEAP + PAGE);
  });

  it.each([0, 9, 2 ** 32, NaN, Infinity, 1.5, -1])('a size of %s is no access', (size) => {
    const { kernel, process } = new World();
    const message = `size ${size}: must be a whole number from 1 to 8`;
    expect(() => kernel.load(process, BASE, size)).toThrow(new RangeError(message));
    expect(() => kernel.store(process, BASE, size, 1)).toThrow(new RangeError(message));
    expect(() => kernel.fetch(process, BASE, size)).toThrow(new RangeError(message));
  });

  it.each([NaN, Infinity, BASE + 0.5, -1, 2 ** 53, 2 ** 64])('an address of %s is no access', (address) => {
    const { kernel, process } = new World();
    expect(() => kernel.load(process, address, 1)).toThrow(RangeError);
    expect(() => kernel.store(process, address, 1, 1)).toThrow(RangeError);
    expect(() => kernel.pagemap(process, address)).toThrow(RangeError);
  });

  it('an address that is not canonical is an access, which faults', () => {
    const { kernel, process } = new World();
    expect(kernel.load(process, 2 ** 52, 1)).toBe(SEGV_MAPERR);
  });

  it('a range to shrink that ends past the user addresses takes nothing away', () => {
    const { kernel, process } = new World();
    const request = { address: BASE, oldLength: 2 ** 60, newLength: PAGE, flags: 0, newAddress: 0 };
    expect(kernel.mremap(process, request)).toBe(EINVAL);
    expect(ranges(process)).toContainEqual([BASE, 4]);
  });

  it('a file has no more bytes than offsets are exact for', () => {
    const { kernel, file } = new World();
    expect(kernel.files.truncate(file, 2 ** 64)).toBe(EFBIG);
  });
});

describe('the audit', () => {
  it.each([
    ['an end that is no number', { end: NaN }, 'has an edge that is no page of a process: 1073741824, NaN'],
    ['an edge inside a page', { start: BASE + 1 }, 'has an edge that is no page of a process: 1073741825, 1073758208'],
    ['an edge past the user addresses', { end: 2 ** 47 }, 'has an edge that is no page of a process'],
    ['an end at the start', { end: BASE }, 'is empty or overlaps the one before'],
    ['a start in the VMA before', { start: HEAP }, 'is empty or overlaps the one before'],
    ['edges that its tree does not know', { end: BASE + PAGE }, 'the tree is wrong about VMA 0x40000000'],
  ])('notices a VMA with %s', (_what, change, problem) => {
    const { kernel, process } = new World();
    expect(kernel.audit()).toEqual([]);
    Object.assign(process.space!.vmas.at(BASE)!, change);
    expect(kernel.audit().join('\n')).toContain(problem);
  });
});

describe('a name that is none of the choices', () => {
  it('is refused as the kind of a file, and makes none', () => {
    const { kernel } = new World();
    expect(() => kernel.files.open('libc.so', 'file' as 'disk')).toThrow(
      new RangeError("kind of file 'file': must be 'disk' or 'shmem'"),
    );
    expect(kernel.files.open('libc.so', 'disk').object.kind).toBe('disk');
  });

  it('is refused as the pages of a process', () => {
    const { kernel } = new World();
    expect(() => kernel.spawn({ pages: '4M' as PagePolicy })).toThrow("pages '4M': must be '4K' or '2M' or '1G'");
    expect(() => kernel.spawn({ hugePages: 'sometimes' as 'never' })).toThrow("hugePages 'sometimes'");
  });
});
