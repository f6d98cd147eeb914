/** The resident memory of regions against huge pages: how much is huge, could be, and would be added by rounding up. */

import { PAGE_BYTES, SHIFT_2M } from '../../hw/base/address.js';
import { hugeBackings, wholeHuge } from './backing.js';
import type { HugeBacking } from './backing.js';
import type { HugePolicy } from './policy.js';
import type { Region } from './region.js';

const HUGE_BYTES = 2 ** SHIFT_2M;

/** Present pages side by side; bytes. */
export interface PresentRun {
  readonly start: number;
  readonly bytes: number;
}

/** More memory if each 2 MiB with a page in it became a huge page; bytes. */
export interface AddedBytes {
  /** A fault gives a whole huge page, however little is used of it. */
  readonly atFaults: number;
  /** khugepaged leaves 2 MiB alone if more than max_ptes_none of its 512 pages are missing. */
  readonly byKhugepaged: number;
}

export interface RegionUsage {
  readonly region: Region;
  readonly backing: HugeBacking;
  readonly residentBytes: number;
  /** Mapped by huge entries now. */
  readonly hugeBytes: number;
  /** Resident in whole 2 MiB of the region, whatever the settings. */
  readonly wholeBytes: number;
  /** Of those, Linux could back so many by huge pages under the policy, if asked. */
  readonly couldBytes: number;
  /** Null: the places of the pages are not known. */
  readonly added: AddedBytes | null;
}

/** A region and its memory, as found in a process or a recording. */
export interface Occupied {
  readonly region: Region;
  readonly residentBytes: number;
  readonly hugeBytes: number;
  /** Its present pages in order of address; undefined if only their sum is known. */
  readonly runs?: readonly PresentRun[] | undefined;
}

/** Present bytes of each whole 2 MiB with a present page, by its number. */
function presentByBlock(region: Region, runs: readonly PresentRun[]): Map<number, number> {
  const { from, to } = wholeHuge(region);
  const blocks = new Map<number, number>();
  for (const { start, bytes } of runs) {
    const end = Math.min(to, start + bytes);
    for (let at = Math.max(from, start); at < end;) {
      const block = Math.floor(at / HUGE_BYTES);
      const next = Math.min(end, (block + 1) * HUGE_BYTES);
      blocks.set(block, (blocks.get(block) ?? 0) + next - at);
      at = next;
    }
  }
  return blocks;
}

function roundUp(blocks: ReadonlyMap<number, number>, maxPtesNone: number): AddedBytes {
  let atFaults = 0;
  let byKhugepaged = 0;
  for (const present of blocks.values()) {
    const missing = HUGE_BYTES - present;
    atFaults += missing;
    if (missing <= maxPtesNone * PAGE_BYTES) byKhugepaged += missing;
  }
  return { atFaults, byKhugepaged };
}

function usageOf(occupied: Occupied, backing: HugeBacking, policy: HugePolicy): RegionUsage {
  const { region, residentBytes, hugeBytes, runs } = occupied;
  const { from, to } = wholeHuge(region);
  const blocks = runs === undefined ? undefined : presentByBlock(region, runs);
  const wholeBytes = [...(blocks?.values() ?? [Math.min(residentBytes, to - from)])].reduce((a, b) => a + b, 0);
  const isHuge = region.kind === 'hugetlb';
  return {
    region,
    backing,
    residentBytes,
    hugeBytes: isHuge ? residentBytes : hugeBytes,
    wholeBytes: isHuge ? residentBytes : wholeBytes,
    couldBytes: isHuge ? residentBytes : backing.bytes === 0 ? 0 : wholeBytes,
    added: blocks === undefined ? null : roundUp(isHuge ? new Map() : blocks, policy.maxPtesNone),
  };
}

/** The usage of all regions of one process, in the order given. */
export function regionUsages(regions: readonly Occupied[], policy: HugePolicy): RegionUsage[] {
  const backings = hugeBackings(
    regions.map(({ region }) => region),
    policy,
  );
  return regions.map((occupied, i) => usageOf(occupied, backings[i], policy));
}
