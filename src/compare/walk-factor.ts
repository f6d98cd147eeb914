/**
 * What walks take on a machine that was measured, over what their reads should take: the model chases pointers over the
 * arrays that `pagewalk calibrate` chased them over, and the difference between small and huge pages is set against the
 * difference that was measured.
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

interface Rows {
  readonly bytes: number;
  /** Nanoseconds of a load that waits for the last, which small pages cost over huge ones. */
  readonly measured: number;
}

function rowsOf({ loads = [] }: MachinePrices): Rows[] {
  const huge = loads.filter(({ pages }) => pages === '2M');
  return loads
    .filter(({ pages, bytes }) => pages === '4K' && bytes >= LEAST_BYTES)
    .flatMap(({ bytes, dependentNs }) => {
      const other = huge.find((row) => row.bytes === bytes);
      return other === undefined ? [] : [{ bytes, measured: dependentNs - other.dependentNs }];
    });
}

/** What a load of a chase over `bytes` spends on walks with small pages, over what it spends with huge ones. */
async function modelled(bytes: number, tlb: TlbGeometry, prices: MachinePrices): Promise<number> {
  const open = () => openWorkload('chase', { footprint: bytes, accesses: ACCESSES });
  const { runs } = await compare({ sources: [{ name: 'chase', open }], shifts: [SHIFT_4K, SHIFT_2M], tlb, prices });
  const each = ({ reads, perAccess }: CompareRun): number => walkNs(reads, prices) / perAccess.accesses;
  return each(runs[0]) - each(runs[1]);
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
  for (const { bytes, measured } of rowsOf(prices)) {
    if (measured < LEAST_NS) continue;
    await onArray?.();
    const model = await modelled(bytes, tlb, prices);
    if (model >= LEAST_NS) factors.push(measured / model);
  }
  if (factors.length === 0) return undefined;
  return { low: Math.min(...factors), high: Math.max(...factors), tlb: tlb.name };
}
