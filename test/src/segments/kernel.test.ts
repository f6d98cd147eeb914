import { describe, expect, it } from 'vitest';
import { SS } from '../../../hw/x86/segmentation/register.js';
import { ENOMEM } from '../../../src/kernel/abi/errno.js';
import { SEGV_ACCERR, SEGV_MAPERR } from '../../../src/kernel/abi/signal.js';
import { alive, boot, data, KIB, MIB, peek } from './machine.js';

describe('segments of one process', () => {
  it('start as zeros, and keep what is stored', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const selector = data(kernel, process, 1000);
    expect(peek(kernel, process, selector, 999)).toBe(0);
    expect(kernel.store(process, selector, 996, 4, 0x01020304)).toBe(0);
    expect(peek(kernel, process, selector, 999)).toBe(1);
    expect(kernel.audit()).toEqual([]);
  });

  it('end at their limit, the last valid offset', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const selector = data(kernel, process, 1000);
    expect(peek(kernel, process, selector, 1000)).toBe(SEGV_MAPERR);
    expect(kernel.store(process, selector, 997, 4, 1)).toBe(SEGV_MAPERR);
    expect(kernel.counters.failedFaults).toBe(2);
  });

  it('above 1 MiB are whole units of 4 KiB', () => {
    const kernel = boot(4 * MIB);
    const process = alive(kernel.spawn());
    const selector = data(kernel, process, MIB + 1);
    expect(peek(kernel, process, selector, MIB + 4095)).toBe(0);
    expect(peek(kernel, process, selector, MIB + 4096)).toBe(SEGV_MAPERR);
  });

  it('refuse writes to code and constants, and fetches from data', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const code = kernel.create(process, { kind: 'code', bytes: 100 });
    const constants = kernel.create(process, { kind: 'constants', bytes: 100 });
    expect(kernel.fetch(process, code, 10, 4)).toBe(0);
    expect(peek(kernel, process, code, 10)).toBe(0);
    expect(kernel.store(process, code, 10, 1, 1)).toBe(SEGV_ACCERR);
    expect(kernel.store(process, constants, 10, 1, 1)).toBe(SEGV_ACCERR);
    expect(kernel.fetch(process, constants, 10, 1)).toBe(SEGV_ACCERR);
    expect(peek(kernel, process, 0x77, 0)).toBe(SEGV_MAPERR);
  });

  it('may be more than the first table has room for', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const selectors = Array.from({ length: 100 }, () => data(kernel, process, 64));
    selectors.forEach((selector, i) => {
      expect(kernel.store(process, selector, 0, 1, i)).toBe(0);
    });
    selectors.forEach((selector, i) => {
      expect(peek(kernel, process, selector, 0)).toBe(i);
    });
    expect(kernel.audit()).toEqual([]);
  });
});

describe('a selector with another RPL than the kernel gave', () => {
  /** The same descriptor: the processor checks its DPL, 3, against CPL and RPL. */
  const withoutRpl = (selector: number): number => selector & ~3;

  it('is copied on write', () => {
    const kernel = boot();
    const parent = alive(kernel.spawn());
    const selector = data(kernel, parent, 100);
    const child = alive(kernel.fork(parent));
    expect(kernel.store(child, withoutRpl(selector), 0, 1, 5)).toBe(0);
    expect([peek(kernel, child, selector, 0), peek(kernel, parent, selector, 0)]).toEqual([5, 0]);
    expect(kernel.audit()).toEqual([]);
  });

  it('leads to the segment where that is now, also from a register that held it before', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const selector = data(kernel, process, 100);
    data(kernel, process, 100);
    expect(peek(kernel, process, withoutRpl(selector), 0)).toBe(0);
    expect(kernel.grow(process, selector, 1000)).toBe(0);
    expect(kernel.audit()).toEqual([]);
    expect(peek(kernel, process, withoutRpl(selector), 999)).toBe(0);
  });
});

