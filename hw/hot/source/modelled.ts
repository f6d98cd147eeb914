/** Two levels of TLBs, walk caches and settled walks, counted: the modelled path of translate/path/translation.ts. */

import {
  ALIGN,
  allows,
  BATCH,
  BATCH_BYTES,
  count,
  COUNTS,
  field,
  FIRST_LEVEL,
  isCanonical,
  L1_HITS,
  L2_HITS,
  LEFT,
  linearOf,
  MACHINE,
  NONE,
  SECOND_LEVEL,
  SPACE,
} from './control';
import { OfAny, OfX86, X86 } from './machine';
import { walkTables, WithTlb } from './tables';
import { arrayOf, fill, firstSize, frameIn, hit, hits, rightsIn, search, shiftOf, touch } from './tlb';

/** Bits of a frame in RAM. */
const FRAME_BITS: u32 = 20;

function frameInPage(lo: u32, shift: u32): u32 {
  return (lo >>> 12) & ((1 << (shift - 12)) - 1);
}

/** The frame of an address that the first level misses, or NONE. */
function missed(control: u32, linear: u64): u32 {
  const l1 = field(control, FIRST_LEVEL);
  const l2 = field(control, SECOND_LEVEL);
  // A level has no arrays here while it holds pieces of larger pages.
  if (arrayOf(l1, 0) == 0 || arrayOf(l2, 0) == 0) return NONE;
  const space = field(control, SPACE);
  const cell = search(l2, linear, space);
  if (cell == 0) {
    const isX86 = field(control, MACHINE) == X86;
    return isX86 ? walkTables<OfX86, WithTlb>(control, linear) : walkTables<OfAny, WithTlb>(control, linear);
  }
  const size = firstSize(l2);
  const array = arrayOf(l2, size);
  const rights = rightsIn(array, cell);
  if (!allows(control, rights) || arrayOf(l1, size) == 0) return NONE;
  touch(array, cell);
  const first = frameIn(array, cell);
  fill(l1, linear, space, first, rights, size);
  count(field(control, COUNTS), L2_HITS, 1);
  return first | frameInPage(<u32>linear, shiftOf(l2, size));
}

/** The frame of an address, or NONE. */
function lookup(control: u32, hi: u32, lo: u32): u32 {
  if ((lo & field(control, ALIGN)) != 0 || !isCanonical(control, hi)) return NONE;
  const l1 = field(control, FIRST_LEVEL);
  const linear = linearOf(hi, lo);
  const cell = search(l1, linear, field(control, SPACE));
  if (cell == 0) return missed(control, linear);
  const size = firstSize(l1);
  const array = arrayOf(l1, size);
  if (!allows(control, rightsIn(array, cell))) return NONE;
  touch(array, cell);
  count(field(control, COUNTS), L1_HITS, 1);
  return frameIn(array, cell) | frameInPage(lo, shiftOf(l1, size));
}

/**
 * Looks up one address. @returns its frame, with the page size found in the bits above all frames of RAM, which ends at
 * 4 GiB here; or NONE
 */
export function lookupOne(control: u32, hi: u32, lo: u32): u32 {
  const left = field(control, LEFT);
  if (left == 0) return NONE;
  store<u32>(control + LEFT, left - 1);
  let frame = hit(control, hi, lo);
  if (frame == NONE) frame = lookup(control, hi, lo);
  return frame == NONE ? NONE : frame | (firstSize(field(control, FIRST_LEVEL)) << FRAME_BITS);
}

/** Translates addresses `from` to `to - 1` of the batch. @returns the place of the stop, or `to` */
export function modelled(control: u32, from: u32, to: u32): u32 {
  const his = field(control, BATCH);
  const end = his + (to << 2);
  for (let at = his + (from << 2); at < end;) {
    const start = at;
    at = hits(control, at, end);
    if (at != start) count(field(control, COUNTS), L1_HITS, <f64>((at - start) >>> 2));
    // After a miss the next address is one too, most often.
    for (let missing = true; missing && at < end; at += 4) {
      const known = load<f64>(field(control, COUNTS), L1_HITS);
      const frame = lookup(control, load<u32>(at), load<u32>(at, BATCH_BYTES));
      if (frame == NONE) return (at - his) >>> 2;
      store<u32>(at, frame, 2 * BATCH_BYTES);
      missing = load<f64>(field(control, COUNTS), L1_HITS) == known;
    }
  }
  return to;
}
