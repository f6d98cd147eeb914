/**
 * A TLB shape as text.
 *
 *     64x4+1536x12                                a first level of 64 entries, 4 ways, and a second of 1536, 12 ways
 *     64x4@4K,32x4@2M4M,4xfa@1G+1536x12@4K2M      arrays of their own by page size; `fa`: fully associative
 *     48xfa/fifo                                  one level, first in first out; also /lru /tree-plru /random
 *     64x4+1536x12+psc                            with the model's default paging-structure caches
 *     48xfa@4K64K+1280x5@4K64K2M                  contiguous pages of 64 KiB in one entry
 *     64xfa@4K32K+2048x8@4K32K2M                  x86: entries for 32 KiB of adjacent pages, or 16K for 16 KiB
 *     skylake, zen4, none, ...                    a preset
 *
 * An array without `@` holds all page sizes of the machine. A machine passes over sizes it does not have. Data and instruction fetches have first levels of the same shape, apart;
 * the second level is shared. Without `+psc` a spelled-out shape has no paging-structure caches: it is taken at its
 * word.
 */

import { checkKind, TEXT } from '../base/arguments.js';
import { NAMED_SHIFTS, pageSizeName, parsePageSize } from '../base/address.js';
import { DEFAULT_WALK_CACHES, presetByName, presetNames } from './presets.js';
import { checkLevel } from './hierarchy.js';
import type { TlbArrayShape, TlbGeometry, TlbLevelShape } from './hierarchy.js';
import type { Replacement } from './array/replacement.js';
import { checkShape, MOST_ENTRIES } from './shape.js';

/** Real processors have up to four arrays a level; every lookup may have to ask them all. */
const MOST_ARRAYS = 8;
/** Of adjacent pages in one entry: only where it is asked for by name. */
const COALESCED_SHIFTS = [15, 14];
/** The sizes of tables' entries. */
const TABLE_SHIFTS = NAMED_SHIFTS.filter((shift) => shift !== 15);
const ARRAY = /^(\d+)x(\d+|fa)(?:@((?:\d+[KMG])+))?(?:\/(lru|tree-plru|fifo|random))?$/i;

function parseArray(text: string, seed: number): TlbArrayShape {
  const match = ARRAY.exec(text.trim());
  if (match === null) {
    const presets = presetNames().join(', ');
    throw new RangeError(`TLB '${text}': write ENTRIESxWAYS such as 64x4 or 48xfa, or a preset: ${presets}, none`);
  }
  const [, entriesText, waysText, pagesText, replacement] = match as unknown as (string | undefined)[];
  const entries = Number(entriesText);
  const ways = waysText?.toLowerCase() === 'fa' ? entries : Number(waysText);
  const pages = pagesText?.match(/\d+[KMG]/gi)?.map((name) => {
    const shift = parsePageSize(name);
    if (shift === undefined)
      throw new RangeError(
        `TLB '${text}': page size ${name} must be one of ${NAMED_SHIFTS.map(pageSizeName).join(', ')}`,
      );
    return shift;
  });
  const policy = (replacement?.toLowerCase() ?? 'lru') as Replacement;
  const shape = {
    entries,
    ways,
    pages: pages === undefined ? TABLE_SHIFTS : [...new Set(pages)],
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

/** The size of adjacent pages asked for by name: 32 KiB before 16 KiB, which is a page size of other machines. */
function coalescedShift(text: string, arrays: TlbLevelShape): number | undefined {
  const asked = COALESCED_SHIFTS.filter((shift) => text.toUpperCase().includes(pageSizeName(shift)));
  return asked.find((shift) => arrays.some(({ pages }) => pages.includes(shift)));
}

/**
 * Reads a preset's name or a shape; `seed` is for random replacement.
 * @throws RangeError with the wrong part and a right one; TypeError for anything but text
 */
export function parseTlb(text: string, seed = 1): TlbGeometry {
  checkKind('parseTlb: text', text, TEXT);
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
  const coalesces = coalescedShift(text, [...l1, ...l2]);
  return {
    name: text.trim(),
    l1Data: l1,
    l1Instruction: l1,
    l2,
    ...(coalesces !== undefined && { coalesces }),
    ...(walkCaches ? { walkCaches: DEFAULT_WALK_CACHES } : {}),
  };
}
