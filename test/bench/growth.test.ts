import { expect, test } from 'vitest';
import { measureForks } from '../../bench/growth/fork.js';
import { measureTranslations } from '../../bench/growth/translation.js';
import type { TranslationPoint } from '../../bench/growth/translation.js';

const MIB = 2 ** 20;

/** What does not come from the host's clock. */
function countsOf({ footprint, pattern, pages, walks, entryReads, cycles }: TranslationPoint): unknown {
  return { footprint, pattern, pages, walks, entryReads, cycles };
}

test('the modelled counts are the same at every run', () => {
  const counts = (): unknown => measureTranslations(1, MIB, 1 / 64).points.map(countsOf);
  expect(counts()).toEqual(counts());
});

test('only footprints past the reach of a TLB walk', () => {
  const { points } = measureTranslations(1, 16 * MIB, 1 / 8);
  const walking = points.filter(({ walks }) => walks > 0.1);
  expect(walking.map(({ footprint, pattern, pages }) => [footprint, pattern, pages])).toEqual([
    [16 * MIB, 'random', '4K'],
  ]);
});

test('a fork copies an entry for each page, and takes as many bytes of tables for either page size', () => {
  const { points, leftOut } = measureForks(1, 16 * MIB);
  expect(leftOut).toEqual([]);
  expect(points.map(({ pages, entriesCopied }) => [pages, entriesCopied])).toEqual([
    ['4K', 4096],
    ['2M', 8],
  ]);
  const [small, large] = points.map(({ tableBytes, spareTableBytes }) => tableBytes + spareTableBytes);
  expect(small).toBe(large);
});
