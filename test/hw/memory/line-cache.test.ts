import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineCache } from '../../../hw/memory/line-cache.js';
import { runs } from '../../runs.js';

test.each([
  ['sets by a mask', 4, 2],
  ['sets by division', 6, 2],
  ['fully associative', 3, 3],
])('%s: it holds what a list of the lines used last holds', (_, lines, ways) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 31), max: -2 })), fc.array(fc.nat({ max: 14 })), (tables, data) => {
      const cache = new LineCache({ bytes: 64 * lines, ways });
      const sets = lines / ways;
      const reference: number[][] = Array.from({ length: sets }, () => []);
      for (const line of [...data, ...tables, ...data]) {
        const set = reference[(line >>> 0) % sets];
        const held = set.includes(line);
        expect(cache.read(line)).toBe(held);
        reference[(line >>> 0) % sets] = [line, ...set.filter((other) => other !== line)].slice(0, ways);
      }
    }),
    { numRuns: runs(100) },
  );
});

test.each([
  [{ bytes: 64, ways: 0 }, 'ways 0'],
  [{ bytes: 100, ways: 1 }, '100 bytes'],
  [{ bytes: 64 * 3, ways: 2 }, '192 bytes'],
])('a shape that cannot be built is refused: %j', (shape, part) => {
  expect(() => new LineCache(shape, 'L2')).toThrow(new RegExp(`^L2: ${part} must be`));
});
