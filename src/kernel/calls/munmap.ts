/** munmap(2): taking mappings away. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { alignUp, USER_END } from '../abi/layout.js';
import type { AddressSpace } from '../space/model.js';
import { EINVAL, ENOMEM } from '../abi/errno.js';
import type { CallResult } from '../abi/errno.js';
import type { Memory } from '../space/memory.js';
import { cutVma, MOST_VMAS } from '../vmas/vma-merge.js';
import { removeVma } from '../space/vma-ops.js';
import { freeTablesBetween, zapRange } from '../pages/zap.js';

const TABLES_CEILING = 2 ** 47;

/** Unmaps `[address, address + length)`. Returns 0, EINVAL or ENOMEM. Source: Linux manual pages, munmap(2). */
export function munmap(memory: Memory, space: AddressSpace, address: number, length: number): CallResult {
  const end = address + alignUp(length);
  if (address % PAGE_BYTES !== 0 || address < 0 || length <= 0) return EINVAL;
  return unmapRange(memory, space, address, end);
}

/** Unmaps whole pages, splitting the VMAs at both ends. Returns 0, ENOMEM or EINVAL (cuts a hugetlb page, or ends too high). */
export function unmapRange(memory: Memory, space: AddressSpace, start: number, end: number): CallResult {
  if (end > USER_END) return EINVAL;
  const first = space.vmas.at(start);
  const leavesHole = first !== undefined && first.start < start && end < first.end;
  // Other cuts add a VMA for a moment alone, and help to have fewer. Source: Linux, mm/vma.c, "let map_count go just above".
  if (leavesHole && space.vmas.size >= MOST_VMAS) return ENOMEM;
  for (const edge of [start, end]) {
    const vma = space.vmas.at(edge);
    if (vma === undefined || vma.start === edge) continue;
    const upper = cutVma(memory, vma, edge);
    if (typeof upper === 'number') return upper;
  }
  const doomed = space.vmas.overlapping(start, end);
  if (doomed.length === 0) return 0;
  const floor = space.vmas.before(start)?.end ?? 0;
  const ceiling = space.vmas.atOrAbove(end)?.start ?? TABLES_CEILING;
  for (const vma of doomed) zapRange(memory, vma, vma.start, vma.end, {});
  freeTablesBetween(memory, space, start, end, floor, ceiling);
  for (const vma of doomed) removeVma(memory, vma);
  return 0;
}
