/**
 * The segmented kernel: processes with memory in segments, over one processor and its RAM.
 *
 * Paging is off, so a segment lies contiguously in physical memory. The kernel reaches all of RAM directly; processes
 * reach it through selectors, and the segmentation unit checks every access. Errors are negative numbers of errno.ts,
 * signals those of signal.ts.
 */

import { CS, DS, SEGMENT_NAMES } from '../../hw/x86/segmentation/register.js';
import type { Exception } from '../../hw/base/fault.js';
import type { SegmentedCore } from '../../hw/x86/segmentation/core.js';
import { checkChoice, checkSize, checkWhole, isWhole } from '../kernel/abi/arguments.js';
import { EACCES, EBUSY, EEXIST, EFAULT, EINVAL, ENOMEM, ESRCH } from '../kernel/abi/errno.js';
import { labelStores } from '../kernel/abi/store-label.js';
import { findRoom, swapOut } from './arena/allocation.js';
import { FITS, HoleArena, roundUp } from './arena/arena.js';
import type { Arena, Fit } from './arena/arena.js';
import { auditSegments } from './audit.js';
import { BuddyArena } from './arena/buddy-arena.js';
import { compact } from './arena/compaction.js';
import type { SegmentCounters } from './counters.js';
import { segmentFault } from './fault.js';
import { forkTable, releaseTable } from './fork.js';
import { resize } from './grow.js';
import { MOST_DESCRIPTORS, SegmentMemory } from './memory.js';
import { dropEntry, makeOwn } from './ownership.js';
import { SegmentProcess } from './process.js';
import { validBytes } from './segment-table.js';
import type { SegmentTable } from './segment-table.js';
import { describeSegment, holdMaster, publishSegment, SEGMENT_TYPES, shareSegment } from './sharing.js';
import type { SegmentKind, SharePlacement } from './sharing.js';

export interface SegmentKernelOptions {
  /** The processor; its RAM is the kernel's to use. */
  readonly core: SegmentedCore;
  /** How segments are placed; first fit when absent. */
  readonly fit?: Fit | 'buddy';
  /** The place of segments, bytes, multiples of 4096; from 64 KiB to the end of RAM when absent. */
  readonly arenaBase?: number;
  readonly arenaBytes?: number;
  /** The size of the swap area, bytes; no bound when absent. */
  readonly swapBytes?: number;
}

export interface CreateRequest {
  readonly kind: SegmentKind;
  /** Above 0, below 2^32; above 1 MiB it is rounded up to whole 4 KiB. */
  readonly bytes: number;
  /** Physical address, a multiple of 16; any free one when absent. */
  readonly at?: number | undefined;
}

/** The answer of a fault handler that did the instruction's work itself. */
export const COMPLETED = 1;

const DEFAULT_ARENA_BASE = 0x1_0000;
const MOST_BYTES = 2 ** 32;

function arenaFor(options: SegmentKernelOptions): Arena {
  const ramBytes = options.core.mmu.ram.frames * 4096;
  const base = options.arenaBase ?? DEFAULT_ARENA_BASE;
  const bytes = options.arenaBytes ?? ramBytes - base;
  const fits = base >= SegmentMemory.firstArenaBase + 64 && bytes > 0 && base + bytes <= ramBytes;
  if (!fits || base % 4096 !== 0 || bytes % 4096 !== 0) {
    throw new RangeError(
      `arena of ${bytes} bytes at ${base}: both must be multiples of 4096, and it must lie between the tables and the end of RAM (${ramBytes})`,
    );
  }
  const fit = options.fit ?? 'first';
  checkChoice('fit', fit, [...FITS, 'buddy']);
  return fit === 'buddy' ? new BuddyArena(base, bytes) : new HoleArena(base, bytes, fit);
}

/** Refuses an access impossible for instructions of a 32-bit program. @throws RangeError */
function checkProgramAccess(register: number, selector: number, offset: number): void {
  checkWhole('register', register, 0, SEGMENT_NAMES.length - 1);
  checkWhole('selector', selector, 0, 0xffff);
  checkWhole('offset', offset, 0, MOST_BYTES - 1);
}

function isSize(bytes: number): boolean {
  return isWhole(bytes, 1, MOST_BYTES - 1);
}

export class SegmentKernel {
  readonly memory: SegmentMemory;
  /** The low and high word of the last load. */
  valueLo = 0;
  valueHi = 0;
  /**
   * Asked before the kernel's own fault handling, for systems built on this one: 0 restarts the instruction,
   * {@link COMPLETED} does not, below 0 ends it with that result, undefined passes the fault on.
   */
  intercept: ((process: SegmentProcess, exception: Exception) => number | undefined) | null = null;
  #current: SegmentProcess | null = null;
  #result = 0;
  #lastPid = 0;

