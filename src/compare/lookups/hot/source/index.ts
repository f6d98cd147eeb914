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
/** A user process can own the addresses below 2^47. */
const USER_BITS: u64 = 47;
const ACCESS_BYTES: u32 = 12;
const KIND_MASK: u32 = 3;
const SIZE_SHIFT: u32 = 2;
const STORE: u32 = 1;
const FETCH: u32 = 2;
const MODIFY: u32 = 3;

/** Of the filter, in bytes: see repeats.ts. */
const SET_SHIFT: u32 = 5;
const LAST = 16;
const TOLD = 20;
const SIZE_BYTES: u32 = 1024;
const ROWS: u32 = 9216;
const ROW_SHIFT: u32 = 6;
const RULES = 16;
const RULE_SHIFT: u32 = 4;
const SETS = 8;
const SINGLE = 12;

/** Whether all kinds of access share a TLB, as types, by their sizes: so the loop is compiled for each. */
type Alike = u8;
type Apart = u16;

function field(control: u32, place: u32): u32 {
  return load<u32>(control + place);
}

/** The address of the access at `place`: its high word comes first there. */
function addressAt(place: u32): u64 {
  return rotl(load<u64>(place), 32);
}

/** log2 of the bytes of a page. */
function shiftOf(n: u32): u32 {
  return 12 + 9 * n;
}

/** The place of a TLB's sets, by the row of a kind of access. */
function setsOf(control: u32, row: u32): u32 {
  return field(control, FILTER) + (load<u32>(row) << 2);
}

/** For the place of a set among those of its page size: the bits of a set's number. */
function ruleOf(row: u32, n: u32): u32 {
  return load<u32>(row + (n << RULE_SHIFT), RULES + SETS) << SET_SHIFT;
}

/** The bits in which addresses of a page agree, twice. */
function inPageOf(row: u32, n: u32): v128 {
  return v128.load64_splat(row + (n << RULE_SHIFT), RULES);
}

/** The place of the set of an address with pages of the size `n`. */
function setOf(sets: u32, n: u32, rule: u32, address: u64): u32 {
  return sets + n * SIZE_BYTES + ((<u32>(address >>> (<u64>(shiftOf(n) - SET_SHIFT)))) & rule);
}

/** Which page of a set is that of an address: 1 the first, 2 the second, 0 neither. Without a branch. */
function pageIn(set: u32, address: v128, inPage: v128): u32 {
  const other = v128.and(v128.xor(v128.load(set), address), inPage);
  return i64x2.bitmask(i64x2.eq(other, i64x2.splat(0)));
}

