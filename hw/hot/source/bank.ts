/** A bank of the soft TLB (tlb/soft.ts). A tag is one word of 64 bits with the high word of its address. */

import { linearOf, PAGE_MASK } from './control';

/** Whether a walk's result goes into a bank: types, by their sizes, so a function is compiled for each. */
export type IntoBank = u8;
export type IntoNone = u16;

/** The place of a page's entry. */
export function cellOf(cells: u32, lo: u32): u32 {
  return cells + ((lo >>> 8) & 0xff0);
}

/** Keeps a frame, if it goes into a bank. @returns it */
export function keep<Into>(cells: u32, hi: u32, lo: u32, frame: u32): u32 {
  if (sizeof<Into>() == sizeof<IntoNone>()) return frame;
  const cell = cellOf(cells, lo);
  store<u64>(cell, linearOf(hi, lo & PAGE_MASK));
  store<u32>(cell, frame, 8);
  return frame;
}
