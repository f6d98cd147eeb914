import { describe, expect, it } from 'vitest';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { SegmentedCore } from '../../../hw/x86/segmentation/core.js';
import { EFAULT, EINVAL, ENOMEM } from '../../../src/kernel/abi/errno.js';
import { SEGV_MAPERR } from '../../../src/kernel/abi/signal.js';
import { roundUp } from '../../../src/segments/arena/arena.js';
import { SegmentKernel } from '../../../src/segments/kernel.js';
import { Multics } from '../../../src/segments/multics/multics.js';
import type { SegmentProcess } from '../../../src/segments/process.js';
import { alive, boot, data, KIB, peek } from './machine.js';

function withSegment(): { kernel: SegmentKernel; process: SegmentProcess; selector: number } {
  const kernel = boot(64 * KIB);
  const process = alive(kernel.spawn());
  return { kernel, process, selector: data(kernel, process, 4 * KIB) };
}

// An audit that says nothing to anything would let every other test pass.
it.each<[string, (made: ReturnType<typeof withSegment>) => void, RegExp]>([
  [
    'room that is in no hole',
    ({ kernel }) => kernel.memory.arena.allocate(16),
    /arena: 16 bytes before 0x\w+ are leaked/,
  ],
  [
    'room that is given back twice',
    ({ kernel }) => {
      kernel.memory.arena.release(0x1_0000, 16);
    },
    /arena: .* overlaps/,
  ],
  ['swap space', ({ kernel }) => (kernel.memory.swap.used += 16), /swap area: 0 bytes are there, 16 are accounted/],
  [
    'a descriptor that is shared and copied on write',
    ({ process, selector }) => Object.assign(process.entry(selector)!, { shared: true, cow: true }),
    /shared, and copied on write/,
  ],
  [
    'holders of a master descriptor',
    ({ kernel, process, selector }) => {
      const master = kernel.publish(process, selector);
      process.entry(master)!.holders++;
    },
    /1 processes hold it, 2 are counted/,
  ],
])('the audit notices wrong books: %s', (_what, spoil, problem) => {
  const made = withSegment();
  expect(made.kernel.audit()).toEqual([]);
  spoil(made);
  expect(made.kernel.audit().join('\n')).toMatch(problem);
});

it('room comes in whole granules of 16 bytes, at least one', () => {
  expect([0, 1, 16, 17].map((bytes) => roundUp(bytes))).toEqual([16, 16, 16, 32]);
});

it('compaction of what lies together moves nothing, and says so', () => {
  const { kernel, process } = withSegment();
  data(kernel, process, 64);
  expect(kernel.compact()).toBe(false);
  expect(kernel.counters).toMatchObject({ compactions: 0, segmentsMoved: 0 });
});

it('a segment that gets shorter gives its room back, and its bytes are gone when it grows again', () => {
  const { kernel, process, selector } = withSegment();
  kernel.store(process, selector, 100, 1, 7);
  const { free } = kernel.memory.arena;
  expect(kernel.grow(process, selector, 64)).toBe(0);
  expect(kernel.memory.arena.free).toBe(free + 4 * KIB - 64);
  expect(peek(kernel, process, selector, 64)).toBe(SEGV_MAPERR);
  expect(kernel.grow(process, selector, 128)).toBe(0);
  expect(peek(kernel, process, selector, 100)).toBe(0);
  expect(kernel.audit()).toEqual([]);
});

it('a segment that gets shorter stays where it is, between others too', () => {
  const { kernel, process, selector } = withSegment();
  data(kernel, process, 64);
  const { segment } = process.entry(selector)!;
  const { base } = segment;
  expect(kernel.grow(process, selector, 64)).toBe(0);
  expect([segment.base, segment.room]).toEqual([base, 64]);
  expect(kernel.counters.segmentsMoved).toBe(0);
});

it('a segment that was just used cannot be used once it is removed', () => {
  const { kernel, process, selector } = withSegment();
  expect(kernel.store(process, selector, 0, 1, 7)).toBe(0);
  expect(kernel.remove(process, selector)).toBe(0);
  expect(kernel.store(process, selector, 0, 1, 7)).toBe(SEGV_MAPERR);
  expect(kernel.memory.core.staleRegisters()).toEqual([]);
});

it('a place for a segment is a multiple of 16: EINVAL', () => {
  const { kernel, process } = withSegment();
  expect(kernel.create(process, { kind: 'data', bytes: 64, at: 0x1_8008 })).toBe(EINVAL);
  expect(kernel.create(process, { kind: 'data', bytes: 64, at: 0x1_8010 })).toBeGreaterThan(0);
});

