/**
 * A TLB array with true LRU, and a level of them: as tlb/array/ and tlb/group.ts have them, whose tags and rows these are.
 */

import {
  ALIGN,
  allows,
  BATCH,
  BATCH_BYTES,
  CANONICAL_SHIFT,
  count,
  COUNTS,
  field,
  FIRST_LEVEL,
  isCanonical,
  isCanonicalBy,
  L1_HITS,
  linearOf,
  NEEDED,
  NONE,
  PAGE_MASK,
  PERMITTED,
  SPACE,
} from './control';

/** Places in the block of an array. */
const CELLS = 0;
const ROW_BYTES = 4;
const SET_MASK = 8;
const SET_BYTES = 12;
/** The place of its clock. */
const CLOCK = 16;
const GLOBAL = 20;
const SETS = 24;
/** The cell of each page's last find, by its number, counted in words from the first. */
const GUESSES = 28;
const GUESS_MASK = 32;
/** 1 where a search leaves a guess, for the loop of hits; 2 where it begins with one, too, to spare many ways. */
const GUESSED = 36;

/** Places in the block of a level: the size to search first, sizes by region, arrays and shifts by size. */
const FIRST_SIZE = 0;
const REGIONS = 4;
const ARRAYS = 16;
const SHIFTS = 48;

const ALL_REGIONS: u32 = 512;
const VALID: u32 = 1 << 31;
const SPACES: u32 = 0x47ff_8000;
const PAGE_HIGH: u32 = 0x7fff;
const SET_PAGE_HIGH: u32 = 0x1fff;
const RIGHT_GLOBAL: u32 = 1 << 8;
const SIXTEEN_WORDS: u32 = 64;

export function arrayOf(level: u32, size: u32): u32 {
  return load<u32>(level + (size << 2), ARRAYS);
}

export function shiftOf(level: u32, size: u32): u32 {
  return load<u32>(level + (size << 2), SHIFTS);
}

export function firstSize(level: u32): u32 {
  return field(level, FIRST_SIZE);
}

/** The number of the page around an address. Its low word is the page of an array, and its high one a part of the tag. */
export function pageOf(linear: u64, shift: u32): u64 {
  return linear >>> (<u64>shift);
}

export function tagOf(page: u64, space: u32, size: u32): u32 {
  return (space << 15) | (size << 27) | VALID | ((<u32>(page >>> 32)) & PAGE_HIGH);
}

/** The place of the sizes possible at an address, a bit each: see tlb/regions.ts. */
function region(level: u32, linear: u64): u32 {
  const number = <u32>(linear >>> 21);
  return field(level, REGIONS) + ((number ^ (number >>> 9)) & (ALL_REGIONS - 1));
}

function setStart(array: u32, page: u32, tag: u32): u32 {
  const mask = field(array, SET_MASK);
  const set =
    mask != ~0 ? page & mask : <u32>((((<u64>(tag & SET_PAGE_HIGH)) << 32) | (<u64>page)) % <u64>field(array, SETS));
  return field(array, CELLS) + set * field(array, SET_BYTES);
}

function guess(array: u32, page: u32): u32 {
  return field(array, GUESSES) + ((page & field(array, GUESS_MASK)) << 2);
}

/** Which of the sixteen words at `at` are equal to that in all parts of `word`, a bit each: see tlb/array/cells.ts. */
function equalWords(at: u32, word: v128): u32 {
  const first = i16x8.narrow_i32x4_s(i32x4.eq(v128.load(at), word), i32x4.eq(v128.load(at, 16), word));
  const last = i16x8.narrow_i32x4_s(i32x4.eq(v128.load(at, 32), word), i32x4.eq(v128.load(at, 48), word));
  return i8x16.bitmask(i8x16.narrow_i16x8_s(first, last));
}

