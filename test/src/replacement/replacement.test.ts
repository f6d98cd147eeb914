import fc from 'fast-check';
import { expect, test } from 'vitest';
import { REPLACEMENT_POLICIES, replacePages } from '../../../src/replacement/replacement.js';
import type { ReplacementPolicy } from '../../../src/replacement/replacement.js';

function missesOf(policy: ReplacementPolicy, references: readonly number[], frames = 3): number {
  return replacePages(references, { policy, frames }).filter(({ hit }) => !hit).length;
}

/** The pages that gave way, in order. */
function victims(policy: ReplacementPolicy, references: readonly number[], frames = 3): number[] {
  return replacePages(references, { policy, frames }).flatMap(({ replaced }) => (replaced === null ? [] : [replaced]));
}

// OSTEP, "Beyond Physical Memory: Policies", the traces of the optimal policy, FIFO and LRU.
const OSTEP = [0, 1, 2, 0, 1, 3, 0, 3, 1, 2, 1];

test.each([
  ['optimal', 5, [2, 3]],
  ['fifo', 7, [0, 1, 2, 3]],
  ['lru', 5, [2, 0]],
] as const)('%s on the chapter of OSTEP: %i misses', (policy, misses, replaced) => {
  expect(missesOf(policy, OSTEP)).toBe(misses);
  expect(victims(policy, OSTEP)).toEqual(replaced);
});

// Silberschatz, Galvin, Gagne, Operating System Concepts, "Page Replacement".
const SILBERSCHATZ = [7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1];

test.each([
  ['fifo', 15],
  ['optimal', 9],
  ['lru', 12],
] as const)('%s on the reference string of Silberschatz: %i faults', (policy, faults) => {
  expect(missesOf(policy, SILBERSCHATZ)).toBe(faults);
});

test("FIFO has Belady's anomaly: more frames, more misses", () => {
  const belady = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5];
  expect([missesOf('fifo', belady, 3), missesOf('fifo', belady, 4)]).toEqual([9, 10]);
});

test('the clock passes a used page once, and clears its bit', () => {
  // 1 2 3 all used: 4 clears them all and takes 1. Then 2 is used again, so 5 passes it and takes 3.
  expect(victims('clock', [1, 2, 3, 4, 2, 5])).toEqual([1, 3]);
});

test('random takes the frame that the source draws', () => {
  const draws = [0.9, 0, 0.5];
  const source = { unit: () => draws.shift() ?? 0 };
  const steps = replacePages([1, 2, 3, 4, 5, 6], { policy: 'random', frames: 3, source });
  expect(steps.slice(3).map(({ replaced }) => replaced)).toEqual([3, 1, 4]);
});

const references = fc.array(fc.nat(6), { minLength: 1, maxLength: 40 });
const frames = fc.integer({ min: 1, max: 5 });

test('a page hits if and only if it came before and has not given way since; never more pages than frames', () => {
  fc.assert(
    fc.property(references, frames, fc.constantFrom(...REPLACEMENT_POLICIES), (list, count, policy) => {
      const present = new Set<number>();
      for (const { page, hit, replaced, memory } of replacePages(list, { policy, frames: count })) {
        expect(hit).toBe(present.has(page));
        if (replaced !== null) expect(present.delete(replaced)).toBe(true);
        present.add(page);
        expect(new Set(memory)).toEqual(present);
        expect(memory.length).toBe(present.size);
        expect(present.size).toBeLessThanOrEqual(count);
      }
    }),
  );
});

test('no policy has fewer misses than the optimal one', () => {
  fc.assert(
    fc.property(references, frames, fc.constantFrom(...REPLACEMENT_POLICIES), (list, count, policy) => {
      expect(missesOf('optimal', list, count)).toBeLessThanOrEqual(missesOf(policy, list, count));
    }),
  );
});

test('LRU keeps what a smaller memory keeps', () => {
  fc.assert(
    fc.property(references, frames, (list, count) => {
      const small = replacePages(list, { policy: 'lru', frames: count });
      const large = replacePages(list, { policy: 'lru', frames: count + 1 });
      for (const [at, { memory }] of small.entries())
        expect(new Set(large[at].memory)).toEqual(new Set([...large[at].memory, ...memory]));
    }),
  );
});
