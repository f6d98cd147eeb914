/**
 * Hot loops of batches, and the same for single addresses, in AssemblyScript: WebAssembly over the memory of RAM. RAM
 * begins at address 0 of it.
 *
 * They know the common case alone: a page in a TLB, or one whose walk changes no entry and cannot fault. At any other
 * address they stop and tell its place, with nothing changed for it, and the plain path decides there. Property tests
 * hold the two to each other.
 *
 * This is the control block of a processor: its fields, by their places in bytes, as hot/control.ts has them in words.
 */

export const RAM_BYTES = 0;
export const BATCH = 4;
export const SOFT = 8;
/** X86, RISCV or AARCH64: see machine.ts. */
export const MACHINE = 12;
/** From the tables of the lower half of the addresses to those of the upper; 0 where they are the same. */
export const UPPER = 16;
export const PERMITTED = 20;
export const NEEDED = 24;
export const CANONICAL_SHIFT = 28;
export const ALIGN = 32;
/** The place of a word to set when a page larger than 4 KiB was found. */
export const LARGE = 36;
export const SPACE = 40;
/** log2 of the bytes of an entry. */
export const ENTRY_SHIFT = 44;
/** The two levels of TLBs, and the walk cache of each level from 1; 0 where there is none. */
export const FIRST_LEVEL = 48;
export const SECOND_LEVEL = 52;
export const WALK_CACHES = 56;
/** x86: bits of an entry's low word kept in its rights, and those of its protection key there. */
export const KEPT = 72;
export const KEYS = 76;
/** The place of the counts of this side, float64 as translate/counts/counters.ts has them. */
export const COUNTS = 80;
/** Not 0: the soft TLB's loop loads words. */
export const LOADS = 84;
/** Single lookups left before the plain path looks at clocks again. */
export const LEFT = 92;

/** Of a walk: by level of the entry read, the frame of the table it leads to, and the rights so far. */
export const PASSED = 136;

/** The tables of a half of the addresses: see {@link halfOf}. */
export const ROOT = 192;
export const ROOT_LEVEL = 196;
/** Masks of an index into the root table, and into any other. */
export const ROOT_MASK = 200;
export const INDEX_MASK = 204;
/** The bits of an address's high word from here on are alike. */
export const COVER_SHIFT = 208;
/** Not 0: four tables of 512 entries. */
export const IS_LONG = 212;
/** Bits of an entry for a table that are 0 if it is settled. */
export const TABLE_ZEROS = 216;
/** AArch64: bit n tells whether an entry for a page lets the access through, n being its place in RIGHTS. */
export const ALLOWED = 224;
/** By level, so many bytes: such bits of an entry for a page, its size, and the size of a contiguous set of them. */
export const LEVEL_BYTES: u32 = 24;
export const PAGE_ZEROS = 232;
export const PAGE_SIZE = 240;
export const SET_SIZE = 248;
/** Places in a size: log2 of its bytes, and that as a page size of TLBs. */
export const SHIFT = 0;
export const SIZE = 4;

/** AArch64: rights by the bits of an entry for a page, as aarch64/rights.ts has them. */
export const RIGHTS = 512;

/** A batch has three parts of so many bytes: high words, low words, results. */
export const BATCH_BYTES: u32 = 4 * 4096;

export const PAGE_MASK: u32 = 0xffff_f000;
/** No frame. */
export const NONE: u32 = 0xffff_ffff;

export function field(block: u32, place: u32): u32 {
  return load<u32>(block + place);
}

/** Places in counts; READS is that of the last level, and those above follow. */
export const L1_HITS: u32 = 0;
export const L2_HITS: u32 = 8;
export const WALKS: u32 = 16;
export const SHORTENED: u32 = 24;
export const READS: u32 = 32;

export function count(counts: u32, place: u32, more: f64): void {
  store<f64>(counts + place, load<f64>(counts + place) + more);
}

export function linearOf(hi: u32, lo: u32): u64 {
  return ((<u64>hi) << 32) | (<u64>lo);
}

export function isCanonicalBy(shift: u32, hi: u32): bool {
  return <u32>(((<i32>hi) >> shift) + 1) <= 1;
}

export function isCanonical(control: u32, hi: u32): bool {
  return isCanonicalBy(field(control, CANONICAL_SHIFT), hi);
}

/** The half of the addresses with this high word: its fields are those from ROOT to SET_SIZE. */
export function halfOf(control: u32, hi: u32): u32 {
  return control + ((<u32>((<i32>hi) >> 31)) & field(control, UPPER));
}

/** Whether its tables are for all of its addresses with this high word. */
export function covers(half: u32, hi: u32): bool {
  return isCanonicalBy(field(half, COVER_SHIFT), hi);
}

/** Whether the rights allow the access without more ado. */
export function allows(control: u32, rights: u32): bool {
  // One test for both.
  return ((~(field(control, PERMITTED) >>> rights) & 1) | (~rights & field(control, NEEDED))) == 0;
}
