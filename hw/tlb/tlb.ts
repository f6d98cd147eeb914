/**
 * One translation lookaside buffer: sets and ways over one Int32Array, counted by its owner.
 *
 * An entry is found by the low 32 bits of its page number and a tag that holds everything else that must agree: the
 * high bits of the page number, the PCID, the page size, and whether the entry is global (then its PCID field is 0).
 * A lookup therefore compares one word, and a second one only when the first agrees. index = page number mod sets.
 *
 * The same structure serves as paging-structure cache, the page number then being the bits that select the entry.
 */

import { Random } from '../random.js';
import { FIFO, LRU, RANDOM, replacementCode, TREE_PLRU, TREE_PLRU_MAX_WAYS } from './replacement.js';
import { treeAfterUse, treeVictim } from './replacement.js';
import type { Replacement } from './replacement.js';

/** Tag: page number bits 44:32 in 12:0, PCID in 24:13, page size in 26:25, global, valid. */
const TAG_PAGE_HIGH = 0x1fff;
const TAG_PCID_SHIFT = 13;
const TAG_PCID = 0xfff << TAG_PCID_SHIFT;
const TAG_SIZE_SHIFT = 25;
const TAG_GLOBAL = 1 << 27;
const TAG_VALID = 1 << 28;

/** Words of an entry; a power of two, so that entries do not straddle the host's cache lines. */
const CELL = 8;
/** Word 0 is the low word of the page number. */
const TAG = 1;
const FRAME = 2;
const RIGHTS = 3;
const STAMP = 4;
const LAST_STAMP = 0x7fff_ffff;

/** The low 32 bits of the number of the page of `2^shift` bytes (shift 12 to 48) that holds `(hi, lo)`. */
export function tagPageLow(hi: number, lo: number, shift: number): number {
  return shift >= 32 ? hi >>> (shift - 32) : (hi << (32 - shift)) | (lo >>> shift);
}

/** The tag of a non-global entry. */
export function makeTag(hi: number, shift: number, pcid: number, size: number): number {
  const pageHigh = shift >= 32 ? 0 : (hi >>> shift) & TAG_PAGE_HIGH;
  return pageHigh | (pcid << TAG_PCID_SHIFT) | (size << TAG_SIZE_SHIFT) | TAG_VALID;
}

/** The tag that the same page has when its entry is global. */
export function globalTag(tag: number): number {
  return (tag & ~TAG_PCID) | TAG_GLOBAL;
}

export interface TlbShape {
  /** Entries in all: sets x ways. */
  readonly entries: number;
  /** Entries of a set; equal to `entries` when fully associative. */
  readonly ways: number;
  readonly replacement?: Replacement;
  /** For random replacement. */
  readonly seed?: number;
}

/** @throws RangeError that names the field, the value and what would do. */
export function checkShape(shape: TlbShape, name: string): void {
  const { entries, ways } = shape;
  if (!Number.isInteger(entries) || entries < 1 || entries > 1 << 20) {
    throw new RangeError(`${name}: entries ${entries} must be a whole number from 1 to 1048576`);
  }
  if (!Number.isInteger(ways) || ways < 1 || entries % ways !== 0) {
    throw new RangeError(`${name}: ways ${ways} must be a whole number that divides the ${entries} entries`);
  }
  if (shape.replacement === 'tree-plru' && ways > TREE_PLRU_MAX_WAYS) {
    throw new RangeError(`${name}: ways ${ways} must be at most ${TREE_PLRU_MAX_WAYS} for tree-plru`);
  }
}

export class Tlb {
  readonly sets: number;
  readonly ways: number;
  /** All entries, `CELL` words each; an entry is named by the index of its first word. */
  readonly #cells: Int32Array;
  readonly #trees: Int32Array;
  readonly #replacement: number;
  readonly #random: Random;
  readonly #leaves: number;
  /** sets - 1 when the number of sets is a power of two, otherwise -1. */
  readonly #setMask: number;
  readonly #setWords: number;
  #clock = 0;

  /** @throws RangeError for a shape that cannot be built. */
  constructor(shape: TlbShape, name = 'TLB') {
    checkShape(shape, name);
    this.ways = shape.ways;
    this.sets = shape.entries / shape.ways;
    this.#setMask = (this.sets & (this.sets - 1)) === 0 ? this.sets - 1 : -1;
    this.#setWords = shape.ways * CELL;
    this.#cells = new Int32Array(shape.entries * CELL);
    this.#trees = new Int32Array(this.sets);
    this.#replacement = replacementCode(shape.replacement ?? 'lru');
    this.#random = new Random(shape.seed ?? 1);
    this.#leaves = 2 ** Math.ceil(Math.log2(shape.ways));
  }

