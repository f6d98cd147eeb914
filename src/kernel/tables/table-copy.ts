/**
 * Copying the entries of one page table into another, as fork does. Fork spends its time here.
 *
 * Entries come in runs of one kind: pages of small folios, all writable or all not. `Entries.copyRun` copies a run, and
 * neither counts nor asks twice. Every other entry is copied by itself.
 */

import * as frameTable from '../frames/frames.js';
import type { Entries, EntryUpdate } from './entries.js';
import { TABLE_ENTRIES } from './page-table.js';
import { FLUSH_CEILING } from './tlb-batch.js';

const { MAP_EXCLUSIVE } = frameTable;
/** Nobody asks for more: from here on everything is invalidated at once. */
const RUNS_TOLD = FLUSH_CEILING + 1;

export class TableCopy {
  /** Results of the last {@link run}: entries written, and the counted pages among them. */
  copied = 0;
  counted = 0;
  /** Entries of the source with fewer rights than before. */
  changed = 0;
  /** The first runs of those, how many, and of each first and end (offsets in words from the first entry). */
  changedRuns = 0;
  readonly changedFrom = new Int32Array(RUNS_TOLD);
  readonly changedEnd = new Int32Array(RUNS_TOLD);
  /** Pages in large folios: their map words are done, their folios' records are not. */
  large = 0;
  readonly largeFrames = new Int32Array(TABLE_ENTRIES);

  /**
   * Writes every entry of the copy, absent ones too.
   *
   * @param entries the RAM of both tables, and their format
   * @param source place of the first entry to copy
   * @param target place of its copy
   * @param count how many, at most 512
   * @param change made to entries of both sides
   * @param isShared others may write to the pages: see `Entries.lostByChild`
   */
  run(
    entries: Entries,
    map: Int32Array,
    source: number,
    target: number,
    count: number,
    change: EntryUpdate,
    isShared: boolean,
  ): void {
    const { words, shared } = entries;
    const end = (count * 2) | 0;
    const childLose = entries.lostByChild(isShared);
    this.copied = 0;
    this.counted = 0;
    this.changed = 0;
    this.changedRuns = 0;
    this.large = 0;
    for (let i = 0; i < end; i += 2) {
      const low = words[source + i];
      // Another processor may mark entries of shared RAM at any moment: there each loses its bits in a step of its own.
      if (!shared && entries.isPresent(low) && !entries.isSpecial(low)) {
        const from = i;
        i = entries.copyRun(map, source, target, i, end, change, childLose);
        if (entries.isJournaled) entries.tellRun(source, target, from, i, low & change.lose);
        const copied = (i - from) / 2;
        this.copied += copied;
        this.counted += copied;
        if (i > from && (low & change.lose) !== 0) this.noteChanged(from, i);
      }
      if (i < end) this.copyOne(entries, map, source + i, target + i, i, change, isShared);
    }
  }

  private copyOne(
    entries: Entries,
    map: Int32Array,
    at: number,
    place: number,
    offset: number,
    change: EntryUpdate,
    isShared: boolean,
  ): void {
    const found = entries.words[at];
    if (found === 0) {
      entries.clear(place);
      return;
    }
    const changes = (found & change.lose) !== 0;
    const low = changes ? entries.apply(at, change) : found;
    this.copied++;
    if (entries.isCounted(low)) this.countMapping(map, entries.frameAt(at));
    entries.setCopy(at, place, low, change, isShared);
    // An entry of no use to the hardware needs no invalidation.
    if (changes && entries.isPresent(low)) this.noteChanged(offset, offset + 2);
  }

  private countMapping(map: Int32Array, frame: number): void {
    const word = map[frame] & ~MAP_EXCLUSIVE;
    map[frame] = (word + 1) | 0;
    this.counted++;
    if (word < 0) this.largeFrames[this.large++] = frame;
  }

  private noteChanged(from: number, end: number): void {
    if (this.changedRuns < RUNS_TOLD) {
      this.changedFrom[this.changedRuns] = from;
      this.changedEnd[this.changedRuns++] = end;
    }
    this.changed += (end - from) / 2;
  }
}
