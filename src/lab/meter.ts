/** The costs of a kernel's work in model cycles, to put two schemes side by side. */

import { DEFAULT_COSTS, translationCycles } from '../../hw/translate/counts/cost.js';
import type { SchemeCost } from '../report/results/lab-result.js';

/** The work of a kernel so far. */
export interface Work {
  readonly bytesCopied: number;
  /** Bytes written by the kernel for any other reason: fresh memory filled with zeros, compaction, swapping. */
  readonly bytesMoved: number;
  readonly tableBytes: number;
  readonly faults: number;
  /** Entries or descriptors written for fork or because a segment changed. */
  readonly entriesWritten: number;
  readonly flushes: number;
}

/**
 * Weights in model cycles. Model defaults, in the order of magnitude of processors since 2015: a fault enters and leaves
 * the kernel, memory is copied at 16 bytes a cycle, an entry is a read and a write in the cache, an invalidation
 * serializes. Memory reads by the translation are priced by hw/cost.ts.
 */
const WORK_COSTS = { fault: 1000, bytesPerCycle: 16, entry: 4, flush: 100 };

/** Model cycles of a difference of two {@link Work}s. */
function cyclesOf(after: Work, before: Work): number {
  const bytes = after.bytesCopied - before.bytesCopied + after.bytesMoved - before.bytesMoved;
  return (
    (after.faults - before.faults) * WORK_COSTS.fault +
    bytes / WORK_COSTS.bytesPerCycle +
    (after.entriesWritten - before.entriesWritten) * WORK_COSTS.entry +
    (after.flushes - before.flushes) * WORK_COSTS.flush
  );
}

/** Model cycles of reading `entries` page-table entries or descriptors from memory. */
export function readCycles(entries: number): number {
  return translationCycles({ l1Hits: 0, l2Hits: 0, walks: 0, entryReads: entries }, DEFAULT_COSTS).total;
}

export class Meter {
  readonly #work: () => Work;
  #start: Work;
  #cycles = 0;
  #largest = 0;
  #tableBytes = 0;

  constructor(work: () => Work) {
    this.#work = work;
    this.#start = work();
  }

  /** Forgets the work so far: it set the scene. */
  restart(): void {
    this.#start = this.#work();
    this.#cycles = 0;
    this.#largest = 0;
    this.#tableBytes = this.#start.tableBytes;
  }

  /** Does one fault's or system call's worth of work, and counts it. */
  run<T>(operation: () => T): T {
    const before = this.#work();
    const result = operation();
    const after = this.#work();
    const cycles = cyclesOf(after, before);
    this.#cycles += cycles;
    this.#largest = Math.max(this.#largest, cycles);
    this.#tableBytes = Math.max(this.#tableBytes, after.tableBytes);
    return result;
  }

  /** Everything since the start; `translation` are the model cycles of translating addresses, besides. */
  cost(translation: number): SchemeCost {
    const { bytesCopied, faults, flushes } = this.#work();
    return {
      bytesCopied: bytesCopied - this.#start.bytesCopied,
      tableBytes: this.#tableBytes,
      faults: faults - this.#start.faults,
      flushes: flushes - this.#start.flushes,
      modelCycles: Math.round(this.#cycles + translation),
      largestPause: Math.round(this.#largest),
    };
  }
}
