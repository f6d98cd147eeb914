/**
 * A segment table: an LDT (or the GDT) in guest RAM, and the kernel's knowledge of each of its descriptors.
 * Source: Intel SDM vol. 3A, "Segment Descriptor Tables".
 */

import type { Ram } from '../../hw/memory/ram.js';
import { ACCESSED, packSegment } from '../../hw/x86/segmentation/descriptor.js';

/** Types of descriptors (bits 11:8 without the accessed bit). Source: SDM vol. 3A, "Code- and Data-Segment Types". */
export const READ_ONLY_DATA = 0;
export const WRITABLE_DATA = 2;
export const READABLE_CODE = 10;

/** Bytes of a descriptor. */
export const DESCRIPTOR_BYTES = 8;
/** The level of programs: their descriptors' DPL and their selectors' RPL. */
export const USER_LEVEL = 3;
const TABLE_INDICATOR = 4;
/** The largest limit of a descriptor that counts in bytes; above it, it counts in units of 4 KiB. */
const MOST_BYTES_EXACT = 2 ** 20;
const LIMIT_UNIT = 4096;

/** {@link Segment.base} of a segment that is swapped out. */
export const SWAPPED_OUT = -1;

/** A segment: one contiguous piece of memory, and everyone who reaches it. */
export class Segment {
  /** Physical address of byte 0, or {@link SWAPPED_OUT}. */
  base = SWAPPED_OUT;
  /** The entries whose descriptors point here: when the segment moves, all of them are written again. */
  readonly entries = new Set<SegmentEntry>();
  /** The contents, while they are not in memory. */
  swapped: Int32Array | null = null;

  /**
   * @param bytes valid bytes: the limit is one less
   * @param asked bytes that the program asked for; what is more is lost inside
   * @param room bytes taken from the arena
   */
  constructor(
    readonly id: number,
    public bytes: number,
    public asked: number,
    public room: number,
  ) {}

  get present(): boolean {
    return this.swapped === null;
  }

  /** Processes that reach the segment, by whatever entry. */
  get references(): number {
    let count = 0;
    for (const entry of this.entries) count += entry.holders;
    return count;
  }
}

/** One descriptor, and the right of the process (or processes, in the GDT) to its segment. */
export class SegmentEntry {
  /** Write-protected only until somebody writes: the process may write, but must have a segment of its own first. */
  cow = false;
  /** Sees the writes of the other processes on purpose, and stays so over fork. */
  shared = false;
  /** Processes with this descriptor: 1 in an LDT. */
  holders = 1;

  /** @param type the rights of the process: one of the descriptor types of this file */
  constructor(
    readonly table: SegmentTable,
    readonly index: number,
    public segment: Segment,
    readonly type: number,
  ) {}

  /** Its selector for programs. */
  get selector(): number {
    return (this.index << 3) | (this.table.isLocal ? TABLE_INDICATOR : 0) | USER_LEVEL;
  }

  get mayWrite(): boolean {
    return this.type === WRITABLE_DATA;
  }
}

/** The number of a selector's descriptor. */
export function indexOf(selector: number): number {
  return selector >>> 3;
}

export class SegmentTable {
  /** By descriptor number; null if the table has none. */
  readonly entries: (SegmentEntry | null)[] = [];

  /**
   * @param base physical address
   * @param capacity room in descriptors
   * @param reserved the kernel's own descriptors, at the start
   */
  constructor(
    readonly ram: Ram,
    public base: number,
    public capacity: number,
    readonly isLocal: boolean,
    readonly reserved: number,
  ) {}

  /** Bytes up to the last descriptor in use. */
  get bytes(): number {
    return Math.max(this.entries.length, this.reserved) * DESCRIPTOR_BYTES;
  }

  /** Descriptors in use, the kernel's own left out. */
  get used(): readonly SegmentEntry[] {
    return this.entries.filter((entry) => entry !== null);
  }

  /** The lowest free descriptor number; may be {@link capacity}, when the table must grow first. */
  get freeIndex(): number {
    const free = this.entries.indexOf(null, this.reserved);
    return free < 0 ? Math.max(this.entries.length, this.reserved) : free;
  }

  hasEntry(index: number): boolean {
    return (this.entries[index] ?? null) !== null;
  }

  at(selector: number): SegmentEntry | undefined {
    return this.entries[indexOf(selector)] ?? undefined;
  }

  /** Puts `entry` at its number, which must be below {@link capacity}. */
  set(entry: SegmentEntry): void {
    while (this.entries.length <= entry.index) this.entries.push(null);
    this.entries[entry.index] = entry;
    this.store(entry, false);
  }

  /** Empties a number: its descriptor becomes zero: an invalid system type, and not present. */
  clear(index: number): void {
    this.entries[index] = null;
    while (this.entries.length > 0 && this.entries.at(-1) === null) this.entries.pop();
    this.ram.store64(0, this.addressOf(index), 0, 0);
  }

  /** Stores the descriptor of `entry` as it has to be now; `keepAccessed` leaves its A bit as it is in RAM. */
  store(entry: SegmentEntry, keepAccessed = true): void {
    const accessed = keepAccessed && this.accessed(entry.index);
    const { hi, lo } = descriptorOf(entry);
    this.ram.store64(0, this.addressOf(entry.index), accessed ? hi | ACCESSED : hi, lo);
  }

  /** The A bit: the processor loaded the descriptor since the bit was last cleared. */
  accessed(index: number): boolean {
    return (this.ram.load32(0, this.addressOf(index) + 4) & ACCESSED) !== 0;
  }

  addressOf(index: number): number {
    return this.base + index * DESCRIPTOR_BYTES;
  }
}

/**
 * The right descriptor for `entry`, its A bit clear: the base and the last valid offset of its segment, P = 0 while
 * swapped out, and W = 0 while the process must not write yet.
 */
export function descriptorOf({ segment, type, cow }: SegmentEntry): { hi: number; lo: number } {
  const granular = segment.bytes > MOST_BYTES_EXACT;
  return packSegment({
    base: segment.present ? segment.base : 0,
    limit: granular ? segment.bytes / LIMIT_UNIT - 1 : segment.bytes - 1,
    type: cow ? READ_ONLY_DATA : type,
    codeOrData: true,
    privilege: USER_LEVEL,
    present: segment.present,
    available: false,
    long: false,
    big: true,
    granular,
  });
}

/** Valid bytes of a segment of `asked` bytes: above 1 MiB the limit can only name whole units of 4 KiB. */
export function validBytes(asked: number): number {
  return asked > MOST_BYTES_EXACT ? Math.ceil(asked / LIMIT_UNIT) * LIMIT_UNIT : asked;
}
