import { describe, expect, it } from 'vitest';
import { MADV_DONTNEED } from '../../../../src/kernel/abi/flags.js';
import { ENOMEM } from '../../../../src/kernel/abi/errno.js';
import { OOM_KILL, SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, GIB, MIB, peek, spawn } from '../machine.js';

const BASE = GIB;

describe('demand-zero memory', () => {
  it('reads zeros from the one zero page and gets a frame of its own on the first write', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, MIB);
    expect(peek(kernel, process, BASE)).toBe(0);
    expect(process.space?.residentPages).toBe(0);
    expect(kernel.store(process, BASE + 5, 1, 7)).toBe(0);
    expect(peek(kernel, process, BASE + 5)).toBe(7);
    expect(process.space?.residentPages).toBe(1);
    expect(kernel.audit()).toEqual([]);
  });

  it('gives SEGV_MAPERR outside of any region', () => {
    const kernel = boot();
    const process = spawn(kernel);
    expect(peek(kernel, process, BASE)).toBe(SEGV_MAPERR);
    expect(kernel.counters.failedFaults).toBe(1);
  });

  it('maps 2 MiB at once where the policy and the region allow it', () => {
    const kernel = boot();
    const process = spawn(kernel, '2M');
    kernel.mapRegion(process, BASE, 4 * MIB);
    kernel.store(process, BASE + 3 * MIB, 4, 42);
    expect(process.space?.residentBytes).toBe(2 * MIB);
    expect(kernel.counters.minorFaults).toBe(1);
    expect(kernel.audit()).toEqual([]);
  });
});

describe('fork', () => {
  it.each([
    ['4K', 2 * MIB, 512],
    ['2M', 8 * MIB, 4],
    ['1G', GIB, 1],
  ] as const)('copies one entry a page of %s', (pages, bytes, entries) => {
    const kernel = boot(pages === '1G' ? 3 * GIB : 64 * MIB);
    const process = spawn(kernel, pages);
    kernel.mapRegion(process, BASE, bytes);
    for (let at = 0; at < bytes; at += bytes / entries) expect(kernel.populate(process, BASE + at)).toBe(0);
    alive(kernel.fork(process));
    expect(kernel.counters.forkEntriesCopied).toBe(entries);
    expect(kernel.audit()).toEqual([]);
  });

  it('leaves nothing of an earlier table in the holes of one that it copies whole', () => {
    const kernel = boot();
    const parent = spawn(kernel);
    kernel.mapRegion(parent, BASE, 2 * MIB);
    for (let at = 0; at < 2 * MIB; at += 4096) kernel.store(parent, BASE + at, 4, 1 + at);
    kernel.exit(alive(kernel.fork(parent)));
    for (let at = 0; at < 2 * MIB; at += 8192) expect(kernel.madvise(parent, BASE + at, 4096, MADV_DONTNEED)).toBe(0);
    const child = alive(kernel.fork(parent));
    expect(child.space?.residentPages).toBe(256);
    expect(kernel.audit()).toEqual([]);
    expect(peek(kernel, child, BASE)).toBe(0);
    expect(peek(kernel, child, BASE + 4096)).toBe(1);
  });

  it('copies for whoever writes first and lets the last owner write in place', () => {
    const kernel = boot();
    const parent = spawn(kernel);
    kernel.mapRegion(parent, BASE, MIB);
    kernel.store(parent, BASE, 1, 1);
    const child = alive(kernel.fork(parent));
    kernel.store(parent, BASE, 1, 2);
    expect(peek(kernel, child, BASE)).toBe(1);
    expect(kernel.counters.framesCopied).toBe(1);
    kernel.store(child, BASE, 1, 3);
    expect(kernel.counters.framesCopied).toBe(1);
    expect(kernel.counters.reuseFaults).toBe(1);
    expect(peek(kernel, parent, BASE)).toBe(2);
    expect(kernel.audit()).toEqual([]);
  });

  it('splits only the entry of the one who writes to a shared huge page', () => {
    const kernel = boot();
    const parent = spawn(kernel, '2M');
    kernel.mapRegion(parent, BASE, 2 * MIB);
    kernel.store(parent, BASE + MIB, 1, 9);
    const child = alive(kernel.fork(parent));
    kernel.store(child, BASE, 1, 4);
    expect(kernel.counters.hugeSplits).toBe(1);
    expect(kernel.counters.framesCopied).toBe(1);
    expect(peek(kernel, parent, BASE)).toBe(0);
    expect(peek(kernel, child, BASE + MIB)).toBe(9);
    expect(kernel.audit()).toEqual([]);
  });

  it('gives every frame back, whoever exits first', () => {
    const kernel = boot();
    const free = kernel.memory.frames.buddy.free;
    const first = spawn(kernel);
    kernel.mapRegion(first, BASE, MIB);
    for (let at = 0; at < MIB; at += 4096) kernel.store(first, BASE + at, 4, at);
    const second = alive(kernel.fork(first));
    const third = alive(kernel.fork(second));
    kernel.store(second, BASE, 4, 1);
    kernel.exit(first);
    kernel.exit(third);
    expect(kernel.audit()).toEqual([]);
    expect(peek(kernel, second, BASE + 4096)).toBe(0);
    kernel.exit(second);
    expect(kernel.memory.frames.buddy.free).toBe(free);
    expect(kernel.audit()).toEqual([]);
  });
});

describe('out of memory', () => {
  it('fails fork with ENOMEM at every allocation and leaves the parent whole', () => {
    const kernel = boot();
    const parent = spawn(kernel);
    kernel.mapRegion(parent, BASE, 4 * MIB);
    for (let at = 0; at < 4 * MIB; at += MIB) kernel.store(parent, BASE + at, 1, 5);
    const { buddy } = kernel.memory.frames;
    const free = buddy.free;
    let failures = 0;
    for (let n = 1; ; n++) {
      buddy.failAt = buddy.requests + n;
      const child = kernel.fork(parent);
      buddy.failAt = 0;
      expect(kernel.audit()).toEqual([]);
      if (typeof child !== 'number') break;
      failures++;
      expect(child).toBe(ENOMEM);
      expect(buddy.free).toBe(free);
      expect(peek(kernel, parent, BASE)).toBe(5);
    }
    expect(failures).toBeGreaterThan(4);
  });

  it('kills the process whose fault finds no frame', () => {
    const kernel = boot(MIB);
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, 4 * MIB);
    let result = 0;
    for (let at = 0; at < 4 * MIB && result === 0; at += 4096) result = kernel.store(process, BASE + at, 1, 1);
    expect(result).toBe(OOM_KILL);
    expect(process.alive).toBe(false);
    expect(kernel.audit()).toEqual([]);
  });
});
