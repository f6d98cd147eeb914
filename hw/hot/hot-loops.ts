/**
 * The hot loops of one processor: WebAssembly beside the plain path, for long batches and single addresses, where RAM lies in
 * its memory.
 *
 * They are compiled at the first use. A host that refuses has the plain path alone.
 */

import type { HotMemory } from '../memory/hot-memory.js';
import * as words from './control.js';
import { BATCH_MODULE } from './module.js';

const { ALIGN, CONTROL_WORDS, HOT_MACHINES, MACHINE } = words;

/** A loop from hot/source: the control block, the places of the first address and behind the last. */
type Loop = (control: number, from: number, to: number) => number;

/**
 * Does one address: the control block, the words of the address. The frame, or -1; of a lookup with the page size from bit
 * {@link FRAME_BITS} on.
 */
export type Single = (control: number, hi: number, lo: number) => number;

/** RAM of hot loops ends at 4 GiB. */
export const FRAME_BITS = 20;

/** The loops by name. */
interface Loops {
  readonly walk: Loop;
  readonly soft: Loop;
  readonly modelled: Loop;
  readonly lookupOne: Single;
  readonly settleX86: Single;
  readonly settleRiscv: Single;
  readonly settleAArch64: Single;
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
  /** The control block of batches, for the walks to be told of: see `Walks.tellHot`. */
  readonly control: Int32Array;
  /** Addresses to take over next. */
  private most = BATCH_LENGTH;
  private readonly loops: Loops;
  /** The place of the copies of a batch. */
  private readonly batch: number;
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
    this.batch = batch.byteOffset;
    words.clear(control, memory.ramBytes, this.batch);
  }

  /** The loops over `memory` for a processor, or null where there are none. */
  static make(memory: HotMemory): HotLoops | null {
    const shared = share(memory);
    const control = memory.take(CONTROL_WORDS);
    return shared === null || control === null ? null : new HotLoops(shared, memory, control);
  }

  /** Another control block, for single addresses; null if there is no room. */
  makeControl(): Int32Array | null {
    const control = this.memory.take(CONTROL_WORDS);
    if (control !== null) words.clear(control, this.memory.ramBytes, this.batch);
    return control;
  }

  /** The lookup of one address in two levels of TLBs. */
  get lookupOne(): Single {
    return this.loops.lookupOne;
  }

  /** The single walk for the machine that this control block was told of. */
  settleBy(control: Int32Array): Single {
    const { settleX86, settleRiscv, settleAArch64 } = this.loops;
    const machine = control[MACHINE];
    return machine === HOT_MACHINES.x86 ? settleX86 : machine === HOT_MACHINES.riscv ? settleRiscv : settleAArch64;
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
