/**
 * One translation lookaside buffer: sets and ways over one Int32Array, counted by its owner.
 *
 * An entry is found by the low 32 bits of its page number and a tag (tag.ts) of everything else that must agree.
 * A lookup therefore compares one word, and a second one only when the first agrees. index = page number mod sets.
 *
 * The same structure serves as paging-structure cache, the page number then being the bits for the choice of the entry.
 */

import { Random } from '../../base/random.js';
import { entryOf, EntryTeller } from '../entry.js';
import type { TlbEntry } from '../entry.js';
import type { HeldEntry, TlbListener } from '../events.js';
import type { HitBatch, HitRule } from './hits.js';
import * as replacements from './replacement.js';
import { checkShape } from '../shape.js';
import type { TlbShape } from '../shape.js';
import * as tags from '../tag.js';

const { FIFO, LRU, RANDOM, TREE_PLRU, replacementCode, treeAfterUse, treeVictim } = replacements;
const { globalBits, isReached, samePage, sizeOf, tagPageHigh } = tags;

/**
 * A set is a block of five rows, one word a way each: low words of the page numbers, tags, stamps, frames, rights. The
 * words for a lookup's compares thus lie side by side, in one cache line of the host for up to 16 ways. Blocks are
 * padded to whole lines.
 */
const TAG_ROW = 1;
const STAMP_ROW = 2;
const FRAME_ROW = 3;
const RIGHTS_ROW = 4;
const ROWS = 5;
const LINE_WORDS = 16;
const LAST_STAMP = 0x7fff_ffff;

/** Bits 44:32 of a page number take part in the choice of its set, as many as linear addresses of 57 bits have. */
const SET_PAGE_HIGH = 0x1fff;

export class Tlb {
  /** Its name in words. */
  readonly name: string;
  readonly sets: number;
  readonly ways: number;
  /** All sets; an entry is named by the index of its first row's word. */
  private readonly cells: Int32Array;
  private readonly trees: Int32Array;
  private readonly replacement: number;
  private readonly random: Random;
  private readonly leaves: number;
  /** sets - 1 when the number of sets is a power of two, otherwise -1. */
  private readonly setMask: number;
  private readonly setWords: number;
  /**
   * The cell of a page at its last find, by the low bits of its number: a guess. One compare confirms it, but a search
   * compares way after way. It saves time of the host and says nothing of the hardware.
   */
  private readonly guesses: Int32Array;
  private readonly guessMask: number;
  private clock = 0;
  /** Before it a hit leaves only a stamp. Other policies than LRU have more to do, or nothing. */
  private readonly lastQuickStamp: number;
  /** Bits in the tags of global entries for lookups to find: those of the current virtual machine. */
  private global = globalBits(0);
  /** Null when nobody listens. */
  private teller: EntryTeller | null = null;

  /** @throws RangeError for an impossible shape. */
  constructor(shape: TlbShape, name = 'TLB') {
    checkShape(shape, name);
    this.name = name;
    this.ways = shape.ways;
    this.sets = shape.entries / shape.ways;
    this.setMask = (this.sets & (this.sets - 1)) === 0 ? this.sets - 1 : -1;
    this.setWords = Math.ceil((shape.ways * ROWS) / LINE_WORDS) * LINE_WORDS;
    this.cells = new Int32Array(this.sets * this.setWords);
    this.trees = new Int32Array(this.sets);
    this.replacement = replacementCode(shape.replacement ?? 'lru');
    this.lastQuickStamp = this.replacement === LRU ? LAST_STAMP : 0;
    this.random = new Random(shape.seed ?? 1);
    this.leaves = 2 ** Math.ceil(Math.log2(shape.ways));
    this.guesses = new Int32Array(2 ** Math.ceil(Math.log2(shape.entries) + 1));
    this.guessMask = this.guesses.length - 1;
  }

  /** Lookups and fills are for a virtual machine from now on, by its number: its global entries are found. */
  enterMachine(machine: number): void {
    this.global = globalBits(machine);
  }

