/**
 * The cells of one TLB: sets and ways over one Int32Array, the way that gives place to a new entry, and looks from outside.
 * index = page number mod sets.
 */

import { Random } from '../../base/random.js';
import { entryOf, EntryTeller } from '../entry.js';
import type { TlbEntry } from '../entry.js';
import type { HeldEntry, TlbListener } from '../events.js';
import * as replacements from './replacement.js';
import { checkShape } from '../shape.js';
import type { TlbShape } from '../shape.js';

const { FIFO, LRU, RANDOM, TREE_PLRU, replacementCode, treeAfterUse, treeVictim } = replacements;

/**
 * A set is a block of five rows, one word a way each: low words of the page numbers, tags, stamps, frames, rights. The
 * words for a lookup's compares thus lie side by side, in one cache line of the host for up to 16 ways. Blocks are
 * padded to whole lines. Hot loops compare sixteen words at a time: so they stay within a block, of one way too.
 */
const TAG_ROW = 1;
export const STAMP_ROW = 2;
export const FRAME_ROW = 3;
export const RIGHTS_ROW = 4;
const ROWS = 5;
const LINE_WORDS = 16;
/** Hot loops may use an array so many times between two looks at its clock: so far they may go beyond the last stamp. */
export const HOT_USES = 2 ** 29;
const MOST_STAMP = 0x7fff_ffff;
const LAST_STAMP = MOST_STAMP - HOT_USES;

/** Bits 44:32 of a page number take part in the choice of its set, as many as linear addresses of 57 bits have. */
const SET_PAGE_HIGH = 0x1fff;

export class TlbCells {
  /** Its name in words. */
  readonly name: string;
  readonly sets: number;
  readonly ways: number;
  /** All sets, and the clock behind them; an entry is named by the index of its first row's word. */
  protected cells: Int32Array;
  /** The clock of the stamps: its place in the cells, for hot loops to share. */
  protected readonly clockAt: number;
  private readonly trees: Int32Array;
  protected readonly replacement: number;
  private readonly random: Random;
  private readonly leaves: number;
  /** sets - 1 when the number of sets is a power of two, otherwise -1. */
  protected readonly setMask: number;
  protected readonly setWords: number;
  /** Before it a hit leaves only a stamp. Other policies than LRU have more to do, or nothing. */
  protected readonly lastQuickStamp: number;
  /** Null when nobody listens. */
  protected teller: EntryTeller | null = null;

  /** @throws RangeError for an impossible shape. */
  constructor(shape: TlbShape, name: string) {
    checkShape(shape, name);
    this.name = name;
    this.ways = shape.ways;
    this.sets = shape.entries / shape.ways;
    this.setMask = (this.sets & (this.sets - 1)) === 0 ? this.sets - 1 : -1;
    this.setWords = Math.ceil((shape.ways * ROWS) / LINE_WORDS) * LINE_WORDS;
    this.clockAt = this.sets * this.setWords;
    this.cells = new Int32Array(this.clockAt + 1);
    this.trees = new Int32Array(this.sets);
    this.replacement = replacementCode(shape.replacement ?? 'lru');
    this.lastQuickStamp = this.replacement === LRU ? LAST_STAMP : 0;
    this.random = new Random(shape.seed ?? 1);
    this.leaves = 2 ** Math.ceil(Math.log2(shape.ways));
  }

  /** Whether the last two entries used in a set are always in it. */
  get keepsTwo(): boolean {
    return this.ways > 1 && (this.replacement === LRU || this.replacement === TREE_PLRU);
  }

  /** The first word of the set of a page number: page number mod sets. */
  protected setStart(pageLow: number, tag: number): number {
    const set = this.setMask >= 0 ? pageLow & this.setMask : this.setByDivision(pageLow, tag);
    return Math.imul(set, this.setWords);
  }

  private setByDivision(pageLow: number, tag: number): number {
    return ((tag & SET_PAGE_HIGH) * 0x1_0000_0000 + (pageLow >>> 0)) % this.sets;
  }

  frameAt(cell: number): number {
    return this.cells[cell + FRAME_ROW * this.ways];
  }

  rightsAt(cell: number): number {
    return this.cells[cell + RIGHTS_ROW * this.ways];
  }

