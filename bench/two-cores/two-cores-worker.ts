/** One processor of bench/two-cores/two-cores.ts: does the work it is sent, beginning together with the other one. */

import { parentPort, workerData } from 'node:worker_threads';
import type { Mmu } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import type { SharedRam } from '../../hw/memory/shared-memory.js';
import type { TranslationPath } from '../../hw/translate/path/caches.js';
import { batchChunk, CHUNK, loadChunks, makeChunks, makeRam, mmuFor } from '../native/workload.js';
import type { Addresses, Pattern } from '../native/workload.js';

/** Loads of one work, the first of a pattern: as in bench/native/main.c. */
const THREAD_LOADS = 1 << 20;

export interface CoreSetup {
  readonly ram: SharedRam;
  /** One word: how often a worker has come to begin. */
  readonly gate: SharedArrayBuffer;
}

export interface CoreWork {
  readonly path: TranslationPath;
  readonly pattern: Pattern;
  /** Over RAM of this worker's own, in an ArrayBuffer, as a program with one processor has it. */
  readonly alone: boolean;
  /** The gate's count when all have come. */
  readonly gate: number;
}

/** Nanoseconds on a clock common to all threads. */
export interface CoreTimes {
  readonly began: number;
  readonly ended: number;
  readonly checksum: number;
}

const setup = workerData as CoreSetup;
const arrived = new Int32Array(setup.gate);
const shared = new Ram(setup.ram);
let own: Ram | undefined;
const patterns = new Map<Pattern, Addresses[]>();
const mmus = new Map<string, Mmu>();
const values = new Int32Array(CHUNK);

function chunksOf(pattern: Pattern): Addresses[] {
  const chunks = patterns.get(pattern) ?? makeChunks(pattern, THREAD_LOADS);
  patterns.set(pattern, chunks);
  return chunks;
}

/** The processor for a work, with TLBs warm between rounds. */
function processorFor({ path, pattern, alone }: CoreWork): Mmu {
  const name = `${path} ${pattern} ${alone}`;
  const mmu = mmus.get(name) ?? mmuFor(path, alone ? (own ??= makeRam()) : shared);
  mmus.set(name, mmu);
  return mmu;
}

function run(work: CoreWork): CoreTimes {
  const mmu = processorFor(work);
  const chunks = chunksOf(work.pattern);
  Atomics.add(arrived, 0, 1);
  while (Atomics.load(arrived, 0) < work.gate);
  const began = process.hrtime.bigint();
  const checksum = loadChunks(mmu, chunks, batchChunk, values);
  return { began: Number(began), ended: Number(process.hrtime.bigint()), checksum };
}

parentPort?.on('message', (work: CoreWork) => {
  parentPort?.postMessage(run(work));
});