  /** The tag of a tag's page when its entry is global in the current virtual machine. */
  globalTag(tag: number): number {
    return tags.globalTag(tag, this.global);
  }

  /** The first word of the set of a page number: page number mod sets. */
  private setStart(pageLow: number, tag: number): number {
    const set = this.setMask >= 0 ? pageLow & this.setMask : this.setByDivision(pageLow, tag);
    return Math.imul(set, this.setWords);
  }

  private setByDivision(pageLow: number, tag: number): number {
    return ((tag & SET_PAGE_HIGH) * 0x1_0000_0000 + (pageLow >>> 0)) % this.sets;
  }

  /**
   * The entry of a page, or -1: the one of this address space, else a global one: it agrees with every space. Changes
   * nothing but the guess.
   */
  find(pageLow: number, tag: number): number {
    const cell = this.guesses[pageLow & this.guessMask];
    return this.cells[cell] === pageLow && this.cells[cell + this.ways] === tag ? cell : this.search(pageLow, tag);
  }

  private search(pageLow: number, tag: number): number {
    const { cells, ways } = this;
    const start = this.setStart(pageLow, tag);
    const end = start + ways;
    const ofAll = this.globalTag(tag);
    let global = -1;
    for (let cell = start; cell < end; cell++) {
      if (cells[cell] !== pageLow) continue;
      const found = cells[cell + ways];
      if (found === tag) {
        this.guesses[pageLow & this.guessMask] = cell;
        return cell;
      }
      if (found === ofAll) global = cell;
    }
    return global;
  }

  /** Finds the entry of a page and tells the replacement policy of the hit; -1 when there is none. */
  lookup(pageLow: number, tag: number): number {
    const cell = this.find(pageLow, tag);
    if (cell >= 0) this.touch(cell);
    return cell;
  }

  /**
   * Looks addresses `from` to `length - 1` up as pages of one size, up to the first one not in here, not
   * canonical, not aligned, or refused; hits put the 4 KiB frames of the addresses into `frames`. A page found just
   * before is not looked up again: it is the most recent of its set already.
   * @returns the index of the first address without a translation, or `length`
   */
  translateHits(
    batch: HitBatch,
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    frames: Int32Array,
  ): number {
    const { cells, ways, guesses, guessMask } = this;
    const { rule, size, sizes, shift, base, align } = batch;
    const { canonicalShift, permitted, needed } = rule;
    const inPage = (1 << (shift - 12)) - 1;
    const lru = this.replacement === LRU;
    let clock = this.clockFor(length - from);
    let lastPage = 0;
    let lastTag = 0;
    let first = 0;
    let i = from;
    for (; i < length; i++) {
      const hi = his[i];
      const lo = los[i];
      if ((lo & align) !== 0 || ((hi >> canonicalShift) + 1) >>> 0 > 1) break;
      const page = (hi << (32 - shift)) | (lo >>> shift);
      const tag = base | tagPageHigh(hi >>> shift);
      if (page !== lastPage || tag !== lastTag) {
        // As find() does it; a call of it here costs a tenth of the loop.
        let cell = guesses[page & guessMask];
        if (cells[cell] !== page || cells[cell + ways] !== tag) {
          cell = ((sizes.at(hi, lo) >>> size) & 1) !== 0 ? this.search(page, tag) : -1;
          if (cell < 0) {
            batch.missed = true;
            break;
          }
        }
        const rights = cells[cell + RIGHTS_ROW * ways];
        if (((permitted >>> rights) & 1) === 0 || (~rights & needed) !== 0) break;
        if (lru) cells[cell + STAMP_ROW * ways] = ++clock;
        else this.touch(cell);
        first = cells[cell + FRAME_ROW * ways];
        lastPage = page;
        lastTag = tag;
      }
      frames[i] = first | ((lo >>> 12) & inPage);
    }
    if (lru) this.clock = clock;
    return i;
  }

  frameAt(cell: number): number {
    return this.cells[cell + FRAME_ROW * this.ways];
  }

