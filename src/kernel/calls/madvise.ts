/** madvise(2): a process's advice about its memory, and the kernel's actions. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { alignDown, alignUp } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { collapse } from '../faults/collapse.js';
import { EACCES, EINVAL, ENOMEM } from '../abi/errno.js';
import type { CallResult } from '../abi/errno.js';
import { coolDown } from '../faults/cold.js';
import { punchHole } from '../files/file-io.js';
import * as f from '../abi/flags.js';
import { installGuards, removeGuards } from '../faults/guard.js';
import { freeLazily } from '../faults/lazy-free.js';
import type { Memory } from '../space/memory.js';
import { pagesOf, readAround } from '../space/page-cache.js';
import { populateAdvice } from '../faults/populate.js';
import * as vm from '../abi/vma-flags.js';
import { modifyFlags } from '../vmas/vma-merge.js';
import { zapRange } from '../pages/zap.js';

/** Advice by flags of the VMA: those it sets and those it clears. */
const FLAG_ADVICE = new Map<number, { readonly set: number; readonly clear: number }>([
  [f.MADV_NORMAL, { set: 0, clear: vm.VM_RAND_READ | vm.VM_SEQ_READ }],
  [f.MADV_SEQUENTIAL, { set: vm.VM_SEQ_READ, clear: vm.VM_RAND_READ }],
  [f.MADV_RANDOM, { set: vm.VM_RAND_READ, clear: vm.VM_SEQ_READ }],
  [f.MADV_DONTFORK, { set: vm.VM_DONTCOPY, clear: 0 }],
  [f.MADV_DOFORK, { set: 0, clear: vm.VM_DONTCOPY }],
  [f.MADV_WIPEONFORK, { set: vm.VM_WIPEONFORK, clear: 0 }],
  [f.MADV_KEEPONFORK, { set: 0, clear: vm.VM_WIPEONFORK }],
  [f.MADV_DONTDUMP, { set: vm.VM_DONTDUMP, clear: 0 }],
  [f.MADV_DODUMP, { set: 0, clear: vm.VM_DONTDUMP }],
  [f.MADV_HUGEPAGE, { set: vm.VM_HUGEPAGE, clear: vm.VM_NOHUGEPAGE }],
  [f.MADV_NOHUGEPAGE, { set: vm.VM_NOHUGEPAGE, clear: vm.VM_HUGEPAGE }],
]);

type Action = (memory: Memory, vma: Vma, start: number, end: number) => CallResult;

/** Advice about pages, for one VMA at a time: 0, or an errno to end the call. */
const ACTIONS = new Map<number, Action>([
  [f.MADV_WILLNEED, willNeed],
  [f.MADV_DONTNEED, (memory, vma, start, end) => dontNeed(memory, vma, start, end, false)],
  [f.MADV_DONTNEED_LOCKED, (memory, vma, start, end) => dontNeed(memory, vma, start, end, true)],
  [f.MADV_FREE, freeAdvice],
  [f.MADV_COLD, cold],
  [f.MADV_REMOVE, remove],
  [f.MADV_COLLAPSE, collapse],
  [f.MADV_GUARD_INSTALL, guardInstall],
  [f.MADV_GUARD_REMOVE, guardRemove],
]);

/**
 * Returns 0 or an errno; a hole in the range is ENOMEM after the rest has been done.
 * Source: Linux manual pages, madvise(2).
 */
export function madvise(
  memory: Memory,
  space: AddressSpace,
  address: number,
  length: number,
  advice: number,
): CallResult {
  const populates = advice === f.MADV_POPULATE_READ || advice === f.MADV_POPULATE_WRITE;
  if (!populates && !FLAG_ADVICE.has(advice) && !ACTIONS.has(advice)) return EINVAL;
  if (address % PAGE_BYTES !== 0 || address < 0 || length < 0) return EINVAL;
  const end = address + alignUp(length);
  if (populates) return populateAdvice(memory, space, address, end, advice === f.MADV_POPULATE_WRITE);
  const result = adviseRange(memory, space, address, end, advice);
  memory.tlb.flush();
  return result;
}

