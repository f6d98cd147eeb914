/** mprotect(2): new rights for pages, in their VMAs and in the page tables. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { alignUp, powerOfTwo, USER_END } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { EACCES, EINVAL, ENOMEM, isErrno } from '../abi/errno.js';
import type { Address, CallResult, CallValue, Errno } from '../abi/errno.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../abi/flags.js';
import { splitHuge } from '../pages/huge.js';
import { hugeFrame } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { protFlags } from './mmap.js';
import { populateRange } from '../faults/populate.js';
import { pageRights } from '../space/protection.js';
import { PAGE_WRITABLE } from '../tables/entries.js';
import * as vm from '../abi/vma-flags.js';
import { modifyFlags } from '../vmas/vma-merge.js';

/**
 * Returns 0, EINVAL, EACCES (the object may not be written), or ENOMEM: a hole, with all before it changed.
 * Source: Linux manual pages, mprotect(2).
 */
export function mprotect(
  memory: Memory,
  space: AddressSpace,
  address: number,
  length: number,
  prot: number,
): CallResult {
  if (address % PAGE_BYTES !== 0 || address < 0) return EINVAL;
  if ((prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) !== 0) return EINVAL;
  if (length === 0) return 0;
  const end = address + alignUp(length);
  if (end > USER_END || !(end > address)) return ENOMEM;
  const result = protectRange(memory, space, address, end, protFlags(prot));
  memory.tlb.flush();
  return result;
}

function protectRange(memory: Memory, space: AddressSpace, start: number, end: number, rights: number): CallResult {
  let at = start;
  while (at < end) {
    const vma = space.vmas.at(at);
    if (vma === undefined) return ENOMEM;
    const result = protectVma(memory, vma, at, Math.min(end, vma.end), rights);
    if (isErrno(result)) return result;
    at = result;
  }
  return 0;
}

/** The flags after a change to other rights, with the charge against the commit limit; or EACCES. */
function newFlags(vma: Vma, rights: number): CallValue | Errno {
  // VM_MAYREAD and its kin stand four bits above the rights they allow.
  if ((rights & ~(vma.flags >>> 4)) !== 0) return EACCES;
  const flags = (vma.flags & ~vm.VM_ACCESS) | rights;
  const neverCharged =
    (vma.flags & (vm.VM_ACCOUNT | vm.VM_WRITE | vm.VM_HUGETLB | vm.VM_SHARED | vm.VM_NORESERVE)) === 0;
  if ((rights & vm.VM_WRITE) !== 0) return neverCharged ? flags | vm.VM_ACCOUNT : flags;
  const givesBack = vma.isAnonymous && vma.anonVma === null;
  return givesBack ? flags & ~vm.VM_ACCOUNT : flags;
}

/** Changes a range within one VMA. Returns the address to go on from, or an errno. */
function protectVma(memory: Memory, vma: Vma, start: number, end: number, rights: number): Address | Errno {
  const before = vma.flags;
  if ((before & vm.VM_ACCESS) === rights) return end;
  const flags = newFlags(vma, rights);
  if (flags < 0) return flags;
  const changed = modifyFlags(memory, vma, start, end, flags);
  if (typeof changed === 'number') return changed;
  changePages(memory, changed, start, end);
  const lockedReadOnly = (before & (vm.VM_WRITE | vm.VM_SHARED | vm.VM_LOCKED)) === vm.VM_LOCKED;
  if (lockedReadOnly && (flags & vm.VM_WRITE) !== 0) {
    memory.tlb.flush();
    populateRange(memory, changed.space, start, end);
  }
  return end;
}

/** Gives the present pages of a range the rights of their VMA. The invalidations stay gathered. */
function changePages(memory: Memory, vma: Vma, start: number, end: number): void {
  const { entries, tables } = memory;
  let from = start;
  while (tables.next(vma.space, from, end)) {
    const { at, shift, start: low, end: high } = tables;
    from = high;
    if (!tables.isTable(at)) {
      if (high - low === powerOfTwo(shift)) {
        changeEntry(memory, vma, at, low, hugeFrame(tables.frameAt(at)));
        continue;
      }
      if (!splitHuge(memory, vma, at, low)) continue;
    }
    let entry = tables.entryIn(at, low);
    for (let address = low; address < high; address += PAGE_BYTES, entry += 2) {
      if (entries.isMapped(tables.words[entry])) changeEntry(memory, vma, entry, address, tables.frameAt(entry));
    }
  }
}

function changeEntry(memory: Memory, vma: Vma, at: number, address: number, frame: number): void {
  const { entries } = memory;
  const low = entries.words[at];
  const writable = (vma.flags & vm.VM_WRITE) !== 0 && mayWriteAtOnce(memory, vma, low, frame);
  if (!entries.setRights(at, writable ? pageRights(vma) | PAGE_WRITABLE : pageRights(vma))) return;
  if (entries.isPresent(low)) memory.tlb.page(vma.space, address);
}

/** Exclusive pages, all anonymous, need no fault to become writable; shared ones of a disk file do unless they are dirty already. */
function mayWriteAtOnce(memory: Memory, vma: Vma, low: number, frame: number): boolean {
  if (vma.isShared) return memory.entries.isDirty(low);
  if (memory.entries.isSpecial(low)) return false;
  return memory.frames.isExclusive(frame);
}
