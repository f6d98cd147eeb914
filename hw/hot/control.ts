/**
 * The control block of hot loops: what they know of a walk. It is told anew after each change of registers or listener,
 * and for another kind of access: `HotWalks`. These are its words, as hot/source/control.ts has them in bytes.
 */

const RAM_BYTES = 0;
const BATCH = 1;
const SOFT = 2;
export const MACHINE = 3;
const UPPER = 4;
const PERMITTED = 5;
const NEEDED = 6;
const CANONICAL_SHIFT = 7;
export const ALIGN = 8;
/** The place of a word to set when a page larger than 4 KiB was found. */
const LARGE = 9;
const SPACE = 10;
const ENTRY_SHIFT = 11;
const FIRST_LEVEL = 12;
const SECOND_LEVEL = 13;
const WALK_CACHES = 14;
/** Of x86: bits of an entry's low word kept in its rights, and those of its protection key there. */
export const KEPT_LOW = 18;
export const KEY_MASK = 19;
/** The place of the counts of the access's side. */
const COUNTS = 20;
const SOFT_LOADS = 21;
/** A word for {@link LARGE} where nobody asks. */
const NOTED = 22;
/** Single lookups left before the plain path has to look at clocks. */
export const LOOKUPS_LEFT = 23;
/** Levels of tables at most. */
export const HOT_LEVELS = 5;
/** Of AArch64: rights by the bits of a descriptor for a page, 64 words. */
export const RIGHTS = 128;
export const CONTROL_WORDS = 192;

/** The tables of the lower half of the addresses, or of all; those of the upper stand behind them. */
const LOWER_TABLES = 48;
const HALF_WORDS = 40;
const ROOT = 0;
const ROOT_LEVEL = 1;
const ROOT_MASK = 2;
const INDEX_MASK = 3;
const COVER_SHIFT = 4;
const IS_LONG = 5;
const TABLE_ZEROS = 6;
/** Of AArch64: bit n tells whether a descriptor for a page lets the access through, n being its place in RIGHTS. */
const ALLOWED = 8;
/** By level from here on: bits of an entry for a page, a page's size, that of a contiguous set. */
const LEVELS = 10;
const LEVEL_WORDS = 6;
const PAGE_SIZE = 2;
const SET_SIZE = 4;
/** Four tables of 512 entries: so they are walked the fastest. */
const LONG_LEVEL = 3;
const LONG_MASK = 511;

/** As hot/source/machine.ts has them. */
export const HOT_MACHINES = { x86: 1, riscv: 2, aarch64: 4 } as const;

/** The two halves of the addresses, by bit 63. */
export type Half = 0 | 1;
const placeOf = (half: Half): number => LOWER_TABLES + half * HALF_WORDS;

/** One kind of access on a machine: its permission codes, and bits needed in rights beside them. */
export interface HotAccess {
  readonly machine: keyof typeof HOT_MACHINES;
  readonly permitted: number;
  readonly needed: number;
  readonly canonicalShift: number;
  readonly entryBytes: number;
}

/** Tables by their root's physical address, its level, masks of an index, and the bits of high words that they are for. */
export interface HotTables {
  readonly root: number;
  readonly rootLevel: number;
  readonly rootMask: number;
  readonly indexMask: number;
  /** Bits of an address's high word from here on are alike. */
  readonly coverShift: number;
  /** Bits of an entry for a table that are 0 if it is settled. */
  readonly zerosHigh: number;
  readonly zerosLow: number;
}

/** Tells of the access, and whether the halves have tables of their own. */
export function tellAccess(words: Int32Array, access: HotAccess, halves: 1 | 2): void {
  words[MACHINE] = HOT_MACHINES[access.machine];
  words[UPPER] = halves === 1 ? 0 : 4 * HALF_WORDS;
  words[PERMITTED] = access.permitted;
  words[NEEDED] = access.needed;
  words[CANONICAL_SHIFT] = access.canonicalShift;
  words[ENTRY_SHIFT] = access.entryBytes === 8 ? 3 : 2;
}

/** A control block of the same memory, told of nothing yet. */
export function clear(words: Int32Array, ramBytes: number, batch: number): void {
  words[RAM_BYTES] = ramBytes;
  words[BATCH] = batch;
  words[LARGE] = words.byteOffset + 4 * NOTED;
}

/**
 * Tells of a bank of a soft TLB, of the word about pieces of larger pages in it, and whether a batch loads what it finds.
 */
export function tellSoft(words: Int32Array, bank: number, large: number, loads: boolean): void {
  words[SOFT] = bank;
  words[LARGE] = large;
  words[SOFT_LOADS] = Number(loads);
}

/** Tells of the blocks of two levels of TLBs, the number of the address space, and the place of the counts. */
export function tellLevels(words: Int32Array, first: number, second: number, space: number, counts: number): void {
  words[FIRST_LEVEL] = first;
  words[SECOND_LEVEL] = second;
  words[SPACE] = space;
  words[COUNTS] = counts;
}

/** Tells of the block of the walk cache of a level; 0: there is none. */
export function tellWalkCache(words: Int32Array, level: number, block: number): void {
  words[WALK_CACHES + level - 1] = block;
}

/** Tells of the tables of a half, or of all addresses. */
export function tellTables(words: Int32Array, half: Half, tables: HotTables): void {
  const at = placeOf(half);
  const { rootLevel, rootMask, indexMask } = tables;
  words[at + ROOT] = tables.root;
  words[at + ROOT_LEVEL] = rootLevel;
  words[at + ROOT_MASK] = rootMask;
  words[at + INDEX_MASK] = indexMask;
  words[at + COVER_SHIFT] = tables.coverShift;
  words[at + IS_LONG] = Number(rootLevel === LONG_LEVEL && rootMask === LONG_MASK && indexMask === LONG_MASK);
  words[at + TABLE_ZEROS] = tables.zerosLow;
  words[at + TABLE_ZEROS + 1] = tables.zerosHigh;
}

/**
 * Tells of the pages of a level: bits of their entries that are 0 if they are settled, log2 of their bytes, and that as a
 * page size.
 */
export function tellPages(
  words: Int32Array,
  half: Half,
  level: number,
  zerosHigh: number,
  zerosLow: number,
  shift: number,
  size: number,
): void {
  const at = placeOf(half) + LEVELS + level * LEVEL_WORDS;
  words[at] = zerosLow;
  words[at + 1] = zerosHigh;
  words[at + PAGE_SIZE] = shift;
  words[at + PAGE_SIZE + 1] = size;
}

/** Tells that a level has no settled pages. */
export function tellNoPages(words: Int32Array, half: Half, level: number, shift: number): void {
  // An entry of any use has a bit.
  tellPages(words, half, level, -1, -1, shift, 0);
}

/** Tells of contiguous sets of these pages. */
export function tellSets(words: Int32Array, half: Half, level: number, shift: number, size: number): void {
  const at = placeOf(half) + LEVELS + level * LEVEL_WORDS + SET_SIZE;
  words[at] = shift;
  words[at + 1] = size;
}

/** Tells of AArch64's rights: bits of allowed places, in two words from `at` on. */
export function tellAllowed(words: Int32Array, half: Half, allowed: Int32Array, at: number): void {
  for (const n of [0, 1]) words[placeOf(half) + ALLOWED + n] = allowed[at + n];
}

/** Tells that nothing is settled in a half. */
export function tellNothing(words: Int32Array, half: Half): void {
  words.fill(0, placeOf(half), placeOf(half) + LEVELS);
  tellNoPages(words, half, 0, 12);
}
