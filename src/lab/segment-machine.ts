/** A machine with the segmented kernel, as the labs use it: every step metered, the arena to be drawn. */

import { toHex } from '../../hw/base/address.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import { SegmentedCore } from '../../hw/x86/segmentation/core.js';
import { limitOf } from '../../hw/x86/segmentation/descriptor.js';
import { describeDescriptor } from '../../hw/x86/segmentation/describe.js';
import { must } from '../kernel/abi/must.js';
import type { ArenaDrawing, LabMapping, SchemeCost } from '../report/results/lab-result.js';
import type { SegmentKernelOptions } from '../segments/kernel.js';
import type { SegmentKind } from '../segments/sharing.js';
import { SegmentKernel } from '../segments/kernel.js';
import type { SegmentProcess } from '../segments/process.js';
import type { Segment } from '../segments/segment-table.js';
import { Meter, readCycles } from './meter.js';
import type { Work } from './meter.js';

/** Room below the arena for the tables. */
const TABLE_ROOM = 0x1_0000;

export class SegmentMachine {
  readonly kernel: SegmentKernel;
  readonly core: SegmentedCore;
  /** Names of segments in drawings. */
  private readonly names = new Map<Segment, string>();
  readonly #meter: Meter;
  #loadsBefore = 0;

  /** @param arenaBytes room for segments; 64 KiB of tables lie below */
  constructor(arenaBytes: number, options: Omit<SegmentKernelOptions, 'core'> = {}) {
    this.core = new SegmentedCore(new Mmu({ ram: new Ram({ bytes: TABLE_ROOM + arenaBytes }) }));
    this.kernel = new SegmentKernel({ core: this.core, ...options });
    this.#meter = new Meter(() => this.#work());
  }

  #work(): Work {
    const { counters, memory } = this.kernel;
    let tableBytes = memory.gdt.used.length * 8;
    for (const { table } of memory.processes.values()) tableBytes += table.bytes;
    return {
      bytesCopied: counters.bytesCopied,
      bytesMoved: counters.bytesMoved + counters.bytesSwapped + counters.bytesZeroed,
      tableBytes,
      faults: this.core.exceptions,
      entriesWritten: counters.descriptorsWritten,
      flushes: counters.reloads + counters.tableSwitches,
    };
  }

  cost(): SchemeCost {
    return this.#meter.cost(readCycles(this.core.segmentLoads - this.#loadsBefore));
  }

  /** Leaves all work so far out of the costs: it set the scene. */
  restartMeter(): void {
    this.#meter.restart();
    this.#loadsBefore = this.core.segmentLoads;
  }

  /** Does something with the kernel, and counts it. */
  run<T>(operation: (kernel: SegmentKernel) => T): T {
    return this.#meter.run(() => operation(this.kernel));
  }

  spawn(): SegmentProcess {
    return this.run((kernel) => must(kernel.spawn()));
  }

  fork(process: SegmentProcess): SegmentProcess {
    return this.run((kernel) => must(kernel.fork(process)));
  }

  /** A new segment; `name` for drawings. Returns its selector. */
  create(process: SegmentProcess, kind: SegmentKind, bytes: number, name: string, at?: number): number {
    const selector = this.run((kernel) => must(kernel.create(process, { kind, bytes, at })));
    this.names.set(this.segment(process, selector), name);
    return selector;
  }

  /** A new process with a segment of data, and `value` in its first byte. */
  spawnWithData(bytes: number, value = 1): { readonly process: SegmentProcess; readonly data: number } {
    const process = this.spawn();
    const data = this.create(process, 'data', bytes, 'data');
    this.store(process, data, 0, value);
    return { process, data };
  }

  share(process: SegmentProcess, selector: number, other: SegmentProcess): number {
    return this.run((kernel) => must(kernel.share(process, selector, other)));
  }

  /** Stores a byte; 0, ENOMEM or the signal to the process. */
  store(process: SegmentProcess, selector: number, offset: number, value: number): number {
    return this.run((kernel) => kernel.store(process, selector, offset, 1, value));
  }

  /** The byte at `selector:offset`, or the error. */
  load(process: SegmentProcess, selector: number, offset: number): number {
    const status = this.run((kernel) => kernel.load(process, selector, offset, 1));
    return status < 0 ? status : this.kernel.valueLo & 0xff;
  }

  /** Executes at `selector:offset`: 0, or the signal. */
  fetch(process: SegmentProcess, selector: number, offset: number): number {
    return this.run((kernel) => kernel.fetch(process, selector, offset, 1));
  }

  segment(process: SegmentProcess, selector: number): Segment {
    const segment = process.entry(selector)?.segment;
    if (segment === undefined) throw new Error(`process ${process.pid} has no segment with selector ${selector}`);
    return segment;
  }

  /** The descriptor as it is in RAM, in words. */
  descriptor(process: SegmentProcess, selector: number): string {
    const entry = process.entry(selector);
    if (entry === undefined) return 'no descriptor';
    const { ram } = this.kernel.memory;
    const low = ram.load64(0, entry.table.addressOf(entry.index));
    return describeDescriptor(ram.loadedHigh, low);
  }

  /** The segment as memory that the process has, under the name `who`. */
  mapping(who: string, process: SegmentProcess, selector: number): LabMapping {
    const [rights, base] = this.descriptor(process, selector).split(', ');
    return { who, at: `selector ${toHex(selector)}`, to: base, rights };
  }

  /** The limit field of the descriptor in RAM, as the processor reads it: the last valid offset. */
  limit(process: SegmentProcess, selector: number): number {
    const entry = process.entry(selector);
    if (entry === undefined) throw new Error(`process ${process.pid} has no segment with selector ${selector}`);
    const { ram } = this.kernel.memory;
    const low = ram.load64(0, entry.table.addressOf(entry.index));
    return limitOf(ram.loadedHigh, low) >>> 0;
  }

  /** Bytes of all segments in memory. */
  get usedBytes(): number {
    const { arena } = this.kernel.memory;
    return arena.bytes - arena.free;
  }

  /** The arena as it is now. */
  get drawing(): ArenaDrawing {
    const { arena, segments } = this.kernel.memory;
    const taken = [...segments].flatMap((segment) => {
      const name = this.names.get(segment) ?? `Copy ${segment.id}`;
      return segment.present ? [{ base: segment.base, bytes: segment.room, name }] : [];
    });
    const pieces = [...taken, ...arena.holes].sort((a, b) => a.base - b.base);
    return { base: arena.base, bytes: arena.bytes, pieces };
  }
}
