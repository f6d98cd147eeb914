/**
 * The loop of the first-level data cache in WebAssembly, for one cache: with its lines, the misses found, and a copy of the
 * block if it lies elsewhere.
 */

import { HotMemory } from '../../../../hw/memory/hot-memory.js';
import { LINE_SHIFT, type LineCacheShape } from '../../../../hw/memory/line-cache.js';
import { BLOCK_ACCESSES, BLOCK_WORDS, type AccessBlock } from '../../../trace/block.js';
import { LINES_MODULE } from './module.js';

/** The control block, as source/index.ts has it in bytes. */
const BLOCK = 0;
const CACHE = 1;
const SALT = 5;
const MISSES = 6;
const COUNT = 8;
const LAST = 10;
const CONTROL_WORDS = 11;

/** A larger cache takes the plain path. */
const MOST_BYTES = 2 ** 20;
const MOST_MISSES = BLOCK_ACCESSES;
const NONE = -1;

type FindLines = (control: number, from: number, to: number) => number;

export class LineLoop {
  private constructor(
    private readonly loop: FindLines,
    private readonly control: Int32Array,
    private readonly copy: Int32Array,
    /** By miss of the last run: the line, and the index of the access's first word in the block. */
    readonly lines: Int32Array,
    readonly accesses: Int32Array,
  ) {
    // With no misses so far, and the most of them.
    control.set([lines.byteOffset, accesses.byteOffset, 0, MOST_MISSES], MISSES);
  }

  /**
   * A loop for a cache of this shape, or null where the host has no WebAssembly, or the cache is large.
   * @param given memory where blocks lie; its own when null, with copies of them
   */
  static make(given: HotMemory | null, { bytes, ways }: LineCacheShape): LineLoop | null {
    const count = bytes >>> LINE_SHIFT;
    if (bytes > MOST_BYTES) return null;
    const words = [CONTROL_WORDS, count, BLOCK_WORDS, MOST_MISSES, MOST_MISSES];
    const made = HotMemory.makeLoop(given, LINES_MODULE, words);
    if (made === null) return null;
    const [control, cache, copy, lines, accesses] = made.arrays;
    const { findLines } = made.functions as { readonly findLines: FindLines };
    const sets = count / ways;
    control.set([cache.byteOffset, ways, sets, (sets & (sets - 1)) === 0 ? sets - 1 : NONE], CACHE);
    cache.fill(NONE);
    return new LineLoop(findLines, control, copy, lines, accesses);
  }

  /** Begins a block, whose lines have `salt` added to their numbers. */
  begin(block: AccessBlock, salt: number): void {
    const { control } = this;
    control[BLOCK] = block.placeBeside(this.copy);
    control[SALT] = salt;
    control[LAST] = NONE;
  }

  /** Reads the lines of accesses `from` to `to - 1`. @returns the first of them left, with no room for its misses, or `to` */
  run(from: number, to: number): number {
    this.control[COUNT] = 0;
    return this.loop(this.control.byteOffset, from, to);
  }

  /** Misses of the last run. */
  get count(): number {
    return this.control[COUNT];
  }
}
