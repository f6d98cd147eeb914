/**
 * The machine and the patterns, as in bench/native/main.c: 64 MiB of data behind 4-level tables, mapped once in
 * 4 KiB pages and once in 2 MiB pages, and four ways to load words of it.
 */

import { READ, USER } from '../../hw/base/access.js';
import { mix } from '../../hw/base/random.js';
import { Ram } from '../../hw/memory/ram.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import type { TranslationPath } from '../../hw/translate/path/caches.js';
import type { Mmu, MmuOptions } from '../../hw/x86/mmu.js';
import { BENCH_MACHINES, pagingMmu, ROOT } from './machines.js';
import type { BenchMachineName } from './machines.js';

const MIB = 1 << 20;
const DATA_BYTES = 64 * MIB;
const RAM_BYTES = 2 * DATA_BYTES;
const DATA_FRAME = DATA_BYTES / 4096;
/** Entries of the root table: 1 TiB and 2 TiB. */
const SMALL_INDEX = 2;
const LARGE_INDEX = 4;
/** The modelled TLB of the reference. */
const REFERENCE_TLB = '64x4+1536x12+psc';

/** Loads of one pattern. */
export const LOADS = 1 << 22;
/** Loads of one call of a batch. */
export const CHUNK = 4096;

/** a: every 64 bytes, around and around; b: anywhere in 256 KiB; c: anywhere in 64 MiB; d: the same in 2 MiB pages. */
export const PATTERNS = ['a', 'b', 'c', 'd'] as const;
export type Pattern = (typeof PATTERNS)[number];

/** RAM with the tables and the data; every word of the data tells its place. */
export function makeRam(shared = false, machine: BenchMachineName = 'x86'): Ram {
  const ram = new Ram({ bytes: RAM_BYTES, shared });
  const { table, page4K, page2M } = BENCH_MACHINES[machine];
  const smallPdpt = 2;
  const smallPd = 3;
  const largePdpt = 4;
  const largePd = 5;
  const firstPt = 6;
  const put = (at: number, index: number, low: number): void => {
    ram.storeEntry((at << 10) | (index << 1), 0, low);
  };
  put(ROOT, SMALL_INDEX, table(smallPdpt));
  put(ROOT, LARGE_INDEX, table(largePdpt));
  put(smallPdpt, 0, table(smallPd));
  put(largePdpt, 0, table(largePd));
  for (let page = 0; page < DATA_BYTES / (2 * MIB); page++) {
    const frame = DATA_FRAME + (page << 9);
    put(smallPd, page, table(firstPt + page));
    put(largePd, page, page2M(frame));
    for (let i = 0; i < 512; i++) put(firstPt + page, i, page4K(frame + i));
  }
  for (let i = 0; i < DATA_BYTES / 4; i++) ram.words[(DATA_FRAME << 10) + i] = mix(i);
  return ram;
}

function optionsFor(path: TranslationPath, ram: Ram): MmuOptions {
  return path === 'modelled' ? { ram, tlb: parseTlb(REFERENCE_TLB) } : { ram, path };
}

/** An MMU for a path of the reference. */
export function mmuFor(path: TranslationPath, ram: Ram): Mmu {
  return pagingMmu(optionsFor(path, ram));
}

/** The same of another machine. */
export function machineFor(machine: BenchMachineName, path: TranslationPath, ram: Ram): TranslatingMachine {
  return BENCH_MACHINES[machine].boot(optionsFor(path, ram));
}

/** Addresses as words. */
export interface Addresses {
  readonly his: Int32Array;
  readonly los: Int32Array;
}

function makeAddresses(pattern: Pattern, loads: number): Addresses {
  const his = new Int32Array(loads);
  const los = new Int32Array(loads);
  const bytes = pattern === 'b' ? 256 * 1024 : DATA_BYTES;
  his.fill((pattern === 'd' ? LARGE_INDEX : SMALL_INDEX) << 7);
  for (let i = 0; i < loads; i++) los[i] = (pattern === 'a' ? i * 64 : mix(i) << 2) & (bytes - 1);
  return { his, los };
}

/** The addresses of a pattern's first `loads` loads, in views of {@link CHUNK} each: one call of a batch. */
export function makeChunks(pattern: Pattern, loads: number): Addresses[] {
  const { his, los } = makeAddresses(pattern, loads);
  return Array.from({ length: loads / CHUNK }, (_, i) => ({
    his: his.subarray(i * CHUNK, (i + 1) * CHUNK),
    los: los.subarray(i * CHUNK, (i + 1) * CHUNK),
  }));
}

/** Loads the words at the addresses of a chunk into `values`, and gives how many did not fault. */
export type LoadBy = (mmu: TranslatingMachine, his: Int32Array, los: Int32Array, values: Int32Array) => number;

export function batchChunk(mmu: TranslatingMachine, his: Int32Array, los: Int32Array, values: Int32Array): number {
  return mmu.loadMany(his, los, CHUNK, READ | USER, values);
}

/**
 * Makes the loads of all chunks.
 * @returns the sum of some of the words, as the reference makes it
 */
export function loadChunks(
  mmu: TranslatingMachine,
  chunks: readonly Addresses[],
  load: LoadBy,
  values: Int32Array,
): number {
  let checksum = 0;
  for (const { his, los } of chunks) {
    if (load(mmu, his, los, values) !== CHUNK) throw new Error('a load faulted');
    checksum = (checksum + values[0] + values[CHUNK - 1]) >>> 0;
  }
  return checksum;
}
