/**
 * Loads, stores and fetches of data: every byte is translated before any is used, and the frames of the last access
 * stay for later looks.
 */

import * as accesses from '../../base/access.js';
import * as address from '../../base/address.js';
import * as args from '../../base/arguments.js';
import * as faults from '../../base/fault.js';
import * as softTlb from '../../tlb/soft.js';
import { BatchTranslation, checkLength } from './batch.js';
import * as memory from '../../memory/ram.js';

const { FETCH, WRITE } = accesses;
const { PAGE_OFFSET_MASK } = address;
const { checkSize } = args;
const { OK, PAGE_FAULT } = faults;
const { wordIndex } = memory;
const { isSoftHit, softEntry, softFrameAt } = softTlb;

/**
 * If walks are to be expected, loads are made after so many translations: many, to overlap on the host, yet few enough
 * for its cache.
 */
const LOADS_AT_ONCE = 256;

/** Whether an access of `size` bytes lies in one aligned word of 4 bytes. */
const isWithinWord = (lo: number, size: number): boolean => (lo & 3) + size <= 4;
/**
 * Whether it is one of an aligned 8 bytes. Such accesses, and those within a word, are made at once: no other processor sees
 * them half done. Source: Intel SDM vol. 3A, "Guaranteed Atomic Operations".
 */
const isPair = (lo: number, size: number): boolean => size === 8 && (lo & 7) === 0;

/**
 * Puts the words at offsets `los` of frames in `values` in their place: a loop of its own, without calls, and two at a
 * time, since V8 checks each array anew in every round.
 */
function loadWords(words: Int32Array, los: Int32Array, from: number, to: number, values: Int32Array): void {
  let i = from;
  for (; i < to - 1; i += 2) {
    const word = words[wordIndex(values[i], los[i] & PAGE_OFFSET_MASK)];
    const next = words[wordIndex(values[i + 1], los[i + 1] & PAGE_OFFSET_MASK)];
    values[i] = word;
    values[i + 1] = next;
  }
  if (i < to) values[i] = words[wordIndex(values[i], los[i] & PAGE_OFFSET_MASK)];
}

/** Loads, stores and fetches over the TLBs and walks of an architecture. */
export class DataPath extends BatchTranslation {
  /** The value of the last {@link read}, as two words; bytes past its size are 0. */
  valueLo = 0;
  valueHi = 0;
  /** Of RAM: each object on the way to an array costs V8 a check. */
  private readonly words = this.ram.words;
  /** Frames of the last access that was located: of its first byte, and of its second page or -1. */
  firstFrame = -1;
  secondFrame = -1;

  /**
   * Translates every byte of an access of `size` bytes (1 to 4096), at most two pages, before any is used; the frames
   * are then in {@link firstFrame} and {@link secondFrame}. A page with both ends is looked up once.
   * @returns OK, or the status of the first faulting page.
   */
  locate(hi: number, lo: number, size: number, access: number): number {
    if ((lo & PAGE_OFFSET_MASK) + size > PAGE_OFFSET_MASK + 1) return this.locateAcross(hi, lo, access);
    this.secondFrame = -1;
    this.firstFrame = this.translate(hi, lo, access);
    return this.firstFrame < 0 ? this.firstFrame : OK;
  }

  private locateAcross(hi: number, lo: number, access: number): number {
    const nextLo = ((lo | PAGE_OFFSET_MASK) + 1) | 0;
    const nextHi = nextLo === 0 && !this.regime.narrow ? (hi + 1) | 0 : hi;
    const { regime } = this;
    if (regime.badAddress !== PAGE_FAULT && !regime.isCanonical(nextHi)) return this.notCanonical(hi, lo, access);
    this.secondFrame = -1;
    this.firstFrame = this.translate(hi, lo, access);
    if (this.firstFrame < 0) return this.firstFrame;
    // Of a page of 4 GiB or more only the words tell: it ends where the low one is 0, or later.
    const shift = Math.min(this.regime.pageShifts[this.lastSize], 32);
    const samePage = shift === 32 ? nextLo !== 0 : (nextLo & ((1 << shift) - 1)) !== 0;
    // A page larger than its entry, such as RISC-V's of 64 KiB, has another entry for the next 4 KiB.
    if (samePage && this.regime.levelShiftsAt(hi).includes(shift) && this.ram.hasFrame(this.firstFrame + 1)) {
      this.secondFrame = this.firstFrame + 1;
      return OK;
    }
    const second = this.translate(nextHi, nextLo, access);
    if (second < 0) return second;
    this.secondFrame = second;
    return OK;
  }

