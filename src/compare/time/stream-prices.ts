/** What streams cost on a machine that was measured. */

import type { CompareRun, Range } from '../../report/results/compare-result.js';
import type { MachinePrices } from '../../report/results/prices.js';
import { nearestRow } from './nearest-row.js';

/** In nanoseconds. */
export interface StreamPrices {
  /** A line that a prefetcher expected, where nothing else limits the stream. */
  readonly lineNs: number;
  /**
   * The end of a page of 4 KiB, over its end within a huge page: of one stream alone, and of streams side by side. Those
   * pay more or less, as their page ends come at once or one after the other.
   */
  readonly pageEndNs: { readonly alone: number; readonly together: Range };
}

const PAGE_LINES = 64;

/**
 * The prices of streams with pages of one size; undefined where nobody measured them.
 * @param memoryBytes what the program has in RAM: streams over more than the caches hold cost more
 */
export function streamPrices(
  { streams: rows = [] }: MachinePrices,
  pages: CompareRun['pages'],
  memoryBytes: number,
): StreamPrices | undefined {
  const costOf = (kind: readonly (typeof rows)[number][]): { huge: number; more: number } | undefined => {
    const [small, huge] = ['4K', '2M'].map((size) =>
      nearestRow(
        kind.filter((row) => row.pages === size),
        memoryBytes,
      ),
    );
    if (small === undefined || huge === undefined) return undefined;
    return { huge: huge.pageNs, more: Math.max(0, small.pageNs - huge.pageNs) };
  };
  const one = costOf(rows.filter(({ streams }) => streams === 1));
  const three = costOf(rows.filter(({ streams, inStep }) => streams === 3 && inStep !== true));
  if (one === undefined || three === undefined) return undefined;
  // Files of earlier versions have no streams in step.
  const inStep = costOf(rows.filter((row) => row.inStep === true)) ?? three;
  const [low, high] = [three.more, inStep.more].sort((a, b) => a - b);
  return {
    lineNs: Math.min(one.huge, three.huge, inStep.huge) / PAGE_LINES,
    pageEndNs:
      pages === '4K' ? { alone: one.more, together: { low, high } } : { alone: 0, together: { low: 0, high: 0 } },
  };
}
