import { describe, expect, it } from 'vitest';
import { SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { Lookups } from '../../src/compare/lookups/lookups.js';
import { makeMachine } from '../../src/compare/machine/make-machine.js';
import { replay } from '../../src/compare/machine/replay.js';
import { Resident } from '../../src/compare/machine/resident.js';
import { AccessBlock, LOAD } from '../../src/trace/block.js';
import { WINDOW_LOOKUPS, Windows } from '../../web/compare/windows.js';

const BLOCK = 4096;
const GIB = 2 ** 30;

/** Machines for both page sizes, whose windows are watched while they load from addresses. */
class Watched {
  readonly windows = new Windows();
  readonly #resident = new Resident([SHIFT_4K, SHIFT_2M].map((shift) => makeMachine(shift, parseTlb('16x4'), GIB)));

  /** One block of loads of 8 bytes. */
  load(addresses: readonly number[]): void {
    const block = new AccessBlock();
    for (const address of addresses) block.push(LOAD, 0, address, 8);
    const { machines } = this.#resident;
    const lookups: Lookups = this.#resident.prepare(block);
    for (const { mmu, shift } of machines) replay(mmu, lookups.of(shift));
    this.windows.add(machines, lookups);
  }

  /** Blocks of loads from `pages` pages in turn. */
  loadPages(pages: number, blocks: number): void {
    for (let i = 0; i < blocks; i++) this.load(Array.from({ length: BLOCK }, (_, n) => (n % pages) * 4096));
  }
}

describe('windows of a recording', () => {
  it('tell what each touches, and how many of its lookups walk with each page size', () => {
    const watched = new Watched();
    watched.loadPages(32, WINDOW_LOOKUPS / BLOCK);
    watched.loadPages(8, WINDOW_LOOKUPS / BLOCK);
    expect(watched.windows.finish()).toEqual([
      { pages: '4K', workingSet: 32 * 4096, missRate: 1 },
      { pages: '2M', workingSet: 32 * 4096, missRate: 1 / WINDOW_LOOKUPS },
      { pages: '4K', workingSet: 8 * 4096, missRate: 8 / WINDOW_LOOKUPS },
      { pages: '2M', workingSet: 8 * 4096, missRate: 0 },
    ]);
  });

  it('count the second page of an access that crosses into it', () => {
    const watched = new Watched();
    watched.load([0, 4092]);
    expect(watched.windows.finish().map(({ workingSet }) => workingSet)).toEqual([8192, 8192]);
  });

  it('are one for a recording that is shorter than a window, and none for one without accesses', () => {
    const watched = new Watched();
    expect(watched.windows.finish()).toEqual([]);
    watched.loadPages(4, 1);
    expect(watched.windows.finish()).toHaveLength(2);
  });

  it('are every second of a recording that has too many to draw', () => {
    const watched = new Watched();
    watched.loadPages(1, (162 * WINDOW_LOOKUPS) / BLOCK);
    const points = watched.windows.finish();
    expect(points).toHaveLength(2 * 81);
    expect(points.filter(({ missRate }) => missRate > 0)).toEqual(points.slice(0, 2));
  });
});
