/**
 * Page-table entries as the kernel writes them: the hardware's bits, and what it keeps in the bits the hardware
 * leaves to software. All functions work on the low word; the high word holds the frame's top bits and XD.
 */

import { PTE_A, PTE_D, PTE_G, PTE_P, PTE_RW, PTE_US } from '../../../hw/x86/format.js';

/** The zero page or another frame that is not counted as mapped. */
export const PTE_SPECIAL = 1 << 9;
/** A guard page (MADV_GUARD_INSTALL): the only bit of an entry that maps nothing. */
export const PTE_GUARD = 1 << 10;
/** Written since /proc/PID/clear_refs was told 4. */
export const PTE_SOFT_DIRTY = 1 << 11;
/**
 * The page is there for the kernel and absent for the hardware: PROT_NONE. With P = 0 the hardware ignores all other
 * bits, so the bit that means "global" in a present entry is free.
 */
export const PTE_PROT_NONE = PTE_G;
/** A page is there, for the hardware or for the kernel alone. */
export const PTE_MAPPED = PTE_P | PTE_PROT_NONE;
/** An entry that points to a lower table. */
export const TABLE_ENTRY = PTE_P | PTE_RW | PTE_US | PTE_A;

/** Index of the frame number's high part in the high word. */
export function highOf(frame: number): number {
  return frame >>> 20;
}

/** The frame that the entry `(hi, lo)` of a 4 KiB page or a table names; frames are below 2^31. */
export function frameOfEntry(hi: number, lo: number): number {
  return (lo >>> 12) | (hi << 20);
}

/** The bits of a page that has just been written: accessed, dirty, writable. */
export const PTE_WRITTEN = PTE_A | PTE_D | PTE_SOFT_DIRTY | PTE_RW;
