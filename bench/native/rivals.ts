/** pagewalk's translation paths on the workloads of the C reference, at the public API. */

import { READ, USER } from '../../hw/base/access.js';
import { PAGE_BYTES } from '../../hw/base/address.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import * as memory from '../../hw/memory/ram.js';
import { Ram } from '../../hw/memory/ram.js';
import type { TranslationPath } from '../../hw/translate/path/caches.js';
import { cpuNow } from '../measure/ratio.js';
import { ResidentProcess } from '../measure/resident.js';
import { BENCH_MACHINES } from './machines.js';
import type { BenchMachineName } from './machines.js';
import type { Answer } from './reference.js';
import { batchChunk, CHUNK, loadChunks, LOADS, machineFor, makeChunks } from './workload.js';
import type { LoadBy, Pattern } from './workload.js';

// As any caller would, for the sake of a fast loop: V8 folds a module's own constants, not imported ones.
const { wordIndex } = memory;
const ACCESS = READ | USER;
const MIB = 1 << 20;

/** One way to do one workload, next to the request for the same from the reference. */
export interface Rival {
  readonly name: string;
  readonly path: string;
  readonly what: string;
  /** Loads, entries or accesses of one run. */
  readonly operations: number;
  /** The same work in C, where another program than the reference has it. */
  readonly reference?: () => Promise<Answer>;
  /** Does it once. */
  readonly run: () => Answer | Promise<Answer>;
}

/** One call a time: the load a program would make by itself. */
function callsChunk(mmu: TranslatingMachine, his: Int32Array, los: Int32Array, values: Int32Array): number {
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
  readonly machine: BenchMachineName;
  readonly path: string;
  readonly translations: TranslationPath;
  readonly load: LoadBy;
}

const WAYS_TO_LOAD: readonly Omit<Way, 'machine'>[] = [
  { name: 'soft TLB, batch', path: 'soft', translations: 'soft', load: batchChunk },
  { name: 'soft TLB, one call a time', path: 'call', translations: 'soft', load: callsChunk },
  { name: 'walk only, batch', path: 'walk', translations: 'walk', load: batchChunk },
  { name: 'modelled TLB, batch', path: 'modelled', translations: 'modelled', load: batchChunk },
  { name: 'modelled TLB, one call a time', path: 'modelled-call', translations: 'modelled', load: callsChunk },
];

/** All ways, machine by machine. */
export const WAYS: readonly Way[] = Object.entries(BENCH_MACHINES).flatMap(([machine, { title }]) =>
  WAYS_TO_LOAD.map((way) => ({ ...way, name: `${title}${way.name}`, machine: machine as BenchMachineName })),
);

function dataCounts({ counters }: TranslatingMachine): number[] {
  const { l1Hits, l2Hits, walks, entryReads } = counters.snapshot().data;
  return [l1Hits, l2Hits, walks, entryReads];
}

/** One way on one pattern, on a processor of its own. */
export function loadRival({ name, machine, path, translations, load }: Way, ram: Ram, pattern: Pattern): Rival {
  const processor = machineFor(machine, translations, ram);
  const values = new Int32Array(CHUNK);
  const chunks = makeChunks(pattern, LOADS);
  return {
    name,
    path,
    what: pattern,
    operations: LOADS,
    run: () => {
      processor.dataPath.dropEverything();
      const before = dataCounts(processor);
      const began = cpuNow();
      const checksum = loadChunks(processor, chunks, load, values);
      const nanoseconds = cpuNow() - began;
      const counts = dataCounts(processor).map((count, i) => count - before[i]);
      return { nanoseconds, checksum, counts: translations === 'modelled' ? counts.join() : '' };
    },
  };
}

/** Entries of a forked process of {@link FORKS}. */
export const FORK_ENTRIES = 1 << 18;

export const FORKS = [
  { name: 'fork, ordered', what: 'ordered' },
  { name: 'fork, shuffled', what: 'shuffled' },
] as const;

/** A process with 1 GiB of 4 KiB pages, in the order of their frames or populated in a shuffled one. */
export function forkRival({ name, what }: (typeof FORKS)[number]): Rival {
  const bytes = FORK_ENTRIES * PAGE_BYTES;
  const ram = new Ram({ bytes: bytes + 64 * MIB });
  const parent = new ResidentProcess({ ram, pages: '4K', bytes, shuffled: what === 'shuffled' });
  return {
    name,
    path: 'fork',
    what,
    operations: FORK_ENTRIES,
    run: () => {
      const began = cpuNow();
      const child = parent.fork();
      const nanoseconds = cpuNow() - began;
      parent.undo(child);
      return { nanoseconds, checksum: 0, counts: '' };
    },
  };
}
