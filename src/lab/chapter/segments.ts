/**
 * Segment copy on write as the chapter's pseudocode has it, on real descriptors in an LDT for each process. It never
 * re-uses a segment with one owner left, and never counts the new one; with the right rule it does both.
 */

import { WRITE } from '../../../hw/base/access.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { SegmentedCore } from '../../../hw/x86/segmentation/core.js';
import { DS } from '../../../hw/x86/segmentation/register.js';
import { must } from '../../kernel/abi/must.js';
import { HoleArena } from '../../segments/arena/arena.js';
import { SegmentMemory } from '../../segments/memory.js';
import { Segment, SegmentEntry, WRITABLE_DATA } from '../../segments/segment-table.js';
import type { SegmentTable } from '../../segments/segment-table.js';
import { countOf } from '../../report/output/units.js';

const ARENA_BASE = 0x1_0000;
const ARENA_BYTES = 0x1_0000;
const BYTES = 4096;

export class ChapterSegments {
  readonly arena = new HoleArena(ARENA_BASE, ARENA_BYTES);
  readonly #memory: SegmentMemory;
  readonly #counts = new Map<Segment, number>();
  readonly #tables: SegmentTable[] = [];
  #lastId = 0;

  /** @param right the right rule instead of the pseudocode */
  constructor(readonly right: boolean) {
    const core = new SegmentedCore(new Mmu({ ram: new Ram({ bytes: ARENA_BASE + ARENA_BYTES }) }));
    this.#memory = new SegmentMemory(core, this.arena, 0);
    core.onException(() => this.#writeFault());
  }

  #allocate(): Segment {
    this.#lastId++;
    const segment = new Segment(this.#lastId, BYTES, BYTES, BYTES);
    segment.base = must(this.arena.allocate(BYTES));
    return segment;
  }

  /** A process with one segment of data. */
  spawn(): SegmentTable {
    const table = must(this.#memory.newTable());
    const segment = this.#allocate();
    this.#counts.set(segment, 1);
    this.#tables.push(table);
    this.#memory.addEntry(new SegmentEntry(table, 0, segment, WRITABLE_DATA));
    return table;
  }

  fork(parent: SegmentTable): SegmentTable {
    const table = must(this.#memory.newTable());
    this.#tables.push(table);
    for (const entry of parent.used) {
      const { segment } = entry;
      const copy = new SegmentEntry(table, entry.index, segment, entry.type);
      entry.cow = copy.cow = true;
      this.#counts.set(segment, (this.#counts.get(segment) ?? 0) + 1);
      this.#memory.update(entry);
      this.#memory.addEntry(copy);
    }
    return table;
  }

  /** The write fault of the pseudocode. */
  #writeFault(): boolean {
    const { core, loaded, ram } = this.#memory;
    const entry = loaded?.at(core.selector);
    if (core.instruction !== WRITE || entry?.cow !== true) return false;
    const old = entry.segment;
    const owners = this.#counts.get(old) ?? 0;
    if (!this.right || owners > 1) {
      const own = this.#allocate();
      ram.words.copyWithin(own.base / 4, old.base / 4, (old.base + old.room) / 4);
      this.#counts.set(old, owners - 1);
      this.#counts.set(own, this.right ? 1 : 0);
      entry.segment = own;
    }
    entry.cow = false;
    this.#memory.update(entry);
    return true;
  }

  exit(table: SegmentTable): void {
    for (const { segment } of table.used) {
      const owners = (this.#counts.get(segment) ?? 0) - 1;
      this.#counts.set(segment, owners);
      if (owners === 0) {
        this.arena.release(segment.base, segment.room);
        this.#counts.delete(segment);
      }
    }
    this.#tables.splice(this.#tables.indexOf(table), 1);
  }

  /** The program stores a byte at the start of its segment. */
  store(table: SegmentTable, value: number): void {
    const { core } = this.#memory;
    this.#memory.load(table);
    core.cpl = 3;
    must(core.storeTo(DS, table.used[0].selector, 0, 1, 0, value));
    core.cpl = 0;
  }

  /** Segments in memory, counted wrongly or out of everyone's reach. */
  audit(): string[] {
    const found = new Map<Segment, number>();
    for (const table of this.#tables) {
      for (const { segment } of table.used) found.set(segment, (found.get(segment) ?? 0) + 1);
    }
    return [...this.#counts].flatMap(([segment, owners]) => {
      const descriptors = found.get(segment) ?? 0;
      if (descriptors === owners) return [];
      const lost = descriptors === 0 ? ': its memory is lost' : '';
      return [
        `segment ${segment.id} counts ${owners}, and ${countOf(descriptors, 'descriptor leads', 'descriptors lead')} to it${lost}`,
      ];
    });
  }
}
