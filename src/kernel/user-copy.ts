/**
 * The kernel's own accesses to user memory: they go through the process's page tables and the same faults as the
 * process's, so that they break copy-on-write and stop at what the process may not touch.
 */

import { PAGE_BYTES } from '../../hw/address.js';
import { PTE_A, PTE_D } from '../../hw/paging/x86-format.js';
import type { AddressSpace } from './address-space.js';
import { countFault, findOrGrow } from './fault.js';
import { frameBehind } from './mapping.js';
import type { Memory } from './memory.js';
import { faultIn, isReady } from './populate.js';
import { SEGV_ACCERR, SEGV_MAPERR } from './signal.js';
import { VM_WRITE } from './vma-flags.js';

/** The frame behind a user address, faulted in; or the signal that the process would get. */
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
  const { tables } = memory;
  const at = tables.findLeaf(space, address);
  tables.words[at] |= write ? PTE_A | PTE_D : PTE_A;
  return frameBehind(tables, at, tables.shift, address);
}

/**
 * Calls `move` for each piece of `[address, address + bytes)` that lies in one page.
 * @returns bytes moved before the first page that could not be reached
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

/** Reads user memory into `target`; returns the bytes that could be read. */
export function copyIn(memory: Memory, space: AddressSpace, address: number, target: Uint8Array): number {
  return forEachPiece(memory, space, address, target.length, false, (frame, inPage, count, done) => {
    readFrame(memory, frame, inPage, target.subarray(done, done + count));
  });
}

/**
 * Reads user memory as write(2) does: what is present is read without a fault, so that the file grows by it before
 * anything more is touched. Only if nothing is, all of the range is faulted in.
 * @returns bytes read, at least one if the first can be reached
 * Source: Linux mm/filemap.c, generic_perform_write.
 */
export function copyInPresent(memory: Memory, space: AddressSpace, address: number, target: Uint8Array): number {
  const mayFault = !isPresent(memory, space, address);
  let reach = 0;
  while (reach < target.length) {
    const at = address + reach;
    if (mayFault ? userFrame(memory, space, at, false) < 0 : !isPresent(memory, space, at)) break;
    reach += Math.min(target.length - reach, PAGE_BYTES - (at % PAGE_BYTES));
  }
  return copyIn(memory, space, address, target.subarray(0, reach));
}

function isPresent(memory: Memory, space: AddressSpace, address: number): boolean {
  return space.vmas.at(address)?.isAccessible === true && isReady(memory, space, address, false);
}

/** Writes `source` to user memory; returns the bytes that could be written. */
export function copyOut(memory: Memory, space: AddressSpace, address: number, source: Uint8Array): number {
  return forEachPiece(memory, space, address, source.length, true, (frame, inPage, count, done) => {
    writeFrame(memory, frame, inPage, source.subarray(done, done + count));
  });
}

/** Bytes of a frame, through the direct map; frame -1 is all zeros. */
export function readFrame(memory: Memory, frame: number, inPage: number, target: Uint8Array): void {
  for (let i = 0; i < target.length; i++) {
    target[i] = frame < 0 ? 0 : memory.ram.load8(frame >>> 20, (frame << 12) | (inPage + i));
  }
}

/** Stores bytes into a frame, through the direct map. */
export function writeFrame(memory: Memory, frame: number, inPage: number, source: Uint8Array): void {
  for (let i = 0; i < source.length; i++) memory.ram.store8(frame >>> 20, (frame << 12) | (inPage + i), source[i]);
}
