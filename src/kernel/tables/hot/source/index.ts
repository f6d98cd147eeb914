/** The loop of fork, in AssemblyScript: WebAssembly over RAM, which begins at address 0, and the map words behind it. */

/** Lost by map words: as in `Frames.map`. */
const MAP_EXCLUSIVE: u32 = 1 << 30;

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

/** @param shift of the frame in an entry: a constant, once this is inlined */
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
  const done = copyFours(source, target, bytes, map, frames, shift, kinds, kind, lose, childLose);
  if (done == bytes) return done;
  return done + copy(source + done, target + done, bytes - done, map, frames, shift, kinds, kind, lose, childLose);
}

/** Copies four entries at a time, as far as all four are of the run. */
function copyFours(
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
  const kept = i64x2.splat(~(<u64>lose));
  const copied = i64x2.splat(~(<u64>(lose | childLose)));
  const kindBits = i64x2.splat(kinds);
  const kindOfRun = i64x2.splat(kind);
  const delta = target - source;
  const end = source + (bytes & ~31);
  let at = source;
  while (at != end) {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    const others = v128.or(v128.xor(v128.and(low, kindBits), kindOfRun), v128.xor(v128.and(high, kindBits), kindOfRun));
    if (v128.any_true(others)) break;
    const four = v128.shuffle<i32>(i64x2.shr_u(low, shift), i64x2.shr_u(high, shift), 0, 2, 4, 6);
    if (!addMappings(map, frames, four)) break;
    v128.store(at + delta, v128.and(low, copied));
    v128.store(at + delta, v128.and(high, copied), 16);
    v128.store(at, v128.and(low, kept));
    v128.store(at, v128.and(high, kept), 16);
    at += 32;
  }
  return at - source;
}

/**
 * Counts one more mapping of each of four frames, not exclusive from now on.
 * @returns false, with nothing changed, if one is outside the map or part of a large folio
 */
function addMappings(map: u32, frames: u32, four: v128): bool {
  const first = <u32>i32x4.extract_lane(four, 0);
  const second = <u32>i32x4.extract_lane(four, 1);
  const third = <u32>i32x4.extract_lane(four, 2);
  const fourth = <u32>i32x4.extract_lane(four, 3);
  if (max(max(first, second), max(third, fourth)) >= frames) return false;
  // Frames side by side are as common as fresh memory.
  if (i32x4.all_true(i32x4.eq(four, i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3))))) {
    const place = map + (first << 2);
    const words = v128.load(place);
    if (i32x4.bitmask(words) != 0) return false;
    v128.store(place, i32x4.add(v128.andnot(words, i32x4.splat(MAP_EXCLUSIVE)), i32x4.splat(1)));
    return true;
  }
  if (<i32>(wordOf(map, first) | wordOf(map, second) | wordOf(map, third) | wordOf(map, fourth)) < 0) return false;
  // One after the other, since some may be the same.
  addMapping(map, first);
  addMapping(map, second);
  addMapping(map, third);
  addMapping(map, fourth);
  return true;
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
