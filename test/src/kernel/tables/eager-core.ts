/**
 * A second core of a kernel that holds as much as the manual lets a processor hold: before every store of the kernel it
 * walks to some pages, and keeps each table and page on the way until an invalidation takes it. No access is made, so
 * nothing depends on chance. Source: Intel SDM vol. 3A, "Caching Translation Information".
 */

import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Privileged } from '../../../../src/kernel/tables/privileged.js';
import type { TableRoot } from '../../../../src/kernel/tables/root.js';
import { TlbBatch } from '../../../../src/kernel/tables/tlb-batch.js';

export class EagerCore implements Privileged {
  readonly setsMarks = true;
  /** What was wrong: frames freed while they were held. */
  readonly reachable: string[] = [];
  /** Frames of tables from the last invalidation of tables on. */
  readonly #tables = new Set<number>();
  /** The first frame of each page, by the address looked for. */
  readonly #pages = new Map<number, number>();
  readonly #kernel: Kernel;
  readonly #addresses: readonly number[];
  #root = 0;

  /** It runs in `space`, and looks for the pages of these addresses. */
  constructor(kernel: Kernel, space: TableRoot, addresses: readonly number[]) {
    const { frames, ram, tlb, counters, cores } = kernel.memory;
    this.#kernel = kernel;
    this.#addresses = addresses;
    new TlbBatch(this, frames, counters, tlb.idleRoot, cores).load(space);
    ram.keepJournal().listen(() => {
      this.#walk();
    });
    const release = frames.release.bind(frames);
    frames.release = (head) => {
      const last = head + 2 ** frames.order[head] - 1;
      for (const frame of this.#tables) if (frame >= head && frame <= last) this.reachable.push(`table ${frame}`);
      for (const frame of this.#pages.values())
        if (frame >= head && frame <= last) this.reachable.push(`page ${frame}`);
      release(head);
    };
  }

  #walk(): void {
    const { words } = this.#kernel.memory.ram;
    for (const address of this.#addresses) {
      let table = this.#root;
      for (let shift = 39; shift >= 12; shift -= 9) {
        const low = words[table * 1024 + 2 * (Math.floor(address / 2 ** shift) % 512)];
        if ((low & 1) === 0) break;
        const isPage = shift === 12 || (low & 0x80) !== 0;
        table = low >>> 12;
        if (isPage) {
          if (!this.#pages.has(address)) this.#pages.set(address, table);
          break;
        }
        this.#tables.add(table);
      }
    }
  }

  startPaging(): void {
    throw new Error('this core begins when the kernel runs already');
  }

  loadRoot(root: number): void {
    this.#walk();
    this.#root = root;
    this.#tables.clear();
    this.#pages.clear();
  }

  invalidatePage(_hi: number, lo: number): void {
    this.#walk();
    for (const address of this.#addresses) if (address % 2 ** 32 === lo >>> 0) this.#pages.delete(address);
  }

  invalidateTables(): void {
    this.#tables.clear();
  }

  invalidateFaulted(): void {
    this.#pages.clear();
  }
}
