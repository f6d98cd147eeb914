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
/** Not 0: kinds of access in the block have TLBs of their own. */
const APART = 64;

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

/** Of the filter, in bytes: see repeats.ts. */
const SET_SHIFT: u64 = 5;
const USED = 16;
const TOLD = 24;
const SIZE_BYTES: u32 = 1024;
const ROWS: u32 = 9216;
const ROW_SHIFT: u32 = 6;
const RULES = 16;
const RULE_SHIFT: u32 = 4;
const IN_PAGE = 4;
const SINGLE = 8;
/** An access is up to four lookups of a page size, one after the other. */
const NOW_SHIFT: u32 = 2;

function field(control: u32, place: u32): u32 {
  return load<u32>(control + place);
}

/**
 * Notes a lookup: `note`.
 * @param sets the place of a TLB's sets for pages of a size
 * @param rule bits of a set's number
 * @param inPage those in which the addresses of a page agree
 * @returns 0 for a repeat, otherwise the place of its set
 */
function note(sets: u32, rule: u64, inPage: u64, shift: u64, address: u64, now: u32): u32 {
  const set = sets + <u32>(((address >>> shift) & rule) << SET_SHIFT);
  const notFirst = (load<u64>(set) ^ address) & inPage;
  const notSecond = (load<u64>(set, 8) ^ address) & inPage;
  if (notFirst != 0 && notSecond != 0) return set;
  store<u32>(set + ((<u32>(notFirst != 0)) << 2), now, USED);
  return 0;
}

function write(control: u32, n: u32, at: u32, address: u64, access: u32): void {
  const ends = control + ENDS + (n << 2);
  const end = load<u32>(ends);
  store<u32>(end, <u32>(address >>> 32));
  store<u32>(end + field(control, LO_COLUMN), ((<u32>address) & PAGE_MASK) | access);
  store<u32>(end + field(control, ACCESS_COLUMN), at);
  store<u32>(ends, end + 4);
}

/** Puts a lookup with pages of the size `n` at the end of its list, after the one that comes first: `takeIn`. */
function put(control: u32, n: u32, row: u32, set: u32, access: u32, at: u32, address: u64, now: u32): void {
  const last = <u32>(<i32>load<u32>(set, USED + 4) > <i32>load<u32>(set, USED));
  if ((last ^ load<u32>(set, TOLD)) == 1) write(control, n, at, load<u64>(set + (last << 3)), access);
  const place = load<u32>(row + (n << RULE_SHIFT), RULES + SINGLE) != 0 ? 0 : 1 - last;
  store<u64>(set + (place << 3), address | ((<u64>field(control, MARK)) << 32));
  store<u32>(set + (place << 2), now, USED);
  store<u32>(set, place, TOLD);
  write(control, n, at, address, access);
}

/** The place of a TLB's sets, by the row of a kind of access. */
function setsOf(control: u32, row: u32): u32 {
  return field(control, FILTER) + (load<u32>(row) << 2);
}

/** The bits in which addresses agree, given those of the low word. */
function inPageOf(row: u32, n: u32): u64 {
  return (<u64>load<u32>(row + (n << RULE_SHIFT), RULES + IN_PAGE)) | 0xffff_ffff_0000_0000;
}

function ruleOf(row: u32, n: u32): u64 {
  return <u64>load<u32>(row + (n << RULE_SHIFT), RULES);
}

/** Places a lookup with pages of the size `n`. */
function placeOne(control: u32, n: u32, row: u32, access: u32, at: u32, address: u64, now: u32): void {
  const sets = setsOf(control, row) + n * SIZE_BYTES;
  const set = note(sets, ruleOf(row, n), inPageOf(row, n), <u64>(12 + 9 * n), address, now);
  if (set != 0) put(control, n, row, set, access, at, address, now);
}

/** Places the lookups of an access, one or two of each page size. */
function placePages(control: u32, kind: u32, at: u32, address: u64, size: u32, now: u32): void {
  const row = field(control, FILTER) + ROWS + (kind << ROW_SHIFT);
  const access = (field(control, ACCESSES) >>> (kind << 3)) & 0xff;
  const end = address + <u64>(size - 1);
  for (let n: u32 = 0; n < 3; n++) {
    placeOne(control, n, row, access, at, address, now);
    const shift = <u64>(12 + 9 * n);
    if (address >>> shift == end >>> shift) continue;
    placeOne(control, n, row, access, at, end, now + 1);
    const second = control + (n << 2) + (kind == FETCH ? SECOND_FETCHES : SECOND);
    store<u32>(second, load<u32>(second) + 1);
  }
}

/**
 * Places the lookups of accesses `from` to `to - 1` of the block.
 * @returns the first access outside user space, or `to`
 */
export function find(control: u32, from: u32, to: u32): u32 {
  const accesses = field(control, ACCESSES);
  const twice = field(control, TWICE);
  const never = field(control, MARK) != 0 ? NO_PAGE : 0;
  const rows = field(control, FILTER) + ROWS;
  const apart = field(control, APART) != 0;
  // The row of loads, as of all kinds if they share a TLB.
  let row = rows;
  let sets = setsOf(control, row);
  let rule4K = ruleOf(row, 0);
  let rule2M = ruleOf(row, 1);
  let rule1G = ruleOf(row, 2);
  let in4K = inPageOf(row, 0);
  let in2M = inPageOf(row, 1);
  let in1G = inPageOf(row, 2);
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
    const address = ((<u64>hi) << 32) | (<u64>lo);
    const at = i * ACCESS_WORDS;
    const now = at << NOW_SHIFT;
    if (inPage && hi >>> USER_HI_BITS == 0 && kind != twice) {
      if (apart) {
        row = rows + (kind << ROW_SHIFT);
        sets = setsOf(control, row);
        rule4K = ruleOf(row, 0);
        rule2M = ruleOf(row, 1);
        rule1G = ruleOf(row, 2);
        in4K = inPageOf(row, 0);
        in2M = inPageOf(row, 1);
        in1G = inPageOf(row, 2);
      }
      const set4K = note(sets, rule4K, in4K, 12, address, now);
      const set2M = note(sets + SIZE_BYTES, rule2M, in2M, 21, address, now);
      const set1G = note(sets + 2 * SIZE_BYTES, rule1G, in1G, 30, address, now);
      if (set4K != 0) put(control, 0, row, set4K, access, at, address, now);
      if (set2M != 0) put(control, 1, row, set2M, access, at, address, now);
      if (set1G != 0) put(control, 2, row, set1G, access, at, address, now);
      lastHi = hi;
      lastPage = page | never;
      continue;
    }
    if (address >>> 47 != 0 || (address + <u64>(size - 1)) >>> 47 != 0) break;
    placePages(control, kind, at, address, size, now);
    if (kind == MODIFY) placePages(control, STORE, at, address, size, now + 2);
    lastPage = NO_PAGE;
  }
  return i;
}