  /**
   * Loads 1 to 8 bytes; the value is then in {@link valueLo} and {@link valueHi}.
   * @throws RangeError for another size
   */
  read(hi: number, lo: number, size: number, access: number): number {
    checkSize(size);
    const cells = this.softCells;
    const entry = softEntry(lo, access);
    if (!isSoftHit(cells, entry, hi, lo) || !isWithinWord(lo, size)) return this.readMissed(hi, lo, size, access);
    this.loadWithinWord(softFrameAt(cells, entry), lo, size);
    return OK;
  }

  /** By all but the soft TLB, or across words. */
  private readMissed(hi: number, lo: number, size: number, access: number): number {
    if (!isWithinWord(lo, size)) return this.readLocated(hi, lo, size, access);
    const frame = this.translateMissed(hi, lo, access);
    if (frame >= 0) {
      this.loadWithinWord(frame, lo, size);
      return OK;
    }
    this.firstFrame = frame;
    this.secondFrame = -1;
    return frame;
  }

  private readLocated(hi: number, lo: number, size: number, access: number): number {
    const status = this.locate(hi, lo, size, access);
    if (status < 0) return status;
    if (this.secondFrame >= 0 || !this.loadWhole(lo, size)) this.loadBytes(lo, size);
    return OK;
  }

  /** Loads from one word of RAM in the frame of an access. RAM answers in every frame from a translation. */
  private loadWithinWord(frame: number, lo: number, size: number): void {
    this.firstFrame = frame;
    this.secondFrame = -1;
    const word = this.words[wordIndex(frame, lo & PAGE_OFFSET_MASK)];
    this.valueLo = size === 4 ? word : (word >>> ((lo & 3) << 3)) & ((1 << (size << 3)) - 1);
    this.valueHi = 0;
  }

  /** An access of 2, 4 or 8 bytes within one page is one load or store of RAM. @returns false for other sizes across words */
  private loadWhole(lo: number, size: number): boolean {
    const { ram, firstFrame: frame } = this;
    const physicalLo = (frame << 12) | (lo & PAGE_OFFSET_MASK);
    this.valueHi = 0;
    if (isPair(lo, size)) {
      this.valueLo = ram.loadPairAt(wordIndex(frame, lo & PAGE_OFFSET_MASK));
      this.valueHi = ram.loadedHigh;
    } else if (size === 4) this.valueLo = ram.load32(frame >>> 20, physicalLo);
    else if (size === 2) this.valueLo = ram.load16(frame >>> 20, physicalLo);
    else if (size === 8) {
      this.valueLo = ram.load64(frame >>> 20, physicalLo);
      this.valueHi = ram.loadedHigh;
    } else return false;
    return true;
  }

  private loadBytes(lo: number, size: number): void {
    let low = 0;
    let high = 0;
    for (let i = 0; i < size; i++) {
      const byte = this.loadByte(lo, i);
      if (i < 4) low |= byte << (8 * i);
      else high |= byte << (8 * (i - 4));
    }
    this.valueLo = low;
    this.valueHi = high;
  }