  protected touch(cell: number): void {
    if (this.replacement === LRU) this.cells[cell + STAMP_ROW * this.ways] = this.tick();
    else if (this.replacement === TREE_PLRU) this.touchTree(cell);
  }

  protected touchTree(cell: number): void {
    const set = Math.floor(cell / this.setWords);
    this.trees[set] = treeAfterUse(this.trees[set], cell - set * this.setWords, this.leaves);
  }

  protected tick(): number {
    const clock = (this.clockFor(1) + 1) | 0;
    this.cells[this.clockAt] = clock;
    return clock;
  }

  /** The clock; it has `ticks` left. */
  protected clockFor(ticks: number): number {
    if (this.cells[this.clockAt] > LAST_STAMP - ticks) this.renumberStamps();
    return this.cells[this.clockAt];
  }

  /** Before the clock overflows: the stamps become their ranks, so their order stays. */
  private renumberStamps(): void {
    const stamps: number[] = [];
    this.forEachCell((cell) => {
      if (this.stampAt(cell) !== 0) stamps.push(cell);
    });
    stamps.sort((a, b) => this.stampAt(a) - this.stampAt(b));
    stamps.forEach((cell, rank) => (this.cells[cell + STAMP_ROW * this.ways] = rank + 1));
    this.cells[this.clockAt] = stamps.length;
  }

  private stampAt(cell: number): number {
    return this.cells[cell + STAMP_ROW * this.ways];
  }

  protected forEachCell(visit: (cell: number) => void): void {
    for (let start = 0; start < this.clockAt; start += this.setWords) {
      for (let way = 0; way < this.ways; way++) visit(start + way);
    }
  }

  /** The lowest stamp is a free way's (0), or the one used (LRU) or filled (FIFO) longest ago. */
  protected room(start: number): number {
    const cells = this.cells;
    const { ways } = this;
    const stamps = start + STAMP_ROW * ways;
    let oldest = 0;
    let way = ways & 1;
    let lowest = way === 0 ? MOST_STAMP : cells[stamps];
    // Two at a time, since V8 checks the array anew in each round. Without a branch, since it would go wrong too often:
    // `second` and `lower` are all ones when the stamp is lower, else zero.
    for (; way < ways; way = (way + 2) | 0) {
      const first = cells[stamps + way];
      const less = (cells[stamps + way + 1] - first) | 0;
      const second = less >> 31;
      const difference = (first + (less & second) - lowest) | 0;
      const lower = difference >> 31;
      lowest = (lowest + (difference & lower)) | 0;
      oldest = (oldest + ((way - second - oldest) & lower)) | 0;
    }
    if (lowest === 0 || this.replacement === LRU || this.replacement === FIFO) return start + oldest;
    if (this.replacement === RANDOM) return start + this.random.below(ways);
    return start + treeVictim(this.trees[start / this.setWords], ways, this.leaves);
  }

  protected free(cell: number): void {
    if (this.teller !== null) this.teller.drop(this.entryIn(cell), 'invalidated');
    this.cells[cell + TAG_ROW * this.ways] = 0;
    this.cells[cell + STAMP_ROW * this.ways] = 0;
  }

  /** The set of a page number. */
  setOf(page: number): number {
    return (page % ((SET_PAGE_HIGH + 1) * 0x1_0000_0000)) % this.sets;
  }

  /** Content of a way, or null: for drawings, so it tells the replacement policy nothing. */
  entryAt(set: number, way: number): TlbEntry | null {
    return this.entryIn(set * this.setWords + way);
  }

  protected entryIn(cell: number): TlbEntry | null {
    const tag = this.cells[cell + this.ways];
    return tag === 0 ? null : entryOf(this.cells[cell], tag, this.frameAt(cell), this.rightsAt(cell));
  }

  /** From now on `listener` hears the fate of entries; they cover `2^shiftOf(entry)` bytes. Null ends it. */
  listen(listener: TlbListener | null, shiftOf: (entry: TlbEntry) => number, holds: HeldEntry['holds']): void {
    this.teller = listener === null ? null : new EntryTeller(this.name, holds, shiftOf, listener);
  }

  /** Entries in use: for tests and drawings. */
  get occupied(): number {
    let count = 0;
    this.forEachCell((cell) => (count += this.cells[cell + this.ways] !== 0 ? 1 : 0));
    return count;
  }
}
