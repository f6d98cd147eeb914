/**
 * A TLB shape as text.
 *
 *     64x4+1536x12                                a first level of 64 entries, 4 ways, and a second of 1536, 12 ways
 *     64x4@4K,32x4@2M4M,4xfa@1G+1536x12@4K2M      arrays of their own by page size; `fa`: fully associative
 *     48xfa/fifo                                  one level, first in first out; also /lru /tree-plru /random
 *     64x4+1536x12+psc                            with the model's default paging-structure caches
 *     skylake, zen4, none, ...                    a preset
 *
 * An array without `@` holds all page sizes. Data and instruction fetches have first levels of the same shape, apart;
 * the second level is shared. Without `+psc` a spelled-out shape has no paging-structure caches: it is taken at its
 * word.
 */

import { parsePageSize, SIZE_SHIFTS } from '../base/address.js';
import { DEFAULT_WALK_CACHES, presetByName, presetNames } from './presets.js';
import { checkLevel } from './hierarchy.js';
import type { TlbArrayShape, TlbGeometry, TlbLevelShape } from './hierarchy.js';
import type { Replacement } from './replacement.js';
import { checkShape, MOST_ENTRIES } from './shape.js';

/** Real processors have up to four arrays a level; every lookup may have to ask them all. */
const MOST_ARRAYS = 8;
const ARRAY = /^(\d+)x(\d+|fa)(?:@((?:\d[KMG])+))?(?:\/(lru|tree-plru|fifo|random))?$/i;

function parseArray(text: string, seed: number): TlbArrayShape {
  const match = ARRAY.exec(text.trim());
  if (match === null) {
    const presets = presetNames().join(', ');
    throw new RangeError(`TLB '${text}': write ENTRIESxWAYS such as 64x4 or 48xfa, or a preset: ${presets}, none`);
  }
  const [, entriesText, waysText, pagesText, replacement] = match as unknown as (string | undefined)[];
  const entries = Number(entriesText);
  const ways = waysText?.toLowerCase() === 'fa' ? entries : Number(waysText);
  const pages = pagesText?.match(/\d[KMG]/gi)?.map((name) => {
    const shift = parsePageSize(name);
    if (shift === undefined) throw new RangeError(`TLB '${text}': page size ${name} must be 4K, 2M, 4M or 1G`);
    return shift;
  });
  const policy = (replacement?.toLowerCase() ?? 'lru') as Replacement;
  const shape = {
    entries,
    ways,
    pages: pages === undefined ? SIZE_SHIFTS : [...new Set(pages)],
    replacement: policy,
    seed,
  };
  checkShape(shape, `TLB '${text}'`);
  return shape;
}

function parseLevel(text: string, seed: number): TlbLevelShape {
  const arrays = text.split(',');
  if (arrays.length > MOST_ARRAYS) {
    throw new RangeError(
      `a TLB of ${arrays.length} arrays in one level: give at most ${MOST_ARRAYS}, apart by page size`,
    );
  }
  const level = arrays.map((array) => parseArray(array, seed));
  checkLevel(level, `TLB '${text}'`);
  return level;
}

/**
 * Reads a preset's name or a shape; `seed` is for random replacement.
 * @throws RangeError with the wrong part and a right one.
 */
export function parseTlb(text: string, seed = 1): TlbGeometry {
  const preset = presetByName(text.trim());
  if (preset !== undefined) return preset;
  const parts = text.trim().split('+');
  const walkCaches = parts.at(-1)?.toLowerCase() === 'psc';
  if (walkCaches) parts.pop();
  if (parts.length < 1 || parts.length > 2) {
    throw new RangeError(`TLB '${text}': at most two levels, joined by +, such as 64x4+1536x12`);
  }
  const [l1, l2 = []] = parts.map((part) => parseLevel(part, seed));
  const entries = [...l1, ...l2].reduce((sum, array) => sum + array.entries, 0);
  if (entries > MOST_ENTRIES) {
    throw new RangeError(`TLB '${text}': its arrays have ${entries} entries in all; give at most ${MOST_ENTRIES}`);
  }
  return {
    name: text.trim(),
    l1Data: l1,
    l1Instruction: l1,
    l2,
    ...(walkCaches ? { walkCaches: DEFAULT_WALK_CACHES } : {}),
  };
}
