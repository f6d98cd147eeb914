/** The lookups of a trace block, made on one MMU: the loop that every comparison spends its time in. */

import { USER, WRITE } from '../../hw/access.js';
import { highWordAfter, pageSizeName } from '../../hw/address.js';
import type { Mmu } from '../../hw/mmu.js';
import type { Lookups } from './lookups.js';

const USER_WRITE = USER | WRITE;

/** Runs `from` to `to - 1`, a page each. */
function translateRange(mmu: Mmu, lookups: Lookups, from: number, to: number): number {
  const { his, los, accesses, made, frames } = lookups;
  if (lookups.allStores) {
    return mmu.translateMany(his, los, to, USER_WRITE, frames, from, 0, made) < to ? mmu.fault.status : 0;
  }
  let status = 0;
  for (let i = from; i < to; i++) {
    status |= mmu.translate(his[i], los[i], accesses[i]);
    mmu.translateAgain(his[i], los[i], accesses[i], made[i + 1] - made[i] - 1);
  }
  return status;
}

/** The pages of `2^shift` bytes, after its first one, of an access of `size` bytes. */
function translateBeyond(mmu: Mmu, shift: number, hi: number, lo: number, size: number, access: number): number {
  const pageBytes = 2 ** shift;
  let status = 0;
  for (let left = (lo & (pageBytes - 1)) + size - pageBytes; left > 0; left -= pageBytes) {
    const last = size - left;
    status |= mmu.translate(highWordAfter(hi, lo, last), (lo + last) | 0, access);
  }
  return status;
}

/**
 * Makes `lookups` with pages of `2^shift` bytes, all of which are resident and dirty.
 * @throws Error when any access faulted, which a resident program never does
 */
export function replay(mmu: Mmu, shift: number, lookups: Lookups): void {
  const { his, los, accesses, crossingAt, crossingBytes } = lookups;
  let status = 0;
  let done = 0;
  for (let i = 0; i < lookups.crossings; i++) {
    const at = crossingAt[i];
    status |= translateRange(mmu, lookups, done, at + 1);
    status |= translateBeyond(mmu, shift, his[at], los[at], crossingBytes[i], accesses[at]);
    done = at + 1;
  }
  status |= translateRange(mmu, lookups, done, lookups.length);
  if (status < 0) throw new Error(`a resident ${pageSizeName(shift)} page faulted`);
}
