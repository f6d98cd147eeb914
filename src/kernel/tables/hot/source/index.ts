/** The loop of fork, in AssemblyScript: WebAssembly over RAM, which begins at address 0, and the map words behind it. */

/** Lost by map words: as in `Frames.map`. */
const MAP_EXCLUSIVE: u32 = 1 << 30;
/** Shifted so far out, nothing but the count is left of a map word. */
const COUNT_SHIFT = 2;
/** Of 64 entries; the last block may have fewer, four at least. */
const BLOCK_BYTES: u32 = 512;
/** Of the lanes of a comparison. */
const ALL_FOUR = 15;
const FIRST_THREE = 7;

/**
 * See `MarkedEntries.copyRun`; places are in bytes. There is one for each place of the frame in an entry: V8 has too few
 * registers for a shift by a variable. It compiles only the one in use.
 *
 * @param source place of the first entry of the run
 * @param target place of its copy
 * @param bytes at most so many, and at least an entry's
 * @param map place of the map words
 * @param frames how many those are; an entry for another frame ends the run
 * @param kinds bits in which the entries of a run agree
 * @param kind those of the run
 * @param lose lost by both entries
 * @param childLose lost by the copy besides
 * @returns bytes copied
 */
export function copyRun12(
  source: u32,
  target: u32,
  bytes: u32,
  map: u32,
  frames: u32,
  kinds: u32,
  kind: u32,
  lose: u32,
  childLose: u32,
): u32 {
  return copyRun(source, target, bytes, map, frames, 12, kinds, kind, lose, childLose);
}

/** The same with frames from bit 10 on. */
export function copyRun10(
  source: u32,
  target: u32,
  bytes: u32,
  map: u32,
  frames: u32,
  kinds: u32,
  kind: u32,
  lose: u32,
  childLose: u32,
): u32 {
  return copyRun(source, target, bytes, map, frames, 10, kinds, kind, lose, childLose);
}

/**
 * Copies blocks as long as all their entries are of the run, and the rest one by one. A block is looked at before any of it
 * is changed: so the map words, which may lie far apart, come from memory all at once, and the changes need no test.
 * @param shift of the frame in an entry: a constant, once this is inlined
 */
function copyRun(
  source: u32,
  target: u32,
  bytes: u32,
  map: u32,
  frames: u32,
  shift: u32,
  kinds: u32,
  kind: u32,
  lose: u32,
  childLose: u32,
): u32 {
  const delta = target - source;
  const end = source + (bytes & ~31);
  let at = source;
  while (at != end) {
    const blockEnd = min(at + BLOCK_BYTES, end);
    if (!isOfRun(at, blockEnd, map, frames, shift, kinds, kind)) break;
    copyBlock(at, blockEnd, delta, map, shift, lose, childLose);
    at = blockEnd;
  }
  const done = at - source;
  if (done == bytes) return done;
  return done + copy(at, at + delta, bytes - done, map, frames, shift, kinds, kind, lose, childLose);
}

/** Whether all entries of a block are of the kind, for frames in the map that are part of no large folio. */
function isOfRun(block: u32, end: u32, map: u32, frames: u32, shift: u32, kinds: u32, kind: u32): bool {
  const kindBits = i32x4.splat(kinds);
  const kindOfRun = i32x4.splat(kind);
  const allFrames = i32x4.splat(frames);
  let at = block;
  let words: u32 = 0;
  do {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    const isKind = i32x4.eq(v128.and(v128.shuffle<i32>(low, high, 0, 2, 4, 6), kindBits), kindOfRun);
    const four = framesOf(low, high, shift);
    if (i32x4.bitmask(v128.andnot(isKind, i32x4.ge_u(four, allFrames))) != ALL_FOUR) return false;
    words |= wordOf(map, i32x4.extract_lane(four, 0)) | wordOf(map, i32x4.extract_lane(four, 1));
    words |= wordOf(map, i32x4.extract_lane(four, 2)) | wordOf(map, i32x4.extract_lane(four, 3));
    at += 32;
  } while (at != end);
  return <i32>words >= 0;
}

/** The frames of four entries, two in each. */
function framesOf(low: v128, high: v128, shift: u32): v128 {
  return v128.shuffle<i32>(i64x2.shr_u(low, shift), i64x2.shr_u(high, shift), 0, 2, 4, 6);
}

function copyBlock(block: u32, end: u32, delta: u32, map: u32, shift: u32, lose: u32, childLose: u32): void {
  const kept = i64x2.splat(~(<u64>lose));
  const copied = i64x2.splat(~(<u64>(lose | childLose)));
  let at = block;
  do {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    addMappings(map, framesOf(low, high, shift));
    v128.store(at + delta, v128.and(low, copied));
    v128.store(at + delta, v128.and(high, copied), 16);
    v128.store(at, v128.and(low, kept));
    v128.store(at, v128.and(high, kept), 16);
    at += 32;
  } while (at != end);
}

/** Counts one more mapping of each of four frames, none part of a large folio. They are not exclusive from now on. */
function addMappings(map: u32, four: v128): void {
  const first = i32x4.extract_lane(four, 0);
  // Frames side by side are as common as fresh memory: each is one less than the next.
  const before = i32x4.add(v128.shuffle<i32>(four, four, 1, 2, 3, 0), i32x4.splat(-1));
  if ((i32x4.bitmask(i32x4.eq(four, before)) & FIRST_THREE) == FIRST_THREE) {
    const place = map + (first << 2);
    const counts = i32x4.shr_u(i32x4.shl(v128.load(place), COUNT_SHIFT), COUNT_SHIFT);
    v128.store(place, i32x4.sub(counts, i32x4.splat(-1)));
    return;
  }
  // One after the other, since some may be the same.
  addMapping(map, first);
  addMapping(map, i32x4.extract_lane(four, 1));
  addMapping(map, i32x4.extract_lane(four, 2));
  addMapping(map, i32x4.extract_lane(four, 3));
}

function wordOf(map: u32, frame: u32): u32 {
  return load<u32>(map + (frame << 2));
}

function addMapping(map: u32, frame: u32): void {
  store<u32>(map + (frame << 2), (wordOf(map, frame) & ~MAP_EXCLUSIVE) + 1);
}

function copy(
  source: u32,
  target: u32,
  bytes: u32,
  map: u32,
  frames: u32,
  shift: u32,
  kinds: u32,
  kind: u32,
  lose: u32,
  childLose: u32,
): u32 {
  const kept = ~(<u64>lose);
  const copied = ~(<u64>(lose | childLose));
  const delta = target - source;
  const end = source + bytes;
  let at = source;
  for (;;) {
    const entry = load<u64>(at);
    if (((<u32>entry) & kinds) != kind) break;
    const frame = <u32>(entry >> shift);
    if (frame >= frames) break;
    // Part of a large folio.
    if (<i32>wordOf(map, frame) < 0) break;
    addMapping(map, frame);
    store<u64>(at + delta, entry & copied);
    store<u64>(at, entry & kept);
    at += 8;
    // Here, and not before the stores: V8 then works out delta and the masks once, and not for each entry.
    if (at == end) break;
  }
  return at - source;
}