/** The cell of a page, or 0: sixteen ways at a time. What follows the last way belongs to the same set. */
export function find(array: u32, page: u32, tag: u32): u32 {
  const row = field(array, ROW_BYTES);
  const guessed = field(array, GUESSED);
  if (guessed > 1) {
    const cell = field(array, CELLS) + (load<u32>(guess(array, page)) << 2);
    if (load<u32>(cell) == page && load<u32>(cell + row) == tag) return cell;
  }
  let some = setStart(array, page, tag);
  const end = some + row;
  const pages = i32x4.splat(page);
  let global: u32 = 0;
  do {
    let equal = equalWords(some, pages);
    while (equal != 0) {
      const cell = some + (ctz(equal) << 2);
      if (cell >= end) break;
      const found = load<u32>(cell + row);
      if (found == tag) {
        if (guessed != 0) store<u32>(guess(array, page), (cell - field(array, CELLS)) >>> 2);
        return cell;
      }
      if (found == ((tag & ~SPACES) | field(array, GLOBAL))) global = cell;
      equal &= equal - 1;
    }
    some += SIXTEEN_WORDS;
  } while (some < end);
  return global;
}

/** A hit: the cell is the most recent of its set from now on. */
export function touch(array: u32, cell: u32): void {
  const at = field(array, CLOCK);
  const clock = load<u32>(at) + 1;
  store<u32>(at, clock);
  store<u32>(cell + 2 * field(array, ROW_BYTES), clock);
}

export function frameIn(array: u32, cell: u32): u32 {
  return load<u32>(cell + 3 * field(array, ROW_BYTES));
}

export function rightsIn(array: u32, cell: u32): u32 {
  return load<u32>(cell + 4 * field(array, ROW_BYTES));
}

/** The first cell with the lowest stamp: free, or used longest ago. */
function room(start: u32, row: u32): u32 {
  const stamps = start + 2 * row;
  if ((row & 15) == 0) {
    let least = v128.load(stamps);
    for (let way: u32 = 16; way < row; way += 16) least = i32x4.min_u(least, v128.load(stamps + way));
    least = i32x4.min_u(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
    least = i32x4.min_u(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2));
    let some: u32 = 0;
    let equal = equalWords(stamps, least);
    while (equal == 0) {
      some += SIXTEEN_WORDS;
      equal = equalWords(stamps + some, least);
    }
    return start + some + (ctz(equal) << 2);
  }
  let lowest: u32 = ~0;
  let at: u32 = 0;
  for (let way: u32 = 0; way < row; way += 4) {
    const stamp = load<u32>(stamps + way);
    if (stamp >= lowest) continue;
    lowest = stamp;
    at = way;
  }
  return start + at;
}

/** Puts in a page not here yet. */
export function insert(array: u32, page: u32, tag: u32, frame: u32, rights: u32): void {
  const row = field(array, ROW_BYTES);
  const cells = field(array, CELLS);
  // Read before any store: V8 would read the block anew after each.
  const guesses = field(array, GUESSED) != 0 ? guess(array, page) : 0;
  const at = field(array, CLOCK);
  const clock = load<u32>(at) + 1;
  const cell = room(setStart(array, page, tag), row);
  store<u32>(cell, page);
  store<u32>(cell + row, tag);
  store<u32>(at, clock);
  store<u32>(cell + 2 * row, clock);
  store<u32>(cell + 3 * row, frame);
  store<u32>(cell + 4 * row, rights);
  if (guesses != 0) store<u32>(guesses, (cell - cells) >>> 2);
}

/** The cell of an address in a level, or 0: the size found last is searched first, and is the one found. */
export function search(level: u32, linear: u64, space: u32): u32 {
  let sizes = <u32>load<u8>(region(level, linear));
  let size = firstSize(level);
  if (((sizes >>> size) & 1) == 0) size = ctz(sizes);
  while (sizes != 0) {
    const array = arrayOf(level, size);
    const page = pageOf(linear, shiftOf(level, size));
    const cell = array == 0 ? 0 : find(array, <u32>page, tagOf(page, space, size));
    if (cell != 0) {
      store<u32>(level + FIRST_SIZE, size);
      return cell;
    }
    sizes &= ~(1 << size);
    size = ctz(sizes);
  }
  return 0;
}

/**
 * The frame of an address by the first level in the shortest way: a page of the size to search first, at the place of its
 * last find. NONE, with nothing changed, when it takes more to know.
 */
