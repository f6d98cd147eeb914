/** pagewalk's translation paths on the workloads of the C reference, at the public API. */

import { READ, USER } from '../../hw/access.js';
import { Mmu } from '../../hw/mmu.js';
import * as memory from '../../hw/ram.js';
import { Ram } from '../../hw/ram.js';
import type { TranslationPath } from '../../hw/translation.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { cpuNow } from '../ratio.js';
import { ResidentProcess } from '../resident.js';
import { CHUNK, LOADS, makeAddresses, startPaging } from './workload.js';
import type { Addresses, Pattern } from './workload.js';

// As any caller would who wants its loop to be fast: V8 folds a module's own constants, not imported ones.
const { wordIndex } = memory;
const ACCESS = READ | USER;
const MIB = 1 << 20;

/** CPU time, and the sum of some of the words loaded. */
export interface Measured {
  readonly nanoseconds: number;
  readonly checksum: number;
}

/** One way to do one workload, next to the request that makes the reference do the same. */
export interface Rival {
  readonly name: string;
  readonly path: string;
  readonly what: string;
  /** Does it once. */
  readonly run: () => Measured | Promise<Measured>;
}

/** Views of the addresses, a chunk each: made once, so that they are not part of what is measured. */
function chunksOf({ his, los }: Addresses): Addresses[] {
  return Array.from({ length: LOADS / CHUNK }, (_, i) => ({
    his: his.subarray(i * CHUNK, (i + 1) * CHUNK),
    los: los.subarray(i * CHUNK, (i + 1) * CHUNK),
  }));
}

type LoadChunk = (mmu: Mmu, his: Int32Array, los: Int32Array, values: Int32Array) => number;

/** One call a time: the load a program would make by itself. */
function callsChunk(mmu: Mmu, his: Int32Array, los: Int32Array, values: Int32Array): number {
  const { words } = mmu.ram;
  for (let i = 0; i < CHUNK; i++) {
    const lo = los[i];
    const frame = mmu.translate(his[i], lo, ACCESS);
    if (frame < 0) return i;
    values[i] = words[wordIndex(frame, lo & 4095)];
  }
  return CHUNK;
}

function batchChunk(mmu: Mmu, his: Int32Array, los: Int32Array, values: Int32Array): number {
  return mmu.loadMany(his, los, CHUNK, ACCESS, values);
}

function loader(mmu: Mmu, all: Addresses, load: LoadChunk): () => Measured {
  const values = new Int32Array(CHUNK);
  const chunks = chunksOf(all);
  return () => {
    let checksum = 0;
    const began = cpuNow();
    for (const { his, los } of chunks) {
      if (load(mmu, his, los, values) !== CHUNK) throw new Error('a load faulted');
      checksum = (checksum + values[0] + values[CHUNK - 1]) >>> 0;
    }
    return { nanoseconds: cpuNow() - began, checksum };
  };
}

/** A way to make the loads, and the one of the reference that does the same. */
export interface Way {
  readonly name: string;
  readonly path: string;
  readonly translations: TranslationPath;
  readonly load: LoadChunk;
}

export const WAYS: readonly Way[] = [
  { name: 'soft TLB, batch', path: 'soft', translations: 'soft', load: batchChunk },
  { name: 'soft TLB, one call a time', path: 'call', translations: 'soft', load: callsChunk },
  { name: 'walk only, batch', path: 'walk', translations: 'walk', load: batchChunk },
  { name: 'modelled TLB, batch', path: 'modelled', translations: 'modelled', load: batchChunk },
  { name: 'modelled TLB, one call a time', path: 'modelled', translations: 'modelled', load: callsChunk },
];

/** One way on one pattern, on an MMU of its own. */
export function loadRival({ name, path, translations, load }: Way, ram: Ram, pattern: Pattern): Rival {
  const mmu = new Mmu(
    translations === 'modelled' ? { ram, tlb: parseTlb('64x4+1536x12+psc') } : { ram, path: translations },
  );
  startPaging(mmu);
  return { name, path, what: pattern, run: loader(mmu, makeAddresses(pattern), load) };
}

export const FORKS = [
  { name: 'fork, ordered', what: 'ordered' },
  { name: 'fork, shuffled', what: 'shuffled' },
] as const;

/** A process with 1 GiB of 4 KiB pages, in the order of their frames or populated in a shuffled one. */
export function forkRival({ name, what }: (typeof FORKS)[number]): Rival {
  const bytes = 2 ** 30;
  const ram = new Ram({ bytes: bytes + 64 * MIB });
  const parent = new ResidentProcess({ ram, pages: '4K', bytes, shuffled: what === 'shuffled' });
  return {
    name,
    path: 'fork',
    what,
    run: () => {
      const began = cpuNow();
      const child = parent.fork();
      const nanoseconds = cpuNow() - began;
      parent.undo(child);
      return { nanoseconds, checksum: 0 };
    },
  };
}
