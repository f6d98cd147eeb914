/** How a recording fares from window to window: the memory touched in each, and the number of walks there. */

import { pageNumber, pageSizeName, SHIFT_4K } from '../../hw/base/address.js';
import type { Lookups } from '../../src/compare/lookups/lookups.js';
import type { ReplayMachine } from '../../src/compare/machine/machine.js';

/** One window of a recording, in pages of one size. */
export interface WindowPoint {
  readonly pages: string;
  /** Bytes touched in the window, counted in 4 KiB. */
  readonly workingSet: number;
  readonly missRate: number;
}

/** Lookups of a window, at least: many more than a TLB has entries. */
export const WINDOW_LOOKUPS = 65_536;
/** So many windows are drawn at most; of a longer recording every second is, every fourth, and so on. */
const MOST_WINDOWS = 160;

/** Lookups and walks of one machine. */
type Counts = readonly [lookups: number, walks: number];

function countsOf({ mmu }: ReplayMachine): Counts {
  const { lookups, walks } = mmu.counters.snapshot().data;
  return [lookups, walks];
}

/** The windows of one recording, as it is replayed: shown each block after the machines have made it. */
export class Windows {
  #points: (readonly WindowPoint[])[] = [];
  readonly #touched = new Set<number>();
  #lookups = 0;
  #seen = 0;
  #stride = 1;
  #machines: readonly ReplayMachine[] = [];
  /** The counts of each machine when the window began. */
  #before: readonly Counts[] = [];

  add(machines: readonly ReplayMachine[], lookups: Lookups): void {
    this.#machines = machines;
    const { his, los, length } = lookups.of4K;
    for (let i = 0; i < length; i++) this.#touched.add(pageNumber(his[i], los[i], SHIFT_4K));
    this.#lookups += lookups.accesses;
    if (this.#lookups >= WINDOW_LOOKUPS) this.#close();
  }

  #close(): void {
    const after = this.#machines.map(countsOf);
    if (this.#seen % this.#stride === 0) {
      this.#points.push(this.#machines.map((machine, i) => this.#point(machine, this.#before[i] ?? [0, 0], after[i])));
    }
    this.#seen++;
    this.#before = after;
    this.#touched.clear();
    this.#lookups = 0;
    if (this.#points.length <= MOST_WINDOWS) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  #point({ shift }: ReplayMachine, [lookupsBefore, walksBefore]: Counts, [lookups, walks]: Counts): WindowPoint {
    const missRate = (walks - walksBefore) / (lookups - lookupsBefore);
    return { pages: pageSizeName(shift), workingSet: this.#touched.size * 4096, missRate };
  }

  /** A recording shorter than a window is a window all the same. */
  finish(): readonly WindowPoint[] {
    if (this.#points.length === 0 && this.#lookups > 0) this.#close();
    return this.#points.flat();
  }
}