  /** The set of a page number: page number mod sets. */
  setOf(pageLow: number, tag: number): number {
    if (this.#setMask >= 0) return pageLow & this.#setMask;
    return ((tag & TAG_PAGE_HIGH) * 0x1_0000_0000 + (pageLow >>> 0)) % this.sets;
  }

  /** The entry of a page, or -1. A global entry agrees with every PCID. Changes nothing. */
  find(pageLow: number, tag: number): number {
    const cells = this.#cells;
    let cell = this.setOf(pageLow, tag) * this.#setWords;
    const end = cell + this.#setWords;
    for (; cell < end; cell += CELL) {
      if (cells[cell] === pageLow) {
        const found = cells[cell + TAG];
        if (found === tag || found === globalTag(tag)) return cell;
      }
    }
    return -1;
  }

  frameAt(cell: number): number {
    return this.#cells[cell + FRAME];
  }

  rightsAt(cell: number): number {
    return this.#cells[cell + RIGHTS];
  }

  /** Tells the replacement policy that an entry was hit. */
  touch(cell: number): void {
    if (this.#replacement === LRU) this.#cells[cell + STAMP] = this.#tick();
    else if (this.#replacement === TREE_PLRU) this.#touchTree(cell);
  }

  #touchTree(cell: number): void {
    const set = Math.floor(cell / this.#setWords);
    const way = (cell - set * this.#setWords) / CELL;
    this.#trees[set] = treeAfterUse(this.#trees[set], way, this.#leaves);
  }

  #tick(): number {
    if (this.#clock === LAST_STAMP) this.#renumberStamps();
    return ++this.#clock;
  }

  /** Before the clock overflows: the stamps become their ranks, which keeps their order. */
  #renumberStamps(): void {
    const cells = this.#cells;
    const order: number[] = [];
    for (let cell = 0; cell < cells.length; cell += CELL) order.push(cell);
    order.sort((a, b) => cells[a + STAMP] - cells[b + STAMP]);
    order.forEach((cell, rank) => (cells[cell + STAMP] = rank));
    this.#clock = order.length;
  }

  /** Puts in a page, over its old entry if it has one, else into a free way, else over the policy's victim. */
  insert(pageLow: number, tag: number, frame: number, rights: number): void {
    const cells = this.#cells;
    let cell = this.find(pageLow, tag);
    if (cell < 0) cell = this.#room(this.setOf(pageLow, tag));
    cells[cell] = pageLow;
    cells[cell + TAG] = tag;
    cells[cell + FRAME] = frame;
    cells[cell + RIGHTS] = rights;
    if (this.#replacement === TREE_PLRU) this.#touchTree(cell);
    else cells[cell + STAMP] = this.#tick();
  }

  #room(set: number): number {
    const cells = this.#cells;
    const first = set * this.#setWords;
    const end = first + this.#setWords;
    let oldest = first;
    for (let cell = first; cell < end; cell += CELL) {
      if (cells[cell + TAG] === 0) return cell;
      if (cells[cell + STAMP] < cells[oldest + STAMP]) oldest = cell;
    }
    if (this.#replacement === LRU || this.#replacement === FIFO) return oldest;
    const way =
      this.#replacement === RANDOM
        ? this.#random.below(this.ways)
        : treeVictim(this.#trees[set], this.ways, this.#leaves);
    return first + way * CELL;
  }

  /** Drops the entry of a page, if there is one that the tag agrees with, global or not. */
  drop(pageLow: number, tag: number): void {
    const cell = this.find(pageLow, tag);
    if (cell >= 0) this.#cells[cell + TAG] = 0;
  }

  /** Drops the entry of a page unless it is global. */
  dropNonGlobal(pageLow: number, tag: number): void {
    const cell = this.find(pageLow, tag);
    if (cell >= 0 && (this.#cells[cell + TAG] & TAG_GLOBAL) === 0) this.#cells[cell + TAG] = 0;
  }

  /** Drops every entry, global ones too. */
  dropAll(): void {
    const cells = this.#cells;
    for (let cell = 0; cell < cells.length; cell += CELL) cells[cell + TAG] = 0;
  }

  /** Drops the entries that are not global: of one PCID, or of all when `pcid` is negative. */
  dropAllNonGlobal(pcid: number): void {
    const cells = this.#cells;
    for (let cell = 0; cell < cells.length; cell += CELL) {
      const tag = cells[cell + TAG];
      if ((tag & TAG_GLOBAL) !== 0) continue;
      if (pcid < 0 || (tag & TAG_PCID) >>> TAG_PCID_SHIFT === pcid) cells[cell + TAG] = 0;
    }
  }

  /** Drops the entries whose rights have any of `mask`, whatever their PCID. */
  dropWithRights(mask: number): void {
    const cells = this.#cells;
    for (let cell = 0; cell < cells.length; cell += CELL) {
      if ((cells[cell + RIGHTS] & mask) !== 0) cells[cell + TAG] = 0;
    }
  }

  /** Entries in use: for tests and drawings. */
  get occupied(): number {
    let count = 0;
    for (let cell = TAG; cell < this.#cells.length; cell += CELL) if (this.#cells[cell] !== 0) count++;
    return count;
  }
}
