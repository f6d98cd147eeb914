/** The loop of fork, in AssemblyScript: WebAssembly over RAM, which begins at address 0, and the map words behind it. */

/** Lost by map words: as in `Frames.map`. */
const MAP_EXCLUSIVE: u32 = 1 << 30;
/** Shifted so far out, nothing but the count is left of a map word. */
const COUNT_SHIFT = 2;
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
 * Copies four entries at a time as long as all of them are of the run, and the rest one by one. Fresh memory begins with
 * frames side by side: these have a loop of their own, so others need not be asked.
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
  let at = copyFours(source, end, delta, map, frames, shift, kinds, kind, lose, childLose, true);
  at = copyFours(at, end, delta, map, frames, shift, kinds, kind, lose, childLose, false);
  const done = at - source;
  if (done == bytes) return done;
  return done + copy(at, at + delta, bytes - done, map, frames, shift, kinds, kind, lose, childLose);
}

/**
 * The map words of four entries are looked at when they are counted already: a look at each before would load it twice.
 * @param areBeside only entries for frames side by side
 * @returns place of the first entry not copied
 */
function copyFours(
  source: u32,
  end: u32,
  delta: u32,
  map: u32,
  frames: u32,
  shift: u32,
  kinds: u32,
  kind: u32,
  lose: u32,
  childLose: u32,
  areBeside: bool,
): u32 {
  const kindBits = i32x4.splat(kinds);
  const kindOfRun = i32x4.splat(kind);
  const allFrames = i32x4.splat(frames);
  const kept = i64x2.splat(~(<u64>lose));
  const copied = i64x2.splat(~(<u64>(lose | childLose)));
  let at = source;
  while (at != end) {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    const isKind = i32x4.eq(v128.and(evenLanes(low, high), kindBits), kindOfRun);
    const four = evenLanes(i64x2.shr_u(low, shift), i64x2.shr_u(high, shift));
    if (i32x4.bitmask(v128.andnot(isKind, i32x4.ge_u(four, allFrames))) != ALL_FOUR) break;
    if (!(areBeside ? addBeside(map, four) : addMappings(map, four))) break;
    v128.store(at + delta, v128.and(low, copied));
    v128.store(at + delta, v128.and(high, copied), 16);
    v128.store(at, v128.and(low, kept));
    v128.store(at, v128.and(high, kept), 16);
    at += 32;
  }
  return at;
}

/** The low words of four entries, or of what was made of them. */
function evenLanes(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 0, 2, 4, 6);
}

/** As {@link addMappings}, where each frame is one less than the next: false when they are not, too. */
function addBeside(map: u32, four: v128): bool {
  const before = i32x4.add(v128.shuffle<i32>(four, four, 1, 2, 3, 0), i32x4.splat(-1));
  if ((i32x4.bitmask(i32x4.eq(four, before)) & FIRST_THREE) != FIRST_THREE) return false;
  const place = placeOf(map, i32x4.extract_lane(four, 0));
  const words = v128.load(place);
  if (i32x4.bitmask(words) != 0) return false;
  const counts = i32x4.shr_u(i32x4.shl(words, COUNT_SHIFT), COUNT_SHIFT);
  v128.store(place, i32x4.sub(counts, i32x4.splat(-1)));
  return true;
}

/**
 * Counts one more mapping of each of four frames, which are not exclusive from now on.
 * @returns false when some are part of a large folio: none is counted then, but all may have lost what is exclusive. Fork
 * goes on to copy each of them in another way, so they lose it in any case
 */
function addMappings(map: u32, four: v128): bool {
  const places = i32x4.add(i32x4.shl(four, 2), i32x4.splat(map));
  // One after the other, since some may be the same.
  let words = addMapping(i32x4.extract_lane(places, 0));
  words |= addMapping(i32x4.extract_lane(places, 1));
  words |= addMapping(i32x4.extract_lane(places, 2));
  words |= addMapping(i32x4.extract_lane(places, 3));
  if (<i32>words >= 0) return true;
  takeBack(i32x4.extract_lane(places, 0));
  takeBack(i32x4.extract_lane(places, 1));
  takeBack(i32x4.extract_lane(places, 2));
  takeBack(i32x4.extract_lane(places, 3));
  return false;
}

function placeOf(map: u32, frame: u32): u32 {
  return map + (frame << 2);
}

/** Counts one more mapping in the map word at `place`. Returns the word before. */
function addMapping(place: u32): u32 {
  const word = load<u32>(place);
  store<u32>(place, (word & ~MAP_EXCLUSIVE) + 1);
  return word;
}

function takeBack(place: u32): void {
  store<u32>(place, load<u32>(place) - 1);
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
    const place = placeOf(map, frame);
    if (<i32>load<u32>(place) < 0) break;
    addMapping(place);
    store<u64>(at + delta, entry & copied);
    store<u64>(at, entry & kept);
    at += 8;
    // Here, and not before the stores: V8 then works out delta and the masks once, and not for each entry.
    if (at == end) break;
  }
  return at - source;
}
