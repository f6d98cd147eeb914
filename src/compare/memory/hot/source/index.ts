/** The loop of the first-level data cache, in AssemblyScript: `LineMisses` is the same in TypeScript, and `LineCache`. */

/** The control block: its fields, by their places in bytes, as hot/line-loop.ts has them in words. */
const BLOCK = 0;
/** The cache: its place, its ways, its sets, and the mask of a set's number or ~0. */
const CACHE = 4;
const WAYS = 8;
const SETS = 12;
const SET_MASK = 16;
const SALT = 20;
/** Where the misses go: lines, and places of their accesses; how many there are; and at most. */
const MISSES = 24;
const ACCESSES = 28;
const COUNT = 32;
const MOST = 36;
/** The line read last. */
const LAST = 40;

const USER_HI_BITS: u32 = 15;
const ACCESS_BYTES: u32 = 12;
const ACCESS_WORDS: u32 = 3;
const KIND_MASK: u32 = 3;
const SIZE_SHIFT: u32 = 2;
const FETCH: u32 = 2;
const LINE_SHIFT: u32 = 6;
const LINE_BYTES: u32 = 64;
const LINE_MASK: u32 = 63;
const LINES_MASK: u32 = 0x7fff_ffff;
const SPREAD: u32 = 0x9e37_79b1;
/** Lines of an access at most: 4,096 bytes that begin anywhere. */
const MOST_LINES: u32 = 65;

function field(control: u32, place: u32): u32 {
  return load<u32>(control + place);
}

function lineOf(hi: u32, lo: u32, salt: u32): u32 {
  const line = ((lo >>> LINE_SHIFT) ^ (hi << 26)) + (((hi >>> LINE_SHIFT) * SPREAD) & ~LINE_MASK);
  return ((line & LINES_MASK) + salt) & LINES_MASK;
}

/** Reads a line, and notes it if it was not in the cache. */
function read(control: u32, line: u32, at: u32): void {
  const mask = field(control, SET_MASK);
  const set = mask != ~0 ? line & mask : line % field(control, SETS);
  const bytes = field(control, WAYS) << 2;
  const first = field(control, CACHE) + set * bytes;
  if (load<u32>(first) == line) return;
  const end = first + bytes;
  let way = first + 4;
  while (way < end && load<u32>(way) != line) way += 4;
  const found = way < end;
  for (let to = found ? way : end - 4; to > first; to -= 4) store<u32>(to, load<u32>(to - 4));
  store<u32>(first, line);
  if (found) return;
  const count = field(control, COUNT);
  store<u32>(field(control, MISSES) + (count << 2), line);
  store<u32>(field(control, ACCESSES) + (count << 2), at);
  store<u32>(control + COUNT, count + 1);
}

/** Reads the lines of accesses `from` to `to - 1`. @returns the first of them that may have no room for its misses, or `to` */
export function findLines(control: u32, from: u32, to: u32): u32 {
  const salt = field(control, SALT);
  let last = field(control, LAST);
  let i = from;
  for (let place = field(control, BLOCK) + from * ACCESS_BYTES; i < to; i++, place += ACCESS_BYTES) {
    const hi = load<u32>(place);
    const lo = load<u32>(place + 4);
    const operation = load<u32>(place + 8);
    const line = lineOf(hi, lo, salt);
    const size = operation >>> SIZE_SHIFT;
    const inLine = (lo & LINE_MASK) + size <= LINE_BYTES;
    if (line == last && inLine) continue;
    if (hi >>> USER_HI_BITS != 0 || (operation & KIND_MASK) == FETCH) continue;
    if (field(control, COUNT) + MOST_LINES > field(control, MOST)) break;
    const at = i * ACCESS_WORDS;
    last = line;
    read(control, line, at);
    const address = ((<u64>hi) << 32) | (<u64>lo);
    for (let offset = LINE_BYTES - (lo & LINE_MASK); offset < size; offset += LINE_BYTES) {
      const next = address + <u64>offset;
      last = lineOf(<u32>(next >>> 32), <u32>next, salt);
      read(control, last, at);
    }
  }
  store<u32>(control + LAST, last);
  return i;
}
