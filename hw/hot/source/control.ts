/**
 * Hot loops of batches, in AssemblyScript: WebAssembly over the memory of RAM, which begins at address 0 of it.
 *
 * They know the common case alone: a page in a TLB, or one whose walk changes no entry and cannot fault. At any other
 * address they stop and tell its place, with nothing changed for it, and the plain path decides there. Property tests
 * hold the two to each other.
 *
 * This is the control block of a processor: its fields, by their places in bytes, as hot-loops.ts fills them in.
 */

export const RAM_BYTES = 0;
export const BATCH = 4;
export const SOFT = 8;
export const ROOT = 12;
export const RESERVED = 16;
export const PERMITTED = 20;
export const NEEDED = 24;
export const CANONICAL_SHIFT = 28;
export const ALIGN = 32;
export const RESERVED_2M = 36;
export const RESERVED_1G = 40;
/** Set when a page larger than 4 KiB was found. */
export const LARGE = 44;
/** The two levels of TLBs, and the walk cache of each level from 1; 0 where there is none. */
export const FIRST_LEVEL = 48;
export const SECOND_LEVEL = 52;
export const WALK_CACHES = 56;
export const SPACE = 72;
/** Bits of an entry's low word kept in its rights, and those of its protection key there. */
export const KEPT = 76;
export const KEYS = 112;
/** Counts of the batch: hits of each level, walks, shortened ones, and entries read at each level from the last. */
export const L1_HITS = 80;
export const L2_HITS = 84;
export const WALKS = 88;
export const SHORTENED = 92;
export const READS = 96;

/** Scratch of a walk: by level of the entry read, the frame of the table it leads to, and the rights so far. */
export const TABLES = 128;

/** A batch has three parts of so many bytes: high words, low words, results. */
export const BATCH_BYTES: u32 = 4 * 4096;

export const PAGE_MASK: u32 = 0xffff_f000;
/** No frame. */
export const NONE: u32 = 0xffff_ffff;

export function field(block: u32, place: u32): u32 {
  return load<u32>(block + place);
}

export function count(control: u32, place: u32, more: u32): void {
  store<u32>(control + place, field(control, place) + more);
}

export function isCanonical(control: u32, hi: u32): bool {
  return <u32>(((<i32>hi) >> field(control, CANONICAL_SHIFT)) + 1) <= 1;
}
