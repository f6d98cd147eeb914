/**
 * The hot loops of one processor: WebAssembly beside the plain path, for long batches, where RAM lies in its memory.
 *
 * They are compiled at the first use. A host that refuses has the plain path alone.
 */

import type { HotMemory } from '../memory/hot-memory.js';
import {
  ALIGN,
  BATCH,
  CONTROL_WORDS,
  COUNT_WORDS,
  COUNTS,
  FIRST_LEVEL,
  LARGE,
  MACHINE,
  HOT_MACHINES,
  SOFT_LOADS,
  RAM_BYTES,
  SECOND_LEVEL,
  SOFT,
  SPACE,
  WALK_CACHES,
} from './control.js';
import { BATCH_MODULE } from './module.js';

/** A loop from hot/source: the control block, the places of the first address and behind the last. */
type Loop = (control: number, from: number, to: number) => number;

/** Walks for one address: the control block, the words of the address. The frame, LARGE_PAGE with it perhaps, or -1. */
export type SingleWalk = (control: number, hi: number, lo: number) => number;
/** Set beside the frame of a page larger than 4 KiB. */
export const LARGE_PAGE = 1 << 20;

/** The loops by name. */
interface Loops {
  readonly walk: Loop;
  readonly soft: Loop;
  readonly modelled: Loop;
  readonly settleX86: SingleWalk;
  readonly settleRiscv: SingleWalk;
  readonly settleAArch64: SingleWalk;
}

/** Addresses taken over at a time: at most, and after a stop. */
const BATCH_LENGTH = 4096;
const LENGTH_AFTER_STOP = 256;

/** What all processors over one RAM share: the loops, and the copies of a batch. */
interface Shared {
  readonly loops: Loops;
  readonly batch: Int32Array;
}

const sharedOf = new WeakMap<HotMemory, Shared>();

function share(memory: HotMemory): Shared | null {
  const known = sharedOf.get(memory);
  if (known !== undefined) return known;
  const loops = memory.instantiate(BATCH_MODULE) as Loops | null;
  const batch = memory.take(3 * BATCH_LENGTH);
  if (loops === null || batch === null) return null;
  const shared = { loops, batch };
  sharedOf.set(memory, shared);
  return shared;
}

/** The elements from `from` on. To make no view where it is all of them saves a third of a batch's costs. */
const part = (all: Int32Array, from: number, count: number): Int32Array =>
  count === all.length ? all : all.subarray(from, from + count);

export class HotLoops {
  /** For the walks to be told of: see `Walks.tellHot`. */
  readonly control: Int32Array;
  /** Counts of the last modelled batch. */
  readonly counts: Int32Array;
  /** Addresses to take over next. */
  private most = BATCH_LENGTH;
  private readonly loops: Loops;
  private readonly his: Int32Array;
  private readonly los: Int32Array;
  private readonly results: Int32Array;

  private constructor(
    { loops, batch }: Shared,
    private readonly memory: HotMemory,
    control: Int32Array,
  ) {
    this.loops = loops;
    this.his = batch.subarray(0, BATCH_LENGTH);
    this.los = batch.subarray(BATCH_LENGTH, 2 * BATCH_LENGTH);
    this.results = batch.subarray(2 * BATCH_LENGTH);
    this.control = control;
    this.counts = control.subarray(COUNTS, COUNTS + COUNT_WORDS);
    control[RAM_BYTES] = memory.ramBytes;
    control[BATCH] = batch.byteOffset;
  }

  /** The loops over `memory` for a processor, or null where there are none. */
  static make(memory: HotMemory): HotLoops | null {
    const shared = share(memory);
    const control = memory.take(CONTROL_WORDS);
    return shared === null || control === null ? null : new HotLoops(shared, memory, control);
  }

  /** Another control block, for single walks that fill this bank of a soft TLB; null if there is no room. */
  makeControl(bank: number): Int32Array | null {
    const control = this.memory.take(CONTROL_WORDS);
    control?.set(this.control.subarray(0, SOFT));
    control?.fill(bank, SOFT, SOFT + 1);
    return control;
  }

  /** The single walk for the machine that this control block was told of. */
  settleBy(control: Int32Array): SingleWalk {
    const { settleX86, settleRiscv, settleAArch64 } = this.loops;
    const machine = control[MACHINE];
    return machine === HOT_MACHINES.x86 ? settleX86 : machine === HOT_MACHINES.riscv ? settleRiscv : settleAArch64;
  }

  /** The next batch uses this bank of a soft TLB, to translate or to load. */
  useSoft(bank: number, loads: boolean): void {
    this.control[SOFT] = bank;
    this.control[SOFT_LOADS] = Number(loads);
    this.control[LARGE] = 0;
  }

  /** Whether the last batch may have filled it with a piece of a larger page. */
  get foundLarge(): boolean {
    return this.control[LARGE] !== 0;
  }

  /** The next batch is counted from 0, and uses the two levels in these blocks, under the number of an address space. */
  useModelled(space: number, first: number, second: number): void {
    this.control[SPACE] = space;
    this.control[FIRST_LEVEL] = first;
    this.control[SECOND_LEVEL] = second;
    this.counts.fill(0);
  }

  /** It uses the walk cache of a level in this block; 0: there is none. */
  useWalkCache(level: number, block: number): void {
    this.control[WALK_CACHES + level - 1] = block;
  }

  /**
   * Runs a loop over addresses `from` to `length - 1`, with the control block filled in for their walks; frames or values
   * go to `results`.
   * @returns the place of the first address left to the plain path, or `length`
   */
  run(
    loop: 'walk' | 'soft' | 'modelled',
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    results: Int32Array,
    align: number,
  ): number {
    const { control } = this;
    control[ALIGN] = align;
    let i = from;
    while (i < length) {
      const count = Math.min(this.most, length - i);
      this.his.set(part(his, i, count));
      this.los.set(part(los, i, count));
      const done = this.loops[loop](control.byteOffset, 0, count);
      results.set(part(this.results, 0, done), i);
      i += done;
      this.most = done === count ? BATCH_LENGTH : LENGTH_AFTER_STOP;
      if (done < count) break;
    }
    return i;
  }
}
