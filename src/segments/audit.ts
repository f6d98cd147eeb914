/** The audit: everything counted again from the descriptors in RAM, and compared with the kernel's books. */

import { ACCESSED } from '../../hw/x86/segmentation/descriptor.js';
import { formatHex } from '../../hw/base/address.js';
import type { SegmentMemory } from './memory.js';
import type { Segment, SegmentEntry, SegmentTable } from './segment-table.js';
import { descriptorOf } from './segment-table.js';

class Audit {
  readonly problems: string[] = [];
  /** Entries found by segment. */
  readonly #found = new Map<Segment, SegmentEntry[]>();

  constructor(private readonly memory: SegmentMemory) {}

  private report(text: string): void {
    this.problems.push(text);
  }

  tables(): void {
    const { gdt, processes } = this.memory;
    this.#table(gdt, 'GDT');
    for (const process of processes.values()) this.#table(process.table, `process ${process.pid}`);
    for (const master of gdt.used) {
      const holders = [...processes.values()].filter((process) => process.masters.has(master)).length;
      if (holders !== master.holders) {
        this.report(`GDT descriptor ${master.index}: ${holders} processes hold it, ${master.holders} are counted`);
      }
    }
    this.#tableMemory();
  }

  #table(table: SegmentTable, name: string): void {
    for (const entry of table.used) {
      const found = this.#found.get(entry.segment);
      if (found === undefined) this.#found.set(entry.segment, [entry]);
      else found.push(entry);
    }
    for (let index = table.reserved; index < table.capacity; index++) {
      this.#descriptor(table, index, `${name}: descriptor ${index}`);
    }
  }

  #descriptor(table: SegmentTable, index: number, name: string): void {
    const { ram } = this.memory;
    const entry = table.entries[index] ?? null;
    const low = ram.load64(0, table.addressOf(index));
    const high = ram.loadedHigh & ~ACCESSED;
    const right = entry === null ? { hi: 0, lo: 0 } : descriptorOf(entry);
    if (high === right.hi && low === right.lo) return;
    this.report(`${name} is ${formatHex(high, low)} in RAM, and should be ${formatHex(right.hi, right.lo)}`);
  }

  #tableMemory(): void {
    const { processes, tableArena } = this.memory;
    const pieces = [...processes.values()].map(({ pid, table }) => {
      return { base: table.base, bytes: table.capacity * 8, name: `the table of process ${pid}` };
    });
    this.#covered(pieces, tableArena.holes, tableArena.base, tableArena.bytes, 'table memory');
  }

  /** Pieces and holes must fill `[base, base + bytes)` without gap or overlap. */
  #covered(
    pieces: readonly { base: number; bytes: number; name: string }[],
    holes: readonly { base: number; bytes: number }[],
    base: number,
    bytes: number,
    where: string,
  ): void {
    const all = [...pieces, ...holes.map((hole) => ({ ...hole, name: 'a hole' }))].sort((a, b) => a.base - b.base);
    let end = base;
    let last = 'the start';
    for (const piece of all) {
      const at = formatHex(0, piece.base);
      if (piece.base < end) this.report(`${where}: ${piece.name} at ${at} overlaps ${last}`);
      if (piece.base > end) this.report(`${where}: ${piece.base - end} bytes before ${at} are leaked`);
      end = piece.base + piece.bytes;
      last = piece.name;
    }
    if (end !== base + bytes) this.report(`${where}: ${base + bytes - end} bytes at its end are leaked`);
  }

  segments(): void {
    const { arena, segments, swap } = this.memory;
    const pieces = [...segments].filter((segment) => segment.present);
    this.#covered(
      pieces.map(({ base, room, id }) => ({ base, bytes: room, name: `segment ${id}` })),
      arena.holes,
      arena.base,
      arena.bytes,
      'arena',
    );
    let swapped = 0;
    for (const segment of segments) {
      if (!segment.present) swapped += segment.room;
      this.#segment(segment, this.#found.get(segment) ?? []);
      this.#found.delete(segment);
    }
    for (const segment of this.#found.keys()) this.report(`segment ${segment.id} is freed, and described`);
    if (swapped !== swap.used) this.report(`swap area: ${swapped} bytes are there, ${swap.used} are accounted`);
  }

  #segment(segment: Segment, entries: readonly SegmentEntry[]): void {
    const name = `segment ${segment.id}`;
    if (entries.length === 0) this.report(`${name} is leaked: no descriptor leads to it`);
    if (entries.length !== segment.entries.size || entries.some((entry) => !segment.entries.has(entry))) {
      this.report(`${name}: ${entries.length} descriptors lead to it, ${segment.entries.size} are counted`);
    }
    if (segment.bytes > segment.room) this.report(`${name}: ${segment.bytes} bytes in room for ${segment.room}`);
    const writers = entries.filter((entry) => entry.mayWrite && !entry.cow && !entry.shared);
    if (writers.length > 0 && entries.length > 1) {
      this.report(`${name}: writable by a process that shares it unawares with ${entries.length - 1} others`);
    }
    if (entries.some((entry) => entry.shared && entry.cow)) this.report(`${name}: shared, and copied on write`);
    const aware = entries.filter((entry) => entry.shared).length;
    if (aware > 0 && aware < entries.length && entries.some((entry) => entry.mayWrite)) {
      this.report(`${name}: shared by some on purpose and by others by copy-on-write`);
    }
  }
}

/** The faults of the kernel's books, a line each; empty when every byte is accounted for. */
export function auditSegments(memory: SegmentMemory): string[] {
  const run = new Audit(memory);
  run.tables();
  run.segments();
  return [...run.problems, ...memory.core.staleRegisters()];
}
