/** pagewalk's translation paths on the workloads of the C reference, at the public API. */

import { READ, USER } from '../../hw/base/access.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import * as memory from '../../hw/memory/ram.js';
import { Ram } from '../../hw/memory/ram.js';
import type { TranslationPath } from '../../hw/translate/path/caches.js';
import { cpuNow } from '../measure/ratio.js';
import { ResidentProcess } from '../measure/resident.js';
import { batchChunk, CHUNK, loadChunks, LOADS, makeChunks, mmuFor } from './workload.js';
import type { LoadByMmu, Pattern } from './workload.js';

// As any caller would, for the sake of a fast loop: V8 folds a module's own constants, not imported ones.
const { wordIndex } = memory;
const ACCESS = READ | USER;
const MIB = 1 << 20;

/** CPU time, and the sum of some of the words loaded. */
export interface Measured {
  readonly nanoseconds: number;
  readonly checksum: number;
}

/** One way to do one workload, next to the request for the same from the reference. */
export interface Rival {
  readonly name: string;
  readonly path: string;
  readonly what: string;
  /** Does it once. */
  readonly run: () => Measured | Promise<Measured>;
}

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

/** A way to make the loads, and the same way of the reference. */
export interface Way {
  readonly name: string;
  readonly path: string;
  readonly translations: TranslationPath;
  readonly load: LoadByMmu;
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
  const mmu = mmuFor(translations, ram);
  const values = new Int32Array(CHUNK);
  const chunks = makeChunks(pattern, LOADS);
  return {
    name,
    path,
    what: pattern,
    run: () => {
      const began = cpuNow();
      const checksum = loadChunks(mmu, chunks, load, values);
      return { nanoseconds: cpuNow() - began, checksum };
    },
  };
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