  /** @throws RangeError for an arena that does not fit into RAM, an unknown fit, or a swap area of no size. */
  constructor(options: SegmentKernelOptions) {
    const { swapBytes = Infinity } = options;
    if (swapBytes !== Infinity) checkWhole('swapBytes', swapBytes, 0, Number.MAX_SAFE_INTEGER);
    this.memory = new SegmentMemory(options.core, arenaFor(options), swapBytes);
    options.core.onException((exception) => this.#enter(exception));
  }

  get counters(): SegmentCounters {
    return this.memory.counters;
  }

  /** Does the work of a call. Its stores have the call's name in the journal of RAM, those of a call within it their own. */
  #labelled<T>(name: string, numbers: readonly number[], work: () => T): T {
    const { ram } = this.memory;
    const before = ram.storeLabel;
    labelStores(ram, name, numbers);
    const result = work();
    ram.storeLabel = before;
    return result;
  }

  /** A process with an empty segment table; or ENOMEM. */
  spawn(): SegmentProcess | number {
    const table = this.memory.newTable();
    return typeof table === 'number' ? table : this.#enrol(null, table);
  }

  #enrol(parent: SegmentProcess | null, table: SegmentTable): SegmentProcess {
    this.#lastPid++;
    const process = new SegmentProcess(this.#lastPid, parent, table);
    this.memory.processes.set(process.pid, process);
    return process;
  }

  /** A copy of the process; or ENOMEM, with nothing changed. */
  fork(parent: SegmentProcess): SegmentProcess | number {
    if (!parent.alive) return ESRCH;
    const table = this.#labelled('fork', [], () => forkTable(this.memory, parent));
    if (typeof table === 'number') return table;
    const child = this.#enrol(parent, table);
    for (const master of parent.masters) holdMaster(child, master);
    return child;
  }

