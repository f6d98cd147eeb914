/** The loop of fork, in AssemblyScript: WebAssembly over RAM, which begins at address 0, and the map words behind it. */

/**
 * See `MarkedEntries.copyRun`; places are in bytes.
 *
 * @param source place of the first entry of the run
 * @param target place of its copy
 * @param bytes at most so many
 * @param map place of the map words
 * @param frames how many those are; an entry for another frame ends the run
 * @param exclusive lost by map words
 * @param shift of the frame in an entry
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
  exclusive: u32,
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
  for (; at < end; at += 8) {
    const entry = load<u64>(at);
    const frame = <u32>(entry >> shift);
    if (((<u32>entry) & kinds) != kind || frame >= frames) break;
    const place = map + (frame << 2);
    const word = load<u32>(place) & ~exclusive;
    // Part of a large folio.
    if (<i32>word < 0) break;
    store<u32>(place, word + 1);
    store<u64>(at + delta, entry & copied);
    store<u64>(at, entry & kept);
  }
  return at - source;
}
