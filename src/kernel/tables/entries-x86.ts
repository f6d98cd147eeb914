/**
 * Entries of x86-64 page tables, as the kernel writes and reads them: the one file of the kernel that says R/W, D or XD.
 *
 * Most functions look at the low word of an entry; the high word holds the frame's top bits and XD. The hardware's bits
 * come from its format. What the hardware leaves to software is the kernel's, and named here.
 *
 * A live entry is one that a processor may be walking. It sets accessed and dirty there at any moment. So a live entry
 * changes only by the functions at the end, which lose no bit that another processor sets over shared RAM.
 * Source: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging", "Accessed and Dirty Flags".
 */

import * as format from '../../../hw/x86/format.js';

// V8 folds a module's own constants into its code; imported names it tests at each use.
const { PTE_A, PTE_D, PTE_G, PTE_P, PTE_PS, PTE_RW, PTE_US, PTE_XD } = format;

/** Of a present entry: the processor may use it. */
export const PTE_PRESENT = PTE_P;
export const PTE_ACCESSED = PTE_A;
/** Of an entry above the last level: it maps a page and leads to no table. */
export const PTE_HUGE = PTE_PS;
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
/** The bits of a page that has just been written: accessed, dirty, writable. */
export const PTE_WRITTEN = PTE_A | PTE_D | PTE_SOFT_DIRTY | PTE_RW;
/** An entry that points to a lower table. */
export const TABLE_ENTRY = PTE_P | PTE_RW | PTE_US | PTE_A;
/** What {@link leadsToTable} looks at. */
export const TABLE_BITS = PTE_P | PTE_PS;

/** Bits of the low word that follow from the rights of a VMA. */
const RIGHTS = PTE_P | PTE_RW | PTE_US | PTE_PROT_NONE;
/** Bits of the low word that say what is behind it, not where: all below the frame. */
const FLAGS = 0xfff;

/** Index of the frame number's high part in the high word. */
export function highOf(frame: number): number {
  return frame >>> 20;
}

/** The frame that the entry `(hi, lo)` of a 4 KiB page or a table names; frames are below 2^31. */
export function frameOfEntry(hi: number, lo: number): number {
  return (lo >>> 12) | (hi << 20);
}

/** The hardware may use it. */
export function isPresent(low: number): boolean {
  return (low & PTE_P) !== 0;
}

/** A page is there, for the hardware or for the kernel alone. */
export function isMapped(low: number): boolean {
  return (low & PTE_MAPPED) !== 0;
}

/** It leads to a lower table. Asked of entries above the last level. */
export function leadsToTable(low: number): boolean {
  return (low & TABLE_BITS) === PTE_P;
}

/** The frame behind it is not counted as mapped: a zero page. */
export function isSpecial(low: number): boolean {
  return (low & PTE_SPECIAL) !== 0;
}

/** A page that is counted: mapped, and no zero page. */
export function isCounted(low: number): boolean {
  return (low & PTE_MAPPED) !== 0 && (low & PTE_SPECIAL) === 0;
}

export function isGuard(low: number): boolean {
  return (low & PTE_MAPPED) === 0 && (low & PTE_GUARD) !== 0;
}

export function isWritable(low: number): boolean {
  return (low & PTE_RW) !== 0;
}

export function isAccessed(low: number): boolean {
  return (low & PTE_A) !== 0;
}

export function isDirty(low: number): boolean {
  return (low & PTE_D) !== 0;
}

export function isSoftDirty(low: number): boolean {
  return (low & PTE_SOFT_DIRTY) !== 0;
}

/** The low word's bits for a page of a user's: absent for the hardware unless it is `accessible`. */
export function pageRights(accessible: boolean, writable: boolean): number {
  if (!accessible) return PTE_PROT_NONE | PTE_US;
  return PTE_P | PTE_US | (writable ? PTE_RW : 0);
}

/** The high word's bits for a page. */
export function pageExecution(executable: boolean): number {
  return executable ? 0 : PTE_XD;
}

/** The low word's bits that fork takes from a private page on both sides, or from a shared one: its rights stay. */
export function lostAtFork(isPrivate: boolean): number {
  return isPrivate ? PTE_RW : 0;
}

