import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SHIFT_2M, SHIFT_4K } from '../../../../hw/base/address.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { KernelCounters } from '../../../../src/kernel/frames/counters.js';
import { FRAME_TABLE, Frames } from '../../../../src/kernel/frames/frames.js';
import { X86Entries } from '../../../../src/kernel/tables/entries-x86.js';
import { PAGE_HUGE } from '../../../../src/kernel/tables/entries.js';
import { PageTables } from '../../../../src/kernel/tables/page-table.js';
import { TableRoot } from '../../../../src/kernel/tables/root.js';
import { GIB } from '../machine.js';

const PAGE = 4096;
const HUGE = 512 * PAGE;
/** Below the end of the first table of directories and above it, and at the end of the first gigabyte. */
const BASES = [0, 511 * HUGE, GIB + 509 * HUGE, 512 * GIB - 3 * HUGE];

/** Tables with a lower table (even numbers) or a huge page at some of eight places around a base. */
function makeTables(base: number, places: readonly number[]): { tables: PageTables; space: TableRoot } {
  const ram = new Ram({ bytes: 2 ** 20 });
  const counters = new KernelCounters();
  const frames = new Frames(ram, counters, true);
  const entries = new X86Entries(ram);
  const tables = new PageTables(entries, frames, counters);
  const space = new TableRoot(frames.allocateZeroed(0, FRAME_TABLE));
  for (const place of places) {
    const address = base + place * HUGE;
    // The first entry of each table is in use: a frame of entries may well lie behind one of directories.
    if (place % 2 === 0) entries.setPage(tables.ensure(space, address, SHIFT_4K), 1, 0);
    else entries.setPage(tables.ensure(space, address, SHIFT_2M), 512, PAGE_HUGE);
  }
  return { tables, space };
}

it('finds the same entries side by side as by a walk for each', () => {
  const places = fc.uniqueArray(fc.integer({ min: 0, max: 7 }));
  const pages = fc.integer({ min: 0, max: 8 * 512 });
  fc.assert(
    fc.property(fc.constantFrom(...BASES), places, pages, pages, (base, used, one, other) => {
      const { tables, space } = makeTables(base, used);
      const [from, end] = [Math.min(one, other), Math.max(one, other)].map((page) => base + page * PAGE);
      const walked: number[][] = [];
      for (let address = from; tables.next(space, address, end); address = tables.end) {
        walked.push([tables.at, tables.start, tables.end]);
      }
      const found: number[][] = [];
      for (let address = from; tables.next(space, address, end); address = tables.end) {
        do found.push([tables.at, tables.start, tables.end]);
        while (tables.nextBeside(end));
      }
      expect(found).toEqual(walked);
    }),
  );
});
