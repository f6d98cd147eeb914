/**
 * Entries of RISC-V page tables of 8 bytes: Sv39 and above. V, R, W and X are said in no other file of the kernel.
 *
 * The hardware's bits come from its format. RSW, two bits, is for software; an entry with V = 0 is free for software whole.
 * Source: RISC-V privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory System", and Sv48's section.
 */

import * as format from '../../../hw/riscv/format.js';
import * as page from './entries.js';
import { MarkedEntries } from './marked-entries.js';
import type { EntryRuns } from './marked-entries.js';
import type { EntryUpdate } from './entries.js';
import type { EntryFlag } from './entry-change.js';

const {
  RISCV_PTE_A: PTE_A,
  RISCV_PTE_D: PTE_D,
  RISCV_PTE_G: PTE_G,
  RISCV_PTE_R: PTE_R,
  RISCV_PTE_U: PTE_U,
  RISCV_PTE_V: PTE_V,
  RISCV_PTE_W: PTE_W,
  RISCV_PTE_X: PTE_X,
} = format;
const { PAGE_ACCESSIBLE, PAGE_EXECUTABLE, PAGE_SPECIAL, PAGE_TOUCHED, PAGE_WRITABLE, PAGE_WRITTEN } = page;

/** RSW: not counted as mapped. */
const SPECIAL = 1 << 8;
/** RSW. */
const SOFT_DIRTY = 1 << 9;
/** With V = 0. A guard page: its entry maps nothing, and has no other bit. */
const GUARD = PTE_U;
/** With V = 0. The page is there for the kernel and absent for the hardware: PROT_NONE. */
const PROT_NONE = PTE_G;
const MAPPED = PTE_V | PROT_NONE;
/** The bits of a page just written: accessed, dirty, writable. */
const WRITTEN = PTE_A | PTE_D | SOFT_DIRTY | PTE_W;
/** Bits of the low word for the rights of a VMA. */
const RIGHTS = PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PROT_NONE;
/** Bits of the low word about the mapping, not the frame. */
const FLAGS = 0x3ff;

/**
 * The low word's bits for rights: absent for the hardware unless the page is accessible. Every accessible page is
 * readable, as on x86: W without R is reserved, and recorded programs read from pages they may only execute.
 */
function rightsOf(rights: number): number {
  const accessible = (rights & PAGE_ACCESSIBLE) !== 0 ? PTE_V | PTE_R : PROT_NONE;
  const writable = (rights & PAGE_WRITABLE) !== 0 ? PTE_W : 0;
  return accessible | PTE_U | writable | ((rights & PAGE_EXECUTABLE) !== 0 ? PTE_X : 0);
}

/** The words of a frame number. */
const lowOf = (frame: number): number => frame << 10;
const highOf = (frame: number): number => frame >>> 22;

/** Names of bits, as the specification and the kernel have them. */
const FLAG_NAMES: readonly EntryFlag[] = [
  { name: 'V', low: PTE_V, high: 0 },
  { name: 'R', low: PTE_R, high: 0 },
  { name: 'W', low: PTE_W, high: 0 },
  { name: 'X', low: PTE_X, high: 0 },
  { name: 'U', low: PTE_U, high: 0 },
  { name: 'PROT_NONE', low: PROT_NONE, high: 0 },
  { name: 'A', low: PTE_A, high: 0 },
  { name: 'D', low: PTE_D, high: 0 },
  { name: 'special', low: SPECIAL, high: 0 },
  { name: 'soft-dirty', low: SOFT_DIRTY, high: 0 },
];

/** The entries of one RAM, in RISC-V's format. */
export class RiscvEntries extends MarkedEntries {
  protected override readonly flags = FLAG_NAMES;
  protected override readonly marks = { accessed: PTE_A, dirty: PTE_D, softDirty: SOFT_DIRTY, writable: PTE_W };
  protected override readonly runs: EntryRuns = { kinds: PTE_V | SPECIAL | PTE_W, frameShift: 10 };
  override readonly readOnly: EntryUpdate = { lose: PTE_W, gain: 0, loseHigh: 0 };

  override isPresent(low: number): boolean {
    return (low & PTE_V) !== 0;
  }

  override isMapped(low: number): boolean {
    return (low & MAPPED) !== 0;
  }

  override isTable(low: number): boolean {
    return (low & (PTE_V | PTE_R | PTE_W | PTE_X)) === PTE_V;
  }

  override isSpecial(low: number): boolean {
    return (low & SPECIAL) !== 0;
  }

  override isCounted(low: number): boolean {
    return (low & MAPPED) !== 0 && (low & SPECIAL) === 0;
  }

  override isGuard(low: number): boolean {
    return low === GUARD;
  }

  override isWritable(low: number): boolean {
    return (low & PTE_W) !== 0;
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
    return (this.words[at] >>> 10) | (this.words[at + 1] << 22);
  }

  /** A page above the last level has no bit of its own: it has R. */
  override setPage(at: number, frame: number, bits: number): void {
    let low = rightsOf(bits);
    if ((bits & PAGE_TOUCHED) !== 0) low |= PTE_A;
    if ((bits & PAGE_WRITTEN) !== 0) low |= WRITTEN;
    if ((bits & PAGE_SPECIAL) !== 0) low |= SPECIAL;
    this.set(at, highOf(frame), lowOf(frame) | low);
  }

  /** A zero page is never writable. */
  override setPartOfHuge(at: number, frame: number, _hugeHigh: number, hugeLow: number): void {
    const flags = hugeLow & FLAGS & ~((hugeLow & SPECIAL) !== 0 ? PTE_W : 0);
    this.set(at, highOf(frame), lowOf(frame) | flags);
  }

  /** A, D and U are reserved in an entry for a table. */
  override setTable(at: number, table: number): void {
    this.set(at, highOf(table), lowOf(table) | PTE_V);
  }

  override setGuard(at: number): void {
    this.set(at, 0, GUARD);
  }

  override setRights(at: number, bits: number): boolean {
    const gain = rightsOf(bits);
    if ((this.words[at] & RIGHTS) === gain) return false;
    this.change(at, RIGHTS, gain);
    return true;
  }
}
