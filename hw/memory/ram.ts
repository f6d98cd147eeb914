/**
 * Physical memory: one Int32Array over one buffer, little-endian as x86 is.
 *
 * The array spans from address 0 to the end of the highest installed range; the host commits only the pages
 * touched, so holes and untouched frames cost nothing. An access outside the installed ranges is a bus error: the
 * load gives 0, the store does nothing, and {@link Ram.fault} names the address.
 */

import { formatHex, frameOf, highWordOf, lowWordOf, toBigInt, toNumber } from '../base/address.js';
import { PAGE_BYTES, PAGE_SHIFT } from '../base/address.js';
import type { Word64 } from '../base/address.js';
import { checkPlainAddress, checkValue, checkWhole } from '../base/arguments.js';
import { BUS_ERROR, FaultRecord, OK } from '../base/fault.js';
import { HotMemory } from './hot-memory.js';
import { checkedRanges } from './ranges.js';
import type { RamOptions, RamRange } from './ranges.js';
import { loadPair, memoryFor, mergeWord, replacePair, storePair } from './shared-memory.js';
import type { SharedRam } from './shared-memory.js';
import { StoreJournal } from './store-journal.js';
import type { JournaledStore } from './store-journal.js';

/** Words of 4 bytes in a frame of 4 KiB. */
const FRAME_WORDS = PAGE_BYTES / 4;

/** Index into {@link Ram.words} of the aligned word at `offset` (0 to 4095) in `frame`. */
export function wordIndex(frame: number, offset: number): number {
  return ((frame << 10) | (offset >>> 2)) >>> 0;
}

/** The bits of the low `size` bytes of a word. */
const bitsOf = (size: number): number => (size === 4 ? -1 : (1 << (size << 3)) - 1);

/** Physical memory: bytes at physical addresses, with holes between installed ranges. */
export class Ram {
  /** All of memory, a word of 4 bytes an element. The kernel's direct map and the walkers read and write here. */
  readonly words: Int32Array<ArrayBuffer | SharedArrayBuffer>;
  /** Frames of 4 KiB from address 0 to the end of the last range, holes included. */
  readonly frames: number;
  readonly ranges: readonly RamRange[];
  /** Whether other workers may be loading and storing here too. */
  readonly shared: boolean;
  /** The last bus error. */
  readonly fault = new FaultRecord();
  /** High word of the last {@link load64}. */
  loadedHigh = 0;
  /** The maker of the next stores, for the journal; a kernel sets it to the name of its present work. */
  storeLabel = '';
  /**
   * The authors of stores, for debugging; null until {@link keepJournal}. Direct writers to `words` tell it themselves.
   */
  journal: StoreJournal | null = null;
  /** Memory with room for the arrays of hot loops; null where there are none. @internal */
  readonly hot: HotMemory | null;
  private readonly holeStarts: Int32Array;
  private readonly holeEnds: Int32Array;
  /** Shared memory 8 bytes an element, for changes in one step; null when it is not shared. */
  private readonly pairs: BigUint64Array | null;

  /**
   * @throws RangeError for ranges with an overlap, of other than whole frames, or with an end past 16 GiB; for a
   * `buffer` other than the memory of such ranges; TypeError without bytes and ranges
   */
  constructor(options: RamOptions) {
    this.ranges = checkedRanges(options);
    const bytes = Math.max(0, ...this.ranges.map((range) => range.base + range.bytes));
    this.frames = bytes / PAGE_BYTES;
    // The loops know no holes, and no other processor's stores.
    const { shared, buffer, webAssembly } = options;
    const plain = webAssembly === false || shared === true || buffer !== undefined || this.bytes !== bytes;
    this.hot = plain ? null : HotMemory.make(bytes);
    const memory = this.hot?.buffer ?? memoryFor(options, bytes);
    this.words = new Int32Array(memory, 0, bytes / 4);
    this.shared = !(memory instanceof ArrayBuffer);
    this.pairs = this.shared ? new BigUint64Array(memory) : null;
    const starts: number[] = [];
    const ends: number[] = [];
    let end = 0;
    for (const range of this.ranges) {
      if (range.base > end) {
        starts.push(end / PAGE_BYTES);
        ends.push(range.base / PAGE_BYTES);
      }
      end = range.base + range.bytes;
    }
    this.holeStarts = Int32Array.from(starts);
    this.holeEnds = Int32Array.from(ends);
  }

