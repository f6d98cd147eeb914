import { highWord, lowWord, PAGE_BYTES, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import type { PresentRun } from '../../regions/usage.js';

/** The bitmap of every region without a touched page: all zeros. */
const UNTOUCHED = 0;
/** A region is 128 MiB: 2^15 pages of 4 KiB, 2^10 words of 32 bits. */
const REGION_WORDS_SHIFT = 10;
const REGIONS = 1 << 20;
/** Words of a bitmap for 2 MiB. */
const BLOCK_WORDS = 16;
const REGION_BYTES = 2 ** 27;

/**
 * The 4 KiB pages touched by a program, below 2^47: a bitmap a region of 128 MiB, found through a directory. One lookup
 * a page of every access must be cheap, so there is no hashing: two loads and a shift.
 */
export class Footprint {
  /** Distinct 4 KiB pages so far. */
  pages = 0;
  /** Number of the bitmap of a region; {@link UNTOUCHED} shares one that stays empty. */
  readonly #directory = new Int32Array(REGIONS);
  #bitmaps = new Int32Array(64 << REGION_WORDS_SHIFT);
  #regions = 1;

  /** Whether the 4 KiB page of `(hi, lo)`, an address below 2^47, was marked before. */
  has(hi: number, lo: number): boolean {
    const region = this.#directory[(hi << 5) | (lo >>> 27)];
    const word = this.#bitmaps[(region << REGION_WORDS_SHIFT) | ((lo >>> 17) & 1023)];
    return ((word >>> ((lo >>> 12) & 31)) & 1) !== 0;
  }

  /** Index of the first address from `from` on whose page {@link has} does not have; `length` when there is none. */
  firstNew(his: Int32Array, los: Int32Array, from: number, length: number): number {
    let i = from;
    while (i < length && this.has(his[i], los[i])) i++;
    return i;
  }

  /** Marks the 4 KiB page of `(hi, lo)`, which {@link has} does not have yet. True for the first in its 2 MiB. */
  add(hi: number, lo: number): boolean {
    const directoryIndex = (hi << 5) | (lo >>> 27);
    let region = this.#directory[directoryIndex];
    if (region === UNTOUCHED) {
      region = this.#newRegion();
      this.#directory[directoryIndex] = region;
    }
    const index = (region << REGION_WORDS_SHIFT) | ((lo >>> 17) & 1023);
    const isFirst = !this.#hasBlock(index);
    this.#bitmaps[index] |= 1 << ((lo >>> 12) & 31);
    this.pages++;
    return isFirst;
  }

  /** Whether any page was marked in the 2 MiB around this word of a bitmap. */
  #hasBlock(index: number): boolean {
    const first = index & -BLOCK_WORDS;
    for (let at = first; at < first + BLOCK_WORDS; at++) if (this.#bitmaps[at] !== 0) return true;
    return false;
  }

  /** Blocks of `2^shift` bytes, 4 KiB or 2 MiB, with a marked page. @throws RangeError for another size */
  blocks(shift: number): number {
    if (shift === SHIFT_4K) return this.pages;
    if (shift !== SHIFT_2M) throw new RangeError(`blocks of 2^${shift} bytes are not counted`);
    let blocks = 0;
    for (let at = 0; at < this.#regions << REGION_WORDS_SHIFT; at += BLOCK_WORDS) {
      if (this.#hasBlock(at)) blocks++;
    }
    return blocks;
  }

  /** The marked pages from `start` up to `end`, multiples of 4096 up to 2^47: runs of pages side by side, in order. */
  runs(start: number, end: number): PresentRun[] {
    const runs: { start: number; bytes: number }[] = [];
    for (let address = start; address < end;) {
      const index = Math.floor(address / REGION_BYTES);
      const next = Math.min(end, (index + 1) * REGION_BYTES);
      if (this.#directory[index] !== UNTOUCHED) this.#addRuns(runs, address, next);
      address = next;
    }
    return runs;
  }

  #addRuns(runs: { start: number; bytes: number }[], start: number, end: number): void {
    for (let address = start; address < end; address += PAGE_BYTES) {
      if (!this.has(highWord(address), lowWord(address))) continue;
      const last = runs.at(-1);
      if (last !== undefined && last.start + last.bytes === address) last.bytes += PAGE_BYTES;
      else runs.push({ start: address, bytes: PAGE_BYTES });
    }
  }

  #newRegion(): number {
    const words = this.#regions << REGION_WORDS_SHIFT;
    if (words === this.#bitmaps.length) {
      const grown = new Int32Array(words * 2);
      grown.set(this.#bitmaps);
      this.#bitmaps = grown;
    }
    return this.#regions++;
  }
}
