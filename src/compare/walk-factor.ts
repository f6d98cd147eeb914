/**
 * The time of walks on a measured machine, over the time that their reads should take. The model chases pointers over the
 * arrays of `pagewalk calibrate`. The difference between small and huge pages there is set against the measured one.
 */

import { SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import type { CompareRun } from '../report/results/compare-result.js';
import type { MachinePrices } from '../report/results/prices.js';
import { openWorkload } from '../trace/workload.js';
import { compare } from './compare.js';
import { walkNs } from './time/time.js';

/** Loads of each array: each line of the smallest comes up some four times. */
const ACCESSES = 1_000_000;
/** Smaller arrays have their translations in the TLB's second level, as good as all of them. */
const LEAST_BYTES = 2 ** 24;
/** A smaller difference, modelled or measured, is lost in the noise. */
const LEAST_NS = 2;
/** The most misses under way for a price: see prices.ts. */
const MOST_MISSES = 1024;

type Overlap = NonNullable<MachinePrices['walkFactor']['overlapped']>[number];

type Loads = NonNullable<MachinePrices['loads']>[number];

/** One array, with small pages and with huge ones. */
interface Pair {
  readonly small: Loads;
  readonly huge: Loads;
}

function pairsOf({ loads = [] }: MachinePrices): Pair[] {
  return loads.flatMap((small) => {
    const huge = loads.find(({ bytes, pages }) => pages === '2M' && bytes === small.bytes);
    return small.pages !== '4K' || small.bytes < LEAST_BYTES || huge === undefined ? [] : [{ small, huge }];
  });
}

/** What a load of a chase over `bytes` spends on walks, in nanoseconds: with small pages, and with huge ones. */
async function modelled(bytes: number, tlb: TlbGeometry, prices: MachinePrices): Promise<number[]> {
  const open = () => openWorkload('chase', { footprint: bytes, accesses: ACCESSES });
  const { runs } = await compare({ sources: [{ name: 'chase', open }], shifts: [SHIFT_4K, SHIFT_2M], tlb, prices });
  return runs.map(({ reads, perAccess }: CompareRun) => walkNs(reads, prices) / perAccess.accesses);
}

/** Loads that wait for nothing: the difference between page sizes is of walks, and the rest of data. */
function overlapOf({ small, huge }: Pair, model: readonly number[], factor: number): Overlap[] {
  const overlapped = (small.independentNs - huge.independentNs) / (model[0] - model[1]);
  const dataNs = huge.dependentNs - factor * model[1];
  const together = huge.independentNs - overlapped * model[1];
  // Noise may leave nothing.
  if (!(overlapped > 0 && together > 0 && dataNs > together)) return [];
  return [{ bytes: small.bytes, factor: overlapped, misses: Math.min(MOST_MISSES, dataNs / together) }];
}

/**
 * The least and the most of all arrays; undefined when none of them tells.
 * @param prices with `loads`; their own walk factor does not matter
 * @param onArray awaited before each array: each takes about a second; whatever it throws ends the work
 */
export async function fitWalkFactor(
  prices: MachinePrices,
  tlb: TlbGeometry,
  onArray?: () => Promise<void>,
): Promise<MachinePrices['walkFactor'] | undefined> {
  const factors: number[] = [];
  const overlapped: Overlap[] = [];
  for (const pair of pairsOf(prices)) {
    const measured = pair.small.dependentNs - pair.huge.dependentNs;
    if (measured < LEAST_NS) continue;
    await onArray?.();
    const model = await modelled(pair.small.bytes, tlb, prices);
    const difference = model[0] - model[1];
    if (difference < LEAST_NS) continue;
    factors.push(measured / difference);
    overlapped.push(...overlapOf(pair, model, measured / difference));
  }
  if (factors.length === 0) return undefined;
  const most = overlapped.length === 0 ? {} : { overlapped };
  return { low: Math.min(...factors), high: Math.max(...factors), ...most, tlb: tlb.name };
}
