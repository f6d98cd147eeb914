/** Shared by all parts of the kernel: the frames, the tables, the pending invalidations and the counts. */

import type { Ram } from '../../../hw/memory/ram.js';
import { AddressSpace, AnonVma } from './model.js';
import type { FileObject, HugePagePolicy } from './model.js';
import { KernelCounters } from '../frames/counters.js';
import { ENOMEM } from '../abi/errno.js';
import { labelStores } from '../abi/store-label.js';
import { FRAME_KERNEL, Frames } from '../frames/frames.js';
import { LruBatches } from '../frames/lru-batches.js';
import { PageTables } from '../tables/page-table.js';
import type { Entries } from '../tables/entries.js';
import type { Architecture, Privileged, ProcessorMachine } from '../tables/privileged.js';
import { TableCopy } from '../tables/table-copy.js';
import { TlbBatch } from '../tables/tlb-batch.js';

/** log2 of the frames in a 2 MiB page, and the frames. */
export const HUGE_ORDER = 9;
export const HUGE_FRAMES = 512;
export const HUGE_BYTES = 2 ** 21;

export class Memory {
  readonly ram: Ram;
  readonly counters = new KernelCounters();
  readonly frames: Frames;
  readonly lru: LruBatches;
  /** Of the kernel's core. */
  readonly privileged: Privileged;
  readonly entries: Entries;
  readonly tables: PageTables;
  /** The batches of all cores; a new one adds itself. */
  readonly cores: TlbBatch[] = [];
  /** The batch of the kernel's core. */
  readonly tlb: TlbBatch;
  readonly tableCopy = new TableCopy();
  /** anon_vmas and file objects by id, the one in `Frames.owner`. */
  readonly anonVmas = new Map<number, AnonVma>();
  readonly objects = new Map<number, FileObject>();
  /** Objects with a mapping less, during this system call. */
  readonly unmapped = new Set<FileObject>();
  readonly spaces = new Set<AddressSpace>();
  /** The one page of zeros, behind every page read before it is written. */
  readonly zeroFrame: number;
  /** Head of the 2 MiB of zeros; 0 until it is first needed. */
  hugeZeroFrame = 0;
  #lastId = 0;

  /**
   * @param machine of this architecture, for the kernel to run on
   * @param clean the RAM holds nothing but zeros
   * @throws RangeError when the RAM has no frame for the kernel
   */
  constructor(
    readonly architecture: Architecture,
    machine: ProcessorMachine,
    clean: boolean,
  ) {
    this.ram = machine.ram;
    this.privileged = architecture.operationsOf(machine);
    this.entries = architecture.entriesIn(this.ram);
    this.frames = new Frames(this.ram, this.counters, clean);
    this.lru = new LruBatches(this.frames);
    this.tables = new PageTables(this.entries, this.frames, this.counters);
    this.zeroFrame = this.#ownFrame();
    this.tlb = new TlbBatch(this.privileged, this.frames, this.counters, this.#ownFrame(), this.cores);
  }

  /** A frame of zeros, the kernel's for good. */
  #ownFrame(): number {
    const frame = this.frames.allocateZeroed(0, FRAME_KERNEL);
    if (frame < 0) throw new RangeError(`RAM of ${this.ram.bytes} bytes is too small for a kernel: give it 64 KiB`);
    this.frames.pins[frame] = 1;
    return frame;
  }

  /** As {@link labelStores}. */
  label(name: string, numbers: readonly number[] = []): void {
    labelStores(this.ram, name, numbers);
  }

  /** An id for an object, for frames or VMAs to refer to; never used twice. */
  nextId(): number {
    this.#lastId++;
    return this.#lastId;
  }

  newAnonVma(parent: AnonVma | null): AnonVma {
    const anonVma = new AnonVma(this.nextId(), parent);
    this.anonVmas.set(anonVma.id, anonVma);
    return anonVma;
  }

  /** An empty address space, or ENOMEM. */
  newSpace(hugePages: HugePagePolicy): AddressSpace | typeof ENOMEM {
    const root = this.tables.allocate();
    if (root < 0) return ENOMEM;
    const space = new AddressSpace(this.nextId(), root, hugePages);
    this.spaces.add(space);
    return space;
  }

  /** Heads of the kernel's own folios, tables apart. */
  kernelFrames(): number[] {
    const own = [this.zeroFrame, this.tlb.idleRoot];
    return this.hugeZeroFrame === 0 ? own : [...own, this.hugeZeroFrame];
  }

  /** Whether `frame` is the zero page or part of the huge one. */
  isZeroFrame(frame: number): boolean {
    return frame === this.zeroFrame || this.isHugeZero(frame);
  }

  isHugeZero(frame: number): boolean {
    return this.hugeZeroFrame !== 0 && (frame & -HUGE_FRAMES) === this.hugeZeroFrame;
  }
}