  /**
   * All a worker needs to be another processor over this memory: `new Ram(ram.share())` there, and an Mmu of
   * its own, with TLBs nobody else sees. Entries may then be stored by any of them; the walkers set accessed and dirty
   * bits without undoing another's stores. After a change of an entry the others must be told to invalidate it, and to
   * wait until they did. The journal knows the stores of its own Ram alone.
   * @throws Error unless this RAM is shared
   */
  share(): SharedRam {
    const { buffer } = this.words;
    if (buffer instanceof ArrayBuffer) throw new Error('this RAM is not shared: make it with shared true');
    return { buffer, ranges: this.ranges };
  }

  /** Bytes installed, holes left out. */
  get bytes(): number {
    return this.ranges.reduce((sum, range) => sum + range.bytes, 0);
  }

  /** Whether RAM answers in `frame` (any int32). */
  hasFrame(frame: number): boolean {
    if (frame >>> 0 >= this.frames) return false;
    for (let i = 0; i < this.holeStarts.length; i++) {
      if (frame >= (this.holeStarts[i] ?? 0) && frame < (this.holeEnds[i] ?? 0)) return false;
    }
    return true;
  }

  /** Whether RAM answers everywhere in the aligned page of `2^shift` bytes around `frame`. */
  hasPage(frame: number, shift: number): boolean {
    const frames = 2 ** (shift - PAGE_SHIFT);
    const first = Math.floor((frame >>> 0) / frames) * frames;
    if (first + frames > this.frames) return false;
    for (let i = 0; i < this.holeStarts.length; i++) {
      if (first < (this.holeEnds[i] ?? 0) && first + frames > (this.holeStarts[i] ?? 0)) return false;
    }
    return true;
  }

  /** Whether RAM answers at every byte from `(hi, lo)` to `(hi, lo) + size - 1`; `size` at most 4096. */
  has(hi: number, lo: number, size: number): boolean {
    // Frame numbers are int32 only below 2^43; RAM ends far below, at 2^34.
    if (hi >>> 0 > 3) return false;
    const last = toNumber(hi, lo) + size - 1;
    return this.hasFrame(frameOf(hi, lo)) && this.hasFrame(Math.floor(last / PAGE_BYTES));
  }

  private miss(hi: number, lo: number): number {
    return this.fault.raise(BUS_ERROR, 0, hi, lo);
  }

  /** Index of the aligned word around `(hi, lo)`; the address must be installed. */
  private indexOf(hi: number, lo: number): number {
    return ((((hi << 20) | (lo >>> 12)) << 10) >>> 0) + ((lo & 4095) >>> 2);
  }

  private word(hi: number, lo: number, next: number): number {
    return this.words[this.indexOf(hi, lo) + next];
  }

  /** The byte at a physical address, 0 to 255. */
  load8(hi: number, lo: number): number {
    if (!this.has(hi, lo, 1)) {
      this.miss(hi, lo);
      return 0;
    }
    return (this.word(hi, lo, 0) >>> ((lo & 3) << 3)) & 0xff;
  }

  /** 16 bits from a physical address, aligned or not, 0 to 65535. */
  load16(hi: number, lo: number): number {
    return this.load(hi, lo, 2) & 0xffff;
  }

  /** 32 bits from a physical address, aligned or not, as int32. */
  load32(hi: number, lo: number): number {
    return this.load(hi, lo, 4);
  }

