/**
 * The lines of a trace block that the first-level data cache does not hold. Page size does not matter to that cache: its
 * sets are chosen by the offset within 4 KiB, and walks read from the second level on. So it is asked once for all
 * machines.
 */

import * as address from '../../../hw/base/address.js';
import { LINE_SHIFT, LineCache, type LineCacheShape } from '../../../hw/memory/line-cache.js';
import * as trace from '../../trace/block.js';
import type { AccessBlock } from '../../trace/block.js';
import { LineLoop } from './hot/line-loop.js';
import * as streams from './streams.js';

const { highWordAfter } = address;
const { Streams } = streams;
const { ACCESS_WORDS, BLOCK_ACCESSES, FETCH, KIND_MASK, LOW_WORD, OPERATION_WORD, SIZE_SHIFT } = trace;
const USER_HI_BITS = 15;
const LINE_MASK = (1 << LINE_SHIFT) - 1;
/** Spreads the bits of an address that have no room in an int32, but not over the lines of a page. */
const SPREAD = 0x9e37_79b1;
const IN_PAGE_MASK = -64;
/** Numbers of lines have 31 bits. */
const LINES_MASK = 0x7fff_ffff;

/** Of {@link LineMisses.flags}, beside those of streams.ts: no access had read the line. */
export const FIRST = 2;
/** log2 of the lines that are told apart when first reads are looked for: 4 GiB of them. */
const SEEN_BITS_SHIFT = 26;
const SEEN_MASK = (1 << SEEN_BITS_SHIFT) - 1;

/**
 * A number of 31 bits for the line of a user's address. Two lines share a number only if they lie 128 GiB or more
 * apart, and then hardly ever.
 */
export const lineOf = (hi: number, lo: number): number =>
  (((lo >>> LINE_SHIFT) ^ (hi << (32 - LINE_SHIFT))) + (Math.imul(hi >>> LINE_SHIFT, SPREAD) & IN_PAGE_MASK)) &
  LINES_MASK;

/** Lines read from the second level or beyond, in program order. */
export class LineMisses {
  length = 0;
  /** By miss: the line, and the index of the access's first word in the block. */
  lines = new Int32Array(2 * BLOCK_ACCESSES);
  accesses = new Int32Array(2 * BLOCK_ACCESSES);
  /** {@link FIRST}, and what streams.ts tells. */
  flags = new Uint8Array(2 * BLOCK_ACCESSES);
  private readonly seen = new Int32Array(1 << (SEEN_BITS_SHIFT - 5));
  private readonly cache: LineCache;
  /** Undefined before the first block. */
  private loop: LineLoop | null | undefined = undefined;
  private readonly streams = new Streams();
  /** Tells the lines of one process from those of others, at the same addresses. */
  private salt = 0;

  /**
   * @param makeLoop makes a loop in WebAssembly for blocks in a memory, in place of the cache here; null if there is none
   * @throws RangeError for a shape that cannot be built
   */
  constructor(
    private readonly shape: LineCacheShape,
    private readonly makeLoop: typeof LineLoop.make = (memory, of) => LineLoop.make(memory, of),
  ) {
    this.cache = new LineCache(shape, 'L1 data cache');
  }

  /** Finds the misses of a block; accesses outside user space and instruction fetches have none. */
  find(block: AccessBlock): void {
    this.length = 0;
    this.salt = Math.imul(block.process, SPREAD) & IN_PAGE_MASK & LINES_MASK;
    if (this.loop === undefined) this.loop = this.makeLoop(block.memory, this.shape);
    if (this.loop === null) this.findPlain(block);
    else this.findBy(this.loop, block);
  }

  private findBy(loop: LineLoop, block: AccessBlock): void {
    const { lines, accesses } = loop;
    loop.begin(block, this.salt);
    for (let from = 0; from < block.length;) {
      from = loop.run(from, block.length);
      const { count } = loop;
      for (let i = 0; i < count; i++) this.miss(lines[i], accesses[i]);
    }
  }

  private findPlain({ words, length }: AccessBlock): void {
    const { salt } = this;
    let last = -1;
    for (let at = 0, end = ACCESS_WORDS * length; at < end; at += ACCESS_WORDS) {
      const hi = words[at];
      const lo = words[at + LOW_WORD];
      const line = (lineOf(hi, lo) + salt) & LINES_MASK;
      const operation = words[at + OPERATION_WORD];
      const inLine = (lo & LINE_MASK) + (operation >>> SIZE_SHIFT) <= LINE_MASK + 1;
      if (line === last && inLine) continue;
      if (hi >>> USER_HI_BITS !== 0 || (operation & KIND_MASK) === FETCH) continue;
      last = line;
      if (!this.cache.read(line)) this.miss(line, at);
      if (!inLine) last = this.readRest(hi, lo, operation >>> SIZE_SHIFT, at);
    }
  }

  /** The lines of an access after its first. @returns the last of them */
  private readRest(hi: number, lo: number, size: number, at: number): number {
    let line = -1;
    for (let offset = (LINE_MASK + 1 - (lo & LINE_MASK)) | 0; offset < size; offset += LINE_MASK + 1) {
      line = (lineOf(highWordAfter(hi, lo, offset), (lo + offset) | 0) + this.salt) & LINES_MASK;
      if (!this.cache.read(line)) this.miss(line, at);
    }
    return line;
  }

  private miss(line: number, at: number): void {
    if (this.length === this.lines.length) this.grow();
    const i = this.length++;
    this.lines[i] = line;
    this.accesses[i] = at;
    this.flags[i] = this.streams.note(line) | (this.isFirst(line) ? FIRST : 0);
  }

  private isFirst(line: number): boolean {
    const bit = line & SEEN_MASK;
    const before = (this.seen[bit >>> 5] >>> (bit & 31)) & 1;
    this.seen[bit >>> 5] |= 1 << (bit & 31);
    return before === 0;
  }

  /** Needed for accesses of many lines each, of which there are few. */
  private grow(): void {
    const { lines, accesses, flags } = this;
    this.lines = new Int32Array(2 * lines.length);
    this.accesses = new Int32Array(2 * lines.length);
    this.flags = new Uint8Array(2 * lines.length);
    this.lines.set(lines);
    this.accesses.set(accesses);
    this.flags.set(flags);
  }
}
