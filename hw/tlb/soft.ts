/**
 * The soft TLB: an emulator's means to be fast, with no likeness in hardware. Direct-mapped, 4 KiB pieces of pages of
 * any size, nothing counted on a hit.
 *
 * There is a bank of entries for each kind of access, and an entry stands in a bank only after a walk for just that
 * kind succeeded. So the compare of the address is the check of the rights too, and the bank of stores holds only pages
 * with their dirty bit set. Everything here was found under the registers as they are: any change of them drops it all.
 */

import * as address from '../base/address.js';
import { ACCESS_KINDS } from '../base/access.js';
import type { HeldEntry, TlbListener } from './events.js';
import type { HotMemory } from '../memory/hot-memory.js';
import * as memory from '../memory/ram.js';

const { PAGE_OFFSET_MASK, SHIFT_4K, SIZE_4K } = address;
const { wordIndex } = memory;
const PAGE_MASK = ~PAGE_OFFSET_MASK;
/** An address not aligned to 4 bytes keeps bits here, and no page has these. */
const ALIGNED_PAGE_MASK = PAGE_MASK | 3;

/**
 * Entries of a bank, and log2 of the words of a bank. An entry is tag, high word of the address, frame, unused. The unused
 * word of a bank's first entry is not EMPTY once pieces of larger pages may be in the bank.
 */
const ENTRIES = 256;
const ENTRY_WORDS = 4;
const BANK_SHIFT = 10;
const BANK_WORDS = 1 << BANK_SHIFT;
const PIECES = 3;
/** A tag is the page's address, low word. This is the tag of an empty entry, equal to no page and to no aligned address. */
const EMPTY = -1;

/** Place of the entry of a page in its bank: `(page mod 256) * 4`. */
const entryOffset = (lo: number): number => (lo >>> (12 - 2)) & ((ENTRIES - 1) << 2);

/** The entry of a page for an access of this kind. A constant, no method: on a hit even the way to a field counts. */
export const softEntry = (lo: number, access: number): number => (access << BANK_SHIFT) | entryOffset(lo);

/** Whether a soft TLB's cells have the page of an address in this entry: {@link softFrameAt} is its frame then. */
export const isSoftHit = (cells: Int32Array, entry: number, hi: number, lo: number): boolean =>
  cells[entry] === (lo & PAGE_MASK) && cells[entry | 1] === hi;

/** The 4 KiB frame in an entry of a soft TLB's cells. */
export const softFrameAt = (cells: Int32Array, entry: number): number => cells[entry | 2];

const emptyCells = (): Int32Array => new Int32Array(ACCESS_KINDS * BANK_WORDS).fill(EMPTY);

/** The cells of an empty soft TLB, for paths without one; never stored to. */
export const NO_CELLS = emptyCells();

export class SoftTlb {
  readonly name = 'soft TLB';
  /** For {@link isSoftHit}. */
  cells: Int32Array = emptyCells();
  /** Bit n: bank n may hold something. */
  private filledBanks = 0;
  /** Bit n: hot loops may fill bank n, and nobody tells. */
  private hotBanks = 0;
  /** Null when nobody listens. */
  listener: TlbListener | null = null;

  /**
   * Translates addresses `from` to `length - 1` up to the first one not in here, or with any bit of `align` (below 4).
   * @returns the index of that one, or `length`
   */
  translateHits(
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    access: number,
    frames: Int32Array,
    align: number,
  ): number {
    const { cells } = this;
    const bank = access << BANK_SHIFT;
    // An address without alignment keeps bits here, and no page has these.
    const mask = PAGE_MASK | align;
    let i = from;
    // Two at a time: V8 checks each array anew in every round, so fewer rounds cost less.
    for (; i < length - 1; i = (i + 2) | 0) {
      const lo = los[i];
      const nextLo = los[i + 1];
      const at = bank | entryOffset(lo);
      const nextAt = bank | entryOffset(nextLo);
      if (cells[at] !== (lo & mask) || cells[nextAt] !== (nextLo & mask)) break;
      if (cells[at | 1] !== his[i] || cells[nextAt | 1] !== his[i + 1]) break;
      const frame = cells[at | 2];
      const nextFrame = cells[nextAt | 2];
      frames[i] = frame;
      frames[i + 1] = nextFrame;
    }
    // One is left, or two, not both of them in here.
    if (i === length) return i;
    const at = bank | entryOffset(los[i]);
    if (cells[at] !== (los[i] & mask) || cells[at | 1] !== his[i]) return i;
    frames[i] = cells[at | 2];
    return i + 1;
  }

