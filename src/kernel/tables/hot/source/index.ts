/** The loop of fork, in AssemblyScript: WebAssembly over RAM, which begins at address 0, and the map words behind it. */

/** Lost by map words: as in `Frames.map`. */
const MAP_EXCLUSIVE: u32 = 1 << 30;

/**
 * See `MarkedEntries.copyRun`; places are in bytes.
 *
 * @param source place of the first entry of the run
 * @param target place of its copy
 * @param bytes at most so many, and at least an entry's
 * @param map place of the map words
 * @param frames how many those are; an entry for another frame ends the run
 * @param shift of the frame in an entry: 12 or 10
 * @param kinds bits in which the entries of a run agree
 * @param kind those of the run
 * @param lose lost by both entries
 * @param childLose lost by the copy besides
 * @returns bytes copied
 */
export function copyRun(
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
  // Inlined, with the shift in an instruction: V8 has too few registers for a shift by a variable.
  if (shift == 12) return copy(source, target, bytes, map, frames, 12, kinds, kind, lose, childLose);
  return copy(source, target, bytes, map, frames, 10, kinds, kind, lose, childLose);
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
    const place = map + (frame << 2);
    const word = load<u32>(place);
    // Part of a large folio.
    if (<i32>word < 0) break;
    store<u32>(place, (word & ~MAP_EXCLUSIVE) + 1);
    store<u64>(at + delta, entry & copied);
    store<u64>(at, entry & kept);
    at += 8;
    // Here, and not before the stores: V8 then works out delta and the masks once, and not for each entry.
    if (at == end) break;
  }
  return at - source;
}
