/** What streams cost on a machine that was measured. */

import type { CompareRun } from '../../report/results/compare-result.js';
import type { MachinePrices } from '../../report/results/prices.js';
import { nearestRow } from './nearest-row.js';

/** In nanoseconds. */
export interface StreamPrices {
  /** A line that a prefetcher expected, where nothing else limits the stream. */
  readonly lineNs: number;
  /** The end of a page of 4 KiB, over its end within a huge page: of one stream alone, and of streams side by side. */
  readonly pageEndNs: { readonly alone: number; readonly together: number };
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
  const [one, three] = [1, 3].map((streams) => {
    const kind = rows.filter((row) => row.streams === streams);
    const [small, huge] = ['4K', '2M'].map((size) =>
      nearestRow(
        kind.filter((row) => row.pages === size),
        memoryBytes,
      ),
    );
    return small === undefined || huge === undefined
      ? undefined
      : { huge: huge.pageNs, more: Math.max(0, small.pageNs - huge.pageNs) };
  });
  if (one === undefined || three === undefined) return undefined;
  return {
    lineNs: Math.min(one.huge, three.huge) / PAGE_LINES,
    pageEndNs: pages === '4K' ? { alone: one.more, together: three.more } : { alone: 0, together: 0 },
  };
}