  /** The low word of 64 bits from a physical address; the high word is then in {@link loadedHigh}. Whole if aligned. */
  load64(hi: number, lo: number): number {
    if (!this.has(hi, lo, 8)) {
      this.miss(hi, lo);
      this.loadedHigh = 0;
      return 0;
    }
    if ((lo & 7) === 0) return this.loadPairAt(this.indexOf(hi, lo));
    this.loadedHigh = this.load(hi + (lo >>> 0 > 0xffff_fffb ? 1 : 0), (lo + 4) | 0, 4);
    return this.load(hi, lo, 4);
  }

  /** The same for the aligned 64 bits at an index in {@link words}, installed: no look whether they are. @internal */
  loadPairAt(index: number): number {
    if (this.pairs === null) {
      this.loadedHigh = this.words[index + 1];
      return this.words[index];
    }
    const value = loadPair(this.pairs, index);
    this.loadedHigh = value.hi;
    return value.lo;
  }

  private load(hi: number, lo: number, size: number): number {
    if (!this.has(hi, lo, size)) {
      this.miss(hi, lo);
      return 0;
    }
    const shift = (lo & 3) << 3;
    const first = this.word(hi, lo, 0);
    if (shift + size * 8 <= 32) return (first >>> shift) | 0;
    return (first >>> shift) | (this.word(hi, lo, 1) << (32 - shift));
  }

  /** Stores the low 8 bits of `value`; OK or BUS_ERROR. */
  store8(hi: number, lo: number, value: number): number {
    return this.store(hi, lo, 1, value);
  }

  /** Stores the low 16 bits of `value`, aligned or not; OK or BUS_ERROR. */
  store16(hi: number, lo: number, value: number): number {
    return this.store(hi, lo, 2, value);
  }

  /** Stores 32 bits, aligned or not; OK or BUS_ERROR. */
  store32(hi: number, lo: number, value: number): number {
    return this.store(hi, lo, 4, value);
  }

  /** Stores 64 bits given as two words, aligned (then whole) or not; OK, or BUS_ERROR with nothing stored. */
  store64(hi: number, lo: number, valueHi: number, valueLo: number): number {
    if (!this.has(hi, lo, 8)) return this.miss(hi, lo);
    if ((lo & 7) === 0) {
      this.storeEntry(this.indexOf(hi, lo), valueHi, valueLo);
      return OK;
    }
    this.store(hi, lo, 4, valueLo);
    return this.store(hi + (lo >>> 0 > 0xffff_fffb ? 1 : 0), (lo + 4) | 0, 4, valueHi);
  }

  private store(hi: number, lo: number, size: number, value: number): number {
    if (!this.has(hi, lo, size)) return this.miss(hi, lo);
    const index = this.indexOf(hi, lo);
    if ((lo & 3) + size <= 4) this.storeWithinWord(index, lo, size, value);
    else this.storeAcrossWords(index, lo, size, value);
    return OK;
  }

  /**
   * Stores 1 to 4 bytes from the byte `lo & 3` on within the word at `index`. It must be installed: no look whether it is.
   * @internal
   */
  storeWithinWord(index: number, lo: number, size: number, value: number): void {
    const shift = (lo & 3) << 3;
    this.merge(index, bitsOf(size) << shift, value << shift);
    if (this.journal !== null) this.journal.note(index, index, this.storeLabel);
  }

  private storeAcrossWords(index: number, lo: number, size: number, value: number): void {
    const shift = (lo & 3) << 3;
    const mask = bitsOf(size);
    this.merge(index, mask << shift, value << shift);
    this.merge(index + 1, mask >>> (32 - shift), value >>> (32 - shift));
    if (this.journal !== null) this.journal.note(index, index + 1, this.storeLabel);
  }

  /** Changes the bits of `mask` in a word. */
  private merge(index: number, mask: number, value: number): void {
    const { words } = this;
    if (this.shared && mask !== -1) mergeWord(words, index, mask, value);
    else words[index] = (words[index] & ~mask) | (value & mask);
  }

