/**
 * Segment copy on write as the chapter's pseudocode has it, on real descriptors in an LDT for each process. fork counts
 * only descriptors that are writable, and keeps its counts by base, as if no segment ever moved. The write fault never
 * re-uses a segment with one owner left, never counts the new one, and copies from the base it read before compaction
 * moved the segment. With the right rule it does all of it.
 */

import { WRITE } from '../../../hw/base/access.js';
import { toHex } from '../../../hw/base/address.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { SegmentedCore } from '../../../hw/x86/segmentation/core.js';
import { DS } from '../../../hw/x86/segmentation/register.js';
import { must } from '../../kernel/abi/must.js';
import { HoleArena } from '../../segments/arena/arena.js';
import { compact } from '../../segments/arena/compaction.js';
import { SegmentMemory } from '../../segments/memory.js';
import { SegmentEntry, WRITABLE_DATA } from '../../segments/segment-table.js';
import type { Segment, SegmentTable } from '../../segments/segment-table.js';
import type { ArenaDrawing, LabMapping } from '../../report/results/lab-result.js';
import { countOf } from '../../report/output/units.js';

const ARENA_BASE = 0x1_0000;
const ARENA_BYTES = 0x1_0000;
const BYTES = 4096;

export class ChapterSegments {
  readonly arena = new HoleArena(ARENA_BASE, ARENA_BYTES);
  readonly #memory: SegmentMemory;
  /** The reference counts: by segment, but by base in the pseudocode. */
  readonly #counts = new Map<Segment | number, number>();
  readonly #tables: SegmentTable[] = [];

  /** @param right the right rule instead of the pseudocode */
  constructor(private readonly right: boolean) {
    const core = new SegmentedCore(new Mmu({ ram: new Ram({ bytes: ARENA_BASE + ARENA_BYTES }) }));
    this.#memory = new SegmentMemory(core, this.arena, 0);
    core.onException(() => this.#writeFault());
  }

  /** allocate_contiguous_memory of the pseudocode, and compaction when there is no hole. */
  #allocate(bytes: number): Segment {
    let base = this.arena.allocate(bytes);
    if (base < 0 && compact(this.#memory)) base = this.arena.allocate(bytes);
    return this.#memory.newSegment(must(base), bytes, bytes, bytes);
  }

  #keyOf(segment: Segment): Segment | number {
    return this.right ? segment : segment.base;
  }

  #countOf(segment: Segment): number {
    return this.#counts.get(this.#keyOf(segment)) ?? 0;
  }

  /** A process with one segment of data. */
  spawn(bytes = BYTES): SegmentTable {
    const table = must(this.#memory.newTable());
    const segment = this.#allocate(bytes);
    this.#counts.set(this.#keyOf(segment), 1);
    this.#tables.push(table);
    this.#memory.addEntry(new SegmentEntry(table, 0, segment, WRITABLE_DATA));
    return table;
  }

  /** fork_segmented of the pseudocode. */
  fork(parent: SegmentTable): SegmentTable {
    const table = must(this.#memory.newTable());
    this.#tables.push(table);
    for (const entry of parent.used) {
      const { segment } = entry;
      const copy = new SegmentEntry(table, entry.index, segment, entry.type);
      const writable = !entry.cow;
      entry.cow = copy.cow = true;
      if (writable || this.right) this.#counts.set(this.#keyOf(segment), this.#countOf(segment) + 1);
      this.#memory.update(entry);
      this.#memory.addEntry(copy);
    }
    return table;
  }

  /** The write fault of the pseudocode. */
  #writeFault(): boolean {
    const { core, loaded } = this.#memory;
    const entry = loaded?.at(core.selector);
    if (core.instruction !== WRITE || entry?.cow !== true) return false;
    if (!this.right || this.#countOf(entry.segment) > 1) this.#copy(entry);
    entry.cow = false;
    this.#memory.update(entry);
    return true;
  }

  /** Gives `entry` a segment of its own with the contents of the one it has. */
  #copy(entry: SegmentEntry): void {
    const { words } = this.#memory.ram;
    const old = entry.segment;
    const oldBase = old.base;
    const own = this.#allocate(old.room);
    // Compaction may have moved the old segment: its base is read again, but not in the pseudocode.
    const from = this.right ? old.base : oldBase;
    const counted = this.right ? old : oldBase;
    words.copyWithin(own.base / 4, from / 4, (from + old.room) / 4);
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) - 1);
    this.#counts.set(this.#keyOf(own), this.right ? 1 : 0);
    old.entries.delete(entry);
    own.entries.add(entry);
    entry.segment = own;
  }

  exit(table: SegmentTable): void {
    for (const entry of table.used) {
      const { segment } = entry;
      const owners = this.#countOf(segment) - 1;
      this.#counts.set(this.#keyOf(segment), owners);
      segment.entries.delete(entry);
      if (owners === 0) {
        this.arena.release(segment.base, segment.room);
        this.#memory.segments.delete(segment);
        this.#counts.delete(this.#keyOf(segment));
      }
    }
    this.#tables.splice(this.#tables.indexOf(table), 1);
  }

  /** The program stores a byte at `offset` of its segment. */
  store(table: SegmentTable, value: number, offset = 0): void {
    const { core } = this.#memory;
    this.#memory.load(table);
    core.cpl = 3;
    must(core.storeTo(DS, table.used[0].selector, offset, 1, 0, value));
    core.cpl = 0;
  }

  /** The byte at `offset` of a process's segment, as it is in memory. */
  load(table: SegmentTable, offset = 0): number {
    return this.#memory.ram.load8(0, this.baseOf(table) + offset);
  }

  /** Physical address of a process's segment. */
  baseOf(table: SegmentTable): number {
    return table.used[0].segment.base;
  }

  /** A process's segment as memory that it has, under the name `who`. */
  mapping(who: string, table: SegmentTable): LabMapping {
    const [{ selector, segment, cow }] = table.used;
    const rights = cow ? 'read-only' : 'writable';
    return { who, at: `selector ${toHex(selector)}`, to: `base ${toHex(segment.base)}`, rights };
  }

  /** Memory as it lies. @param named names of segments, each with a process that has it */
  drawing(named: readonly (readonly [name: string, table: SegmentTable])[]): ArenaDrawing {
    const segments = named.map(([name, table]) => {
      const { base, room } = table.used[0].segment;
      return { base, bytes: room, name };
    });
    const { base, bytes, holes } = this.arena;
    return { base, bytes, pieces: [...segments, ...holes].sort((a, b) => a.base - b.base) };
  }

  /** Segments in memory, counted wrongly or out of everyone's reach. */
  audit(): string[] {
    const found = new Map<Segment, number>();
    for (const segment of this.#memory.segments) found.set(segment, 0);
    for (const table of this.#tables) {
      for (const { segment } of table.used) found.set(segment, (found.get(segment) ?? 0) + 1);
    }
    return [...found].flatMap(([segment, descriptors]) => {
      const owners = this.#countOf(segment);
      if (descriptors === owners) return [];
      const state = this.#memory.segments.has(segment) ? `counts ${owners}` : 'is free';
      const lost = descriptors === 0 ? ': its memory is lost' : '';
      return [
        `segment ${segment.id} ${state}, and ${countOf(descriptors, 'descriptor leads', 'descriptors lead')} to it${lost}`,
      ];
    });
  }
}
