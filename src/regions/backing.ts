/**
 * Which bytes of a region Linux could back by huge pages of 2 MiB, and why not the others. Source: Linux
 * Documentation/admin-guide/mm/transhuge.rst, "Transparent Hugepage Support"; Linux manual pages, madvise(2).
 */

import { SHIFT_2M } from '../../hw/base/address.js';
import type { HugePolicy, ShmemMode } from './policy.js';
import type { RecordedRegion, Region } from './region.js';

const HUGE_BYTES = 2 ** SHIFT_2M;

/** Causes: a name for a table, and words for a person. */
export const OBSTACLES = {
  inaccessible: {
    short: 'no access',
    words: 'no access is allowed (PROT_NONE): addresses kept free, or a guard',
  },
  special: {
    short: 'special',
    words: 'it belongs to the kernel or to a device',
  },
  file: {
    short: 'file',
    words:
      "a file's pages lie in the page cache, in pages of the file system's choice; THP is for anonymous and shared memory",
  },
  stack: {
    short: 'stack',
    words: 'a stack grows page by page, and holds no whole 2 MiB at a multiple of 2 MiB yet',
  },
  guard: {
    short: 'guard page',
    words: 'guard pages (PROT_NONE) cut it from its neighbour, and less than an aligned 2 MiB is left',
  },
  small: {
    short: 'small',
    words: 'it is smaller than 2 MiB',
  },
  unaligned: {
    short: 'unaligned',
    words: 'it holds no whole 2 MiB at a multiple of 2 MiB',
  },
  edges: {
    short: 'ends',
    words: 'the ends before the first and behind the last multiple of 2 MiB',
  },
  offset: {
    short: 'file offset',
    words: 'its place in memory and its offset in the file differ by no multiple of 2 MiB',
  },
  nohugepage: {
    short: 'refused',
    words: 'the program has refused (MADV_NOHUGEPAGE, or MAP_STACK since Linux 6.7)',
  },
  disabled: {
    short: 'prctl',
    words: 'PR_SET_THP_DISABLE holds for the process',
  },
  setting: {
    short: 'setting',
    words: 'transparent_hugepage/enabled is never',
  },
  shmem: {
    short: 'shmem',
    words: 'the setting for shared memory (shmem_enabled, or huge= of the tmpfs) gives none',
  },
} as const;

export type Obstacle = keyof typeof OBSTACLES;

interface Hindered {
  readonly obstacle: Obstacle;
  readonly bytes: number;
}

export interface HugeBacking {
  /** Linux could back so many by pages of 2 MiB or more under the policy, if the program asks by madvise. */
  readonly bytes: number;
  /** Linux does so unasked, or was asked already. */
  readonly byItself: boolean;
  /** The rest of the region by cause; with `bytes` it adds up to the region's size. */
  readonly hindered: readonly Hindered[];
}

/** Regions side by side with this one. */
export interface Neighbours {
  readonly before?: Region | undefined;
  readonly after?: Region | undefined;
}

function isInaccessible({ permissions }: Region): boolean {
  return permissions.startsWith('---');
}

/** The tmpfs of shm_open follows its mount, all else shmem_enabled; deny and force hold for both. */
function shmemMode({ name }: Region, { shmem, devShm }: HugePolicy): ShmemMode {
  if (shmem === 'deny' || shmem === 'force') return shmem;
  return name.startsWith('/dev/shm/') ? devShm : shmem;
}

/** The cause for the whole region to have none, if there is one. */
function obstacleOf(region: Region, policy: HugePolicy): Obstacle | undefined {
  const { kind, advice, start, offset } = region;
  if (isInaccessible(region)) return 'inaccessible';
  if (kind === 'special') return 'special';
  if (kind === 'file' || kind === 'library') return 'file';
  if (advice === 'nohuge') return 'nohugepage';
  if (policy.disabled) return 'disabled';
  if (kind !== 'shared memory') return policy.enabled === 'never' ? 'setting' : undefined;
  const mode = shmemMode(region, policy);
  if (mode === 'never' || mode === 'deny') return 'shmem';
  return (start - offset) % HUGE_BYTES === 0 ? undefined : 'offset';
}

