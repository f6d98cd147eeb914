/** One processor of bench/two-cores.ts: does the work that it is sent, beginning together with the other one. */

import { parentPort, workerData } from 'node:worker_threads';
import { READ, USER } from '../hw/access.js';
import { Mmu } from '../hw/mmu.js';
import { Ram } from '../hw/ram.js';
import type { SharedRam } from '../hw/shared-memory.js';
import { parseTlb } from '../hw/tlb/parse.js';
import type { TranslationPath } from '../hw/translation.js';
import { CHUNK, makeAddresses, makeRam, startPaging } from './native/workload.js';
import type { Addresses, Pattern } from './native/workload.js';

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
  /** What the gate counts when all have come. */
  readonly gate: number;
}

/** Nanoseconds on a clock that all threads share. */
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
  let chunks = patterns.get(pattern);
  if (chunks !== undefined) return chunks;
  const { his, los } = makeAddresses(pattern);
  chunks = Array.from({ length: THREAD_LOADS / CHUNK }, (_, i) => ({
    his: his.slice(i * CHUNK, (i + 1) * CHUNK),
    los: los.slice(i * CHUNK, (i + 1) * CHUNK),
  }));
  patterns.set(pattern, chunks);
  return chunks;
}

/** The processor for a work, with TLBs that stay warm between rounds. */
function mmuFor({ path, pattern, alone }: CoreWork): Mmu {
  const name = `${path} ${pattern} ${alone}`;
  let mmu = mmus.get(name);
  if (mmu !== undefined) return mmu;
  const ram = alone ? (own ??= makeRam()) : shared;
  mmu = new Mmu(path === 'modelled' ? { ram, tlb: parseTlb('64x4+1536x12+psc') } : { ram, path });
  startPaging(mmu);
  mmus.set(name, mmu);
  return mmu;
}

function run(work: CoreWork): CoreTimes {
  const mmu = mmuFor(work);
  const chunks = chunksOf(work.pattern);
  Atomics.add(arrived, 0, 1);
  while (Atomics.load(arrived, 0) < work.gate);
  let checksum = 0;
  const began = process.hrtime.bigint();
  for (const { his, los } of chunks) {
    if (mmu.loadMany(his, los, CHUNK, READ | USER, values) !== CHUNK) throw new Error('a load faulted');
    checksum = (checksum + values[0] + values[CHUNK - 1]) >>> 0;
  }
  return { began: Number(began), ended: Number(process.hrtime.bigint()), checksum };
}

parentPort?.on('message', (work: CoreWork) => {
  parentPort?.postMessage(run(work));
});
