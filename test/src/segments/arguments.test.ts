import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DS } from '../../../hw/x86/segmentation/register.js';
import { EINVAL, ENOMEM } from '../../../src/kernel/abi/errno.js';
import { SegmentKernel } from '../../../src/segments/kernel.js';
import type { SegmentProcess } from '../../../src/segments/process.js';
import { methodsOf } from '../kernel/machine.js';
import { alive, boot, data, KIB } from './machine.js';

/** Two processes, and a segment of the first. */
class World {
  readonly kernel: SegmentKernel;
  readonly process: SegmentProcess;
  readonly other: SegmentProcess;
  readonly selector: number;

  constructor(fit: 'first' | 'buddy') {
    this.kernel = boot(64 * KIB, { fit });
    this.process = alive(this.kernel.spawn());
    this.other = alive(this.kernel.spawn());
    this.selector = data(this.kernel, this.process, 5000);
  }
}

/** Every public method, with the numbers that it takes. */
const CALLS: Record<string, (world: World, a: number, b: number, c: number) => unknown> = {
  spawn: ({ kernel }) => {
    kernel.exit(alive(kernel.spawn()));
  },
  fork: ({ kernel, process }) => {
    kernel.exit(alive(kernel.fork(process)));
  },
  exit: ({ kernel }) => {
    kernel.exit(alive(kernel.spawn()));
  },
  create: ({ kernel, process }, bytes) => kernel.create(process, { kind: 'data', bytes }),
  'create at a place': ({ kernel, process }, bytes, at) => kernel.create(process, { kind: 'code', bytes, at }),
  share: ({ kernel, process, other }, selector) => kernel.share(process, selector, other),
  'share as a number': ({ kernel, process, other, selector }, index) =>
    kernel.share(process, selector, other, { index, kind: 'data' }),
  publish: ({ kernel, process }, selector) => kernel.publish(process, selector),
  unshare: ({ kernel, process }, selector) => kernel.unshare(process, selector),
  grow: ({ kernel, process, selector }, bytes) => kernel.grow(process, selector, bytes),
  'grow another': ({ kernel, process }, selector, bytes) => kernel.grow(process, selector, bytes),
  remove: ({ kernel, other }, selector) => kernel.remove(other, selector),
  compact: ({ kernel }) => kernel.compact(),
  swapOut: ({ kernel, process }, selector) => kernel.swapOut(process, selector),
  load: ({ kernel, process, selector }, offset, size, register) =>
    kernel.load(process, selector, offset, size, register),
  'load through a selector': ({ kernel, process }, selector, offset) => kernel.load(process, selector, offset, 1),
  store: ({ kernel, process, selector }, offset, size, register) =>
    kernel.store(process, selector, offset, size as 1, 1, register),
  'store through a selector': ({ kernel, process }, selector, offset) => kernel.store(process, selector, offset, 1, 1),
  fetch: ({ kernel, process }, selector, offset, size) => kernel.fetch(process, selector, offset, size),
  switchTo: ({ kernel, process }) => {
    kernel.switchTo(process);
    kernel.finish(0);
  },
  finish: ({ kernel }) => kernel.finish(0),
  audit: ({ kernel }) => kernel.audit(),
};

const odd = fc.constantFrom(
  ...[NaN, Infinity, -Infinity, 0.5, 7.5, 15.5, 1e-9, -1, -16, -(2 ** 31), -(2 ** 64)],
  ...[8192, 65536, 2 ** 20 + 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 4, 2 ** 53, 2 ** 64, 1e300],
);
const sane = fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 15, 23, 100, 4096, 5000, 0x1_8000);
const number = fc.oneof({ weight: 2, arbitrary: odd }, { weight: 3, arbitrary: sane });
const step = fc.tuple(fc.constantFrom(...Object.keys(CALLS)), number, number, number);

describe('arguments that are no offsets, sizes or selectors', () => {
  it('are tried with every public call', () => {
    expect(methodsOf(SegmentKernel.prototype).filter((name) => !(name in CALLS))).toEqual([]);
  });

  it.each(['first', 'buddy'] as const)('leave the books in order, with nothing but a RangeError thrown: %s', (fit) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }), (steps) => {
        const world = new World(fit);
        for (const [name, a, b, c] of steps) {
          try {
            CALLS[name](world, a, b, c);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
        expect(world.kernel.audit()).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([NaN, Infinity, 0.5, -1, 8192])('%s is no number of a descriptor', (index) => {
    const { kernel, process, other, selector } = new World('first');
    expect(kernel.share(process, selector, other, { index, kind: 'data' })).toBe(EINVAL);
  });

  it.each([NaN, Infinity, 0.5, 0, -1, 2 ** 32])('%s bytes are no segment', (bytes) => {
    const { kernel, process, selector } = new World('first');
    expect(kernel.create(process, { kind: 'data', bytes })).toBe(EINVAL);
    expect(kernel.grow(process, selector, bytes)).toBe(EINVAL);
  });

  it('2 GiB and more are more than buddy blocks have, not 0', () => {
    const { kernel, process } = new World('buddy');
    for (const bytes of [2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1]) {
      expect(kernel.create(process, { kind: 'data', bytes })).toBe(ENOMEM);
    }
  });

  it.each([NaN, Infinity, 8.5, -16])('%s is no address of a segment', (at) => {
    const { kernel, process } = new World('first');
    expect(kernel.create(process, { kind: 'data', bytes: 16, at })).toBe(EINVAL);
  });

  it.each([
    ['offset', NaN, 1, DS],
    ['offset', 2 ** 32, 1, DS],
    ['offset', -1, 1, DS],
    ['size', 0, 3, DS],
    ['size', 0, NaN, DS],
    ['register', 0, 1, 6],
  ])('an access with such a %s is refused: %s, %s, %s', (name, offset, size, register) => {
    const { kernel, process, selector } = new World('first');
    expect(() => kernel.load(process, selector, offset, size, register)).toThrow(new RegExp(`^${name} `));
    expect(() => kernel.store(process, selector, offset, size as 1, 1, register)).toThrow(RangeError);
  });

  it.each([
    ['swapBytes', { swapBytes: NaN }],
    ['swapBytes', { swapBytes: -1 }],
    ['fit', { fit: 'tight' as 'first' }],
    ['arena', { arenaBase: NaN }],
    ['arena', { arenaBytes: 0.5 }],
  ])('a kernel with a wrong %s is refused', (name, options) => {
    expect(() => boot(64 * KIB, options)).toThrow(new RegExp(`^${name} `));
  });

  it('a kind that is none of the three is refused, with the three named', () => {
    const { kernel, process } = new World('first');
    expect(() => kernel.create(process, { kind: 'stack' as 'data', bytes: 16 })).toThrow(
      new RangeError("kind of segment 'stack': must be 'code' or 'constants' or 'data'"),
    );
  });
});
