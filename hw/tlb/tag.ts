/**
 * The key of a TLB entry, besides the low 32 bits of its page number: one word with everything else that must agree. So
 * a lookup compares one word more, on every architecture.
 *
 *     31     30      29:27      26:15         14:0
 *     valid  global  page size  space number  page number bits 46:32
 *
 * Space numbers come from spaces.ts. A global entry has the number of its virtual machine in their place, 0 if there is
 * none. A page size is an index of {@link Regime.pageShifts}.
 */

// None of these is exported, so V8 folds them into the functions below: it loads a module's exports at each use.
const PAGE_HIGH = 0x7fff;
const SPACE_SHIFT = 15;
const SPACE = 0xfff << SPACE_SHIFT;
const SIZE_SHIFT = 27;
const SIZES = 7;
const GLOBAL = 1 << 30;
const VALID = 1 << 31;
/** All but the spaces. */
const PAGE = ~(SPACE | GLOBAL);

/** How many space numbers a tag can tell apart. */
export const SPACE_NUMBERS = 1 << 12;
/** In an invalidation: every address space, or every virtual machine's global entries. */
export const EVERY_SPACE = -1;
/** In an invalidation: none of them. */
export const NO_SPACE = -2;

/** The low 32 bits of the number of the page of `2^shift` bytes (shift 12 to 48) around `(hi, lo)`. */
export function tagPageLow(hi: number, lo: number, shift: number): number {
  // An int32 either way: V8 makes a float64 of a choice between signed and unsigned.
  return shift >= 32 ? (hi >>> (shift - 32)) | 0 : (hi << (32 - shift)) | (lo >>> shift);
}

/** The common part of the tags of a page size and address space. */
export function tagBase(space: number, size: number): number {
  return (space << SPACE_SHIFT) | (size << SIZE_SHIFT) | VALID;
}

/** The part of a tag from the page number's bits above the low 32. */
export function tagPageHigh(pageHigh: number): number {
  return pageHigh & PAGE_HIGH;
}

/** The tag of a non-global entry. */
export function makeTag(hi: number, shift: number, space: number, size: number): number {
  const pageHigh = shift >= 32 ? 0 : (hi >>> shift) & PAGE_HIGH;
  return (space << SPACE_SHIFT) | (size << SIZE_SHIFT) | VALID | pageHigh;
}

/** The bits of a global tag in place of the space number: the global bit, and the virtual machine's number. */
export function globalBits(machine: number): number {
  return GLOBAL | (machine << SPACE_SHIFT);
}

/** The tag of the same page when its entry is global, with {@link globalBits}. */
export function globalTag(tag: number, global: number): number {
  return (tag & PAGE) | global;
}

/** The space number of a tag; of a global one, the number of its virtual machine. */
export function spaceOf(tag: number): number {
  return (tag & SPACE) >>> SPACE_SHIFT;
}

/** The page size of a tag. */
export function sizeOf(tag: number): number {
  return (tag >>> SIZE_SHIFT) & SIZES;
}

/** Whether a tag is of an entry good in every space of its virtual machine. */
export function isGlobal(tag: number): boolean {
  return (tag & GLOBAL) !== 0;
}

/** Whether two tags are of the same page, of any spaces. */
export function samePage(tag: number, other: number): boolean {
  return ((tag ^ other) & PAGE) === 0;
}

/**
 * Whether an invalidation reaches an entry: the entries of address space `space` except global ones, and the global
 * ones of virtual machine `machine`. Either may be {@link EVERY_SPACE} or {@link NO_SPACE}.
 */
export function isReached(tag: number, space: number, machine: number): boolean {
  const asked = isGlobal(tag) ? machine : space;
  return asked < 0 ? asked === EVERY_SPACE : asked === spaceOf(tag);
}
