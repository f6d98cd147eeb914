/** The loads of the contest of translation paths: those of bench/native, in chunks, each chunk one call of a batch. */

import { READ, USER } from '../../hw/base/access.js';
import * as address from '../../hw/base/address.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import * as memory from '../../hw/memory/ram.js';
import type { Ram } from '../../hw/memory/ram.js';
import { CHUNK, makeChunks } from '../native/workload.js';
import type { Addresses, Pattern } from '../native/workload.js';
import { checksumOf } from './contest.js';
import type { Contender, Scale } from './contest.js';

const { PAGE_OFFSET_MASK } = address;
const { wordIndex } = memory;

export const ACCESS = READ | USER;

/** Loads the words at all addresses of a chunk; all else it needs is prepared. */
export type LoadChunk = (chunk: number, values: Int32Array) => void;

/** Puts the frames of addresses `from` to `to - 1` of a chunk into `frames`; none of them may fault. */
export type Translate = (chunk: number, from: number, to: number, frames: Int32Array) => void;

/** RAM, and addresses in chunks of {@link CHUNK}. */
export interface LoadWork {
  readonly ram: Ram;
  readonly chunks: readonly Addresses[];
  readonly loads: number;
}

/** Many hits (b) are over soon, many misses (c) are not. */
const LOADS_OF = { b: 1 << 20, c: 1 << 17 } as const;

export function loadWork(ram: Ram, pattern: Pattern & keyof typeof LOADS_OF, scale: Scale): LoadWork {
  const loads = Math.max(CHUNK, LOADS_OF[pattern] * scale);
  return { ram, chunks: makeChunks(pattern, loads), loads };
}

/** `counts` are words, and must agree too. */
export function loader(
  name: string,
  why: string,
  { loads, chunks }: LoadWork,
  load: LoadChunk,
  counts = (): Int32Array => new Int32Array(0),
): Contender {
  const values = new Int32Array(loads);
  const parts = chunks.map((_, i) => values.subarray(i * CHUNK, (i + 1) * CHUNK));
  return {
    name,
    why,
    run: () => {
      for (let i = 0; i < parts.length; i++) load(i, parts[i]);
    },
    checksum: () => checksumOf(values, counts()),
  };
}

/** Addresses translated by a batch of the real one before it loads. */
const LOADS_AT_ONCE = 256;

/** Loads as Mmu.loadMany does after a miss: translates some addresses, then loads their words in a loop of its own. */
export function thenLoad({ ram, chunks }: LoadWork, translate: Translate): LoadChunk {
  const { words } = ram;
  return (chunk, values) => {
    const { los } = chunks[chunk];
    for (let from = 0; from < CHUNK; from += LOADS_AT_ONCE) {
      const to = from + LOADS_AT_ONCE;
      translate(chunk, from, to, values);
      for (let i = from; i < to; i++) values[i] = words[wordIndex(values[i], los[i] & PAGE_OFFSET_MASK)];
    }
  };
}

/** The frame, when it is one: fails rather than load from nowhere. */
export function found(frame: number): number {
  if (frame < 0) throw new Error('a load faulted');
  return frame;
}

/** pagewalk's own path, at the public API. */
export function realLoad(mmu: Mmu, chunks: readonly Addresses[]): LoadChunk {
  return (chunk, values) => {
    const { his, los } = chunks[chunk];
    if (mmu.loadMany(his, los, CHUNK, ACCESS, values) !== CHUNK) throw new Error('a load faulted');
  };
}

/** The same by hot loops in WebAssembly, left out of all other contenders. */
export function hotLoad(mmu: Mmu, chunks: readonly Addresses[]): LoadChunk {
  const { hot } = mmu.ram;
  const load = realLoad(mmu, chunks);
  return (chunk, values) => {
    if (hot !== null) hot.leastBatch = 0;
    load(chunk, values);
    if (hot !== null) hot.leastBatch = Infinity;
  };
}

/** Its translations alone. */
export function realTranslate(mmu: Mmu, chunks: readonly Addresses[]): Translate {
  return (chunk, from, to, frames) => {
    const { his, los } = chunks[chunk];
    if (mmu.translateMany(his, los, to, ACCESS, frames, from) !== to) throw new Error('a load faulted');
  };
}