export function hit(control: u32, hi: u32, lo: u32): u32 {
  const level = field(control, FIRST_LEVEL);
  const size = firstSize(level);
  const array = arrayOf(level, size);
  if (array == 0 || !isCanonical(control, hi)) return NONE;
  const shift = shiftOf(level, size);
  const page = pageOf(linearOf(hi, lo), shift);
  const cell = field(array, CELLS) + (load<u32>(guess(array, <u32>page)) << 2);
  const found = load<u32>(cell + field(array, ROW_BYTES));
  if (load<u32>(cell) != <u32>page || found != tagOf(page, field(control, SPACE), size)) return NONE;
  if (!allows(control, rightsIn(array, cell))) return NONE;
  touch(array, cell);
  count(field(control, COUNTS), L1_HITS, 1);
  return frameIn(array, cell) | ((lo >>> 12) & ((1 << (shift - 12)) - 1));
}

/**
 * Looks addresses up from the one at `at` on, as pages of the size to search first, where the guess is right and the
 * rights allow it: a loop without calls. @returns the first that takes more to know, or `end`
 */
export function hits(control: u32, at: u32, end: u32): u32 {
  const level = field(control, FIRST_LEVEL);
  const align = field(control, ALIGN);
  const kept = PAGE_MASK | align;
  const canonicalShift = field(control, CANONICAL_SHIFT);
  const permitted = field(control, PERMITTED);
  const needed = field(control, NEEDED);
  const size = firstSize(level);
  const shift = shiftOf(level, size);
  const array = arrayOf(level, size);
  if (array == 0) return at;
  const base = tagOf(0, field(control, SPACE), size);
  const inPage = (1 << (shift - 12)) - 1;
  const cells = field(array, CELLS);
  const row = field(array, ROW_BYTES);
  const guesses = field(array, GUESSES);
  const mask = field(array, GUESS_MASK);
  let clock = load<u32>(field(array, CLOCK));
  // An address without alignment keeps bits of `align`, below 4, and equals no piece; none equals 4.
  let last: u64 = 4;
  let frame: u32 = 0;
  for (; at < end; at += 4) {
    const lo = load<u32>(at, BATCH_BYTES);
    const linear = linearOf(load<u32>(at), lo & kept);
    // The piece found just before is of the most recent page of its set.
    if (linear != last) {
      if ((lo & align) != 0 || !isCanonicalBy(canonicalShift, load<u32>(at))) break;
      const page = pageOf(linear, shift);
      const cell = cells + (load<u32>(guesses + (((<u32>page) & mask) << 2)) << 2);
      if (load<u32>(cell) != <u32>page || load<u32>(cell + row) != (base | ((<u32>(page >>> 32)) & PAGE_HIGH))) break;
      const rights = load<u32>(cell + 4 * row);
      if (((permitted >>> rights) & 1) == 0 || (~rights & needed) != 0) break;
      store<u32>(cell + 2 * row, ++clock);
      frame = load<u32>(cell + 3 * row) | ((lo >>> 12) & inPage);
      last = linear;
    }
    store<u32>(at, frame, 2 * BATCH_BYTES);
  }
  store<u32>(field(array, CLOCK), clock);
  return at;
}

/** Puts in a page of a size with an array, whose first 4 KiB frame is `frame`. */
export function fill(level: u32, linear: u64, space: u32, frame: u32, rights: u32, size: u32): void {
  const shift = shiftOf(level, size);
  const array = arrayOf(level, size);
  const page = pageOf(linear, shift);
  const tagInSpace = tagOf(page, space, size);
  const tag = (rights & RIGHT_GLOBAL) != 0 ? (tagInSpace & ~SPACES) | field(array, GLOBAL) : tagInSpace;
  insert(array, <u32>page, tag, frame, rights);
  store<u32>(level + FIRST_SIZE, size);
  const bit: u32 = 1 << size;
  // The sizes of all regions stand behind those of each.
  const places = field(level, REGIONS);
  const place = shift <= 21 ? region(level, linear) : places + ALL_REGIONS;
  if (((<u32>load<u8>(place)) & bit) != 0) return;
  store<u8>(place, load<u8>(place) | bit);
  if (shift <= 21) {
    store<u8>(places, load<u8>(places, ALL_REGIONS) | (<u8>bit), ALL_REGIONS);
  } else {
    for (let each = places; each < places + ALL_REGIONS; each++) store<u8>(each, load<u8>(each) | bit);
  }
}
