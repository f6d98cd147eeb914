import { describe, expect, it } from 'vitest';
import { ENOMEM } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { OOM_KILL } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, GIB, MIB, peek } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const HUGE = 2 * MIB;

interface Scene {
  readonly kernel: Kernel;
  readonly process: Process;
  /** Shares everything with `process` by fork. */
  readonly sibling: Process;
}

function map(kernel: Kernel, process: Process, address: number, length: number, flags: number): void {
  const prot = f.PROT_READ | f.PROT_WRITE;
  const result = kernel.mmap(process, { address, length, prot, flags: flags | f.MAP_FIXED, file: null, offset: 0 });
  expect(result).toBe(address);
}

/** Touched, shared, huge and untouched memory, the same each time. */
function scene(): Scene {
  const kernel = boot(32 * MIB);
  const process = alive(kernel.spawn({ hugePages: 'madvise', brk: BASE / 2 }));
  map(kernel, process, BASE, 16 * PAGE, f.MAP_PRIVATE | f.MAP_ANONYMOUS);
  map(kernel, process, BASE + HUGE, HUGE, f.MAP_PRIVATE | f.MAP_ANONYMOUS);
  map(kernel, process, BASE + 4 * HUGE, 8 * PAGE, f.MAP_SHARED | f.MAP_ANONYMOUS);
  map(kernel, process, BASE + 8 * HUGE, 8 * PAGE, f.MAP_PRIVATE | f.MAP_ANONYMOUS);
  kernel.madvise(process, BASE + HUGE, HUGE, f.MADV_HUGEPAGE);
  for (const at of [0, PAGE, 5 * PAGE, HUGE, 4 * HUGE]) kernel.store(process, BASE + at, 1, 1 + (at % 251));
  const sibling = alive(kernel.fork(process));
  kernel.store(process, BASE + PAGE, 1, 77);
  return { kernel, process, sibling };
}

/** What both processes read at the places that {@link scene} wrote. */
function contents({ kernel, process, sibling }: Scene): number[] {
  const places = [0, PAGE, 5 * PAGE, HUGE, 4 * HUGE];
  return [process, sibling].flatMap((who) => places.map((at) => (who.alive ? peek(kernel, who, BASE + at) : NaN)));
}

/** Each call returns a negative number when it fails. */
const CALLS: Record<string, (scene: Scene) => number> = {
  fork: ({ kernel, process }) => {
    const child = kernel.fork(process);
    return typeof child === 'number' ? child : 0;
  },
  exec: ({ kernel, sibling }) => kernel.exec(sibling),
  'mmap private': ({ kernel, process }) =>
    kernel.mmap(process, {
      address: 0,
      length: PAGE,
      prot: 3,
      flags: f.MAP_PRIVATE | f.MAP_ANONYMOUS,
      file: null,
      offset: 0,
    }),
  'mmap shared over the middle of a VMA': ({ kernel, process }) =>
    kernel.mmap(process, {
      address: BASE + 2 * PAGE,
      length: PAGE,
      prot: 3,
      flags: f.MAP_SHARED | f.MAP_ANONYMOUS | f.MAP_FIXED,
      file: null,
      offset: 0,
    }),
  'munmap of the middle': ({ kernel, process }) => kernel.munmap(process, BASE + 8 * PAGE, 2 * PAGE),
  'mprotect of the middle': ({ kernel, process }) => kernel.mprotect(process, BASE + 4 * PAGE, 4 * PAGE, 1),
  'mprotect inside a huge page': ({ kernel, process }) => kernel.mprotect(process, BASE + HUGE + 8 * PAGE, PAGE, 1),
  'mremap to another place': ({ kernel, process }) =>
    kernel.mremap(process, {
      address: BASE + 8 * HUGE,
      oldLength: 4 * PAGE,
      newLength: 4 * PAGE,
      flags: f.MREMAP_MAYMOVE | f.MREMAP_FIXED,
      newAddress: BASE + 600 * HUGE,
    }),
  'mremap of touched pages': ({ kernel, process }) =>
    kernel.mremap(process, {
      address: BASE,
      oldLength: 16 * PAGE,
      newLength: 16 * PAGE,
      flags: f.MREMAP_MAYMOVE | f.MREMAP_FIXED | f.MREMAP_DONTUNMAP,
      newAddress: BASE + 600 * HUGE + PAGE,
    }),
  'madvise DONTFORK of the middle': ({ kernel, process }) =>
    kernel.madvise(process, BASE + 4 * PAGE, PAGE, f.MADV_DONTFORK),
  'madvise POPULATE_WRITE': ({ kernel, process }) =>
    kernel.madvise(process, BASE + 8 * HUGE, 8 * PAGE, f.MADV_POPULATE_WRITE),
  'madvise POPULATE_READ of shared memory': ({ kernel, process }) =>
    kernel.madvise(process, BASE + 4 * HUGE, 8 * PAGE, f.MADV_POPULATE_READ),
  'madvise GUARD_INSTALL': ({ kernel, process }) =>
    kernel.madvise(process, BASE + 8 * HUGE, PAGE, f.MADV_GUARD_INSTALL),
  'madvise COLLAPSE': ({ kernel, process }) => {
    kernel.store(process, BASE + HUGE + PAGE, 1, 9);
    return process.alive ? kernel.madvise(process, BASE + HUGE, HUGE, f.MADV_COLLAPSE) : ENOMEM;
  },
  brk: ({ kernel, process }) => (kernel.brk(process, BASE / 2 + PAGE) > BASE / 2 ? 0 : ENOMEM),
  'pwrite into a file': ({ kernel }) => kernel.files.write(kernel.files.memfd('m'), 0, Uint8Array.of(1)),
  fallocate: ({ kernel }) => kernel.files.allocate(kernel.files.memfd('m'), 0, 0, 4 * PAGE),
};

