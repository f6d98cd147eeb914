import { describe, expect, it } from 'vitest';
import { ENOMEM } from '../../../../src/kernel/abi/errno.js';
import type { SegmentKernel } from '../../../../src/segments/kernel.js';
import type { SegmentProcess } from '../../../../src/segments/process.js';
import { alive, boot, data, KIB, peek } from '../machine.js';

/** 16 segments of 4 KiB fill 64 KiB, each with its number in its first byte; every second one is removed. */
function checkered(swapBytes: number): { kernel: SegmentKernel; process: SegmentProcess; left: number[] } {
  const kernel = boot(64 * KIB, { swapBytes });
  const process = alive(kernel.spawn());
  const selectors = Array.from({ length: 16 }, () => data(kernel, process, 4 * KIB));
  selectors.forEach((selector, i) => kernel.store(process, selector, 0, 1, i + 1));
  selectors.filter((_, i) => i % 2 === 1).forEach((selector) => kernel.remove(process, selector));
  return { kernel, process, left: selectors.filter((_, i) => i % 2 === 0) };
}

function contents(kernel: SegmentKernel, process: SegmentProcess, selectors: number[]): number[] {
  return selectors.map((selector) => peek(kernel, process, selector, 0));
}

const NUMBERS = [1, 3, 5, 7, 9, 11, 13, 15];

describe('when an allocation fails', () => {
  it('segments are compacted first, and every descriptor follows', () => {
    const { kernel, process, left } = checkered(0);
    const large = data(kernel, process, 32 * KIB);
    expect(kernel.counters).toMatchObject({ compactions: 1, segmentsMoved: 7, swapOuts: 0 });
    expect(contents(kernel, process, left)).toEqual(NUMBERS);
    expect(peek(kernel, process, large, 32 * KIB - 1)).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });

  it('segments are swapped out next, as many as it takes, and come back when they are used', () => {
    const { kernel, process, left } = checkered(Infinity);
    data(kernel, process, 44 * KIB);
    expect(kernel.counters.swapOuts).toBe(3);
    expect(kernel.audit()).toEqual([]);
    expect(contents(kernel, process, left)).toEqual(NUMBERS);
    expect(kernel.counters.notPresentFaults).toBeGreaterThanOrEqual(3);
    expect(kernel.audit()).toEqual([]);
  });

  it('it is refused at last, with every byte still there', () => {
    const { kernel, process, left } = checkered(8 * KIB);
    expect(kernel.create(process, { kind: 'data', bytes: 44 * KIB })).toBe(ENOMEM);
    expect(kernel.counters).toMatchObject({ allocationFailures: 1, swapOuts: 0 });
    expect(contents(kernel, process, left)).toEqual(NUMBERS);
    expect(kernel.audit()).toEqual([]);
  });
});

describe('compaction', () => {
  it('writes the descriptors of all sharers again, and reloads the registers that hold them', () => {
    const kernel = boot(64 * KIB);
    const [first, second] = [alive(kernel.spawn()), alive(kernel.spawn())];
    const below = data(kernel, first, 64);
    const selector = data(kernel, first, 64);
    const theirs = kernel.share(first, selector, second);
    kernel.remove(first, below);
    kernel.store(first, selector, 0, 1, 42);
    const { descriptorsWritten, reloads } = kernel.counters;
    expect(kernel.compact()).toBe(true);
    expect(kernel.counters.descriptorsWritten - descriptorsWritten).toBe(2);
    expect(kernel.counters.reloads - reloads).toBe(1);
    expect([peek(kernel, first, selector, 0), peek(kernel, second, theirs, 0)]).toEqual([42, 42]);
  });

  it('without the reload would let the processor use the old place: the descriptor cache is real', () => {
    const kernel = boot(64 * KIB);
    const process = alive(kernel.spawn());
    const below = data(kernel, process, 64);
    const selector = data(kernel, process, 64);
    kernel.remove(process, below);
    kernel.store(process, selector, 0, 1, 42);
    const entry = process.entry(selector)!;
    const { ram, arena } = kernel.memory;
    ram.words.copyWithin(arena.base / 4, entry.segment.base / 4, entry.segment.base / 4 + 16);
    entry.segment.base = arena.base;
    entry.table.store(entry);
    kernel.store(process, selector, 0, 1, 43);
    expect(ram.load8(0, arena.base)).toBe(42);
    expect(kernel.memory.core.staleRegisters()).toEqual([`DS holds an old descriptor of selector ${selector}`]);
  });
});

describe('swapping', () => {
  it('passes over a segment that was used since the clock last came by', () => {
    const kernel = boot(64 * KIB);
    const process = alive(kernel.spawn());
    const selectors = [0, 1, 2, 3].map(() => data(kernel, process, 16 * KIB));
    for (const selector of [selectors[0], selectors[2], selectors[3]]) kernel.store(process, selector, 0, 1, 1);
    data(kernel, process, 16 * KIB);
    expect(selectors.map((selector) => process.entry(selector)!.segment.present)).toEqual([true, false, true, true]);
  });

  it('brings back a segment that both sharers reach, once', () => {
    const kernel = boot(64 * KIB);
    const [first, second] = [alive(kernel.spawn()), alive(kernel.spawn())];
    const selector = data(kernel, first, 64);
    const theirs = kernel.share(first, selector, second);
    kernel.store(first, selector, 0, 1, 5);
    expect(kernel.swapOut(first, selector)).toBe(0);
    expect(kernel.audit()).toEqual([]);
    expect(peek(kernel, second, theirs, 0)).toBe(5);
    expect(peek(kernel, first, selector, 0)).toBe(5);
    expect(kernel.counters).toMatchObject({ swapIns: 1, notPresentFaults: 1 });
  });

  it('brings back code when it is jumped to', () => {
    const kernel = boot(64 * KIB);
    const process = alive(kernel.spawn());
    const code = kernel.create(process, { kind: 'code', bytes: 64 });
    expect(kernel.fetch(process, code, 8, 4)).toBe(0);
    kernel.swapOut(process, code);
    expect(kernel.fetch(process, code, 12, 4)).toBe(0);
    expect(kernel.counters.notPresentFaults).toBe(1);
  });
});
