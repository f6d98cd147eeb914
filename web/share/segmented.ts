/** The same story under segmentation: the kernel of src/segments on a machine of its own. */

import { formatHex, PAGE_BYTES } from '../../hw/base/address.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import { SegmentedCore } from '../../hw/x86/segmentation/core.js';
import { describeDescriptor } from '../../hw/x86/segmentation/describe.js';
import { errnoName } from '../../src/kernel/abi/errno.js';
import { SegmentKernel } from '../../src/segments/kernel.js';
import type { SegmentProcess } from '../../src/segments/process.js';
import type { Segment, SegmentEntry } from '../../src/segments/segment-table.js';
import { type Piece, type ProcessDrawing, PROGRAM, type SharedRegion, type Row, ShareMachine } from './machine.js';

const TABLE_BYTES = 0x1_0000;
const ARENA_BYTES = 0x2_0000;

export class SegmentedShare extends ShareMachine<SegmentProcess> {
  readonly kernel = new SegmentKernel({
    core: new SegmentedCore(new Mmu({ ram: new Ram({ bytes: TABLE_BYTES + ARENA_BYTES }) })),
  });
  /** Selectors of the program's segments, by PID and in the order of {@link PROGRAM}. */
  readonly #selectors = new Map<number, readonly number[]>();
  readonly #names = new Map<Segment, string>();

  protected override get running(): ReadonlyMap<number, SegmentProcess> {
    return this.kernel.memory.processes;
  }

  protected override spawn(): SegmentProcess | number {
    return this.kernel.spawn();
  }

  protected override load(process: SegmentProcess): number {
    const selectors: number[] = [];
    for (const region of PROGRAM) {
      const kind = region.rights === 'r-x' ? 'code' : 'data';
      const selector = this.kernel.create(process, { kind, bytes: region.pages * PAGE_BYTES });
      if (selector < 0) return selector;
      const segment = process.entry(selector)?.segment;
      if (segment !== undefined) this.#names.set(segment, region.name);
      selectors.push(region.shared ? this.kernel.publish(process, selector) : selector);
    }
    this.#selectors.set(process.pid, selectors);
    return 0;
  }

  protected override fork(process: SegmentProcess): SegmentProcess | number {
    const child = this.kernel.fork(process);
    if (typeof child !== 'number') this.#selectors.set(child.pid, this.#selectors.get(process.pid) ?? []);
    return child;
  }

  /** The kernel has no exec: the process gives up its segments one by one. */
  protected override clear(process: SegmentProcess): number {
    for (const selector of this.#selectors.get(process.pid) ?? []) this.kernel.remove(process, selector);
    return 0;
  }

  protected override exit(process: SegmentProcess): void {
    this.kernel.exit(process);
  }

  #selector({ pid }: SegmentProcess, region: SharedRegion): number {
    return this.#selectors.get(pid)?.[PROGRAM.indexOf(region)] ?? 0;
  }

  protected override read(process: SegmentProcess, region: SharedRegion, page: number): number {
    return this.kernel.load(process, this.#selector(process, region), page * PAGE_BYTES, 1);
  }

  protected override write(process: SegmentProcess, region: SharedRegion, page: number, byte: number): number {
    return this.kernel.store(process, this.#selector(process, region), page * PAGE_BYTES, 1, byte & 0xff);
  }

  protected override totals(): Readonly<Record<string, number>> {
    const { counters, memory } = this.kernel;
    let tables = memory.gdt.bytes;
    for (const { table } of memory.processes.values()) tables += table.bytes;
    return {
      faults: memory.core.exceptions,
      copies: counters.cowFaults,
      're-uses': counters.reuseFaults,
      'bytes copied': counters.bytesCopied,
      'descriptors copied by fork': counters.forkDescriptorsCopied,
      'bytes of descriptors': tables,
      'descriptors written': counters.descriptorsWritten,
      'registers reloaded': counters.reloads,
    };
  }

  protected override explain(before: Readonly<Record<string, number>>): string {
    const now = this.totals();
    const rose = (name: string): boolean => now[name] > before[name];
    if (rose('copies')) return '#GP, and the kernel copies the whole segment, because others have it too';
    if (rose('re-uses')) return '#GP, but nobody else has the segment: it becomes writable in place, nothing is copied';
    return rose('faults') ? 'a fault that the kernel resolves' : 'no fault';
  }

  protected override nameOf(result: number): string {
    return errnoName(result);
  }

  override get processes(): readonly ProcessDrawing[] {
    return [...this.kernel.memory.processes.values()].map((process) => ({
      pid: process.pid,
      parent: process.parent?.pid ?? null,
      tables: `LDT of ${process.table.used.length} descriptors, ${process.table.bytes} bytes, at ${formatHex(0, process.table.base)}`,
      rows: PROGRAM.flatMap((region) => {
        const entry = process.entry(this.#selector(process, region));
        return entry === undefined ? [] : [this.#row(entry, region)];
      }),
    }));
  }

  #row(entry: SegmentEntry, region: SharedRegion): Row {
    const { ram } = this.kernel.memory;
    const low = ram.load64(0, entry.table.addressOf(entry.index));
    const where = entry.table.isLocal ? 'LDT' : 'GDT, for all';
    return {
      region,
      page: 0,
      place: `selector ${formatHex(0, entry.selector)} (${where})`,
      entry: describeDescriptor(ram.loadedHigh, low),
      state: !entry.segment.present
        ? 'absent'
        : entry.cow
          ? 'copy on write'
          : entry.mayWrite
            ? 'writable'
            : 'read-only',
      to: entry.segment.present ? String(entry.segment.id) : null,
    };
  }

  /** Segments and the holes between them, in the order of their addresses. */
  override get memory(): readonly Piece[] {
    const { arena, segments, ram } = this.kernel.memory;
    const present = [...segments].filter((segment) => segment.present);
    const pieces = present.map((segment) => ({
      base: segment.base,
      id: String(segment.id),
      title: formatHex(0, segment.base),
      about: `${this.#names.get(segment) ?? 'a copy'}, ${segment.bytes / 1024} KiB`,
      count: segment.references,
      byte: ram.load8(0, segment.base),
    }));
    const holes = arena.holes.map(({ base, bytes }) => ({
      base,
      id: `hole${base}`,
      title: formatHex(0, base),
      about: `hole, ${bytes / 1024} KiB`,
      count: null,
      byte: null,
    }));
    return [...pieces, ...holes].sort((a, b) => a.base - b.base);
  }
}