const FAULTS: Record<string, (scene: Scene) => number> = {
  'first write': ({ kernel, process }) => kernel.store(process, BASE + 8 * HUGE, 1, 1),
  'first read': ({ kernel, process }) => kernel.load(process, BASE + 8 * HUGE, 1),
  'copy on write': ({ kernel, process }) => kernel.store(process, BASE + 5 * PAGE, 1, 1),
  'copy on write of a huge page': ({ kernel, process }) => kernel.store(process, BASE + HUGE, 1, 1),
  'write to shared memory': ({ kernel, process }) => kernel.store(process, BASE + 4 * HUGE + PAGE, 1, 1),
};

/** Runs `call` with the first, second, ... request for memory failing, until it asks for no more. */
function failEach(call: (scene: Scene) => number, check: (result: number, scene: Scene) => void): number {
  for (let n = 1; ; n++) {
    const stage = scene();
    const { buddy } = stage.kernel.memory.frames;
    buddy.failAt = buddy.requests + n;
    const result = call(stage);
    const reached = buddy.requests >= buddy.failAt;
    buddy.failAt = 0;
    expect(stage.kernel.audit()).toEqual([]);
    if (!reached) {
      expect(result).toBeGreaterThanOrEqual(0);
      return n - 1;
    }
    check(result, stage);
  }
}

describe('memory running out at every single request', () => {
  it.each(Object.entries(CALLS))('%s fails with ENOMEM or finds another way, and nothing is lost', (name, call) => {
    const before = contents(scene());
    let failures = 0;
    failEach(call, (result, stage) => {
      if (result < 0) {
        failures++;
        expect(result).toBe(ENOMEM);
        // A split by the very call does not change what is read.
        if (stage.process.alive) expect(contents(stage)).toEqual(before);
      }
      const { kernel, process, sibling } = stage;
      for (const who of [...kernel.processes.values()]) kernel.exit(who);
      expect([process.alive, sibling.alive]).toEqual([false, false]);
      expect(kernel.audit()).toEqual([]);
    });
    expect([name, failures > 0]).toEqual([name, true]);
  });

  it.each(Object.entries(FAULTS))('%s kills the process or finds another way', (_name, access) => {
    const before = contents(scene());
    const requests = failEach(access, (result, stage) => {
      if (result < 0) {
        expect(result).toBe(OOM_KILL);
        expect(stage.process.alive).toBe(false);
        expect(contents(stage).slice(5)).toEqual(before.slice(5));
      }
    });
    expect(requests).toBeGreaterThan(0);
  });
});
