/**
 * Copy on write as the chapter's pseudocode has it, on real page tables: 32-bit paging, one directory and one table a
 * process. It is wrong in two places; with the right rules in their place it is right.
 */

import { addressOfFrame, lowWordOfFrame } from '../../../hw/base/address.js';
import { Core } from '../../../hw/x86/core.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { PTE_P, PTE_RW, PTE_US } from '../../../hw/x86/format.js';
import { Ram } from '../../../hw/memory/ram.js';
import type { LabMapping } from '../../report/results/lab-result.js';
import { countOf } from '../../report/output/units.js';
import type { Stage, StageProcess, StageRegion } from '../stage.js';
import { CR0_ET, CR0_PE, CR0_PG, CR0_WP } from '../../../hw/x86/registers.js';

/** The rule of the pseudocode, or the right one. */
export interface ChapterRules {
  /** fork counts every present entry; as written, only those writable at that moment. */
  readonly countEveryEntry: boolean;
  /** fork leaves MAP_SHARED pages writable; as written, they become copy-on-write like all others. */
  readonly keepShared: boolean;
}

export const PAGING_AS_WRITTEN: ChapterRules = { countEveryEntry: false, keepShared: false };
export const PAGING_RIGHT: ChapterRules = { countEveryEntry: true, keepShared: true };

/** Bits left to software by the processor: copy on write, and MAP_SHARED. */
const COW = 1 << 9;
const SHARED = 1 << 10;
const ENTRIES = 16;
const FRAMES = 64;
/** Frames below are tables. */
const FIRST_FRAME = 32;

export class ChapterPaging implements Stage {
  readonly #ram = new Ram({ bytes: FRAMES * 4096 });
  readonly mmu = new Mmu({ ram: this.#ram });
  readonly #core = new Core(this.mmu);
  /** The reference count of each frame; 0 means free. */
  private readonly counts = new Int32Array(FRAMES);
  /** The directory's frame by process; its table is the next frame. */
  private readonly processes: number[] = [];
  #current = 0;
  #tables = 1;

  constructor(private readonly rules: ChapterRules) {
    this.mmu.writeCr0(CR0_ET | CR0_PE | CR0_WP);
    this.#core.onException(({ lo }) => this.#writeFault(this.#current, lo >>> 12));
  }

  get inhabitants(): readonly StageProcess[] {
    return this.processes.map((directory) => ({
      // Each process takes two frames, from frame 1 up.
      pid: (directory + 1) / 2,
      root: addressOfFrame(directory),
      regions: this.#regions(directory),
    }));
  }

  #regions(process: number): StageRegion[] {
    const pages = Array.from({ length: ENTRIES }, (_, page) => page);
    return pages.flatMap((page) => {
      const entry = this.#ram.words[this.#at(process, page)];
      if ((entry & PTE_P) === 0) return [];
      const about = (entry & PTE_RW) === 0 ? 'read-only' : 'writable';
      return [{ start: page * 4096, bytes: 4096, about }];
    });
  }

  /** A process with an empty table. */
  spawn(): number {
    const directory = this.#tables;
    this.#tables += 2;
    this.#ram.zeroFrames(directory, 2);
    this.#ram.store32(0, addressOfFrame(directory), ((directory + 1) << 12) | PTE_P | PTE_RW | PTE_US);
    this.processes.push(directory);
    return directory;
  }

  #at(process: number, page: number): number {
    return (process + 1) * 1024 + page;
  }

  /** Maps page `page` to a new frame. */
  map(process: number, page: number, shared: boolean): void {
    const frame = this.#allocate();
    this.#ram.words[this.#at(process, page)] = (frame << 12) | PTE_P | PTE_RW | PTE_US | (shared ? SHARED : 0);
  }

  #allocate(): number {
    const frame = this.counts.indexOf(0, FIRST_FRAME);
    if (frame < 0) throw new RangeError(`the chapter's machine has ${FRAMES - FIRST_FRAME} frames, and all are used`);
    this.counts[frame] = 1;
    return frame;
  }

  frame(process: number, page: number): number {
    return this.#ram.words[this.#at(process, page)] >>> 12;
  }

  /** A page as memory that a process has, under the name `who`. */
  mapping(who: string, process: number, page: number): LabMapping {
    const entry = this.#ram.words[this.#at(process, page)];
    const rights = (entry & PTE_RW) === 0 ? 'read-only' : 'writable';
    return { who, at: `page ${page}`, to: `frame ${entry >>> 12}`, rights };
  }

  /** fork of the pseudocode. */
  fork(parent: number): number {
    const { words } = this.#ram;
    const child = this.spawn();
    for (let page = 0; page < ENTRIES; page++) {
      const at = this.#at(parent, page);
      const entry = words[at];
      if ((entry & PTE_P) === 0) continue;
      const shared = this.rules.keepShared && (entry & SHARED) !== 0;
      const writable = (entry & PTE_RW) !== 0;
      if (writable && !shared) words[at] = (entry & ~PTE_RW) | COW;
      if (writable || this.rules.countEveryEntry) this.counts[entry >>> 12]++;
      words[this.#at(child, page)] = words[at];
    }
    return child;
  }

  #writeFault(process: number, page: number): boolean {
    const { words } = this.#ram;
    const at = this.#at(process, page);
    const entry = words[at];
    if ((entry & COW) === 0) return false;
    const frame = entry >>> 12;
    let own = frame;
    if (this.counts[frame] !== 1) {
      own = this.#allocate();
      this.#ram.copyFrame(frame, own);
      this.counts[frame]--;
    }
    words[at] = (own << 12) | PTE_P | PTE_RW | PTE_US | (entry & SHARED);
    return true;
  }

  exit(process: number): void {
    for (let page = 0; page < ENTRIES; page++) {
      const entry = this.#ram.words[this.#at(process, page)];
      if ((entry & PTE_P) !== 0) this.counts[entry >>> 12]--;
    }
    this.processes.splice(this.processes.indexOf(process), 1);
  }

  #run(process: number): void {
    const { mmu } = this;
    mmu.writeCr3(0, lowWordOfFrame(process));
    mmu.writeCr0(CR0_ET | CR0_PE | CR0_WP | CR0_PG);
    this.#core.cpl = 3;
    this.#current = process;
  }

  /** Stores a byte at the start of a page; false when it is refused. */
  store(process: number, page: number, value: number): boolean {
    this.#run(process);
    return this.#core.poke(page * 4096, 1, value);
  }

  /** The byte at the start of a page. */
  load(process: number, page: number): number {
    this.#run(process);
    return this.#core.peek(page * 4096, 1) ?? -1;
  }

  /** Counts every entry again: names the frames with a wrong count, and shared pages open to a write. */
  audit(): string[] {
    const found = new Int32Array(FRAMES);
    const problems: string[] = [];
    this.processes.forEach((process, i) => {
      for (let page = 0; page < ENTRIES; page++) {
        const entry = this.#ram.words[this.#at(process, page)];
        if ((entry & PTE_P) === 0) continue;
        found[entry >>> 12]++;
        if ((entry & SHARED) !== 0 && (entry & COW) !== 0) {
          problems.push(`page ${page} of process ${i + 1} is mapped shared, and copied on write`);
        }
      }
    });
    for (let frame = FIRST_FRAME; frame < FRAMES; frame++) {
      if (found[frame] === this.counts[frame]) continue;
      const state = this.counts[frame] === 0 ? 'is free' : `counts ${this.counts[frame]}`;
      problems.push(`frame ${frame} ${state}, and ${countOf(found[frame], 'entry maps', 'entries map')} it`);
    }
    return problems;
  }
}
