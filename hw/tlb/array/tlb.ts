/**
 * One translation lookaside buffer, counted by its owner: lookups, fills and drops over its cells.
 *
 * An entry is found by the low 32 bits of its page number and a tag (tag.ts) of everything else that must agree.
 * A lookup therefore compares one word, and a second one only when the first agrees.
 *
 * The same structure serves as paging-structure cache, the page number then being the bits for the choice of the entry.
 */

import type { HotMemory } from '../../memory/hot-memory.js';
import { entryOf } from '../entry.js';
import * as rows from './cells.js';
import type { HitBatch, HitRule } from './hits.js';
import * as replacements from './replacement.js';
import type { TlbShape } from '../shape.js';
import * as tags from '../tag.js';

const { FRAME_ROW, RIGHTS_ROW, STAMP_ROW, TlbCells } = rows;
const { LRU, TREE_PLRU } = replacements;
const { globalBits, isReached, samePage, sizeOf, tagPageHigh } = tags;

/** Words of the block for hot loops, as hot/source/tlb.ts has them in bytes. */
const GLOBAL = 5;
const GUESSES = 7;
const BLOCK_WORDS = 10;
/** With no more ways hot loops find an entry sooner without a guess. */
const MOST_UNGUESSED = 16;

export class Tlb extends TlbCells {
  /**
   * The cell of a page at its last find, by the low bits of its number: a guess. One compare confirms it, but a search
   * compares way after way. It saves time of the host and says nothing of the hardware.
   */
  private guesses: Int32Array;
  private readonly guessMask: number;
  /** What hot loops have to know of it, once they may reach it. */
  private block: Int32Array | null = null;
  /** Bits in the tags of global entries for lookups to find: those of the current virtual machine. */
  private global = globalBits(0);

  /** @throws RangeError for an impossible shape. */
  constructor(shape: TlbShape, name = 'TLB') {
    super(shape, name);
    this.guesses = new Int32Array(2 ** Math.ceil(Math.log2(shape.entries) + 1));
    this.guessMask = this.guesses.length - 1;
  }

  /**
   * Moves the entries to where hot loops reach them.
   * @param first for an array of a first level, with hits most often
   * @returns false where they cannot: they know true LRU alone
   * @internal
   */
  moveTo(memory: HotMemory, first = false): boolean {
    if (this.replacement !== LRU) return false;
    const cells = memory.take(this.cells.length);
    const guesses = memory.take(this.guesses.length);
    const block = memory.take(BLOCK_WORDS);
    if (cells === null || guesses === null || block === null) return false;
    cells.set(this.cells);
    guesses.set(this.guesses);
    this.cells = cells;
    this.guesses = guesses;
    const { ways, sets, setMask, setWords } = this;
    const guessed = ways > MOST_UNGUESSED ? 2 : first ? 1 : 0;
    const clock = cells.byteOffset + 4 * this.clockAt;
    block.set([cells.byteOffset, 4 * ways, setMask, 4 * setWords, clock, this.global, sets]);
    block.set([guesses.byteOffset, this.guessMask, guessed], GUESSES);
    this.block = block;
    return true;
  }

  /** Lets hot loops use the entries up to `ticks` times. @returns the place of the block for them, or 0: not now */
  lend(ticks: number): number {
    const { block } = this;
    if (block === null || this.teller !== null) return 0;
    this.clockFor(ticks);
    return block.byteOffset;
  }

  /** Lookups and fills are for a virtual machine from now on, by its number: its global entries are found. */
  enterMachine(machine: number): void {
    this.global = globalBits(machine);
    if (this.block !== null) this.block[GLOBAL] = this.global;
  }

  /** The tag of a tag's page when its entry is global in the current virtual machine. */
  globalTag(tag: number): number {
    return tags.globalTag(tag, this.global);
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
    let cell = start;
    // Two at a time, since V8 checks the array anew in each round. Of odd ways the last pair has a tag in it.
    while (cell < end && cells[cell] !== pageLow && cells[cell + 1] !== pageLow) cell = (cell + 2) | 0;
    for (; cell < end; cell++) {
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
    if (lru) cells[this.clockAt] = clock;
    return i;
  }

  /**
   * The shortest way to a hit: a page in the place of the last find of its number, and allowed by the rule. Single
   * translations spend their time here.
   * @returns its cell, or -1 when it takes more to know; nothing has changed then
   */
  hitGuess(pageLow: number, tag: number, rule: HitRule): number {
    const { cells, ways, clockAt } = this;
    const cell = this.guesses[pageLow & this.guessMask];
    if (cells[cell] !== pageLow || cells[cell + ways] !== tag) return -1;
    if (!rule.allows(cells[cell + RIGHTS_ROW * ways])) return -1;
    const clock = cells[clockAt];
    if (clock < this.lastQuickStamp) {
      cells[clockAt] = clock + 1;
      cells[cell + STAMP_ROW * ways] = clock + 1;
    } else this.touch(cell);
    return cell;
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
    // Without `| 0` V8 takes a parameter for any number, and brings it to the array by way of a float64.
    cells[cell] = pageLow | 0;
    cells[cell + ways] = tag | 0;
    cells[cell + STAMP_ROW * ways] = this.tick();
    cells[cell + FRAME_ROW * ways] = frame | 0;
    cells[cell + RIGHTS_ROW * ways] = rights | 0;
    this.guesses[pageLow & this.guessMask] = cell;
    if (this.replacement === TREE_PLRU) this.touchTree(cell);
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
}
