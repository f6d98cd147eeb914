/** The loop of the finder of lookups, in AssemblyScript: `LookupFinder` is the same in TypeScript, and repeats.ts. */

/** The control block: its fields, by their places in bytes, as hot/find-loop.ts has them in words. */
const MARK = 0;
const ACCESSES = 4;
/** The kind of access that may be two lookups though it stays in its page, or no kind. */
const TWICE = 8;
/** Places in memory: the block, the words of the filter. */
const BLOCK = 12;
const FILTER = 16;
/** From a lookup's high word to its low word, and to the place of its access. */
const LO_COLUMN = 20;
const ACCESS_COLUMN = 24;
/** By page size: the place of the next lookup, then lookups of second pages, of data and of fetches. */
const ENDS = 28;
const SECOND = 40;
const SECOND_FETCHES = 52;

const PAGE_MASK: u32 = 0xffff_f000;
const USER_HI_BITS: u32 = 15;
const ACCESS_BYTES: u32 = 12;
const ACCESS_WORDS: u32 = 3;
const KIND_MASK: u32 = 3;
const SIZE_SHIFT: u32 = 2;
const STORE: u32 = 1;
const FETCH: u32 = 2;
const MODIFY: u32 = 3;
/** A bit in no access: beside it no page is the one before. */
const NO_PAGE: u32 = 0x800;

/** Of the filter, in bytes: rows of kinds of access, and the part of each large page size in a TLB's. */
const ROWS: u32 = 1536;
const ROW_SHIFT: u32 = 4;
const START_2M: u32 = 256;
const START_1G: u32 = 384;
const SET_MASK: u32 = 31;
/** Bits of a page's number, in an address from bit 16 on. */
const BIT_2M: u32 = 5;
const BIT_1G: u32 = 14;

function field(control: u32, place: u32): u32 {
  return load<u32>(control + place);
}

/** 1 for a lookup with 4 KiB pages that is no repeat, else 0: `isNew4K`. */
function isNew4K(filter: u32, row: u32, mark: u32, hi: u32, lo: u32): u32 {
  const last = filter + ((load<u32>(row) | ((lo >>> 11) & load<u32>(row + 4))) << 2);
  const differs = ((load<u32>(last) ^ lo) & PAGE_MASK) | (load<u32>(last + 4) ^ hi);
  store<u32>(last, lo);
  store<u32>(last + 4, hi | mark);
  return <u32>(differs != 0);
}

/** The same with larger pages: `isNewLarge`. `column` is the place of their rule in a row. */
function isNewLarge(filter: u32, row: u32, mark: u32, upper: u32, column: u32, start: u32, bit: u32): u32 {
  const rule = load<u32>(row + column);
  const last = filter + (load<u32>(row) << 2) + start + (((upper >>> bit) & rule & SET_MASK) << 2);
  const differs = (load<u32>(last) ^ upper) & rule & ~SET_MASK;
  store<u32>(last, upper | mark);
  return <u32>(differs != 0);
}

function upperOf(hi: u32, lo: u32): u32 {
  return (hi << 16) | (lo >>> 16);
}

/** Places a lookup with pages of the size `n`. */
function placeOne(control: u32, n: u32, row: u32, access: u32, at: u32, hi: u32, lo: u32): void {
  const filter = field(control, FILTER);
  const mark = field(control, MARK);
  const ends = control + ENDS + (n << 2);
  const end = load<u32>(ends);
  store<u32>(end, hi);
  store<u32>(end + field(control, LO_COLUMN), (lo & PAGE_MASK) | access);
  store<u32>(end + field(control, ACCESS_COLUMN), at);
  const upper = upperOf(hi, lo);
  let isNew: u32;
  if (n == 0) isNew = isNew4K(filter, row, mark, hi, lo);
  else if (n == 1) isNew = isNewLarge(filter, row, mark, upper, 8, START_2M, BIT_2M);
  else isNew = isNewLarge(filter, row, mark, upper, 12, START_1G, BIT_1G);
  store<u32>(ends, end + (isNew << 2));
}