  rightsAt(cell: number): number {
    return this.cells[cell + RIGHTS_ROW * this.ways];
  }

  /**
   * The shortest way to a hit: a page in the place of the last find of its number, and allowed by the rule. Single
   * translations spend their time here.
   * @returns its cell, or -1 when it takes more to know; nothing has changed then
   */
  hitGuess(pageLow: number, tag: number, rule: HitRule): number {
    const { cells, ways, clock } = this;
    const cell = this.guesses[pageLow & this.guessMask];
    if (cells[cell] !== pageLow || cells[cell + ways] !== tag) return -1;
    if (!rule.allows(cells[cell + RIGHTS_ROW * ways])) return -1;
    if (clock < this.lastQuickStamp) {
      this.clock = clock + 1;
      cells[cell + STAMP_ROW * ways] = clock + 1;
    } else this.touch(cell);
    return cell;
  }

  private touch(cell: number): void {
    if (this.replacement === LRU) this.cells[cell + STAMP_ROW * this.ways] = this.tick();
    else if (this.replacement === TREE_PLRU) this.touchTree(cell);
  }

  private touchTree(cell: number): void {
    const set = Math.floor(cell / this.setWords);
    this.trees[set] = treeAfterUse(this.trees[set], cell - set * this.setWords, this.leaves);
  }

  private tick(): number {
    this.clock = (this.clockFor(1) + 1) | 0;
    return this.clock;
  }

  /** The clock; it has `ticks` left. */
  private clockFor(ticks: number): number {
    if (this.clock > LAST_STAMP - ticks) this.renumberStamps();
    return this.clock;
  }

  /** Before the clock overflows: the stamps become their ranks, so their order stays. */
  private renumberStamps(): void {
    const stamps: number[] = [];
    this.forEachCell((cell) => {
      if (this.stampAt(cell) !== 0) stamps.push(cell);
    });
    stamps.sort((a, b) => this.stampAt(a) - this.stampAt(b));
    stamps.forEach((cell, rank) => (this.cells[cell + STAMP_ROW * this.ways] = rank + 1));
    this.clock = stamps.length;
  }

  private stampAt(cell: number): number {
    return this.cells[cell + STAMP_ROW * this.ways];
  }

  private forEachCell(visit: (cell: number) => void): void {
    for (let start = 0; start < this.cells.length; start += this.setWords) {
      for (let way = 0; way < this.ways; way++) visit(start + way);
    }
  }

  /** Puts in a page not here yet: into a free way if the set has one, else over the policy's victim. */
  insert(pageLow: number, tag: number, frame: number, rights: number): void {
    const cell = this.room(this.setStart(pageLow, tag));
    this.put(cell, pageLow, tag, frame, rights);
  }

  /** Puts in a page, over its own entry if it has one. */
  replace(pageLow: number, tag: number, frame: number, rights: number): void {
    const cell = this.find(pageLow, tag);
    if (cell < 0) this.insert(pageLow, tag, frame, rights);
    else this.put(cell, pageLow, tag, frame, rights);
  }

  /** Adds rights to an entry; the replacement policy does not take it for a use. */
  addRights(cell: number, rights: number): void {
    const { cells, ways } = this;
    const all = cells[cell + RIGHTS_ROW * ways] | rights;
    if (this.teller !== null) {
      this.teller.put(entryOf(cells[cell], cells[cell + ways], this.frameAt(cell), all), this.entryIn(cell));
    }
    cells[cell + RIGHTS_ROW * ways] = all;
  }

  private put(cell: number, pageLow: number, tag: number, frame: number, rights: number): void {
    const cells = this.cells;
    const { ways } = this;
    if (this.teller !== null) this.teller.put(entryOf(pageLow, tag, frame, rights), this.entryIn(cell));
    cells[cell] = pageLow;
    cells[cell + ways] = tag;
    cells[cell + STAMP_ROW * ways] = this.tick();
    cells[cell + FRAME_ROW * ways] = frame;
    cells[cell + RIGHTS_ROW * ways] = rights;
    this.guesses[pageLow & this.guessMask] = cell;
    if (this.replacement === TREE_PLRU) this.touchTree(cell);
  }

