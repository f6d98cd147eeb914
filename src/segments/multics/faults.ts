/** Link faults, missing descriptors, and the gatekeeper between rings. */

import type { Exception } from '../../../hw/base/fault.js';
import { CALL, FAR_FRAME, RETURN } from '../../../hw/x86/segmentation/core.js';
import { isNull } from '../../../hw/x86/segmentation/descriptor.js';
import { SEGV_ACCERR } from '../../kernel/abi/signal.js';
import { swapIn } from '../arena/allocation.js';
import { COMPLETED } from '../kernel.js';
import type { SegmentProcess } from '../process.js';
import { indexOf } from '../segment-table.js';
import { snapLink } from './linkage.js';
import type { KnownSegment, MulticsProcess } from './process.js';
import { entryFrom } from './rings.js';
import { selectorOf } from './supervisor.js';
import type { Supervisor } from './supervisor.js';

export class MulticsFaults {
  readonly #multics: Supervisor;

  constructor(multics: Supervisor) {
    this.#multics = multics;
  }

  /** The interception of {@link SegmentKernel.intercept}. */
  handle(table: SegmentProcess, exception: Exception): number | undefined {
    const process = this.#multics.owners.get(table);
    if (process === undefined) return undefined;
    const { core } = this.#multics.kernel.memory;
    if (exception.errorCode === 0) return this.#nullPointer(process);
    const known = process.known.at(indexOf(exception.errorCode));
    if (known === undefined) return undefined;
    const kind = known.kindFor(process.ring);
    if (kind !== undefined && !table.table.hasEntry(known.number)) return this.#describe(table, known, kind);
    const calls = core.instruction === CALL && known.number === indexOf(core.targetSelector);
    if (calls) return this.#callInward(process, known);
    return kind === undefined ? SEGV_ACCERR : undefined;
  }

  /** A transfer through a far pointer with a null selector: an unsnapped link, or the way back through a gate. */
  #nullPointer(process: MulticsProcess): number | undefined {
    const { core } = this.#multics.kernel.memory;
    if (!isNull(core.targetSelector)) return undefined;
    if (core.instruction === CALL) return snapLink(this.#multics, process, core.targetOffset);
    return core.instruction === RETURN ? this.#returnOutward(process) : undefined;
  }

  /** The ring uses a known segment for the first time: it gets its descriptor. */
  #describe(
    table: SegmentProcess,
    known: KnownSegment,
    kind: NonNullable<ReturnType<KnownSegment['kindFor']>>,
  ): number {
    const { kernel } = this.#multics;
    const selector = kernel.share(known.holder, known.selector, table, { index: known.number, kind });
    return Math.min(selector, 0);
  }

  /** A call beyond the ring's own rights: through a gate, or not at all. */
  #callInward(process: MulticsProcess, known: KnownSegment): number | undefined {
    const { core } = this.#multics.kernel.memory;
    const entry = entryFrom(process.ring, known.brackets);
    if (entry === 'direct') return undefined;
    const atGate = entry === 'gate' && known.named?.isEntryPoint(core.targetOffset) === true;
    if (!atGate) return SEGV_ACCERR;
    const target = { number: known.number, offset: core.targetOffset };
    process.stacks[process.ring].pointer = core.unit.spLo;
    process.gateFrames.push({
      ring: process.ring,
      procedure: process.procedure,
      offset: core.unit.ipLo,
      stackPointer: core.unit.spLo,
    });
    const entered = this.#switchRing(process, known.brackets.r2, target.number, target.offset);
    if (entered < 0) {
      const frame = process.gateFrames.pop();
      if (frame !== undefined) this.#switchRing(process, frame.ring, frame.procedure, frame.offset);
      return entered;
    }
    return this.#pushReturn(process);
  }

  /**
   * Puts a return address on the stack of the inner ring: a null selector and the number of the gate frame, so no true
   * address: the procedure's RET must come back to the gatekeeper, even if the caller's code could run in its ring.
   */
  #pushReturn(process: MulticsProcess): number {
    const { kernel } = this.#multics;
    const stack = process.stacks[process.ring];
    stack.pointer -= FAR_FRAME;
    const written = this.#multics.writePair(process, stack.number, stack.pointer, process.gateFrames.length, 0);
    if (written < 0) return written;
    kernel.memory.core.setStack(selectorOf(stack.number), stack.pointer);
    kernel.counters.ringFaults++;
    return COMPLETED;
  }

  /** A return to the caller's ring through a gate. */
  #returnOutward(process: MulticsProcess): number {
    const { kernel } = this.#multics;
    const { core } = kernel.memory;
    const frame = process.gateFrames.at(-1);
    if (frame === undefined || core.targetOffset !== process.gateFrames.length) return SEGV_ACCERR;
    process.gateFrames.pop();
    process.stacks[process.ring].pointer = core.unit.spLo + FAR_FRAME;
    process.stacks[frame.ring].pointer = frame.stackPointer;
    const entered = this.#switchRing(process, frame.ring, frame.procedure, frame.offset);
    kernel.counters.ringFaults++;
    return entered < 0 ? entered : COMPLETED;
  }

  /** Goes on in another ring: its table, its stack, and the code there. */
  #switchRing(process: MulticsProcess, ring: number, number: number, offset: number): number {
    const multics = this.#multics;
    const table = multics.enterRing(process, ring);
    if (typeof table === 'number') return table;
    process.ring = ring;
    process.procedure = number;
    process.offset = offset;
    const known = process.known.at(number);
    const kind = known?.kindFor(ring);
    if (known === undefined || kind === undefined) return SEGV_ACCERR;
    if (!table.table.hasEntry(number)) {
      const described = this.#describe(table, known, kind);
      if (described < 0) return described;
    }
    const brought = this.#bringIn(table, number);
    if (brought < 0) return brought;
    multics.kernel.switchTo(table);
    const { core } = multics.kernel.memory;
    const stack = process.stacks[ring];
    core.setStack(selectorOf(stack.number), stack.pointer);
    return core.enterAt(selectorOf(number), offset) < 0 ? SEGV_ACCERR : 0;
  }

  /** The gatekeeper enters only code in memory: a fault there would find nobody to restart. */
  #bringIn(table: SegmentProcess, number: number): number {
    const segment = table.table.entries[number]?.segment;
    return segment === undefined ? 0 : swapIn(this.#multics.kernel.memory, segment);
  }
}