  /**
   * Loads `length` words of 4 bytes from the addresses in `his` and `los` into `values`. As on a processor with walks
   * ahead of its loads, a load of a page-table entry may see accessed bits set for addresses after it.
   * @throws RangeError for a length beyond the arrays
   * @returns how many were loaded; fewer than `length` when one faults: {@link fault} then has its status.
   */
  loadMany(his: Int32Array, los: Int32Array, length: number, access: number, values: Int32Array): number {
    checkLength(length, his, los, values);
    const { soft, leastHot } = this;
    const { words } = this.ram;
    let i = 0;
    while (i < length) {
      if (soft !== null && length - i >= leastHot) {
        i = this.runHot(true, { his, los, length, access, results: values, align: 3 }, i);
      }
      if (soft !== null && this.listener === null) i = soft.loadHits(words, his, los, i, length, access, values);
      const from = i;
      const to = Math.min(from + LOADS_AT_ONCE, length);
      i = this.translateMany(his, los, to, access, values, from, 3);
      loadWords(words, los, from, i, values);
      if (i === to) continue;
      if ((los[i] & 3) === 0 || this.read(his[i], los[i], 4, access) < 0) return i;
      values[i++] = this.valueLo;
    }
    return length;
  }

  /**
   * Stores 1 to 8 bytes, the high word first as {@link Ram.store64} has it; nothing is stored unless every byte may be.
   * `access` is taken as a write.
   * @throws RangeError for another size
   */
  write(hi: number, lo: number, size: number, valueHi: number, valueLo: number, access: number): number {
    checkSize(size);
    if (!isWithinWord(lo, size) && !isPair(lo, size)) {
      return this.writeLocated(hi, lo, size, valueHi, valueLo, access | WRITE);
    }
    const frame = this.translate(hi, lo, access | WRITE);
    this.firstFrame = frame;
    this.secondFrame = -1;
    if (frame < 0) return frame;
    const index = wordIndex(frame, lo & PAGE_OFFSET_MASK);
    if (size === 8) this.ram.storeEntry(index, valueHi, valueLo);
    else this.ram.storeWithinWord(index, lo, size, valueLo);
    return OK;
  }

  /** Across words: not aligned, or of a size that RAM stores by bytes. By {@link locate} all stores took twice as long. */
  private writeLocated(hi: number, lo: number, size: number, valueHi: number, valueLo: number, access: number): number {
    const status = this.locate(hi, lo, size, access);
    if (status < 0) return status;
    if (this.secondFrame >= 0 || !this.storeWhole(lo, size, valueLo, valueHi)) {
      this.storeBytes(lo, size, valueLo, valueHi);
    }
    return OK;
  }

  /** As {@link loadWhole}. */
  private storeWhole(lo: number, size: number, valueLo: number, valueHi: number): boolean {
    const { ram, firstFrame: frame } = this;
    const physicalLo = (frame << 12) | (lo & PAGE_OFFSET_MASK);
    if (size === 4) ram.store32(frame >>> 20, physicalLo, valueLo);
    else if (size === 2) ram.store16(frame >>> 20, physicalLo, valueLo);
    else if (size === 8) ram.store64(frame >>> 20, physicalLo, valueHi, valueLo);
    else return false;
    return true;
  }

  private storeBytes(lo: number, size: number, valueLo: number, valueHi: number): void {
    for (let i = 0; i < size; i++) {
      this.storeByte(lo, i, i < 4 ? valueLo >>> (8 * i) : valueHi >>> (8 * (i - 4)));
    }
  }

  /** Fetches 1 to 8 bytes of code into {@link valueLo} and {@link valueHi}. */
  fetch(hi: number, lo: number, size: number, access: number): number {
    return this.read(hi, lo, size, access | FETCH);
  }

  /** The frame of byte `i` of an access from `lo` on. */
  private frameOfByte(lo: number, i: number): number {
    return (lo & PAGE_OFFSET_MASK) + i > PAGE_OFFSET_MASK ? this.secondFrame : this.firstFrame;
  }

  private loadByte(lo: number, i: number): number {
    const frame = this.frameOfByte(lo, i);
    return this.ram.load8(frame >>> 20, (frame << 12) | ((lo + i) & PAGE_OFFSET_MASK));
  }

  private storeByte(lo: number, i: number, value: number): void {
    const frame = this.frameOfByte(lo, i);
    this.ram.store8(frame >>> 20, (frame << 12) | ((lo + i) & PAGE_OFFSET_MASK), value);
  }
}
