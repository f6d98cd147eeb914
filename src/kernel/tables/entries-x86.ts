/**
 * Entries of x86-64 page tables. R/W, D and XD are said in no other file of the kernel.
 *
 * The hardware's bits come from its format. Those left to software are the kernel's, and named here.
 * Source: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging", "Accessed and Dirty Flags".
 */

import { frameOf, highWordOfFrame, lowWordOfFrame } from '../../../hw/base/address.js';
import * as format from '../../../hw/x86/format.js';
import * as page from './entries.js';
import { MarkedEntries } from './marked-entries.js';
import type { EntryRuns } from './marked-entries.js';
import type { EntryUpdate } from './entries.js';
import type { EntryFlag } from './entry-change.js';

const { PTE_A, PTE_D, PTE_G, PTE_P, PTE_PS, PTE_RW, PTE_US, PTE_XD } = format;
const { PAGE_ACCESSIBLE, PAGE_EXECUTABLE, PAGE_HUGE, PAGE_TOUCHED } = page;
const { PAGE_SPECIAL, PAGE_WRITABLE, PAGE_WRITTEN } = page;

/** Not counted as mapped. */
const SPECIAL = 1 << 9;
/** A guard page: its entry maps nothing, and has no other bit. */
const GUARD = 1 << 10;
const SOFT_DIRTY = 1 << 11;
/**
 * The page is there for the kernel and absent for the hardware: PROT_NONE. With P = 0 the hardware ignores all other
 * bits, so the "global" bit of a present entry is free.
 */
const PROT_NONE = PTE_G;
const MAPPED = PTE_P | PROT_NONE;
/** The bits of a page just written: accessed, dirty, writable. */
const WRITTEN = PTE_A | PTE_D | SOFT_DIRTY | PTE_RW;
/** An entry for a lower table. */
const TABLE = PTE_P | PTE_RW | PTE_US | PTE_A;
/** Bits of the low word for the rights of a VMA. */
const RIGHTS = PTE_P | PTE_RW | PTE_US | PROT_NONE;
/** Bits of the low word about the mapping, not the frame. */
const FLAGS = 0xfff;

/** The low word's bits for rights: absent for the hardware unless the page is accessible. */
function rightsOf(rights: number): number {
  if ((rights & PAGE_ACCESSIBLE) === 0) return PROT_NONE | PTE_US | ((rights & PAGE_WRITABLE) !== 0 ? PTE_RW : 0);
  return PTE_P | PTE_US | ((rights & PAGE_WRITABLE) !== 0 ? PTE_RW : 0);
}

/** The high word's. */
function executionOf(rights: number): number {
  return (rights & PAGE_EXECUTABLE) !== 0 ? 0 : PTE_XD;
}

/** Names of bits, as the manual and the kernel have them. */
const FLAG_NAMES: readonly EntryFlag[] = [
  { name: 'P', low: PTE_P, high: 0 },
  { name: 'R/W', low: PTE_RW, high: 0 },
  { name: 'U/S', low: PTE_US, high: 0 },
  { name: 'A', low: PTE_A, high: 0 },
  { name: 'D', low: PTE_D, high: 0 },
  { name: 'PROT_NONE', low: PROT_NONE, high: 0 },
  { name: 'special', low: SPECIAL, high: 0 },
  { name: 'guard', low: GUARD, high: 0 },
  { name: 'soft-dirty', low: SOFT_DIRTY, high: 0 },
  { name: 'XD', low: 0, high: PTE_XD },
];

/** The entries of one RAM, in the format of 4-level paging. */
export class X86Entries extends MarkedEntries {
  protected override readonly flags = FLAG_NAMES;
  protected override readonly marks = { accessed: PTE_A, dirty: PTE_D, softDirty: SOFT_DIRTY, writable: PTE_RW };
  protected override readonly runs: EntryRuns = { kinds: PTE_P | SPECIAL | PTE_RW, frameShift: 12 };
  override readonly readOnly: EntryUpdate = { lose: PTE_RW, gain: 0, loseHigh: 0 };

  override isPresent(low: number): boolean {
    return (low & PTE_P) !== 0;
  }

  override isMapped(low: number): boolean {
    return (low & MAPPED) !== 0;
  }

  override isTable(low: number): boolean {
    return (low & (PTE_P | PTE_PS)) === PTE_P;
  }

  override isSpecial(low: number): boolean {
    return (low & SPECIAL) !== 0;
  }

  override isCounted(low: number): boolean {
    return (low & MAPPED) !== 0 && (low & SPECIAL) === 0;
  }

  override isGuard(low: number): boolean {
    return (low & MAPPED) === 0 && (low & GUARD) !== 0;
  }

  override isWritable(low: number): boolean {
    return (low & PTE_RW) !== 0;
  }

  override isAccessed(low: number): boolean {
    return (low & PTE_A) !== 0;
  }

  override isDirty(low: number): boolean {
    return (low & PTE_D) !== 0;
  }

  override isSoftDirty(low: number): boolean {
    return (low & SOFT_DIRTY) !== 0;
  }

  override frameAt(at: number): number {
    return frameOf(this.words[at + 1], this.words[at]);
  }

  override setPage(at: number, frame: number, bits: number): void {
    let low = rightsOf(bits);
    if ((bits & PAGE_TOUCHED) !== 0) low |= PTE_A;
    if ((bits & PAGE_WRITTEN) !== 0) low |= WRITTEN;
    if ((bits & PAGE_HUGE) !== 0) low |= PTE_PS;
    if ((bits & PAGE_SPECIAL) !== 0) low |= SPECIAL;
    this.set(at, highWordOfFrame(frame) | executionOf(bits), lowWordOfFrame(frame) | low);
  }

  /** A zero page is never writable. */
  override setPartOfHuge(at: number, frame: number, hugeHigh: number, hugeLow: number): void {
    const flags = hugeLow & FLAGS & ~((hugeLow & SPECIAL) !== 0 ? PTE_PS | PTE_RW : PTE_PS);
    this.set(at, highWordOfFrame(frame) | (hugeHigh & PTE_XD), lowWordOfFrame(frame) | flags);
  }

  override setTable(at: number, table: number): void {
    this.set(at, highWordOfFrame(table), lowWordOfFrame(table) | TABLE);
  }

  override setGuard(at: number): void {
    this.set(at, 0, GUARD);
  }

  override setRights(at: number, bits: number): boolean {
    const { words } = this;
    const gain = rightsOf(bits);
    const high = (words[at + 1] & ~PTE_XD) | executionOf(bits);
    if ((words[at] & RIGHTS) === gain && high === words[at + 1]) return false;
    if (high !== words[at + 1]) this.setHigh(at, high);
    this.change(at, RIGHTS, gain);
    return true;
  }
}
