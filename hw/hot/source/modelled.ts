/** Two levels of TLBs, walk caches and settled walks, counted: the modelled path of translate/path/translation.ts. */

import {
  ALIGN,
  BATCH,
  BATCH_BYTES,
  count,
  field,
  FIRST_LEVEL,
  isCanonical,
  KEPT,
  KEYS,
  L1_HITS,
  L2_HITS,
  NEEDED,
  NONE,
  PERMITTED,
  RAM_BYTES,
  READS,
  RESERVED,
  RESERVED_1G,
  RESERVED_2M,
  ROOT,
  SECOND_LEVEL,
  SHORTENED,
  SPACE,
  TABLES,
  WALK_CACHES,
  WALKS,
} from './control';
import {
  arrayOf,
  fill,
  find,
  firstSize,
  frameIn,
  hits,
  insert,
  pageOf,
  rightsIn,
  search,
  shiftOf,
  tagOf,
  touch,
} from './tlb';
import { entryIn, PTE_FRAME, PTE_PS, SETTLED } from './walk';

const ROOT_LEVEL: u32 = 3;
/** Writable and user; a third bit, XD, is 0. */
const ROOT_RIGHTS: u32 = 6;
/** From a protection key's place in an entry to that in rights. */
const KEY_SHIFT = 47;
const SIZE_2M: u32 = 1;
const SIZE_1G: u32 = 3;

function levelShift(level: u32): u32 {
  return 12 + 9 * level;
}

function frameInPage(lo: u32, shift: u32): u32 {
  return (lo >>> 12) & ((1 << (shift - 12)) - 1);
}

/** Whether the rights allow the access without more ado. */
function allows(control: u32, rights: u32): bool {
  return ((field(control, PERMITTED) >>> rights) & 1) != 0 && (~rights & field(control, NEEDED)) == 0;
}

function walkCache(control: u32, level: u32): u32 {
  return field(control, WALK_CACHES + ((level - 1) << 2));
}

/** The frame of an address that both levels miss, from the deepest table in a walk cache; NONE when it is not settled. */
function walkCached(control: u32, hi: u32, lo: u32): u32 {
  const space = field(control, SPACE);
  const end = <u64>field(control, RAM_BYTES);
  let table = <u64>field(control, ROOT);
  let rights = ROOT_RIGHTS;
  let start: u32 = 0;
  for (; start < ROOT_LEVEL; start++) {
    const cache = walkCache(control, start + 1);
    if (cache == 0) continue;
    const shift = levelShift(start + 1);
    const cell = find(cache, pageOf(hi, lo, shift), tagOf(hi, shift, space, 0));
    if (cell == 0) continue;
    touch(cache, cell);
    table = (<u64>frameIn(cache, cell)) << 12;
    rights = rightsIn(cache, cell);
    break;
  }
  let level = start;
  let entry: u64 = 0;
  for (;;) {
    if (table >= end) return NONE;
    entry = entryIn(table, pageOf(hi, lo, levelShift(level)) << 3);
    if ((entry & SETTLED) != SETTLED || ((<u32>(entry >>> 32)) & field(control, RESERVED)) != 0) return NONE;
    rights = (rights & (<u32>entry) & ROOT_RIGHTS) | ((rights | (<u32>(entry >>> 63))) & 1);
    if (level == 0 || (entry & PTE_PS) != 0) break;
    table = entry & PTE_FRAME;
    store<u32>(control + (level << 3), <u32>(table >>> 12), TABLES);
    store<u32>(control + (level << 3), rights, TABLES + 4);
    level--;
  }
  if (level == 3) return NONE;
  const reserved = level == 0 ? 0 : level == 1 ? field(control, RESERVED_2M) : field(control, RESERVED_1G);
  if (((<u32>entry) & reserved) != 0) return NONE;
  rights |= ((<u32>entry) & field(control, KEPT)) | ((<u32>(entry >>> KEY_SHIFT)) & field(control, KEYS));
  const size: u32 = level == 0 ? 0 : level == 1 ? SIZE_2M : SIZE_1G;
  const pageBytes = (<u64>1) << levelShift(level);
  const page = entry & PTE_FRAME & ~(pageBytes - 1);
  const l1 = field(control, FIRST_LEVEL);
  const l2 = field(control, SECOND_LEVEL);
  if (page + pageBytes > end || !allows(control, rights)) return NONE;
  if (arrayOf(l1, size) == 0 || arrayOf(l2, size) == 0) return NONE;

  count(control, WALKS, 1);
  if (start < ROOT_LEVEL) count(control, SHORTENED, 1);
  for (let read = level; read <= start; read++) count(control, READS + (read << 2), 1);
  for (let read = level + 1; read <= start; read++) {
    const cache = walkCache(control, read);
    if (cache == 0) continue;
    const shift = levelShift(read);
    const to = field(control, TABLES + (read << 3));
    const allowed = field(control, TABLES + 4 + (read << 3));
    insert(cache, pageOf(hi, lo, shift), tagOf(hi, shift, space, 0), to, allowed);
  }
  const first = <u32>(page >>> 12);
  fill(l1, hi, lo, space, first, rights, size);
  fill(l2, hi, lo, space, first, rights, size);
  return first | frameInPage(lo, levelShift(level));
}

/** The frame of an address that the first level misses, or NONE. */
function missed(control: u32, hi: u32, lo: u32): u32 {
  const l2 = field(control, SECOND_LEVEL);
  const space = field(control, SPACE);
  const cell = search(l2, hi, lo, space);
  if (cell == 0) return walkCached(control, hi, lo);
  const l1 = field(control, FIRST_LEVEL);
  const size = firstSize(l2);
  const array = arrayOf(l2, size);
  const rights = rightsIn(array, cell);
  if (!allows(control, rights) || arrayOf(l1, size) == 0) return NONE;
  touch(array, cell);
  const first = frameIn(array, cell);
  fill(l1, hi, lo, space, first, rights, size);
  count(control, L2_HITS, 1);
  return first | frameInPage(lo, shiftOf(l2, size));
}

/** The frame of an address, or NONE. */
function lookup(control: u32, hi: u32, lo: u32): u32 {
  if ((lo & field(control, ALIGN)) != 0 || !isCanonical(control, hi)) return NONE;
  const l1 = field(control, FIRST_LEVEL);
  const cell = search(l1, hi, lo, field(control, SPACE));
  if (cell == 0) return missed(control, hi, lo);
  const size = firstSize(l1);
  const array = arrayOf(l1, size);
  if (!allows(control, rightsIn(array, cell))) return NONE;
  touch(array, cell);
  count(control, L1_HITS, 1);
  return frameIn(array, cell) | frameInPage(lo, shiftOf(l1, size));
}

/** Translates addresses `from` to `to - 1` of the batch. @returns the place of the stop, or `to` */
export function modelled(control: u32, from: u32, to: u32): u32 {
  const his = field(control, BATCH);
  const los = his + BATCH_BYTES;
  const results = los + BATCH_BYTES;
  const end = to << 2;
  for (let i = from << 2; i < end;) {
    const start = i;
    i = hits(control, i, end);
    count(control, L1_HITS, (i - start) >>> 2);
    // After a miss the next address is one too, most often.
    for (let missing = true; missing && i < end; i += 4) {
      const known = field(control, L1_HITS);
      const frame = lookup(control, load<u32>(his + i), load<u32>(los + i));
      if (frame == NONE) return i >>> 2;
      store<u32>(results + i, frame);
      missing = field(control, L1_HITS) == known;
    }
  }
  return to;
}
