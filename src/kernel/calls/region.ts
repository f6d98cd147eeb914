/** Regions: private anonymous memory at a fixed place with pages of a process's policy, for measurements. */

import { SHIFT_1G } from '../../../hw/base/address.js';
import { alignDown, alignUp, USER_END } from '../abi/layout.js';
import type { AddressSpace } from '../space/model.js';
import { EEXIST, EINVAL, ENOMEM, isErrno } from '../abi/errno.js';
import type { Address, CallResult, Errno } from '../abi/errno.js';
import * as f from '../abi/flags.js';
import type { Memory } from '../space/memory.js';
import { mmap } from './mmap.js';
import type { PagePolicy } from '../space/process.js';

/**
 * Maps `[start, start + length)`, rounded out to 4 KiB, for reading and writing. With the policy 1G, whole aligned GiB
 * in it get pages of 1 GiB alone, never to be split; where a region covers an aligned 2 MiB, the policies 2M and 1G
 * let a fault answer with 2 MiB. Nothing may be mapped there yet.
 * @returns 0, EINVAL, ENOMEM or EEXIST
 */
export function mapRegion(
  memory: Memory,
  space: AddressSpace,
  pages: PagePolicy,
  start: number,
  length: number,
): CallResult {
  const low = alignDown(start);
  const high = alignUp(start + length);
  if (!(length > 0)) return EINVAL;
  if (high > USER_END) return ENOMEM;
  if (space.vmas.overlapping(low, high).length > 0) return EEXIST;
  const wide = pages === '1G';
  const wideLow = wide ? Math.min(high, alignUp(low, SHIFT_1G)) : high;
  const wideHigh = wide ? Math.max(wideLow, alignDown(high, SHIFT_1G)) : high;
  const parts = [
    { from: low, to: wideLow, more: 0 },
    { from: wideLow, to: wideHigh, more: f.MAP_HUGETLB | f.MAP_HUGE_1GB },
    { from: wideHigh, to: high, more: 0 },
  ];
  for (const { from, to, more } of parts) {
    const result = from < to ? mapFixed(memory, space, from, to - from, more) : 0;
    if (isErrno(result)) return result;
  }
  return 0;
}

function mapFixed(memory: Memory, space: AddressSpace, address: number, length: number, more: number): Address | Errno {
  const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED_NOREPLACE | more;
  return mmap(memory, space, { address, length, prot: f.PROT_READ | f.PROT_WRITE, flags, file: null, offset: 0 });
}
