/**
 * Entries of page tables, as the kernel asks for them. Each architecture says its own bits, in one file: `entries-x86.ts`.
 *
 * An entry is 8 bytes: two words, the low one at an index of RAM ("at"), the high one after it. An empty entry has a low
 * word of 0. The low word answers every question of the kernel, so functions take it alone.
 *
 * A processor may be walking a live entry. It sets accessed and dirty there at any moment. So a live entry changes only
 * by the functions below, and they lose no bit set meanwhile by another processor over shared RAM.
 */

import type { HotMemory } from '../../../hw/memory/hot-memory.js';
import type { StoreJournal } from '../../../hw/memory/store-journal.js';
import { entryChange } from './entry-change.js';
import type { EntryFlag, EntryWords } from './entry-change.js';

/** The process may use the page; without it, it is there for the kernel alone: PROT_NONE. */
export const PAGE_ACCESSIBLE = 1 << 0;
/** It may write to the page. */
export const PAGE_WRITABLE = 1 << 1;
/** It may execute the page's code. */
export const PAGE_EXECUTABLE = 1 << 2;
/** The page is in use: accessed. */
export const PAGE_TOUCHED = 1 << 3;
/** The page has just been written: dirty, soft-dirty and writable. */
export const PAGE_WRITTEN = 1 << 4;
/** The entry stands above the last level, and maps a large page. */
export const PAGE_HUGE = 1 << 5;
/** A zero page or another frame, not counted as mapped. */
export const PAGE_SPECIAL = 1 << 6;

/** The words of entries, whether other processors reach them by shared RAM, and who keeps a journal of stores: {@link Ram}. */
export interface EntryMemory {
  readonly words: Int32Array;
  readonly shared: boolean;
  readonly hot: HotMemory | null;
  readonly journal: StoreJournal | null;
  readonly storeLabel: string;
}

/** A change of an entry: bits lost and gained by the low word, and bits lost by the high one. */
export interface EntryUpdate {
  readonly lose: number;
  readonly gain: number;
  readonly loseHigh: number;
}

const EMPTY: EntryWords = { high: 0, low: 0 };
/** No change at all. */
const NO_CHANGE: EntryUpdate = { lose: 0, gain: 0, loseHigh: 0 };

/** The entries of one RAM, in the format of an architecture. */
export abstract class Entries {
  readonly words: Int32Array;
  readonly shared: boolean;
  /** RAM itself: its journal may begin at any time. */
  protected readonly memory: EntryMemory;

  /** The bits of an entry that have a name, for the journal. */
  protected abstract readonly flags: readonly EntryFlag[];
  /** Takes the right to write from an entry with a bit of `lose`; it leaves others as they are. */
  abstract readonly readOnly: EntryUpdate;

  constructor(memory: EntryMemory) {
    this.words = memory.words;
    this.shared = memory.shared;
    this.memory = memory;
  }

  /** Whether somebody wants to know of each store, one by one. */
  get isJournaled(): boolean {
    return this.memory.journal !== null;
  }

  /** The processor may use it. */
  abstract isPresent(low: number): boolean;
  /** A page is there, for the processor or for the kernel alone. Above the last level also asked of tables: true. */
  abstract isMapped(low: number): boolean;
  /** It leads to a lower table. Asked of entries above the last level. */
  abstract isTable(low: number): boolean;
  /** It maps a frame, not counted as mapped. */
  abstract isSpecial(low: number): boolean;
  /** It maps a page, and is counted. */
  abstract isCounted(low: number): boolean;
  /** A guard page (MADV_GUARD_INSTALL). */
  abstract isGuard(low: number): boolean;
  /** The page may be written. */
  abstract isWritable(low: number): boolean;
  /** The page was used. */
  abstract isAccessed(low: number): boolean;
  /** The page was written. */
  abstract isDirty(low: number): boolean;
  /** The page was written since /proc/PID/clear_refs was told 4. */
  abstract isSoftDirty(low: number): boolean;

  /** The frame of the entry at `at`; below 2^31. */
  abstract frameAt(at: number): number;

  /** Maps `frame`, with PAGE_ bits, by the empty entry at `at`. */
  abstract setPage(at: number, frame: number, page: number): void;
  /** Maps `frame` by the small entry at `at`, with rights and marks of the huge entry `(hugeHigh, hugeLow)`. */
  abstract setPartOfHuge(at: number, frame: number, hugeHigh: number, hugeLow: number): void;
  /** Points the empty entry at `at` to a table. */
  abstract setTable(at: number, table: number): void;
  /** Makes a guard page of the empty entry at `at`. */
  abstract setGuard(at: number): void;
  /** Gives a live entry the rights of PAGE_ bits, and more only if it has them: whether anything changed. */
  abstract setRights(at: number, page: number): boolean;

  /** Takes the right to write, so that the next write is noticed, and with it the mark of earlier ones. */
  abstract makeClean(at: number): void;
  /** As {@link makeClean} for soft-dirty; the hardware's mark stays. Returns the low word from before. */
  abstract clearSoftDirty(at: number): number;
  /** Takes the mark of use. Returns the low word from before. */
  abstract makeOld(at: number): number;
  /** Takes the marks of use and of writes; the page stays writable. Returns the low word from before. */
  abstract makeOldAndClean(at: number): number;
  /** Marks an entry as the kernel does when it answers a fault: used, and for a write writable and written. */
  abstract markTouched(at: number, write: boolean): void;
  /** Marks an entry as the processor does at an access of its own. */
  abstract markAccess(at: number, write: boolean): void;
  /** Marks an entry as written without a right to write. */
  abstract markDirty(at: number): void;
  /** The low word of an entry after its page has moved: soft-dirty. */
  abstract moved(low: number): number;
  /** Marks of the low word, missing in a child's copy. It is not accessed, and a shared page not dirty: the parent's entry remembers. */
  abstract lostByChild(isShared: boolean): number;

