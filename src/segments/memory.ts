/** Shared by all parts of the segmented kernel: processor, RAM, arena, tables and counts. */

import type { Ram } from '../../hw/memory/ram.js';
import type { SegmentedCore } from '../../hw/x86/segmentation/core.js';
import { ENOMEM } from '../kernel/abi/errno.js';
import type { Arena } from './arena/arena.js';
import { HoleArena } from './arena/arena.js';
import { SegmentCounters } from './counters.js';
import type { SegmentProcess } from './process.js';
import { DESCRIPTOR_BYTES, Segment, SegmentTable, USER_LEVEL } from './segment-table.js';
import type { SegmentEntry } from './segment-table.js';
import { SwapArea } from './arena/swap.js';
import { installGdt, LDT_DESCRIPTOR, loadTable } from './system-table.js';

/** The address of the GDT, and its room in descriptors. */
const GDT_BASE = 0x1000;
const GDT_ENTRIES = 512;
const TABLES_BASE = GDT_BASE + GDT_ENTRIES * DESCRIPTOR_BYTES;
/** The room of a new LDT in descriptors; it doubles when it is full. */
const FIRST_CAPACITY = 8;
/** The index of a selector has 13 bits. */
export const MOST_DESCRIPTORS = 8192;

export class SegmentMemory {
  readonly ram: Ram;
  readonly counters = new SegmentCounters();
  readonly gdt: SegmentTable;
  readonly processes = new Map<number, SegmentProcess>();
  readonly segments = new Set<Segment>();
  readonly swap: SwapArea;
  /** Room for LDTs, between the GDT and the arena. */
  readonly tableArena: HoleArena;
  /** The table of the processor's LDT. */
  loaded: SegmentTable | null = null;
  /** The next segment for swapping: the hand of the clock. */
  hand = 0;
  #lastId = 0;

  constructor(
    readonly core: SegmentedCore,
    readonly arena: Arena,
    swapBytes: number,
  ) {
    this.ram = core.mmu.ram;
    this.swap = new SwapArea(swapBytes);
    this.tableArena = new HoleArena(TABLES_BASE, arena.base - TABLES_BASE);
    this.gdt = new SegmentTable(this.ram, GDT_BASE, GDT_ENTRIES, false, LDT_DESCRIPTOR + 1);
    installGdt(core, this.gdt);
  }

  /** The end of the GDT. Tables, then the arena, may begin here. */
  static get firstArenaBase(): number {
    return TABLES_BASE;
  }

  /** A segment of `room` bytes of the arena at `base`; its contents are those found there. */
  newSegment(base: number, bytes: number, asked: number, room: number): Segment {
    this.#lastId++;
    const segment = new Segment(this.#lastId, bytes, asked, room);
    segment.base = base;
    this.segments.add(segment);
    this.counters.segmentsCreated++;
    return segment;
  }

  /** An empty LDT with room for `capacity` descriptors, or ENOMEM. */
  newTable(capacity = FIRST_CAPACITY): SegmentTable | number {
    const base = this.#tableRoom(capacity);
    return base < 0 ? base : new SegmentTable(this.ram, base, capacity, true, 0);
  }

  /** Memory of zeros for `capacity` descriptors, or ENOMEM. */
  #tableRoom(capacity: number): number {
    const bytes = capacity * DESCRIPTOR_BYTES;
    const base = this.tableArena.allocate(bytes);
    if (base >= 0) this.ram.words.fill(0, base / 4, (base + bytes) / 4);
    return base;
  }

  /** Gives an LDT's memory back; its entries are gone before. */
  freeTable(table: SegmentTable): void {
    if (this.loaded === table) this.unload();
    this.tableArena.release(table.base, table.capacity * DESCRIPTOR_BYTES);
  }

  /** Makes room for descriptor `index`, moving the LDT if it must. Returns 0 or ENOMEM. */
  ensureRoom(table: SegmentTable, index: number): number {
    if (index < table.capacity) return 0;
    let capacity = table.capacity * 2;
    while (capacity <= index) capacity *= 2;
    if (!table.isLocal || capacity > MOST_DESCRIPTORS) return ENOMEM;
    const base = this.#tableRoom(capacity);
    if (base < 0) return base;
    const words = (table.capacity * DESCRIPTOR_BYTES) / 4;
    this.ram.words.copyWithin(base / 4, table.base / 4, table.base / 4 + words);
    this.ram.journal?.note(base / 4, base / 4 + words - 1, this.ram.storeLabel);
    this.tableArena.release(table.base, table.capacity * DESCRIPTOR_BYTES);
    table.base = base;
    table.capacity = capacity;
    if (this.loaded === table) loadTable(this.core, this.gdt, table);
    return 0;
  }

  /** Adds a descriptor for `segment`; {@link ensureRoom} has been called. */
  addEntry(entry: SegmentEntry): void {
    entry.segment.entries.add(entry);
    this.counters.descriptorsWritten++;
    entry.table.set(entry);
    // The limit of LDTR covers the descriptors in use.
    if (this.loaded === entry.table) loadTable(this.core, this.gdt, entry.table);
  }

  /** The descriptor of `entry` has to change: stores it, and reloads the registers with the old one. */
  update(entry: SegmentEntry): void {
    this.counters.descriptorsWritten++;
    entry.table.store(entry);
    this.refresh(entry);
  }

  /** Reloads the registers with the descriptor of `entry`. */
  refresh(entry: SegmentEntry): void {
    if (entry.table.isLocal && this.loaded !== entry.table) return;
    // A program may put any RPL into a selector: the descriptor is the same.
    const lowest = entry.selector & ~USER_LEVEL;
    for (let rpl = 0; rpl <= USER_LEVEL; rpl++) this.counters.reloads += this.core.reload(lowest | rpl);
  }

  /** Makes `table` the one for selectors with TI = 1. */
  load(table: SegmentTable): void {
    if (this.loaded === table) return;
    this.loaded = table;
    this.counters.tableSwitches++;
    this.core.forgetSegments();
    loadTable(this.core, this.gdt, table);
  }

  /** Takes the processor off its LDT, as the LDT is about to go. */
  private unload(): void {
    this.loaded = null;
    this.core.forgetSegments();
    loadTable(this.core, this.gdt, null);
  }
}