describe('fork', () => {
  it('copies descriptors only, then the whole segment at the first write, and nothing for the last owner', () => {
    const kernel = boot();
    const parent = alive(kernel.spawn());
    const selector = data(kernel, parent, 100 * KIB);
    kernel.store(parent, selector, 5, 1, 7);
    const child = alive(kernel.fork(parent));
    expect(kernel.counters.bytesCopied).toBe(0);
    expect(kernel.store(child, selector, 6, 1, 9)).toBe(0);
    expect(kernel.counters.bytesCopied).toBe(100 * KIB);
    expect([peek(kernel, parent, selector, 5), peek(kernel, parent, selector, 6)]).toEqual([7, 0]);
    expect([peek(kernel, child, selector, 5), peek(kernel, child, selector, 6)]).toEqual([7, 9]);
    expect(kernel.store(parent, selector, 6, 1, 8)).toBe(0);
    expect(kernel.counters).toMatchObject({ bytesCopied: 100 * KIB, cowFaults: 1, reuseFaults: 1 });
    expect(kernel.audit()).toEqual([]);
  });

  it('takes the right to write from the register that holds the descriptor already', () => {
    const kernel = boot();
    const parent = alive(kernel.spawn());
    const selector = data(kernel, parent, 64);
    kernel.store(parent, selector, 0, 1, 1);
    const child = alive(kernel.fork(parent));
    kernel.store(parent, selector, 0, 1, 2);
    expect(kernel.counters.cowFaults).toBe(1);
    expect(peek(kernel, child, selector, 0)).toBe(1);
  });

  it('leaves shared segments shared and constants alone', () => {
    const kernel = boot();
    const parent = alive(kernel.spawn());
    const other = alive(kernel.spawn());
    const shared = data(kernel, parent, 64);
    const constants = kernel.create(parent, { kind: 'constants', bytes: 64 });
    const theirs = kernel.share(parent, shared, other);
    const child = alive(kernel.fork(parent));
    kernel.store(child, shared, 3, 1, 5);
    expect([peek(kernel, parent, shared, 3), peek(kernel, other, theirs, 3)]).toEqual([5, 5]);
    expect(peek(kernel, child, constants, 0)).toBe(0);
    expect(kernel.counters).toMatchObject({ cowFaults: 0, forkDescriptorsProtected: 0, forkDescriptorsCopied: 2 });
    expect(parent.entry(shared)?.segment.references).toBe(3);
    expect(kernel.audit()).toEqual([]);
  });

  it('copies a stack before its first use, since SS takes writable segments only', () => {
    const kernel = boot();
    const parent = alive(kernel.spawn());
    const stack = data(kernel, parent, 256);
    kernel.store(parent, stack, 252, 4, 11, SS);
    const child = alive(kernel.fork(parent));
    expect(kernel.load(child, stack, 252, 4, SS)).toBe(0);
    expect(kernel.valueLo).toBe(11);
    expect(kernel.counters.cowFaults).toBe(1);
    expect(kernel.load(parent, stack, 252, 4, SS)).toBe(0);
    expect(kernel.counters.reuseFaults).toBe(1);
    expect(kernel.audit()).toEqual([]);
  });

  it('gives everything back, whoever exits first', () => {
    const kernel = boot();
    const { free } = kernel.memory.arena;
    const first = alive(kernel.spawn());
    const selector = data(kernel, first, 64);
    const second = alive(kernel.fork(first));
    const third = alive(kernel.fork(second));
    kernel.store(second, selector, 0, 1, 1);
    kernel.exit(first);
    kernel.exit(third);
    expect(kernel.audit()).toEqual([]);
    kernel.exit(second);
    expect(kernel.memory.arena.free).toBe(free);
    expect(kernel.memory.tableArena.free).toBe(kernel.memory.tableArena.bytes);
    expect(kernel.audit()).toEqual([]);
  });

  it('lets a write fail, and nothing else, when there is no room for the copy', () => {
    const kernel = boot(64 * KIB, { swapBytes: 0 });
    const parent = alive(kernel.spawn());
    const selector = data(kernel, parent, 40 * KIB);
    kernel.store(parent, selector, 0, 1, 1);
    const child = alive(kernel.fork(parent));
    expect(kernel.store(child, selector, 0, 1, 2)).toBe(ENOMEM);
    expect(peek(kernel, child, selector, 0)).toBe(1);
    expect(kernel.audit()).toEqual([]);
    kernel.exit(parent);
    expect(kernel.store(child, selector, 0, 1, 2)).toBe(0);
  });
});

