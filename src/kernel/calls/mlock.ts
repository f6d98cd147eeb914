/**
 * mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2): memory kept present.
 *
 * A lock is a flag of the VMA. Folios mapped by such a VMA are marked one by one, so reclaim leaves them alone
 * though others map them, too. Locks do not nest, and a child has none. There are no limits: as with CAP_IPC_LOCK.
 */

import { alignDown, alignUp, USER_END } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { EAGAIN, EINVAL, ENOMEM } from '../abi/errno.js';
import type { CallResult } from '../abi/errno.js';
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT } from '../abi/flags.js';
import { firstFrame } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { populateRange } from '../faults/populate.js';
import { OOM_KILL } from '../abi/signal.js';
import { VM_HUGETLB, VM_LOCKED, VM_LOCKED_MASK } from '../abi/vma-flags.js';
import { modifyFlags } from '../vmas/vma-merge.js';

/**
 * Locks the pages in or around `[address, address + length)` and makes them present, writable if private and the VMA is
 * writable; with MLOCK_ONFAULT later accesses do so. Bytes; neither needs to be a multiple of 4096.
 * @returns 0; EINVAL; ENOMEM for a hole, with all before it locked and nothing populated, or for a page that
 *   cannot be had (PROT_NONE, a guard page, past the end of a file), with all of the range locked and populated up to
 *   there; EAGAIN when memory ran out. Source: Linux manual pages, mlock(2).
 */
export function mlock(memory: Memory, space: AddressSpace, address: number, length: number, flags: number): CallResult {
  if ((flags & ~MLOCK_ONFAULT) !== 0) return EINVAL;
  const lock = (flags & MLOCK_ONFAULT) === 0 ? VM_LOCKED : VM_LOCKED_MASK;
  const result = setLocked(memory, space, address, length, lock);
  if (result < 0) return result;
  const trouble = populateRange(memory, space, alignDown(address), alignUp(address + length), true);
  return trouble === OOM_KILL ? EAGAIN : trouble < 0 ? ENOMEM : 0;
}

/** Takes the lock off a range. Returns 0, EINVAL, or ENOMEM for a hole, with all before it unlocked. */
export function munlock(memory: Memory, space: AddressSpace, address: number, length: number): CallResult {
  return setLocked(memory, space, address, length, 0);
}

/**
 * MCL_CURRENT: locks present mappings and makes their pages present. MCL_FUTURE: future ones. Without one of them, that is
 * unlocked. MCL_ONFAULT: makes nothing present. Returns 0, or EINVAL for MCL_ONFAULT alone and for unknown bits.
 * Source: Linux manual pages, mlockall(2).
 */
export function mlockall(memory: Memory, space: AddressSpace, flags: number): CallResult {
  if ((flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0) return EINVAL;
  if ((flags & (MCL_CURRENT | MCL_FUTURE)) === 0) return EINVAL;
  const lock = (flags & MCL_ONFAULT) === 0 ? VM_LOCKED : VM_LOCKED_MASK;
  space.defaultFlags = (flags & MCL_FUTURE) === 0 ? 0 : lock;
  if ((flags & MCL_CURRENT) === 0) return 0;
  lockEverything(memory, space, lock);
  populateRange(memory, space, 0, USER_END);
  return 0;
}

/** Unlocks all mappings; future ones are not locked. Returns 0. Source: Linux manual pages, munlockall(2). */
export function munlockall(memory: Memory, space: AddressSpace): CallResult {
  space.defaultFlags = 0;
  lockEverything(memory, space, 0);
  return 0;
}

/** A VMA stays as it is when there is no memory to change it. */
function lockEverything(memory: Memory, space: AddressSpace, lock: number): void {
  for (let vma = space.vmas.atOrAbove(0); vma !== undefined;) {
    const { end } = vma;
    lockVma(memory, vma, vma.start, end, lock);
    vma = space.vmas.atOrAbove(end);
  }
}

/** Gives the VMAs of a range `lock` of the flags VM_LOCKED_MASK. Returns 0, EINVAL or ENOMEM. */
function setLocked(memory: Memory, space: AddressSpace, address: number, length: number, lock: number): CallResult {
  const end = alignUp(address + length);
  if (address < 0 || length < 0) return EINVAL;
  if (end > USER_END) return ENOMEM;
  for (let at = alignDown(address); at < end;) {
    const vma = space.vmas.at(at);
    if (vma === undefined) return ENOMEM;
    const stop = Math.min(end, vma.end);
    const result = lockVma(memory, vma, at, stop, lock);
    if (result < 0) return result;
    at = stop;
  }
  return 0;
}

/** Pages of VM_HUGETLB are never reclaimed: such a VMA is not marked. */
function lockVma(memory: Memory, vma: Vma, start: number, end: number, lock: number): CallResult {
  const before = vma.flags;
  const flags = (before & ~VM_LOCKED_MASK) | lock;
  if (flags === before || (before & VM_HUGETLB) !== 0) return 0;
  const changed = modifyFlags(memory, vma, start, end, flags);
  if (typeof changed === 'number') return changed;
  // To lock twice would count the pages twice.
  if ((before & flags & VM_LOCKED) === 0) markPages(memory, changed, start, end, (lock & VM_LOCKED) !== 0);
  return 0;
}

/** Tells the LRU of the present pages in a range of a VMA just locked or unlocked. */
function markPages(memory: Memory, vma: Vma, start: number, end: number, locked: boolean): void {
  const { entries, tables, frames, lru } = memory;
  lru.drain();
  tables.forEachLeaf(vma.space, start, end, (at, _address, shift) => {
    if (!entries.isCounted(entries.words[at])) return;
    const frame = firstFrame(tables, at, shift);
    // A large folio under small entries is marked once.
    if (frame !== frames.headOf(frame)) return;
    if (locked) lru.lock(frame);
    else lru.unlock(frame);
  });
  lru.drain();
}