/** What the child's entry loses besides. It is not accessed, and a shared page not dirty: the parent's entry remembers. */
export function lostByChild(isShared: boolean): number {
  return isShared ? PTE_A | PTE_D : PTE_A;
}

/** The low word's bits of the small entries that take a huge one's place. A zero page is never writable. */
export function smallFlags(low: number): number {
  return low & FLAGS & ~(isSpecial(low) ? PTE_PS | PTE_RW : PTE_PS);
}

/** The high word's bits of the small entries that take a huge one's place. */
export function executionOf(high: number): number {
  return high & PTE_XD;
}

/** Where entries stand, and whether other processors reach them by RAM that is shared. */
export interface EntryMemory {
  readonly words: Int32Array;
  readonly shared: boolean;
}

/** Changes the low word of a live entry in one step. Returns what it was before. */
function change(memory: EntryMemory, at: number, lose: number, gain: number): number {
  const { words } = memory;
  if (memory.shared) return changeShared(words, at, lose, gain);
  const low = words[at];
  words[at] = (low & ~lose) | gain;
  return low;
}

/** Looks again whenever another processor was faster. */
function changeShared(words: Int32Array, at: number, lose: number, gain: number): number {
  for (;;) {
    const low = words[at];
    if (Atomics.compareExchange(words, at, low, (low & ~lose) | gain) === low) return low;
  }
}

/** Takes bits out of the low word of a live entry. Returns what it was before. */
export function loseBits(memory: EntryMemory, at: number, lose: number): number {
  return change(memory, at, lose, 0);
}

/** Empties a live entry. Returns the low word with the last accessed and dirty bits that a processor has set. */
export function takeEntry(memory: EntryMemory, at: number): number {
  const { words } = memory;
  let low = words[at];
  if (memory.shared) low = Atomics.exchange(words, at, 0);
  else words[at] = 0;
  words[at + 1] = 0;
  return low;
}

/** Takes the right to write. Returns the low word from before. */
export function makeReadOnly(memory: EntryMemory, at: number): number {
  return change(memory, at, PTE_RW, 0);
}

/** Takes the right to write, so that the next write is noticed, and with it the mark of earlier ones. */
export function makeClean(memory: EntryMemory, at: number): void {
  change(memory, at, PTE_D | PTE_RW, 0);
}

/** As {@link makeClean} for soft-dirty; what the hardware calls dirty stays. Returns the low word from before. */
export function clearSoftDirtyBit(memory: EntryMemory, at: number): number {
  return change(memory, at, PTE_SOFT_DIRTY | PTE_RW, 0);
}

/** Takes the mark of use. Returns the low word from before. */
export function makeOld(memory: EntryMemory, at: number): number {
  return change(memory, at, PTE_A, 0);
}

/** Takes the marks of use and of writes; the page stays writable. Returns the low word from before. */
export function makeOldAndClean(memory: EntryMemory, at: number): number {
  return change(memory, at, PTE_A | PTE_D, 0);
}

/** Marks an entry as the kernel does when it answers a fault: used, and for a write writable and written. */
export function markTouched(memory: EntryMemory, at: number, write: boolean): void {
  change(memory, at, 0, write ? PTE_WRITTEN : PTE_A);
}

/** Marks an entry as the processor does at an access of its own. */
export function markAccess(memory: EntryMemory, at: number, write: boolean): void {
  change(memory, at, 0, write ? PTE_A | PTE_D : PTE_A);
}

/** Marks an entry as written without a right to write. */
export function markDirty(memory: EntryMemory, at: number): void {
  change(memory, at, 0, PTE_D | PTE_SOFT_DIRTY);
}

/**
 * Gives a live entry other rights: those of {@link pageRights} and {@link pageExecution}, with `writable` the right to
 * write too. Returns whether anything changed.
 */
export function setRights(
  memory: EntryMemory,
  at: number,
  rights: number,
  execution: number,
  writable: boolean,
): boolean {
  const { words } = memory;
  const gain = writable ? rights | PTE_RW : rights;
  const high = (words[at + 1] & ~PTE_XD) | execution;
  if ((words[at] & RIGHTS) === gain && high === words[at + 1]) return false;
  words[at + 1] = high;
  change(memory, at, RIGHTS, gain);
  return true;
}
