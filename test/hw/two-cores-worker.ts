/** One thread of two-cores.test.ts: a processor, or the operating system, over RAM that others have too. */

import { parentPort, workerData } from 'node:worker_threads';
import { READ, USER, WRITE } from '../../hw/base/access.js';
import { PF_USER, PF_WRITE } from '../../hw/x86/exception.js';
import { PTE_A, PTE_D } from '../../hw/x86/format.js';
import { Ram } from '../../hw/memory/ram.js';
import type { SharedRam } from '../../hw/memory/shared-memory.js';
import { Random } from '../../hw/base/random.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import type { TranslationPath } from '../../hw/translate/path/caches.js';
import { entryIndex, entryOf, Gate, isFrameOf, PAGES, startProcessor, withoutMarks } from './two-cores-tables.js';

export interface CoreTask {
  readonly role: 'walk at random' | 'store entries' | 'read all pages' | 'write all pages';
  readonly path: TranslationPath;
  readonly ram: SharedRam;
  /** One word, for the gate of all threads. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly seed: number;
  readonly rounds: number;
  /** How many pages there are; entries of `settled` ones are stored accessed and dirty, so that no walk marks them. */
  readonly pages: number;
  readonly settled: boolean;
}

export interface CoreReport {
  /** Translations that gave a frame, and those that faulted; or stores. */
  readonly done: number;
  readonly faults: number;
  /** What must not be, in words; the first few. */
  readonly wrong: readonly string[];
}

const MOST_WRONG = 5;

/** Translates pages at random: each answer is a frame that its entry named at some time, or that it was not present. */
function walkAtRandom(ram: Ram, { path, seed, rounds, pages }: CoreTask): CoreReport {
  const random = new Random(seed);
  const mmu = startProcessor(ram, path === 'modelled' ? { tlb: parseTlb('4x2+psc') } : { path });
  const wrong: string[] = [];
  let faults = 0;
  for (let i = 0; i < rounds && wrong.length < MOST_WRONG; i++) {
    const page = random.below(pages);
    const write = random.below(2) === 1;
    const frame = mmu.translate(0, page << 12, USER | (write ? WRITE : READ));
    if (path !== 'walk') mmu.invlpg(0, page << 12);
    if (frame < 0) faults++;
    const expected = frame >= 0 ? isFrameOf(page, frame) : mmu.fault.errorCode === (PF_USER | (write ? PF_WRITE : 0));
    if (!expected) wrong.push(`page ${page} gave ${frame}, error code ${mmu.fault.errorCode}`);
  }
  return { done: rounds - faults, faults, wrong };
}

/** Stores entries without regard to the processors: what was stored stays, but for what they set in a present entry. */
function storeEntries(ram: Ram, { seed, rounds, pages, settled }: CoreTask): CoreReport {
  const random = new Random(seed);
  const { words } = ram;
  const stored = new Int32Array(pages);
  const wrong: string[] = [];
  for (let i = 0; i < rounds && wrong.length < MOST_WRONG; i++) {
    const page = random.below(pages);
    const at = entryIndex(page);
    const [high, low] = entryOf(page, stored[page]);
    const is = words[at];
    if (words[at + 1] !== high || (low === 0 ? is : withoutMarks(is)) !== low) {
      wrong.push(`page ${page}: stored ${high} ${low}, then found ${words[at + 1]} ${is}`);
    }
    stored[page] = settled ? 1 + (i & 1) : random.below(3);
    const [newHigh, newLow] = entryOf(page, stored[page]);
    ram.storeEntry(at, newHigh, settled ? newLow | PTE_A | PTE_D : newLow);
  }
  return { done: rounds, faults: 0, wrong };
}

/** Touches all pages, round after round, while another does: afterwards each is accessed and dirty. */
function touchAll(ram: Ram, { path, role, rounds }: CoreTask, gate: Gate): CoreReport {
  const mmu = startProcessor(ram, { path });
  const writes = role === 'write all pages';
  const wrong: string[] = [];
  for (let round = 0; round < rounds; round++) {
    if (writes) for (let page = 0; page < PAGES; page++) ram.storeEntry(entryIndex(page), ...entryOf(page, 2));
    gate.pass();
    for (let page = 0; page < PAGES; page++) {
      if (mmu.translate(0, page << 12, writes ? WRITE | USER : READ | USER) < 0) wrong.push(`page ${page} faulted`);
    }
    gate.pass();
    if (!writes) continue;
    for (let page = 0; page < PAGES; page++) {
      const low = ram.words[entryIndex(page)];
      if ((low & (PTE_A | PTE_D)) !== (PTE_A | PTE_D)) wrong.push(`round ${round}, page ${page}: ${low}`);
    }
  }
  return { done: rounds * PAGES, faults: 0, wrong: wrong.slice(0, MOST_WRONG) };
}

const task = workerData as CoreTask;
const ram = new Ram(task.ram);
const gate = new Gate(task.gate, task.threads);
gate.pass();
if (task.role === 'walk at random') parentPort?.postMessage(walkAtRandom(ram, task));
else if (task.role === 'store entries') parentPort?.postMessage(storeEntries(ram, task));
else parentPort?.postMessage(touchAll(ram, task, gate));
