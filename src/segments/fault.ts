/** The kernel's answers to #NP, #GP and #SS: brings segments back, makes copies, or refuses. */

import { WRITE } from '../../hw/base/access.js';
import type { Exception } from '../../hw/base/fault.js';
import { CALL, RETURN } from '../../hw/x86/segmentation/core.js';
import { SS } from '../../hw/x86/segmentation/register.js';
import { SEGV_ACCERR, SEGV_MAPERR } from '../kernel/abi/signal.js';
import { swapIn } from './arena/allocation.js';
import type { SegmentMemory } from './memory.js';
import { makeOwn } from './ownership.js';
import type { SegmentProcess } from './process.js';
import { USER_LEVEL } from './segment-table.js';
import type { SegmentEntry } from './segment-table.js';

/**
 * Handles a fault of `process`. Returns 0 when the instruction can be made again, ENOMEM, or a signal of signal.ts.
 */
export function segmentFault(memory: SegmentMemory, process: SegmentProcess, exception: Exception): number {
  const { core } = memory;
  // Error codes lack the RPL, and programs may put another into their selectors than the kernel gave them.
  const entry = process.entry((exception.errorCode === 0 ? core.selector : exception.errorCode) | USER_LEVEL);
  return entry === undefined ? SEGV_MAPERR : resolve(memory, entry, exception);
}

function resolve(memory: SegmentMemory, entry: SegmentEntry, exception: Exception): number {
  const { core, counters } = memory;
  const { segment } = entry;
  if (!segment.present) {
    const brought = swapIn(memory, segment);
    if (brought >= 0) counters.notPresentFaults++;
    return brought;
  }
  if (exception.errorCode !== 0) {
    // A stack segment must be writable to be loaded at all, so a stack is copied before its first use.
    return entry.cow && loadsStack(memory, entry) ? breakCow(memory, entry) : SEGV_ACCERR;
  }
  if (core.offset >>> 0 > segment.bytes - core.size) return SEGV_MAPERR;
  // The processor says only #GP(0): only the instruction tells of a write, and its place.
  return entry.cow && core.instruction === WRITE ? breakCow(memory, entry) : SEGV_ACCERR;
}

function loadsStack({ core }: SegmentMemory, entry: SegmentEntry): boolean {
  if (core.segment === SS) return true;
  const usesStack = core.instruction === CALL || core.instruction === RETURN;
  return usesStack && core.stackSelector === entry.selector;
}

function breakCow(memory: SegmentMemory, entry: SegmentEntry): number {
  const { counters } = memory;
  const alone = entry.segment.entries.size === 1;
  const status = makeOwn(memory, entry);
  if (status < 0) return status;
  if (alone) counters.reuseFaults++;
  else counters.cowFaults++;
  return 0;
}
