/**
 * The hot loops of one processor: WebAssembly beside the plain path, for long batches, where RAM lies in its memory.
 *
 * They are compiled at the first use. A host that refuses (a page's content policy without 'wasm-unsafe-eval', for
 * instance) has the plain path alone. What they know of a walk is given them in a control block at each batch, so that
 * nothing of it can be out of date.
 */

import type { HotMemory } from '../memory/hot-memory.js';
import { MODULE } from './module.js';

/** A loop from hot/source/loops.ts: the control block, the places of the first address and behind the last. */
type Loop = (control: number, from: number, to: number) => number;

/** The loops by name. */
interface Loops {
  readonly walk: Loop;
  readonly soft: Loop;
  readonly loads: Loop;
}

/** The used parts of globals missing in the language's type library. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Loops };
};
declare const atob: (base64: string) => string;

/** Words of the control block, as hot/source/loops.ts has them in bytes. */
const RAM_BYTES = 0;
const BATCH = 1;
const SOFT = 2;
const ALIGN = 8;
const LARGE = 11;
const CONTROL_WORDS = 12;
/** Words of the control block for a settled walk to fill in, all but the first at {@link HotLoops.control}. */
export const WALK_ROOT = 3;
export const WALK_RESERVED = 4;
export const WALK_PERMITTED = 5;
export const WALK_NEEDED = 6;
export const WALK_CANONICAL_SHIFT = 7;
export const WALK_RESERVED_2M = 9;
export const WALK_RESERVED_1G = 10;

/** Addresses taken over at a time: at most, and after a stop. */
const BATCH_LENGTH = 4096;
const LENGTH_AFTER_STOP = 256;

let compiled: object | null | undefined;

/** The module, or null where the host refuses to compile it. */
function compile(): object | null {
  if (compiled !== undefined) return compiled;
  try {
    compiled = new WebAssembly.Module(Uint8Array.from(atob(MODULE), (byte) => byte.charCodeAt(0)));
  } catch {
    compiled = null;
  }
  return compiled;
}

/** What all processors over one RAM share: the loops, and the copies of a batch. */
interface Shared {
  readonly loops: Loops;
  readonly batch: Int32Array;
}

const sharedOf = new WeakMap<HotMemory, Shared>();

function share(memory: HotMemory): Shared | null {
  const known = sharedOf.get(memory);
  if (known !== undefined) return known;
  const module = compile();
  const batch = memory.take(3 * BATCH_LENGTH);
  if (module === null || batch === null) return null;
  const { exports: loops } = new WebAssembly.Instance(module, { env: memory });
  const shared = { loops, batch };
  sharedOf.set(memory, shared);
  return shared;
}

/** The elements from `from` on. To make no view where it is all of them saves a third of a batch's costs. */
const part = (all: Int32Array, from: number, count: number): Int32Array =>
  count === all.length ? all : all.subarray(from, from + count);

export class HotLoops {
  readonly control: Int32Array;
  /** The place of the soft TLB's first cell. */
  private readonly softStart: number;
  /** Addresses to take over next. */
  private most = BATCH_LENGTH;
  private readonly loops: Loops;
  private readonly his: Int32Array;
  private readonly los: Int32Array;
  private readonly results: Int32Array;

  private constructor({ loops, batch }: Shared, memory: HotMemory, control: Int32Array, soft: Int32Array | null) {
    this.loops = loops;
    this.his = batch.subarray(0, BATCH_LENGTH);
    this.los = batch.subarray(BATCH_LENGTH, 2 * BATCH_LENGTH);
    this.results = batch.subarray(2 * BATCH_LENGTH);
    this.control = control;
    this.softStart = soft?.byteOffset ?? 0;
    control[RAM_BYTES] = memory.ramBytes;
    control[BATCH] = batch.byteOffset;
  }

  /** The loops over `memory` for a processor with these cells of a soft TLB, or null where there are none. */
  static make(memory: HotMemory | null, soft: Int32Array | null): HotLoops | null {
    const shared = memory === null ? null : share(memory);
    const control = memory?.take(CONTROL_WORDS) ?? null;
    if (memory === null || shared === null || control === null) return null;
    return new HotLoops(shared, memory, control, soft);
  }

  /** Whether the last batch found a page larger than 4 KiB. */
  get foundLarge(): boolean {
    return this.control[LARGE] !== 0;
  }

  /**
   * Runs a loop over addresses `from` to `length - 1`, with the control block filled in for their walks; frames or values
   * go to `results`.
   * @param bank of the soft TLB, from its first cell in words
   * @returns the place of the first address left to the plain path, or `length`
   */
  run(
    loop: keyof Loops,
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    results: Int32Array,
    align: number,
    bank: number,
  ): number {
    const { control } = this;
    control[SOFT] = this.softStart + 4 * bank;
    control[ALIGN] = align;
    control[LARGE] = 0;
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