  /** Stores a page-table entry of 8 bytes at its index in {@link words}, whole: an operating system's way to change one. */
  storeEntry(index: number, high: number, low: number): void {
    if (this.pairs === null) {
      this.words[index + 1] = high;
      this.words[index] = low;
    } else storePair(this.pairs, index, high, low);
    if (this.journal !== null) this.journal.note(index, index + 1, this.storeLabel);
  }

  /**
   * Stores `newLow` to the low word of the entry of 8 bytes at `index`, provided the entry still is `(high, low)`:
   * one step, as LOCK CMPXCHG8B is. For bits no other processor may lose.
   * @returns false, with nothing stored, when the entry is another by now
   */
  replaceEntry(index: number, high: number, low: number, newLow: number): boolean {
    const { words, pairs } = this;
    if (pairs !== null) return replacePair(pairs, index, high, low, newLow);
    if (words[index] !== low || words[index + 1] !== high) return false;
    words[index] = newLow;
    return true;
  }

  /** The same for one word, such as an entry of 32-bit paging. */
  replaceWord(index: number, word: number, newWord: number): boolean {
    const { words } = this;
    if (this.shared) return Atomics.compareExchange(words, index, word, newWord) === word;
    if (words[index] !== word) return false;
    words[index] = newWord;
    return true;
  }

  /** From now on remembers the author of each word's stores: for the checking mode. */
  keepJournal(): StoreJournal {
    this.journal ??= new StoreJournal();
    return this.journal;
  }

  /** Ends the journal: for other machines on this RAM. Those of before know no stores from now on. */
  endJournal(): void {
    this.journal = null;
  }

  /** The last store to a word, as far as the journal knows. */
  lastStore(index: number): JournaledStore | undefined {
    return this.journal?.storesTo(index).at(-1);
  }

  /** Copies one 4 KiB frame; both must be installed. @throws RangeError for a frame past the end of RAM */
  copyFrame(from: number, to: number): void {
    this.checkFrames(from, 1);
    this.checkFrames(to, 1);
    const start = wordIndex(from, 0);
    this.words.copyWithin(wordIndex(to, 0), start, start + FRAME_WORDS);
  }

  /** Fills `count` frames from `frame` with zeros; they must be installed. @throws RangeError as {@link copyFrame} */
  zeroFrames(frame: number, count = 1): void {
    this.checkFrames(frame, count);
    const start = wordIndex(frame, 0);
    this.words.fill(0, start, start + count * FRAME_WORDS);
  }

  private checkFrames(frame: number, count: number): void {
    checkWhole('frame', frame, 0, this.frames - 1);
    checkWhole('count', count, 0, this.frames - frame);
  }

  /** The 64 bits at a plain address: for tools and tests. @throws RangeError for no address, or for an address without RAM. */
  read64(address: number | bigint): bigint {
    const { hi, lo } = this.plain(address);
    const low = this.load64(hi, lo);
    return toBigInt(this.loadedHigh, low);
  }

  /**
   * Stores 64 bits at a plain address, as {@link store64}: for tools and tests.
   * @throws RangeError for no address, for one without RAM, or for a value too large for 64 bits
   */
  write64(address: number | bigint, value: number | bigint): void {
    const { hi, lo } = this.plain(address);
    checkValue('value', value, 8);
    this.store64(hi, lo, highWordOf(value), lowWordOf(value));
  }

  /** The words of a plain address with eight bytes of RAM. */
  private plain(address: number | bigint): Word64 {
    checkPlainAddress('physical address', address, 2 ** 52);
    const hi = highWordOf(address);
    const lo = lowWordOf(address);
    if (!this.has(hi, lo, 8)) throw new RangeError(`no RAM at physical address ${formatHex(hi, lo)}`);
    return { hi, lo };
  }
}