/** Notes a repeat: `note`. */
function noteRepeat(set: u32, page: u32): void {
  store<u32>(set, page >>> 1, LAST);
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
function put(control: u32, n: u32, row: u32, set: u32, access: u32, at: u32, address: u64): void {
  const last = load<u32>(set, LAST);
  if ((last ^ load<u32>(set, TOLD)) == 1) write(control, n, at, load<u64>(set + (last << 3)), access);
  const place = load<u32>(row + (n << RULE_SHIFT), RULES + SINGLE) != 0 ? 0 : 1 - (last & 1);
  store<u64>(set + (place << 3), address | ((<u64>field(control, MARK)) << 32));
  store<u32>(set, place, LAST);
  store<u32>(set, place, TOLD);
  write(control, n, at, address, access);
}

/** Places a lookup with pages of the size `n`. */
function placeOne(control: u32, n: u32, row: u32, access: u32, at: u32, address: u64): void {
  const set = setOf(setsOf(control, row), n, ruleOf(row, n), address);
  const page = pageIn(set, i64x2.splat(address), inPageOf(row, n));
  if (page == 0) put(control, n, row, set, access, at, address);
  else noteRepeat(set, page);
}

/** Places the lookups of an access, one or two of each page size. */
function placePages(control: u32, kind: u32, at: u32, address: u64, size: u32): void {
  const row = field(control, FILTER) + ROWS + (kind << ROW_SHIFT);
  const access = (field(control, ACCESSES) >>> (kind << 3)) & 0xff;
  const end = address + <u64>(size - 1);
  for (let n: u32 = 0; n < 3; n++) {
    placeOne(control, n, row, access, at, address);
    const shift = <u64>shiftOf(n);
    if (address >>> shift == end >>> shift) continue;
    placeOne(control, n, row, access, at, end);
    const second = control + (n << 2) + (kind == FETCH ? SECOND_FETCHES : SECOND);
    store<u32>(second, load<u32>(second) + 1);
  }
}

/** Places the lookups of any access in user space. @returns whether it is there */
function placeAny(control: u32, place: u32, at: u32): bool {
  const address = addressAt(place);
  const operation = load<u32>(place, 8);
  const kind = operation & KIND_MASK;
  const size = operation >>> SIZE_SHIFT;
  if ((address | (address + <u64>(size - 1))) >>> USER_BITS != 0) return false;
  placePages(control, kind, at, address, size);
  if (kind == MODIFY) placePages(control, STORE, at, address, size);
  return true;
}

/**
 * Notes repeats, from the access at `place` on: the accesses in one page of which all lookups are repeats. Nearly all are, so
 * this loop has what they need and nothing else.
 * @returns the place of the first of another sort, or `end`
 */
function noteRepeats<Kinds>(control: u32, place: u32, end: u32): u32 {
  const isApart = sizeof<Kinds>() == sizeof<Apart>();
  const twice = field(control, TWICE);
  const rows = field(control, FILTER) + ROWS;
  let row = rows;
  let sets = setsOf(control, row);
  let rule4K = ruleOf(row, 0);
  let rule2M = ruleOf(row, 1);
  let rule1G = ruleOf(row, 2);
  let in4K = inPageOf(row, 0);
  let in2M = inPageOf(row, 1);
  let in1G = inPageOf(row, 2);
  let last = ~addressAt(place);
  let lastSets = sets;
  for (; place < end; place += ACCESS_BYTES) {
    const address = addressAt(place);
    const operation = load<u32>(place, 8);
    if (((<u32>address) & ~PAGE_MASK) + (operation >>> SIZE_SHIFT) > 4096) break;
    if (isApart) {
      const kind = operation & KIND_MASK;
      if (kind == twice) break;
      row = rows + (kind << ROW_SHIFT);
      sets = setsOf(control, row);
    }
    if ((address ^ last) < 4096 && (!isApart || sets == lastSets)) continue;
    // An address above user space equals the filler of empty sets.
    if (address >>> USER_BITS != 0) break;
    if (isApart) {
      rule4K = ruleOf(row, 0);
      rule2M = ruleOf(row, 1);
      rule1G = ruleOf(row, 2);
      in4K = inPageOf(row, 0);
      in2M = inPageOf(row, 1);
      in1G = inPageOf(row, 2);
      lastSets = sets;
    }
    const both = i64x2.splat(address);
    const set4K = setOf(sets, 0, rule4K, address);
    const set2M = setOf(sets, 1, rule2M, address);
    const set1G = setOf(sets, 2, rule1G, address);
    const page4K = pageIn(set4K, both, in4K);
    const page2M = pageIn(set2M, both, in2M);
    const page1G = pageIn(set1G, both, in1G);
    // One product and one branch in place of three.
    if (page4K * page2M * page1G == 0) break;
    noteRepeat(set4K, page4K);
    noteRepeat(set2M, page2M);
    noteRepeat(set1G, page1G);
    last = address;
  }
  return place;
}

/**
 * Places the lookups of accesses `from` to `to - 1` of the block.
 * @returns the first access outside user space, or `to`
 */
export function find(control: u32, from: u32, to: u32): u32 {
  const block = field(control, BLOCK);
  const isApart = field(control, APART) != 0;
  const end = block + to * ACCESS_BYTES;
  let place = block + from * ACCESS_BYTES;
  while (place < end) {
    place = isApart ? noteRepeats<Apart>(control, place, end) : noteRepeats<Alike>(control, place, end);
    if (place >= end || !placeAny(control, place, (place - block) >>> 2)) break;
    place += ACCESS_BYTES;
  }
  return (place - block) / ACCESS_BYTES;
}