function isAsked(region: Region, policy: HugePolicy): boolean {
  if (region.advice === 'huge') return true;
  if (region.kind !== 'shared memory') return policy.enabled === 'always';
  return shmemMode(region, policy) !== 'advise';
}

/** The cause for a region without a whole 2 MiB. */
function tooSmall(region: Region, { before, after }: Neighbours): Obstacle {
  if (region.kind === 'stack') return 'stack';
  const cut = [before, after].some((other) => other !== undefined && isInaccessible(other));
  if (cut) return 'guard';
  return region.end - region.start < HUGE_BYTES ? 'small' : 'unaligned';
}

/** The whole 2 MiB within a region: the first address, and the one after the last. Empty when there are none. */
export function wholeHuge({ start, end }: Pick<Region, 'start' | 'end'>): { from: number; to: number } {
  const from = Math.ceil(start / HUGE_BYTES) * HUGE_BYTES;
  return { from, to: Math.max(from, Math.floor(end / HUGE_BYTES) * HUGE_BYTES) };
}

/** @param neighbours the regions beside it: guard pages among them are named as the cause */
export function hugeBacking(region: Region, policy: HugePolicy, neighbours: Neighbours = {}): HugeBacking {
  const size = region.end - region.start;
  if (region.kind === 'hugetlb') return { bytes: size, byItself: true, hindered: [] };
  const obstacle = obstacleOf(region, policy);
  if (obstacle !== undefined) return { bytes: 0, byItself: false, hindered: [{ obstacle, bytes: size }] };
  const { from, to } = wholeHuge(region);
  const bytes = to - from;
  if (bytes === 0) {
    return { bytes, byItself: false, hindered: [{ obstacle: tooSmall(region, neighbours), bytes: size }] };
  }
  const hindered: Hindered[] = size > bytes ? [{ obstacle: 'edges', bytes: size - bytes }] : [];
  return { bytes, byItself: isAsked(region, policy), hindered };
}

function lifetime(region: Region | RecordedRegion): readonly [number, number] {
  return 'cameAt' in region ? [region.cameAt, region.wentAt ?? Infinity] : [0, Infinity];
}

function together(a: Region, b: Region): boolean {
  const [[aFrom, aTo], [bFrom, bTo]] = [lifetime(a), lifetime(b)];
  return aFrom < bTo && bFrom < aTo;
}

function byAddress(regions: readonly Region[], key: (region: Region) => number): Map<number, Region[]> {
  const found = new Map<number, Region[]>();
  for (const region of regions) found.set(key(region), [...(found.get(key(region)) ?? []), region]);
  return found;
}

/** {@link hugeBacking} of each region of one process. Recorded regions are neighbours only while both are there. */
export function hugeBackings(regions: readonly Region[], policy: HugePolicy): HugeBacking[] {
  const byEnd = byAddress(regions, ({ end }) => end);
  const byStart = byAddress(regions, ({ start }) => start);
  // A guard among several neighbours in turn is the one to be named.
  const pick = (region: Region, others: readonly Region[] = []): Region | undefined => {
    const there = others.filter((other) => together(region, other));
    return there.find(isInaccessible) ?? there.at(0);
  };
  return regions.map((region) =>
    hugeBacking(region, policy, {
      before: pick(region, byEnd.get(region.start)),
      after: pick(region, byStart.get(region.end)),
    }),
  );
}

/** The cause for most of the bytes kept small; undefined when there is none. */
export function mainObstacle({ hindered }: HugeBacking): Obstacle | undefined {
  return [...hindered].sort((a, b) => b.bytes - a.bytes).at(0)?.obstacle;
}