  /**
   * Copies a run of entries, as fork does, in RAM of one processor alone. It begins with a present, counted
   * page, and ends at `end`, at an entry of another kind, or at a part of a large folio. Here fork spends its time.
   * Offsets count words from the first entry of the table.
   *
   * @param map words of frames: see `Frames.map`. Each page gets one more mapping, and is exclusive no longer.
   * @param source place of the first entry of the table
   * @param target place of its copy
   * @param i offset of the first entry of the run
   * @param end offset of the end of the table
   * @param change made to both sides
   * @param childLose more bits of the low word, lost by the copy
   * @returns the offset of the first entry left
   */
  abstract copyRun(
    map: Int32Array,
    source: number,
    target: number,
    i: number,
    end: number,
    change: EntryUpdate,
    childLose: number,
  ): number;

  /** Empties an entry for a table, or for nothing; that of a page goes by {@link take}. */
  clear(at: number): void {
    if (this.memory.journal !== null) this.tell(at, 0, 0);
    this.words[at] = 0;
    this.words[at + 1] = 0;
  }

  /** Empties a live entry. Returns the low word with accessed and dirty as a processor set them last. */
  take(at: number): number {
    const { words } = this;
    let low = words[at];
    if (this.memory.journal !== null) this.tell(at, 0, 0);
    if (this.shared) low = Atomics.exchange(words, at, 0);
    else words[at] = 0;
    words[at + 1] = 0;
    return low;
  }

  /** Puts an entry back as it was when {@link take} took it. */
  putBack(at: number, high: number, low: number): void {
    this.set(at, high, low);
  }

  /** Moves a page from one entry to an empty one. Returns the low word from before. */
  movePage(at: number, place: number): number {
    const high = this.words[at + 1];
    const low = this.take(at);
    this.set(place, high, this.isMapped(low) ? this.moved(low) : low);
    return low;
  }

  /** Moves a whole table likewise. */
  moveTable(at: number, place: number): number {
    const high = this.words[at + 1];
    const low = this.take(at);
    this.set(place, high, low);
    return low;
  }

  /**
   * Writes the child's copy of the entry at `at` to `place`.
   * @param low its low word from before `change`, see {@link changeAtFork}
   */
  setCopy(at: number, place: number, low: number, { lose, gain, loseHigh }: EntryUpdate, isShared: boolean): void {
    this.set(place, this.words[at + 1] & ~loseHigh, ((low & ~lose) | gain) & ~this.lostByChild(isShared));
  }

  /** Takes the right to write. Returns the low word from before. */
  makeReadOnly(at: number): number {
    return this.apply(at, this.readOnly);
  }

  /** The change by fork to a page's entry, on both sides: private pages lose the right to write. */
  changeAtFork(isPrivate: boolean): EntryUpdate {
    return isPrivate ? this.readOnly : NO_CHANGE;
  }

  /** Makes a change to a live entry. Returns the low word from before. */
  apply(at: number, { lose, gain, loseHigh }: EntryUpdate): number {
    if (loseHigh !== 0) this.setHigh(at, this.words[at + 1] & ~loseHigh);
    return this.change(at, lose, gain);
  }

  /** Changes the low word of a live entry in one step. Returns what it was before. */
  protected change(at: number, lose: number, gain: number): number {
    const { words } = this;
    if (this.memory.journal !== null) this.tell(at, words[at + 1], this.changed(words[at], lose, gain));
    if (this.shared) return this.changeShared(at, lose, gain);
    const low = words[at];
    words[at] = this.changed(low, lose, gain);
    return low;
  }

  /** The low word after a change. */
  protected changed(low: number, lose: number, gain: number): number {
    return (low & ~lose) | gain;
  }

  /** Looks again whenever another processor was faster. */
  private changeShared(at: number, lose: number, gain: number): number {
    const { words } = this;
    for (;;) {
      const low = words[at];
      if (Atomics.compareExchange(words, at, low, this.changed(low, lose, gain)) === low) return low;
    }
  }

  /** Writes an entry. One store makes it visible to the walker: the low word last. */
  protected set(at: number, high: number, low: number): void {
    if (this.memory.journal !== null) this.tell(at, high, low);
    this.words[at + 1] = high;
    this.words[at] = low;
  }

  /** Changes the high word of a live entry. No processor sets bits there. */
  protected setHigh(at: number, high: number): void {
    if (this.memory.journal !== null) this.tell(at, high, this.words[at]);
    this.words[at + 1] = high;
  }

  /** Tells the journal that an entry is about to change: who changes it, and what. */
  private tell(at: number, high: number, low: number): void {
    this.#note(at, this.#at(at), { high, low });
  }

  /** Tells the journal of a run that was copied, see {@link copyRun}; `lost` are the bits that each entry has lost. */
  tellRun(source: number, target: number, from: number, end: number, lost: number): void {
    for (let i = from; i < end; i += 2) {
      const { high, low } = this.#at(source + i);
      this.#note(source + i, { high, low: low | lost }, { high, low });
      this.#note(target + i, EMPTY, this.#at(target + i));
    }
  }

  #at(at: number): EntryWords {
    return { high: this.words[at + 1], low: this.words[at] };
  }

  #note(at: number, before: EntryWords, after: EntryWords): void {
    const { journal, storeLabel } = this.memory;
    const change = entryChange(this.flags, before, after);
    if (change !== '') journal?.note(at, at + 1, `${storeLabel || 'the kernel'}: ${change}`);
  }
}
