/**
 * Copying the entries of one page table into another, as fork does: the loop in which fork spends its time.
 *
 * One pass over int32 words. Entries come in runs of one kind, pages of small folios that are all writable or all not;
 * a run is copied by a loop that neither counts nor asks twice, every other entry by itself. Places are kept unsigned,
 * because those of 16 GiB of RAM do not fit an int32.
 */

import * as frameTable from '../frames/frames.js';
import * as entry from './entries-x86.js';
import type { EntryMemory } from './entries-x86.js';
import { FLUSH_CEILING } from './tlb-batch.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { MAP_EXCLUSIVE } = frameTable;
const { PTE_MAPPED, PTE_PRESENT, PTE_SPECIAL } = entry;
const ENTRIES = 512;
/** Nobody asks for more: from here on everything is invalidated at once. */
const CHANGES_TOLD = FLUSH_CEILING + 1;

/**
 * Copies entries from offset `i` on, in words, up to `end` or to the first that is not of `kind` (the value of its
 * `kindBits`, a present page that is counted) or is part of a large folio.
 * @returns the offset of that one
 */
function copyRun(
  words: Int32Array,
  map: Int32Array,
  source: number,
  target: number,
  i: number,
  end: number,
  kindBits: number,
  kind: number,
  lose: number,
  childLose: number,
): number {
  for (; i < end; i = (i + 2) | 0) {
    const at = (source + i) >>> 0;
    const low = words[at];
    if ((low & kindBits) !== kind) break;
    const high = words[(at | 1) >>> 0];
    const frame = (low >>> 12) | (high << 20);
    const word = map[frame] & ~MAP_EXCLUSIVE;
    if (word < 0) break;
    map[frame] = (word + 1) | 0;
    const place = (target + i) >>> 0;
    words[(place | 1) >>> 0] = high;
    words[place] = low & ~childLose;
    words[at] = low & ~lose;
  }
  return i;
}

export class TableCopy {
  /** Results of the last {@link run}: entries written, and those among them that map a counted page. */
  copied = 0;
  counted = 0;
  /** Entries of the source that lost rights, and the first of them (offsets in words from the first entry). */
  changed = 0;
  readonly changedAt = new Int32Array(CHANGES_TOLD);
  /** Pages that are part of a large folio: their map words are done, their folios' records are not. */
  large = 0;
  readonly largeFrames = new Int32Array(ENTRIES);

  /**
   * Writes every entry of the copy, absent ones too.
   *
   * @param memory where both tables are
   * @param source place of the first entry to copy
   * @param target place of its copy
   * @param entries how many, at most 512
   * @param lose bits that both sides lose
   * @param childLose bits that the copy loses
   */
  run(
    memory: EntryMemory,
    map: Int32Array,
    source: number,
    target: number,
    entries: number,
    lose: number,
    childLose: number,
  ): void {
    const { words, shared } = memory;
    const end = (entries * 2) | 0;
    const kindBits = PTE_PRESENT | PTE_SPECIAL | lose;
    this.copied = 0;
    this.counted = 0;
    this.changed = 0;
    this.large = 0;
    for (let i = 0; i < end; i += 2) {
      const kind = words[source + i] & kindBits;
      // Another processor may mark entries of shared RAM at any moment: there each loses its bits in a step of its own.
      if (!shared && (kind & (PTE_PRESENT | PTE_SPECIAL)) === PTE_PRESENT) {
        const from = i;
        i = copyRun(words, map, source, target, i, end, kindBits, kind, lose, childLose);
        const copied = (i - from) / 2;
        this.copied += copied;
        this.counted += copied;
        if ((kind & lose) !== 0) this.noteChanged(from, i);
      }
      if (i < end) this.copyOne(memory, map, source + i, target + i, i, lose, childLose);
    }
  }

  private copyOne(
    memory: EntryMemory,
    map: Int32Array,
    at: number,
    place: number,
    offset: number,
    lose: number,
    childLose: number,
  ): void {
    const { words } = memory;
    const found = words[at];
    if (found === 0) {
      words[place + 1] = 0;
      words[place] = 0;
      return;
    }
    const high = words[at + 1];
    const changes = (found & lose) !== 0;
    const low = changes ? entry.loseBits(memory, at, lose) : found;
    this.copied++;
    if ((low & PTE_MAPPED) !== 0 && (low & PTE_SPECIAL) === 0) this.countMapping(map, (low >>> 12) | (high << 20));
    words[place + 1] = high;
    words[place] = low & ~childLose;
    // What the hardware could not use needs no invalidation.
    if (changes && (low & PTE_PRESENT) !== 0) this.noteChanged(offset, offset + 2);
  }

  private countMapping(map: Int32Array, frame: number): void {
    const word = map[frame] & ~MAP_EXCLUSIVE;
    map[frame] = (word + 1) | 0;
    this.counted++;
    if (word < 0) this.largeFrames[this.large++] = frame;
  }

  private noteChanged(from: number, to: number): void {
    for (let i = from; i < to && this.changed + (i - from) / 2 < CHANGES_TOLD; i += 2) {
      this.changedAt[this.changed + (i - from) / 2] = i;
    }
    this.changed += (to - from) / 2;
  }
}