it('loads have up to 8 bytes, in two words', () => {
  const { kernel, process, selector } = withSegment();
  kernel.store(process, selector, 0, 4, 0x1111_2222);
  kernel.store(process, selector, 4, 4, 0x3333_4444);
  expect(kernel.load(process, selector, 0, 8)).toBe(0);
  expect([kernel.valueLo, kernel.valueHi]).toEqual([0x1111_2222, 0x3333_4444]);
});

it('the end of another process leaves the table of the one that runs where it is', () => {
  const { kernel, process, selector } = withSegment();
  const other = alive(kernel.spawn());
  kernel.store(process, selector, 0, 1, 1);
  const { tableSwitches } = kernel.counters;
  kernel.exit(other);
  kernel.store(process, selector, 0, 1, 2);
  expect(kernel.counters.tableSwitches).toBe(tableSwitches);
});

describe('without memory for another table', () => {
  /** Processes until there is no room for the table of one more. */
  function full(): { kernel: SegmentKernel; first: SegmentProcess } {
    const kernel = boot(64 * KIB);
    const first = alive(kernel.spawn());
    let made = 0;
    while (typeof kernel.spawn() !== 'number') made++;
    expect(made).toBeGreaterThan(1);
    return { kernel, first };
  }

  it('fork fails with ENOMEM and changes nothing', () => {
    const { kernel, first } = full();
    const { size } = kernel.memory.processes;
    expect(kernel.fork(first)).toBe(ENOMEM);
    expect(kernel.memory.processes.size).toBe(size);
    expect(kernel.audit()).toEqual([]);
  });

  it('nobody enters another ring: ENOMEM', () => {
    const kernel = boot(64 * KIB);
    const multics = new Multics(kernel);
    const process = multics.login();
    if (typeof process === 'number') throw new Error(`no process: ${process}`);
    while (typeof kernel.spawn() !== 'number');
    expect(multics.enterRing(process, 5)).toBe(ENOMEM);
    expect(process.rings[5]).toBe(null);
    expect(multics.resume(process)).toBe(ENOMEM);
  });
});

it('a pair is written only into a segment that is known, at an offset of its own', () => {
  const multics = new Multics(boot(64 * KIB));
  const process = multics.login();
  if (typeof process === 'number') throw new Error(`no process: ${process}`);
  const number = multics.makeOwn(process, 4, 64);
  expect(multics.writePair(process, number, 0, 1, 2)).toBe(0);
  expect([multics.writePair(process, number, -8, 1, 2), multics.writePair(process, 999, 0, 1, 2)]).toEqual([
    EFAULT,
    EFAULT,
  ]);
});

it('a CALL in the child copies a stack that fork left to both, since a stack has to be writable to be loaded', () => {
  const kernel = boot(64 * KIB);
  const parent = alive(kernel.spawn());
  const code = kernel.create(parent, { kind: 'code', bytes: 64 });
  const stack = data(kernel, parent, 4 * KIB);
  const pointer = data(kernel, parent, 16);
  kernel.store(parent, pointer, 0, 4, 8);
  kernel.store(parent, pointer, 4, 2, code);
  const child = alive(kernel.fork(parent));
  const { core } = kernel.memory;
  expect(kernel.fetch(child, code, 0, 1)).toBe(0);
  kernel.switchTo(child);
  core.setStack(stack, 4 * KIB);
  expect(kernel.finish(core.callThrough(pointer, 0))).toBe(0);
  expect(kernel.counters.cowFaults).toBe(1);
  expect(kernel.load(child, stack, 4 * KIB - 4, 4)).toBe(0);
  expect(kernel.valueLo).toBe(code);
  expect(peek(kernel, parent, stack, 4 * KIB - 4)).toBe(0);
});

it('a table has up to 8192 descriptors, as many as a selector can name', () => {
  const core = new SegmentedCore(new Mmu({ ram: new Ram({ bytes: 1024 * KIB }) }));
  const kernel = new SegmentKernel({ core, arenaBase: 512 * KIB });
  const [first, second] = [alive(kernel.spawn()), alive(kernel.spawn())];
  const selector = data(kernel, first, 64);
  expect(kernel.share(first, selector, second, { index: 8192, kind: 'data' })).toBe(EINVAL);
  const last = kernel.share(first, selector, second, { index: 8191, kind: 'data' });
  expect(last >>> 3).toBe(8191);
  kernel.store(second, last, 0, 1, 7);
  expect(peek(kernel, first, selector, 0)).toBe(7);
  expect(kernel.audit()).toEqual([]);
});
