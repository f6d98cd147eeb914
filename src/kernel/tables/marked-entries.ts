/**
 * Entries of an architecture with one bit of the low word for each mark, and one for the right to write: x86 and RISC-V.
 * Where a mark is said by several bits together, an architecture extends {@link Entries} itself.
 */

import { Entries } from './entries.js';

/** Bits of the low word, one each. */
export interface EntryMarks {
  readonly accessed: number;
  readonly dirty: number;
  readonly softDirty: number;
  readonly writable: number;
}

export abstract class MarkedEntries extends Entries {
  protected abstract readonly marks: EntryMarks;

  override makeClean(at: number): void {
    this.change(at, this.marks.dirty | this.marks.writable, 0);
  }

  override clearSoftDirty(at: number): number {
    return this.change(at, this.marks.softDirty | this.marks.writable, 0);
  }

  override makeOld(at: number): number {
    return this.change(at, this.marks.accessed, 0);
  }

  override makeOldAndClean(at: number): number {
    return this.change(at, this.marks.accessed | this.marks.dirty, 0);
  }

  override markTouched(at: number, write: boolean): void {
    const { accessed, dirty, softDirty, writable } = this.marks;
    this.change(at, 0, write ? accessed | dirty | softDirty | writable : accessed);
  }

  override markAccess(at: number, write: boolean): void {
    const { accessed, dirty } = this.marks;
    this.change(at, 0, write ? accessed | dirty : accessed);
  }

  override markDirty(at: number): void {
    this.change(at, 0, this.marks.dirty | this.marks.softDirty);
  }

  override moved(low: number): number {
    return low | this.marks.softDirty;
  }

  override lostByChild(isShared: boolean): number {
    const { accessed, dirty } = this.marks;
    return isShared ? accessed | dirty : accessed;
  }
}