  /** The lowest stamp is a free way's (0), or the one used (LRU) or filled (FIFO) longest ago. */
  private room(start: number): number {
    const cells = this.cells;
    const { ways } = this;
    const stamps = start + STAMP_ROW * ways;
    let oldest = 0;
    let lowest = cells[stamps];
    // Without a branch, since it would go wrong too often: `lower` is all ones when the stamp is lower, else zero.
    for (let way = 1; way < ways; way = (way + 1) | 0) {
      const difference = (cells[stamps + way] - lowest) | 0;
      const lower = difference >> 31;
      lowest = (lowest + (difference & lower)) | 0;
      oldest = (oldest + ((way - oldest) & lower)) | 0;
    }
    if (lowest === 0 || this.replacement === LRU || this.replacement === FIFO) return start + oldest;
    if (this.replacement === RANDOM) return start + this.random.below(ways);
    return start + treeVictim(this.trees[start / this.setWords], ways, this.leaves);
  }

  private free(cell: number): void {
    if (this.teller !== null) this.teller.drop(this.entryIn(cell), 'invalidated');
    this.cells[cell + TAG_ROW * this.ways] = 0;
    this.cells[cell + STAMP_ROW * this.ways] = 0;
  }

  /**
   * Drops everything held of a page, the tag's space being ignored, in the reach of `space` and `machine`: see tag.ts.
   */
  drop(pageLow: number, tag: number, space: number, machine: number): void {
    const { cells, ways } = this;
    const start = this.setStart(pageLow, tag);
    for (let cell = start; cell < start + ways; cell++) {
      if (cells[cell] !== pageLow) continue;
      const found = cells[cell + ways];
      if (samePage(found, tag) && isReached(found, space, machine)) this.free(cell);
    }
  }

  /** Drops every entry, global ones too. */
  dropAll(): void {
    const { teller } = this;
    if (teller !== null) {
      this.forEachCell((cell) => {
        teller.drop(this.entryIn(cell), 'invalidated');
      });
    }
    this.cells.fill(0);
  }

  /**
   * Drops the entries in the reach of `space` and `machine`: see tag.ts.
   * @returns the page sizes of the remaining entries, a bit each
   */
  dropSpace(space: number, machine: number): number {
    let left = 0;
    this.forEachCell((cell) => {
      const tag = this.cells[cell + this.ways];
      if (tag === 0) return;
      if (isReached(tag, space, machine)) this.free(cell);
      else left |= 1 << sizeOf(tag);
    });
    return left;
  }

  /** Drops the entries with any bit of `mask` in their rights, in all address spaces. */
  dropWithRights(mask: number): void {
    this.forEachCell((cell) => {
      if ((this.rightsAt(cell) & mask) !== 0) this.free(cell);
    });
  }

  /** The set of a page number. */
  setOf(page: number): number {
    return (page % ((SET_PAGE_HIGH + 1) * 0x1_0000_0000)) % this.sets;
  }

  /** Content of a way, or null: for drawings, so it tells the replacement policy nothing. */
  entryAt(set: number, way: number): TlbEntry | null {
    return this.entryIn(set * this.setWords + way);
  }

  private entryIn(cell: number): TlbEntry | null {
    const tag = this.cells[cell + this.ways];
    return tag === 0 ? null : entryOf(this.cells[cell], tag, this.frameAt(cell), this.rightsAt(cell));
  }

  /** From now on `listener` hears the fate of entries; they cover `2^shifts[size]` bytes. Null ends it. */
  listen(listener: TlbListener | null, shifts: readonly number[], holds: HeldEntry['holds']): void {
    this.teller = listener === null ? null : new EntryTeller(this.name, holds, shifts, listener);
  }

  /** Entries in use: for tests and drawings. */
  get occupied(): number {
    let count = 0;
    this.forEachCell((cell) => (count += this.cells[cell + this.ways] !== 0 ? 1 : 0));
    return count;
  }
}
