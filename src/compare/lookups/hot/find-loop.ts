/**
 * The loop of the finder of lookups in WebAssembly, for one finder: with its lookups, the words of its filter, and a copy of
 * the block if it lies elsewhere.
 */

import { HotMemory } from '../../../../hw/memory/hot-memory.js';
import { BLOCK_WORDS, FETCH, MODIFY, type AccessBlock } from '../../../trace/block.js';
import { ACCESS_COLUMN, LO_COLUMN, LOOKUP_SHIFTS, LOOKUPS_WORDS, startOf } from '../lookups.js';
import { FILTER_WORDS, type RepeatFilter } from '../repeats.js';
import { FIND_MODULE } from './module.js';

/** The control block, as source/index.ts has it in bytes. */
const MARK = 0;
const ACCESSES = 1;
const TWICE = 2;
const BLOCK = 3;
const FILTER = 4;
const COLUMNS = 5;
const ENDS = 7;
const SECOND = 10;
const SECOND_FETCHES = 13;
const APART = 16;
const CONTROL_WORDS = 17;

const SIZES = LOOKUP_SHIFTS.length;

type Find = (control: number, from: number, to: number) => number;

export class FindLoop {
  private constructor(
    private readonly loop: Find,
    private readonly control: Int32Array,
    /** Words of a {@link RepeatFilter}. */
    readonly filter: Int32Array,
    private readonly copy: Int32Array,
    /** The words of a {@link Lookups}. */
    readonly lookups: Int32Array,
  ) {
    control[FILTER] = filter.byteOffset;
    control.set([4 * LO_COLUMN, 4 * ACCESS_COLUMN], COLUMNS);
  }

  /**
   * A loop, or null where the host has no WebAssembly.
   * @param given memory where blocks lie; its own when null, with copies of them
   */
  static make(given: HotMemory | null): FindLoop | null {
    const made = HotMemory.makeLoop(given, FIND_MODULE, [CONTROL_WORDS, FILTER_WORDS, BLOCK_WORDS, LOOKUPS_WORDS]);
    if (made === null) return null;
    const [control, filter, copy, lookups] = made.arrays;
    const { find } = made.functions as { readonly find: Find };
    return new FindLoop(find, control, filter, copy, lookups);
  }

  /** Begins a block. */
  begin(block: AccessBlock, filter: RepeatFilter): void {
    const { control, lookups } = this;
    control[BLOCK] = block.placeBeside(this.copy);
    filter.begin(this.filter);
    control[MARK] = filter.mark;
    control[ACCESSES] = filter.accesses;
    control[TWICE] = filter.modifiesTwice ? MODIFY : -1;
    control[APART] = Number(filter.storesApart || block.kinds[FETCH] > 0);
    for (let size = 0; size < SIZES; size++) control[ENDS + size] = lookups.byteOffset + 4 * startOf(size);
    control.fill(0, SECOND, SECOND_FETCHES + SIZES);
  }

  /** Places the lookups of accesses `from` to `to - 1`. @returns the first access outside user space, or `to` */
  run(from: number, to: number): number {
    return this.loop(this.control.byteOffset, from, to);
  }

  /** The index of the next lookup in {@link lookups}, by page size. */
  end(size: number): number {
    return (this.control[ENDS + size] - this.lookups.byteOffset) / 4;
  }

  /** Lookups of second pages so far. */
  second(size: number): { data: number; fetches: number } {
    return { data: this.control[SECOND + size], fetches: this.control[SECOND_FETCHES + size] };
  }
}