function adviseRange(memory: Memory, space: AddressSpace, address: number, end: number, advice: number): CallResult {
  let covered = address;
  for (let at = address; at < end;) {
    const vma = space.vmas.atOrAbove(at);
    if (vma === undefined || vma.start >= end) break;
    const start = Math.max(at, vma.start);
    const stop = Math.min(end, vma.end);
    const result = adviseVma(memory, vma, start, stop, advice);
    if (result < 0) return result;
    if (start === covered) covered = stop;
    at = stop;
  }
  return covered < end ? ENOMEM : 0;
}

function adviseVma(memory: Memory, vma: Vma, start: number, end: number, advice: number): CallResult {
  const action = ACTIONS.get(advice);
  if (action !== undefined) return action(memory, vma, start, end);
  const change = FLAG_ADVICE.get(advice);
  if (change === undefined) return EINVAL;
  // A VMA of VM_HUGETLB maps a file inside the kernel.
  const ofFile = !vma.isAnonymous || (vma.flags & vm.VM_HUGETLB) !== 0;
  if (advice === f.MADV_WIPEONFORK && (ofFile || vma.isShared)) return EINVAL;
  const flags = (vma.flags & ~change.clear) | change.set;
  if (flags === vma.flags) return 0;
  const changed = modifyFlags(memory, vma, start, end, flags);
  return typeof changed === 'number' ? changed : 0;
}

/** Reads a disk file ahead; memory has nothing to fetch. */
function willNeed(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  const object = vma.file?.object;
  if (object?.kind !== 'disk') {
    memory.lru.drain();
    return 0;
  }
  const last = Math.min(pagesOf(object), vma.pageOffset(end));
  for (let index = vma.pageOffset(start); index < last; index++) readAround(memory, object, index);
  return 0;
}

function dontNeed(memory: Memory, vma: Vma, start: number, end: number, lockedToo: boolean): CallResult {
  if (!lockedToo && (vma.flags & vm.VM_LOCKED) !== 0) return EINVAL;
  const size = 2 ** vma.pageShift;
  if (start % size !== 0) return EINVAL;
  // With huge pages alone the length is rounded down: nothing outside of the range is lost.
  const whole = end - (end % size);
  if (whole > start) zapRange(memory, vma, start, whole, { keepGuards: true, freeTables: true });
  return 0;
}

function freeAdvice(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  if ((vma.flags & (vm.VM_LOCKED | vm.VM_HUGETLB)) !== 0 || !vma.isAnonymous) return EINVAL;
  freeLazily(memory, vma, start, end);
  return 0;
}

function cold(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  if ((vma.flags & (vm.VM_LOCKED | vm.VM_HUGETLB)) !== 0) return EINVAL;
  coolDown(memory, vma, start, end);
  return 0;
}

function remove(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  if ((vma.flags & vm.VM_LOCKED) !== 0 || vma.file === null) return EINVAL;
  if ((vma.flags & (vm.VM_SHARED | vm.VM_MAYWRITE)) !== (vm.VM_SHARED | vm.VM_MAYWRITE)) return EACCES;
  // Of huge pages only whole ones are given back.
  const low = alignUp(start, vma.pageShift);
  const high = alignDown(end, vma.pageShift);
  const from = vma.pageOffset(low) * PAGE_BYTES;
  if (low < high) punchHole(memory, vma.file.object, from, from + high - low);
  return 0;
}

function guardInstall(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  if ((vma.flags & (vm.VM_LOCKED | vm.VM_HUGETLB)) !== 0) return EINVAL;
  return installGuards(memory, vma, start, end);
}

function guardRemove(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  if ((vma.flags & vm.VM_HUGETLB) !== 0) return EINVAL;
  removeGuards(memory, vma, start, end);
  return 0;
}
