/** What the threads of two-cores.test.ts agree on: one page table, the entries that may stand in it, a gate. */

import { highWordOfFrame, lowWordOfFrame } from '../../hw/base/address.js';
import { Mmu } from '../../hw/x86/mmu.js';
import type { MmuOptions } from '../../hw/x86/mmu.js';
import { PTE_A, PTE_D } from '../../hw/x86/format.js';
import type { Ram } from '../../hw/memory/ram.js';
import { writeRegisters } from '../../hw/x86/write-registers.js';
import { RWU } from './tables.js';

export const PAGES = 512;
const PAGE_TABLE = 4;
/** Beyond 4 GiB, so that the frame's number takes both words of an entry. */
export const BYTES = 5 * 2 ** 30;
/** Frames of page 0; a page's own follow. A mixture of the words of two entries names none of them. */
const LOW_FRAMES = 0x1000;
const HIGH_FRAMES = 0x10_2000;

/** Tables from frame 1 on, their entries clean; the first 512 pages are not present. */
export function buildTables(ram: Ram): void {
  for (let table = 1; table < PAGE_TABLE; table++) ram.storeEntry(table << 10, 0, lowWordOfFrame(table + 1) | RWU);
}

/** Index of the low word of a page's entry. */
export function entryIndex(page: number): number {
  return (PAGE_TABLE << 10) | (page << 1);
}

/** The entries a page may have, as words: none, a frame below 4 GiB, one above. */
export function entryOf(page: number, kind: number): readonly [high: number, low: number] {
  if (kind === 0) return [0, 0];
  const frame = (kind === 1 ? LOW_FRAMES : HIGH_FRAMES) + page;
  return [highWordOfFrame(frame), lowWordOfFrame(frame) | RWU];
}

export function isFrameOf(page: number, frame: number): boolean {
  return frame === LOW_FRAMES + page || frame === HIGH_FRAMES + page;
}

/** An entry's low word without what processors set in it. */
export function withoutMarks(low: number): number {
  return low & ~(PTE_A | PTE_D);
}

/** A processor in 4-level paging. */
export function startProcessor(ram: Ram, options: Omit<MmuOptions, 'ram'>): Mmu {
  const mmu = new Mmu({ ram, ...options });
  const values = { cr0: 0x8000_0001, cr3Hi: 0, cr3Lo: 4096, cr4: 0x20, efer: 0x100 };
  if (writeRegisters(mmu, values) < 0) throw new Error('paging cannot be turned on');
  return mmu;
}

/** Where a number of threads wait for each other, again and again. */
export class Gate {
  private passed = 0;
  private readonly arrived: Int32Array;

  constructor(
    memory: SharedArrayBuffer,
    private readonly threads: number,
  ) {
    this.arrived = new Int32Array(memory);
  }

  pass(): void {
    const all = ++this.passed * this.threads;
    Atomics.add(this.arrived, 0, 1);
    Atomics.notify(this.arrived, 0);
    for (let now = Atomics.load(this.arrived, 0); now < all; now = Atomics.load(this.arrived, 0)) {
      Atomics.wait(this.arrived, 0, now);
    }
  }
}
