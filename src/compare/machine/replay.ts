/** The lookups of a trace block, made on one MMU: every comparison spends its time in this loop. */

import { USER, WRITE } from '../../../hw/base/access.js';
import { PAGE_OFFSET_MASK, pageSizeName } from '../../../hw/base/address.js';
import { FETCH_SIDE } from '../../../hw/translate/counts/counters.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import type { ReplayedLookups } from '../lookups/lookups.js';

const DATA_SIDE = 0;

/** @returns a negative status when a lookup faulted */
function translateAll(mmu: TranslatingMachine, { his, los, length, allStores, frames }: ReplayedLookups): number {
  if (allStores) {
    return mmu.translateMany(his, los, length, USER | WRITE, frames) < length ? mmu.fault.status : 0;
  }
  let status = 0;
  for (let i = 0; i < length; i++) {
    mmu.dataPath.lookupIndex = i;
    status |= mmu.translate(his[i], los[i], los[i] & PAGE_OFFSET_MASK);
  }
  return status;
}

/**
 * Makes lookups of pages, all of them resident and dirty.
 * @throws Error when any access faulted; a resident program never does
 */
export function replay(mmu: TranslatingMachine, lookups: ReplayedLookups): void {
  if (translateAll(mmu, lookups) < 0) throw new Error(`a resident ${pageSizeName(lookups.shift)} page faulted`);
  mmu.counters.addL1Hits(DATA_SIDE, lookups.dataRepeats);
  mmu.counters.addL1Hits(FETCH_SIDE, lookups.fetchRepeats);
}