  /**
   * Loads words from aligned addresses, two at a time, up to the first two not both in here: as {@link translateHits},
   * but its frames would be stored only to be loaded again.
   * @returns how far it came, `from` to `length`
   */
  loadHits(
    words: Int32Array,
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    access: number,
    values: Int32Array,
  ): number {
    const { cells } = this;
    const bank = access << BANK_SHIFT;
    let i = from;
    for (; i < length - 1; i = (i + 2) | 0) {
      const lo = los[i];
      const nextLo = los[i + 1];
      const at = bank | entryOffset(lo);
      const nextAt = bank | entryOffset(nextLo);
      if (cells[at] !== (lo & ALIGNED_PAGE_MASK) || cells[nextAt] !== (nextLo & ALIGNED_PAGE_MASK)) break;
      if (cells[at | 1] !== his[i] || cells[nextAt | 1] !== his[i + 1]) break;
      const word = words[wordIndex(cells[at | 2], lo & PAGE_OFFSET_MASK)];
      const nextWord = words[wordIndex(cells[nextAt | 2], nextLo & PAGE_OFFSET_MASK)];
      values[i] = word;
      values[i + 1] = nextWord;
    }
    return i;
  }

  /** Moves the cells to where hot loops reach them. @returns false if there is no room @internal */
  moveTo(memory: HotMemory): boolean {
    const room = memory.take(this.cells.length);
    if (room === null) return false;
    room.set(this.cells);
    this.cells = room;
    return true;
  }

  /** The place of the bank for this kind of access, for hot loops. */
  bankOf(access: number): number {
    return this.cells.byteOffset + 4 * (access << BANK_SHIFT);
  }

  /** The place of the word about pieces of larger pages in it. */
  piecesOf(access: number): number {
    return this.bankOf(access) + 4 * PIECES;
  }

  /** From now on hot loops may fill the bank of this kind of access. */
  fillElsewhere(access: number): void {
    this.hotBanks |= 1 << access;
    this.filledBanks |= this.hotBanks;
  }

  /** Keeps `frame` as the result of a walk for this kind of access, within a page of `size`. */
  fill(hi: number, lo: number, access: number, frame: number, size: number): void {
    const { cells } = this;
    const at = (access << BANK_SHIFT) | entryOffset(lo);
    if (this.listener !== null) this.tellDrop(at, 'evicted');
    cells[at] = lo & PAGE_MASK;
    cells[at | 1] = hi;
    cells[at | 2] = frame;
    if (this.listener !== null) this.tellFill(at);
    this.filledBanks |= 1 << access;
    if (size !== SIZE_4K) cells[(access << BANK_SHIFT) | PIECES] = 1;
  }

  /** Drops the page of an address from every bank; all of a bank, when it may be a piece of a larger page there. */
  dropPage(lo: number): void {
    for (let access = 0; access < ACCESS_KINDS; access++) {
      const bank = access << BANK_SHIFT;
      if (this.cells[bank | PIECES] !== EMPTY) this.dropBank(access);
      else {
        const at = bank | entryOffset(lo);
        if (this.listener !== null) this.tellDrop(at, 'invalidated');
        this.cells[at] = EMPTY;
      }
    }
  }

  /** Drops everything. */
  dropAll(): void {
    for (let access = 0; access < ACCESS_KINDS; access++) {
      if ((this.filledBanks & (1 << access)) !== 0) this.dropBank(access);
    }
    this.filledBanks = this.hotBanks;
  }

  private dropBank(access: number): void {
    const from = access << BANK_SHIFT;
    const to = from + BANK_WORDS;
    if (this.listener !== null) {
      for (let at = from; at < to; at += ENTRY_WORDS) this.tellDrop(at, 'invalidated');
    }
    this.cells.fill(EMPTY, from, to);
  }

  private tellFill(at: number): void {
    this.listener?.({ kind: 'fill', ...this.entryIn(at) });
  }

  private tellDrop(at: number, why: 'evicted' | 'invalidated'): void {
    if (this.cells[at] !== EMPTY) this.listener?.({ kind: 'drop', why, ...this.entryIn(at) });
  }

  private entryIn(at: number): HeldEntry {
    const { cells, name: where } = this;
    const page = { hi: cells[at | 1], lo: cells[at], shift: SHIFT_4K };
    return { where, holds: 'page', ...page, frame: cells[at | 2], access: at >>> BANK_SHIFT };
  }
}
