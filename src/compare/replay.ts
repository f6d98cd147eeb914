/** The accesses of a trace block, made on one MMU: the loop that every comparison spends its time in. */

import { FETCH, READ, USER, WRITE } from '../../hw/access.js';
import * as address from '../../hw/address.js';
import type { Mmu } from '../../hw/mmu.js';
import * as trace from '../trace/block.js';
import type { AccessBlock } from '../trace/block.js';

// V8 folds a module's own constants and functions into its code; imported ones it loads and tests at each use.
const { highWordAfter } = address;
const USER_READ = READ | USER;
const USER_WRITE = WRITE | USER;
const USER_FETCH = READ | FETCH | USER;
const TRACE_FETCH = trace.FETCH;
const TRACE_LOAD = trace.LOAD;
const TRACE_STORE = trace.STORE;

/** Whether a user process can own all bytes from `(hi, lo)` to `(hi, lo) + size - 1`: they lie below 2^47. */
export function inUserSpace(hi: number, lo: number, size: number): boolean {
  return isUser(hi, lo, size);
}

function isUser(hi: number, lo: number, size: number): boolean {
  return highWordAfter(hi, lo, size - 1) >>> 15 === 0 && hi >>> 15 === 0;
}

/**
 * One access on pages of `2^shift` bytes: a lookup for each page that it touches.
 * The result is negative when any of them faulted.
 */
function access(mmu: Mmu, shift: number, hi: number, lo: number, size: number, kind: number): number {
  const status = mmu.translate(hi, lo, kind);
  const pageBytes = 1 << shift;
  // Bytes past the end of the first page.
  const left = ((lo & (pageBytes - 1)) + size - pageBytes) | 0;
  return left > 0 ? status | accessBeyond(mmu, pageBytes, hi, lo, size, kind, left) : status;
}

/** The pages of an access after its first one, `left` bytes being on them. */
function accessBeyond(
  mmu: Mmu,
  pageBytes: number,
  hi: number,
  lo: number,
  size: number,
  kind: number,
  left: number,
): number {
  let status = 0;
  for (; left > 0; left -= pageBytes) {
    const last = size - left;
    status |= mmu.translate(highWordAfter(hi, lo, last), (lo + last) | 0, kind);
  }
  return status;
}

/**
 * Makes the accesses of `block` with pages of `2^shift` bytes, all of which are resident. A load-modify-store is a load and then a store. Accesses outside user space are left out.
 *
 * @returns a negative number when any access faulted, which a resident program never does
 */
export function replayBlock(mmu: Mmu, shift: number, block: AccessBlock): number {
  const { addressHi, addressLo, size: sizes, kind: kinds, length } = block;
  let status = 0;
  for (let i = 0; i < length; i++) {
    const hi = addressHi[i];
    const lo = addressLo[i];
    const size = sizes[i];
    const kind = kinds[i];
    if (!isUser(hi, lo, size)) continue;
    if (kind === TRACE_FETCH) {
      status |= access(mmu, shift, hi, lo, size, USER_FETCH);
      continue;
    }
    if (kind !== TRACE_STORE) status |= access(mmu, shift, hi, lo, size, USER_READ);
    if (kind !== TRACE_LOAD) status |= access(mmu, shift, hi, lo, size, USER_WRITE);
  }
  return status;
}
