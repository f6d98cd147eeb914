/** A process with memory to fork. */

import { Core } from '../../hw/x86/core.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { mix } from '../../hw/base/random.js';
import type { Ram } from '../../hw/memory/ram.js';
import { Kernel } from '../../src/kernel/kernel.js';
import { must } from '../../src/kernel/abi/must.js';
import type { PagePolicy, Process } from '../../src/kernel/space/process.js';

/** The address of its memory: 1 TiB, aligned for every page size. */
const BASE = 2 ** 40;
const BYTES: Readonly<Record<PagePolicy, number>> = { '4K': 2 ** 12, '2M': 2 ** 21, '1G': 2 ** 30 };

export interface ForkerOptions {
  readonly ram: Ram;
  readonly pages: PagePolicy;
  /** A multiple of the page size. */
  readonly bytes: number;
  /** Whether the pages get their frames in a shuffled order; false when absent. */
  readonly shuffled?: boolean;
}

/** One process on a machine of its own, with all its memory resident; no byte of it was ever touched. */
export class ResidentProcess {
  readonly kernel: Kernel;
  readonly process: Process;
  /** Entries for its memory. */
  readonly entries: number;
  private readonly pageBytes: number;

  /** @throws Error when the RAM is too small for the memory and its tables */
  constructor({ ram, pages, bytes, shuffled = false }: ForkerOptions) {
    this.pageBytes = BYTES[pages];
    this.entries = bytes / this.pageBytes;
    this.kernel = new Kernel({ processor: new Core(new Mmu({ ram })) });
    this.process = this.kernel.spawn({ pages });
    must(this.kernel.mapRegion(this.process, BASE, bytes));
    this.populate(shuffled ? shuffledOrder(this.entries) : undefined);
  }

  private populate(order?: Int32Array): void {
    for (let i = 0; i < this.entries; i++) {
      must(this.kernel.populate(this.process, BASE + (order?.[i] ?? i) * this.pageBytes));
    }
  }

  /** Forks; callers measure the time. */
  fork(): Process {
    return must(this.kernel.fork(this.process));
  }

  /** Ends a child and makes every page writable again, as before the fork: the next one then has as much to do. */
  undo(child: Process): void {
    this.kernel.exit(child);
    this.populate();
  }
}

/** Fisher and Yates's shuffle of 0 to `length - 1`, the same every time. */
export function shuffledOrder(length: number): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(((mix(i) >>> 0) * (i + 1)) / 2 ** 32);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
