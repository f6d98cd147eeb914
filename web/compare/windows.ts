/** How a recording fares from window to window: what it touches in each, and how many of its lookups walk there. */

import { pageSizeName } from '../../hw/address.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import type { Lookups } from '../../src/compare/lookups.js';
import { Machine } from '../../src/compare/machine.js';
import { replay } from '../../src/compare/replay.js';
import { Resident } from '../../src/compare/resident.js';
import type { Trace } from '../../src/trace/block.js';

/** What one window of a recording did, in pages of one size. */
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

/** The windows of one recording, as it is replayed. */
class Windows {
  points: (readonly WindowPoint[])[] = [];
  readonly #touched = new Set<number>();
  #lookups = 0;
  #seen = 0;
  #stride = 1;
  /** Lookups and walks of each machine when the window began. */
  #before: readonly (readonly [lookups: number, walks: number])[];

  constructor(readonly machines: readonly Machine[]) {
    this.#before = this.#counts();
  }

  #counts(): (readonly [number, number])[] {
    return this.machines.map(({ mmu }) => {
      const { lookups, walks } = mmu.counters.snapshot().data;
      return [lookups, walks] as const;
    });
  }

  add({ his, los, length }: Lookups): void {
    let last = -1;
    for (let i = 0; i < length; i++) {
      const page = his[i] * 2 ** 20 + (los[i] >>> 12);
      if (page !== last) this.#touched.add(page);
      last = page;
    }
    this.#lookups += length;
    if (this.#lookups >= WINDOW_LOOKUPS) this.#close();
  }

  #close(): void {
    const after = this.#counts();
    if (this.#seen % this.#stride === 0)
      this.points.push(this.machines.map((machine, i) => this.#point(machine, after[i], i)));
    this.#seen++;
    this.#before = after;
    this.#touched.clear();
    this.#lookups = 0;
    if (this.points.length <= MOST_WINDOWS) return;
    this.points = this.points.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  #point({ shift }: Machine, [lookups, walks]: readonly [number, number], i: number): WindowPoint {
    const [lookupsBefore, walksBefore] = this.#before[i];
    const missRate = (walks - walksBefore) / (lookups - lookupsBefore);
    return { pages: pageSizeName(shift), workingSet: this.#touched.size * 4096, missRate };
  }

  /** A recording shorter than a window is a window all the same. */
  finish(): readonly WindowPoint[] {
    if (this.points.length === 0 && this.#lookups > 0) this.#close();
    return this.points.flat();
  }
}

/** Replays a recording on one machine a page size. */
export async function windowPoints(
  trace: Trace,
  shifts: readonly number[],
  tlb: TlbGeometry,
  ramBytes: (shift: number) => number,
  onProgress: (done: number) => Promise<void>,
): Promise<readonly WindowPoint[]> {
  const resident = new Resident(shifts.map((shift) => new Machine(shift, tlb, undefined, ramBytes(shift))));
  const windows = new Windows(resident.machines);
  let done = 0;
  for await (const block of trace) {
    const lookups = resident.prepare(block);
    for (const { mmu, shift } of resident.machines) replay(mmu, shift, lookups);
    windows.add(lookups);
    done += block.length;
    await onProgress(done);
  }
  return windows.finish();
}
