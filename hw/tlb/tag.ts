/**
 * What a TLB entry is known by, besides the low 32 bits of its page number: one word that holds everything else that
 * must agree.
 */

/** Tag: page number bits 44:32 in 12:0, the number of the address space in 24:13, page size in 26:25, global, valid. */
export const TAG_PAGE_HIGH = 0x1fff;
export const TAG_SPACE_SHIFT = 13;
export const TAG_SPACE = 0xfff << TAG_SPACE_SHIFT;
export const TAG_SIZE_SHIFT = 25;
export const TAG_GLOBAL = 1 << 27;
const TAG_VALID = 1 << 28;

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

/** The tag that the same page has when its entry is global. */
export function globalTag(tag: number): number {
  return (tag & ~TAG_SPACE) | TAG_GLOBAL;
}
