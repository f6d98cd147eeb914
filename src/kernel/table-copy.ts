/**
 * Copying the entries of one page table into another, as fork does: the loop in which fork spends its time.
 *
 * One pass over int32 words. Places are kept unsigned, because those of 16 GiB of RAM do not fit an int32; and nothing
 * is called from inside the loop, so that its state stays in registers: what needs more work is noted and done after.
 */

import * as format from '../../hw/paging/x86-format.js';
import * as frameTable from './frames.js';
import * as pte from './pte.js';

// V8 folds a module's own constants into its code; imported ones it loads and tests at each use.
const { PTE_P } = format;
const { MAP_EXCLUSIVE } = frameTable;
const { PTE_MAPPED, PTE_SPECIAL } = pte;
const ENTRIES = 512;

export class TableCopy {
  /** Results of the last {@link run}: entries written, and those among them that map a counted page. */
  copied = 0;
  counted = 0;
  /** Entries of the source that lost rights, and the first of them (positions in words from the first entry). */
  changed = 0;
  readonly changedAt = new Int32Array(ENTRIES);
  /** Pages that are part of a large folio: their map words are done, their folios' records are not. */
  large = 0;
  readonly largeFrames = new Int32Array(ENTRIES);

  /**
   * @param source place of the first entry to copy
   * @param target place of its copy
   * @param entries how many, at most 512
   * @param lose bits that both sides lose
   * @param childLose bits that the copy loses
   */
  run(
    words: Int32Array,
    map: Int32Array,
    source: number,
    target: number,
    entries: number,
    lose: number,
    childLose: number,
  ): void {
    const { changedAt, largeFrames } = this;
    let copied = 0;
    let counted = 0;
    let changed = 0;
    let large = 0;
    for (let i = 0; i < entries * 2; i = (i + 2) | 0) {
      const at = (source + i) >>> 0;
      const low = words[at];
      if (low === 0) continue;
      copied = (copied + 1) | 0;
      const high = words[(at | 1) >>> 0];
      if ((low & PTE_MAPPED) !== 0 && (low & PTE_SPECIAL) === 0) {
        const frame = (low >>> 12) | (high << 20);
        const word = map[frame] & ~MAP_EXCLUSIVE;
        map[frame] = (word + 1) | 0;
        counted = (counted + 1) | 0;
        if (word < 0) {
          largeFrames[large] = frame;
          large = (large + 1) | 0;
        }
      }
      const place = (target + i) >>> 0;
      words[(place | 1) >>> 0] = high;
      words[place] = low & ~childLose;
      if ((low & lose) === 0) continue;
      words[at] = low & ~lose;
      // What the hardware could not use needs no invalidation.
      if ((low & PTE_P) === 0) continue;
      changedAt[changed] = i;
      changed = (changed + 1) | 0;
    }
    this.copied = copied;
    this.counted = counted;
    this.changed = changed;
    this.large = large;
  }
}