  /** Ends the process; memory out of everyone else's reach is free at once. */
  exit(process: SegmentProcess): void {
    if (!process.alive) return;
    process.alive = false;
    this.memory.processes.delete(process.pid);
    this.#labelled('exit', [], () => {
      releaseTable(this.memory, process);
    });
  }

  /** A new segment of zeros. Returns its selector, EINVAL, EBUSY (something is at the address) or ENOMEM. */
  create(process: SegmentProcess, request: CreateRequest): number {
    if (!process.alive) return ESRCH;
    checkChoice('kind of segment', request.kind, Object.keys(SEGMENT_TYPES));
    if (!isSize(request.bytes)) return EINVAL;
    return this.#labelled('create', [request.bytes], () => this.#create(process, request));
  }

  #create(process: SegmentProcess, request: CreateRequest): number {
    const { memory } = this;
    const ready = memory.ensureRoom(process.table, process.table.freeIndex);
    if (ready < 0) return ready;
    const bytes = validBytes(request.bytes);
    const room = memory.arena.roomFor(bytes);
    const base = this.#place(room, request.at);
    if (base < 0) return base;
    memory.ram.words.fill(0, base / 4, (base + room) / 4);
    memory.counters.bytesZeroed += room;
    const segment = memory.newSegment(base, bytes, request.bytes, room);
    const { table } = process;
    return describeSegment(memory, table, table.freeIndex, segment, SEGMENT_TYPES[request.kind], false).selector;
  }

  #place(room: number, at: number | undefined): number {
    if (at === undefined) return findRoom(this.memory, room, null);
    if (!isWhole(at) || roundUp(at) !== at) return EINVAL;
    return this.memory.arena.take(at, room) ? at : EBUSY;
  }

  /**
   * Gives `other` a descriptor of the same segment: from now on both see each other's writes. Number and rights are `as`
   * says; the lowest free number and the same rights when absent.
   * Returns the selector for `other`, EFAULT (no such segment), EEXIST (the number is taken), EINVAL (it is no number of
   * a descriptor) or ENOMEM.
   */
  share(process: SegmentProcess, selector: number, other: SegmentProcess, as?: SharePlacement): number {
    const entry = process.entry(selector);
    if (entry === undefined || !other.alive) return EFAULT;
    if (!entry.table.isLocal) return holdMaster(other, entry);
    const index = as?.index ?? other.table.freeIndex;
    if (!isWhole(index, 0, MOST_DESCRIPTORS - 1)) return EINVAL;
    if (as !== undefined) checkChoice('kind of segment', as.kind, Object.keys(SEGMENT_TYPES));
    if (other.table.hasEntry(index)) return EEXIST;
    return this.#labelled('share', [selector], () => shareSegment(this.memory, entry, other, index, as));
  }

  /**
   * Describes a segment in the GDT instead: one master descriptor for all processes: a move changes one entry for any
   * number of sharers. The price: one set of rights for everybody, and every process may name it. Returns the selector,
   * the same for all; EFAULT, EBUSY (shared by LDTs already) or ENOMEM.
   */
  publish(process: SegmentProcess, selector: number): number {
    const entry = process.table.at(selector);
    if (entry?.selector !== selector) return EFAULT;
    return this.#labelled('publish', [selector], () => publishSegment(this.memory, process, entry));
  }

  /** Gives the process a segment of its own instead of a shared one. Returns 0, EFAULT, EACCES (a master descriptor) or ENOMEM. */
  unshare(process: SegmentProcess, selector: number): number {
    const entry = process.entry(selector);
    if (entry === undefined) return EFAULT;
    if (!entry.table.isLocal) return EACCES;
    return this.#labelled('unshare', [selector], () => makeOwn(this.memory, entry));
  }

  /** Makes a segment `bytes` long; see {@link resize}. Returns 0, EINVAL, EFAULT or ENOMEM. */
  grow(process: SegmentProcess, selector: number, bytes: number): number {
    const entry = process.entry(selector);
    if (entry === undefined) return EFAULT;
    if (!isSize(bytes)) return EINVAL;
    return this.#labelled('grow', [selector, bytes], () => resize(this.memory, entry, bytes));
  }

  /** Takes a segment out of the process's table. Returns 0 or EFAULT. */
  remove(process: SegmentProcess, selector: number): number {
    const entry = process.entry(selector);
    if (entry === undefined) return EFAULT;
    process.masters.delete(entry);
    entry.holders--;
    if (entry.holders > 0) return 0;
    this.#labelled('remove', [selector], () => {
      dropEntry(this.memory, entry);
    });
    return 0;
  }

  /** Slides all segments together; whether anything moved. */
  compact(): boolean {
    return this.#labelled('compact', [], () => compact(this.memory));
  }

  /** Swaps a segment out. Returns 0, EFAULT or ENOMEM (the swap area is full). */
  swapOut(process: SegmentProcess, selector: number): number {
    const segment = process.entry(selector)?.segment;
    if (segment === undefined) return EFAULT;
    if (!segment.present) return 0;
    if (!this.memory.swap.hasRoom(segment.room)) return ENOMEM;
    this.#labelled('swapOut', [selector], () => {
      swapOut(this.memory, segment);
    });
    return 0;
  }

  /**
   * Loads 1, 2, 4 or 8 bytes through `register` (DS when absent) as the process would; see `valueLo` and `valueHi`.
   * @throws RangeError for another size, an unknown register, or a selector or offset of more than 16 or 32 bits
   */
  load(process: SegmentProcess, selector: number, offset: number, size: number, register = DS): number {
    checkProgramAccess(register, selector, offset);
    checkChoice('size', size, [1, 2, 4, 8]);
    if (!this.switchTo(process)) return ESRCH;
    const { core } = this.memory;
    const status = core.loadFrom(register, selector, offset | 0, size);
    this.valueLo = core.mmu.valueLo;
    this.valueHi = core.mmu.valueHi;
    return this.finish(status);
  }

  /** Stores 1, 2 or 4 bytes through `register` (DS when absent) as the process would. @throws RangeError as {@link load} */
  store(
    process: SegmentProcess,
    selector: number,
    offset: number,
    size: 1 | 2 | 4,
    value: number,
    register = DS,
  ): number {
    checkProgramAccess(register, selector, offset);
    checkChoice('size', size, [1, 2, 4]);
    if (!this.switchTo(process)) return ESRCH;
    return this.finish(this.memory.core.storeTo(register, selector, offset | 0, size, 0, value));
  }

  /** Jumps to `selector:offset` and fetches 1 to 8 bytes of code there, as the process would. @throws RangeError as {@link load} */
  fetch(process: SegmentProcess, selector: number, offset: number, size: number): number {
    checkProgramAccess(CS, selector, offset);
    checkSize(size);
    if (!this.switchTo(process)) return ESRCH;
    return this.finish(this.memory.core.fetchFrom(selector, offset | 0, size));
  }

  /** Makes `process` run; false when it has ended. */
  switchTo(process: SegmentProcess): boolean {
    if (!process.alive) return false;
    if (this.memory.loaded !== process.table) {
      this.#labelled('switch to process', [process.pid], () => {
        this.memory.load(process.table);
      });
    }
    this.memory.core.cpl = 3;
    this.#current = process;
    this.#result = 0;
    return true;
  }

  /** The meaning to the process of an instruction's `status`: 0, a signal or ENOMEM. */
  finish(status: number): number {
    this.#current = null;
    this.memory.core.cpl = 0;
    return status >= 0 ? 0 : Math.min(this.#result, 0);
  }

  /** The exception entry. */
  #enter(exception: Exception): boolean {
    const process = this.#current;
    if (process === null) return false;
    this.#result = this.#labelled('fault', [exception.errorCode], () => this.#answer(process, exception));
    if (this.#result < 0) this.counters.failedFaults++;
    return this.#result === 0;
  }

  #answer(process: SegmentProcess, exception: Exception): number {
    return this.intercept?.(process, exception) ?? segmentFault(this.memory, process, exception);
  }

  /** The faults of the kernel's books, a line each; empty when every byte is accounted for. */
  audit(): string[] {
    return auditSegments(this.memory);
  }
}