/** Places the lookups of an access, one or two of each page size. */
function placePages(control: u32, kind: u32, at: u32, address: u64, size: u32): void {
  const row = field(control, FILTER) + ROWS + (kind << ROW_SHIFT);
  const access = (field(control, ACCESSES) >>> (kind << 3)) & 0xff;
  const end = address + <u64>(size - 1);
  for (let n: u32 = 0; n < 3; n++) {
    placeOne(control, n, row, access, at, <u32>(address >>> 32), <u32>address);
    const shift = <u64>(12 + 9 * n);
    if (address >>> shift == end >>> shift) continue;
    placeOne(control, n, row, access, at, <u32>(end >>> 32), <u32>end);
    const second = control + (n << 2) + (kind == FETCH ? SECOND_FETCHES : SECOND);
    store<u32>(second, load<u32>(second) + 1);
  }
}

/**
 * Places the lookups of accesses `from` to `to - 1` of the block.
 * @returns the first access outside user space, or `to`
 */
export function find(control: u32, from: u32, to: u32): u32 {
  const filter = field(control, FILTER);
  const mark = field(control, MARK);
  const accesses = field(control, ACCESSES);
  const twice = field(control, TWICE);
  const loColumn = field(control, LO_COLUMN);
  const accessColumn = field(control, ACCESS_COLUMN);
  let end4K = field(control, ENDS);
  let end2M = field(control, ENDS + 4);
  let end1G = field(control, ENDS + 8);
  const never = mark != 0 ? NO_PAGE : 0;
  let lastHi: u32 = 0;
  let lastPage = NO_PAGE;
  let i = from;
  for (let place = field(control, BLOCK) + from * ACCESS_BYTES; i < to; i++, place += ACCESS_BYTES) {
    const hi = load<u32>(place);
    const lo = load<u32>(place + 4);
    const operation = load<u32>(place + 8);
    const kind = operation & KIND_MASK;
    const size = operation >>> SIZE_SHIFT;
    const access = (accesses >>> (kind << 3)) & 0xff;
    const page = (lo & PAGE_MASK) | access;
    const inPage = (lo & ~PAGE_MASK) + size <= 4096;
    if (page == lastPage && hi == lastHi && inPage && kind != twice) continue;
    if (inPage && hi >>> USER_HI_BITS == 0 && kind != twice) {
      const at = i * ACCESS_WORDS;
      const row = filter + ROWS + (kind << ROW_SHIFT);
      const upper = upperOf(hi, lo);
      store<u32>(end4K, hi);
      store<u32>(end2M, hi);
      store<u32>(end1G, hi);
      store<u32>(end4K + loColumn, page);
      store<u32>(end2M + loColumn, page);
      store<u32>(end1G + loColumn, page);
      store<u32>(end4K + accessColumn, at);
      store<u32>(end2M + accessColumn, at);
      store<u32>(end1G + accessColumn, at);
      end4K += isNew4K(filter, row, mark, hi, lo) << 2;
      end2M += isNewLarge(filter, row, mark, upper, 8, START_2M, BIT_2M) << 2;
      end1G += isNewLarge(filter, row, mark, upper, 12, START_1G, BIT_1G) << 2;
      lastHi = hi;
      lastPage = page | never;
      continue;
    }
    const address = ((<u64>hi) << 32) | (<u64>lo);
    if (address >>> 47 != 0 || (address + <u64>(size - 1)) >>> 47 != 0) break;
    store<u32>(control + ENDS, end4K);
    store<u32>(control + ENDS + 4, end2M);
    store<u32>(control + ENDS + 8, end1G);
    placePages(control, kind, i * ACCESS_WORDS, address, size);
    if (kind == MODIFY) placePages(control, STORE, i * ACCESS_WORDS, address, size);
    end4K = field(control, ENDS);
    end2M = field(control, ENDS + 4);
    end1G = field(control, ENDS + 8);
    lastPage = NO_PAGE;
  }
  store<u32>(control + ENDS, end4K);
  store<u32>(control + ENDS + 4, end2M);
  store<u32>(control + ENDS + 8, end1G);
  return i;
}
