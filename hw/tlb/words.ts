/** A TLB geometry in words and figures for reports. */

import { pageSizeName, SHIFT_4M, SIZE_SHIFTS } from '../base/address.js';
import { DEFAULT_SECOND_STAGE } from './presets.js';
import { walkCacheShape } from './walk-cache.js';
import type { TlbGeometry, TlbLevelShape, WalkCacheGeometry } from './hierarchy.js';

const LEVEL_NAMES = ['', 'level 1', 'level 2', 'level 3'];

function describeLevel(level: TlbLevelShape, shifts: readonly number[]): string {
  const arrays = level.map(({ entries, ways, pages }) => {
    const form = entries === ways ? `${entries} fully associative` : `${entries}x${ways}`;
    const names = pages.filter((shift) => shift !== SHIFT_4M && shifts.includes(shift)).map(pageSizeName);
    return `${form} for ${names.join('/')}`;
  });
  return arrays.join(', ');
}

/** The caches for walks of four levels: that of level 4 is none of them. `keys` are the names that shapes may have. */
function describeWalkCaches(
  caches: WalkCacheGeometry = {},
  names: readonly string[],
  term: string,
  keys = names,
): string {
  const words = [3, 2, 1].flatMap((level) => {
    const shape = walkCacheShape(caches, level, keys);
    return shape === undefined ? [] : [`${names[level]} ${shape.entries}x${shape.ways}`];
  });
  return words.length === 0 ? `no ${term}` : `${term} ${words.join(', ')}`;
}

/** What a host's side keeps of a guest's walks. */
function describeSecondStage(tlb: TlbGeometry, shifts: readonly number[], keys: readonly string[]): string {
  const { secondStage = DEFAULT_SECOND_STAGE, secondStageWalkCaches = tlb.walkCaches } = tlb;
  const pages = secondStage.length === 0 ? 'no TLB' : describeLevel(secondStage, shifts);
  const assumed = tlb.secondStage === undefined ? ' (a model default)' : '';
  return `second stage${assumed} ${pages}, ${describeWalkCaches(secondStageWalkCaches, LEVEL_NAMES, 'walk caches', keys)}`;
}

/** An architecture's words: for entries that the walk cache of a level keeps, and for these caches. */
interface TlbTerms {
  readonly walkCaches: readonly string[];
  /** Absent: x86's. */
  readonly caches?: string;
  /** Some processors keep adjacent pages as one: see {@link TlbGeometry.coalesces}. */
  readonly coalesces?: boolean;
}

/**
 * The TLBs on the way of data loads, in the terms of an architecture: `L1 64x4 for 4K, 32x4 for 2M; L2 1536x12 for
 * 4K/2M; no paging-structure caches`.
 *
 * @param sizes log2 of the machine's page sizes
 * @param guest those of a guest: with what its second stage keeps
 */
export function describeTlb(
  tlb: TlbGeometry,
  { walkCaches: names, caches: term = 'paging-structure caches', coalesces: adjacent = false }: TlbTerms,
  sizes: readonly number[] = SIZE_SHIFTS,
  guest = false,
): string {
  const { l1Data, l2, walkCaches, walkLevels, coalesces } = tlb;
  const shifts = coalesces === undefined || !adjacent || guest ? sizes : [...sizes, coalesces];
  return [
    l1Data.length === 0 ? 'no L1' : `L1 ${describeLevel(l1Data, shifts)}`,
    l2.length === 0 ? 'no L2' : `L2 ${describeLevel(l2, shifts)}`,
    describeWalkCaches(walkCaches, names, term),
    ...(guest ? [describeSecondStage(tlb, sizes, names)] : []),
    ...(walkLevels === undefined ? [] : [`walks of ${walkLevels} levels`]),
  ].join('; ');
}

/** Entries for pages of `2^shift` bytes in the level with most of them: how many data pages the TLB holds at once. */
export function entriesFor({ l1Data, l2 }: TlbGeometry, shift: number): number {
  const inLevel = (level: TlbLevelShape): number =>
    level.filter(({ pages }) => pages.includes(shift)).reduce((sum, { entries }) => sum + entries, 0);
  return Math.max(inLevel(l1Data), inLevel(l2));
}
