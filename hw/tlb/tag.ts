/**
 * What a TLB entry is known by, besides the low 32 bits of its page number: one word that holds everything else that
 * must agree. So a lookup compares one word more, whatever the architecture.
 *
 *     31     30      29:27      26:15         14:0
 *     valid  global  page size  space number  page number bits 46:32
 *
 * Space numbers come from spaces.ts. A global entry has the number of its virtual machine in their place, 0 where there
 * is none. A page size is an index of {@link Regime.pageShifts}.
 */

export const TAG_PAGE_HIGH = 0x7fff;
const TAG_SPACE_SHIFT = 15;
const TAG_SPACE = 0xfff << TAG_SPACE_SHIFT;
export const TAG_SIZE_SHIFT = 27;
export const TAG_GLOBAL = 1 << 30;
const TAG_VALID = 1 << 31;
/** All but the spaces. */
const TAG_PAGE = ~(TAG_SPACE | TAG_GLOBAL);

/** Page sizes that a tag can tell apart. */
export const MOST_PAGE_SIZES = 8;
/** Space numbers that a tag can tell apart. */
export const SPACE_NUMBERS = 1 << 12;
/** In an invalidation: every address space, or every virtual machine's global entries. */
export const EVERY_SPACE = -1;
/** In an invalidation: none of them. */
export const NO_SPACE = -2;

/** The low 32 bits of the number of the page of `2^shift` bytes (shift 12 to 48) that holds `(hi, lo)`. */
export function tagPageLow(hi: number, lo: number, shift: number): number {
  return shift >= 32 ? hi >>> (shift - 32) : (hi << (32 - shift)) | (lo >>> shift);
}

/** What the tags of a page size and address space have in common. */
export function tagBase(space: number, size: number): number {
  return (space << TAG_SPACE_SHIFT) | (size << TAG_SIZE_SHIFT) | TAG_VALID;
}

/** The part of a tag that the page number's bits above the low 32 make. */
export function tagPageHigh(pageHigh: number): number {
  return pageHigh & TAG_PAGE_HIGH;
}

/** The tag of a non-global entry. */
export function makeTag(hi: number, shift: number, space: number, size: number): number {
  const pageHigh = shift >= 32 ? 0 : (hi >>> shift) & TAG_PAGE_HIGH;
  return (space << TAG_SPACE_SHIFT) | (size << TAG_SIZE_SHIFT) | TAG_VALID | pageHigh;
}

/** What stands in a global tag instead of the space number: that it is global, and for which virtual machine. */
export function globalBits(machine: number): number {
  return TAG_GLOBAL | (machine << TAG_SPACE_SHIFT);
}

/** The tag that the same page has when its entry is global, with {@link globalBits}. */
export function globalTag(tag: number, global: number): number {
  return (tag & TAG_PAGE) | global;
}

/** The space number of a tag; of a global one, the number of its virtual machine. */
export function spaceOf(tag: number): number {
  return (tag & TAG_SPACE) >>> TAG_SPACE_SHIFT;
}

/** The page size of a tag. */
export function sizeOf(tag: number): number {
  return (tag >>> TAG_SIZE_SHIFT) & (MOST_PAGE_SIZES - 1);
}

/** Whether two tags are of the same page, whatever their spaces. */
export function samePage(tag: number, other: number): boolean {
  return ((tag ^ other) & TAG_PAGE) === 0;
}

/**
 * Whether an invalidation reaches an entry: the entries of address space `space` that are not global, and the global
 * ones of virtual machine `machine`. Either may be {@link EVERY_SPACE} or {@link NO_SPACE}.
 */
export function isReached(tag: number, space: number, machine: number): boolean {
  const asked = (tag & TAG_GLOBAL) !== 0 ? machine : space;
  return asked === EVERY_SPACE || asked === spaceOf(tag);
}
