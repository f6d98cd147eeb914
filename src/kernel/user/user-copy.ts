/**
 * The kernel's own accesses to user memory: they go through the process's page tables and the same faults as the
 * process's. So they break copy-on-write, and stop at pages closed to the process.
 */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import type { AddressSpace } from '../space/model.js';
import { countFault, findOrGrow } from '../faults/fault.js';
import { readFrame, writeFrame } from '../space/direct-map.js';
import { frameBehind } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { faultIn, isReady } from '../faults/populate.js';
import { SEGV_ACCERR, SEGV_MAPERR } from '../abi/signal.js';
import { VM_WRITE } from '../abi/vma-flags.js';

/** The frame behind a user address, faulted in; or the signal for the process. */
function userFrame(memory: Memory, space: AddressSpace, address: number, write: boolean): number {
  const vma = findOrGrow(memory, space, address);
  const refused = vma === undefined ? SEGV_MAPERR : allows(vma.isAccessible, vma.flags, write) ? 0 : SEGV_ACCERR;
  if (vma === undefined || refused < 0) {
    countFault(memory, refused);
    return refused;
  }
  const result = faultIn(memory, vma, address, write);
  return result < 0 ? result : markUsed(memory, space, address, write);
}

function allows(accessible: boolean, flags: number, write: boolean): boolean {
  return accessible && (!write || (flags & VM_WRITE) !== 0);
}

/** The frame of a present page, marked as the processor's own access would mark it. */
function markUsed(memory: Memory, space: AddressSpace, address: number, write: boolean): number {
  const { entries, tables } = memory;
  const at = tables.findLeaf(space, address);
  entries.markAccess(at, write);
  return frameBehind(tables, at, tables.shift, address);
}

/**
 * Calls `move` for each piece of `[address, address + bytes)`, one a page.
 * @returns bytes moved before the first page out of reach
 */
function forEachPiece(
  memory: Memory,
  space: AddressSpace,
  address: number,
  bytes: number,
  write: boolean,
  move: (frame: number, inPage: number, count: number, done: number) => void,
): number {
  let done = 0;
  while (done < bytes) {
    const at = address + done;
    const frame = userFrame(memory, space, at, write);
    if (frame < 0) return done;
    const inPage = at % PAGE_BYTES;
    const count = Math.min(bytes - done, PAGE_BYTES - inPage);
    move(frame, inPage, count, done);
    done += count;
  }
  return done;
}

/** Reads user memory into `target`; returns the bytes read. */
export function copyIn(memory: Memory, space: AddressSpace, address: number, target: Uint8Array): number {
  return forEachPiece(memory, space, address, target.length, false, (frame, inPage, count, done) => {
    readFrame(memory.ram, frame, inPage, target.subarray(done, done + count));
  });
}

/** Reads user memory into `target` as far as it is present, without a fault; returns the bytes read. */
export function copyInPresent(memory: Memory, space: AddressSpace, address: number, target: Uint8Array): number {
  const reach = reachOf(address, target.length, (at) => isPresent(memory, space, at));
  return copyIn(memory, space, address, target.subarray(0, reach));
}

/** Faults in the bytes of a range for reading, up to the first not to be had; false when not even one can be. */
export function faultInBytes(memory: Memory, space: AddressSpace, address: number, bytes: number): boolean {
  return reachOf(address, bytes, (at) => userFrame(memory, space, at, false) >= 0) > 0;
}

/** Bytes from `address` on, at most `bytes`, up to the first page to fail the test. */
function reachOf(address: number, bytes: number, passes: (at: number) => boolean): number {
  let reach = 0;
  while (reach < bytes && passes(address + reach)) {
    reach += Math.min(bytes - reach, PAGE_BYTES - ((address + reach) % PAGE_BYTES));
  }
  return reach;
}

function isPresent(memory: Memory, space: AddressSpace, address: number): boolean {
  return space.vmas.at(address)?.isAccessible === true && isReady(memory, space, address, false);
}

/** Writes `source` to user memory; returns the bytes written. */
export function copyOut(memory: Memory, space: AddressSpace, address: number, source: Uint8Array): number {
  return forEachPiece(memory, space, address, source.length, true, (frame, inPage, count, done) => {
    writeFrame(memory.ram, frame, inPage, source.subarray(done, done + count));
  });
}