describe('grow', () => {
  it('goes on in place where the arena is free behind, and moves otherwise', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const first = data(kernel, process, 100);
    kernel.store(process, first, 99, 1, 1);
    expect(kernel.grow(process, first, 200)).toBe(0);
    expect(kernel.counters.segmentsMoved).toBe(0);
    data(kernel, process, 16);
    expect(kernel.grow(process, first, 300)).toBe(0);
    expect(kernel.counters.segmentsMoved).toBe(1);
    expect([99, 100, 299].map((at) => peek(kernel, process, first, at))).toEqual([1, 0, 0]);
    expect(kernel.audit()).toEqual([]);
  });

  it('is seen by those who share on purpose, not by a child', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const other = alive(kernel.spawn());
    const shared = data(kernel, process, 100);
    const own = data(kernel, process, 100);
    const theirs = kernel.share(process, shared, other);
    const child = alive(kernel.fork(process));
    expect(kernel.grow(process, shared, 150)).toBe(0);
    expect(kernel.grow(process, own, 150)).toBe(0);
    expect(peek(kernel, other, theirs, 149)).toBe(0);
    expect(peek(kernel, child, own, 149)).toBe(SEGV_MAPERR);
    expect(kernel.audit()).toEqual([]);
  });

  it('shows zeros again after shrinking', () => {
    const kernel = boot();
    const process = alive(kernel.spawn());
    const selector = data(kernel, process, 103);
    kernel.store(process, selector, 102, 1, 9);
    kernel.grow(process, selector, 97);
    expect(peek(kernel, process, selector, 97)).toBe(SEGV_MAPERR);
    kernel.grow(process, selector, 103);
    expect(peek(kernel, process, selector, 102)).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });
});

describe('sharing', () => {
  it('ends with unshare, which copies', () => {
    const kernel = boot();
    const [first, second] = [alive(kernel.spawn()), alive(kernel.spawn())];
    const selector = data(kernel, first, 64);
    const theirs = kernel.share(first, selector, second);
    kernel.store(first, selector, 0, 1, 3);
    expect(kernel.unshare(second, theirs)).toBe(0);
    kernel.store(first, selector, 0, 1, 4);
    expect([peek(kernel, first, selector, 0), peek(kernel, second, theirs, 0)]).toEqual([4, 3]);
    expect(kernel.audit()).toEqual([]);
  });

  it('starts with a copy where the segment is shared by copy-on-write', () => {
    const kernel = boot();
    const [parent, other] = [alive(kernel.spawn()), alive(kernel.spawn())];
    const selector = data(kernel, parent, 64);
    const child = alive(kernel.fork(parent));
    const theirs = kernel.share(parent, selector, other);
    kernel.store(other, theirs, 0, 1, 6);
    expect([peek(kernel, parent, selector, 0), peek(kernel, child, selector, 0)]).toEqual([6, 0]);
    expect(kernel.audit()).toEqual([]);
  });

  it('through a master descriptor takes one update when the segment moves', () => {
    const kernel = boot();
    const [first, second, third] = [alive(kernel.spawn()), alive(kernel.spawn()), alive(kernel.spawn())];
    const below = data(kernel, first, 64);
    const local = data(kernel, first, 64);
    const selector = kernel.publish(first, local);
    kernel.share(first, selector, second);
    kernel.share(first, selector, third);
    kernel.store(second, selector, 0, 1, 8);
    kernel.remove(first, below);
    const before = kernel.counters.descriptorsWritten;
    expect(kernel.compact()).toBe(true);
    expect(kernel.counters.descriptorsWritten - before).toBe(1);
    expect([first, second, third].map((process) => peek(kernel, process, selector, 0))).toEqual([8, 8, 8]);
    expect(kernel.audit()).toEqual([]);
    for (const process of [first, second, third]) kernel.exit(process);
    expect(kernel.memory.segments.size).toBe(0);
  });
});
