/**
 * Splitting and merging VMAs: neighbours become one when an operation has made or changed one of them and nothing
 * tells them apart any more. The rules, anon_vmas above all, are those of Linux 6.18.
 */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import type { AddressSpace, AnonVma, OpenFile } from '../space/model.js';
import { cloneChain } from '../space/anon-vma.js';
import { EINVAL, ENOMEM } from '../abi/errno.js';
import type { Errno } from '../abi/errno.js';
import { splitHugeAt } from '../pages/huge.js';
import type { Memory } from '../space/memory.js';
import { Vma } from '../space/model.js';
import { VM_HUGETLB, VM_STICKY } from '../abi/vma-flags.js';
import { addVma, removeVma } from '../space/vma-ops.js';

/** VMAs of one address space at most. Linux: vm.max_map_count. */
export const MOST_VMAS = 65530;

/** A range as it is going to be: a neighbour like it is merged with it. */
export interface Proposal {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly pgoff: number;
  readonly file: OpenFile | null;
  readonly pageShift: number;
  readonly anonVma: AnonVma | null;
  /** The range's own VMA, or the one it is copied from; null when it is new. */
  readonly source: Vma | null;
}

/** VMAs of VM_HUGETLB stay apart, even the parts of one: Linux maps each from a file with VM_DONTEXPAND. */
function alike(vma: Vma, proposal: Proposal): boolean {
  return (
    (proposal.flags & VM_HUGETLB) === 0 &&
    ((vma.flags ^ proposal.flags) & ~VM_STICKY) === 0 &&
    vma.file === proposal.file &&
    vma.pageShift === proposal.pageShift
  );
}

/** Equal anon_vmas merge; none and some merge unless the one is shared with relatives by fork. */
function anonVmasMerge(target: Vma, proposal: Proposal): boolean {
  if (target.anonVma === null && proposal.anonVma !== null) return proposal.source?.isForkChild !== true;
  if (target.anonVma !== null && proposal.anonVma === null) return !target.isForkChild;
  return target.anonVma === proposal.anonVma;
}

function mergesWithPrevious(previous: Vma | undefined, proposal: Proposal): previous is Vma {
  return (
    previous?.end === proposal.start &&
    alike(previous, proposal) &&
    anonVmasMerge(previous, proposal) &&
    previous.pgoff + previous.pages === proposal.pgoff
  );
}

function mergesWithNext(next: Vma | undefined, proposal: Proposal): next is Vma {
  return (
    next?.start === proposal.end &&
    alike(next, proposal) &&
    anonVmasMerge(next, proposal) &&
    next.pgoff === proposal.pgoff + (proposal.end - proposal.start) / PAGE_BYTES
  );
}

/** Both neighbours may suit the middle, and still not each other. */
function suitEachOther(previous: Vma, next: Vma): boolean {
  return previous.anonVma === null || next.anonVma === null || previous.anonVma === next.anonVma;
}

/** A VMA growing over pages of `source` must be found by their reverse map, and copied at fork if `source` was. */
function inherit(target: Vma, source: Vma): void {
  target.flags |= source.flags & VM_STICKY;
  if (target.anonVma !== null || source.anonVma === null) return;
  target.anonVma = source.anonVma;
  cloneChain(target, source);
}

/** Extends neighbours over a new range. Returns its VMA now, or null when none suits. */
export function mergeNew(memory: Memory, space: AddressSpace, proposal: Proposal, upwardsToo = true): Vma | null {
  const previous = space.vmas.before(proposal.start);
  const next = space.vmas.atOrAbove(proposal.start);
  const left = mergesWithPrevious(previous, proposal);
  const right = upwardsToo && mergesWithNext(next, proposal) && (!left || suitEachOther(previous, next));
  if (left) {
    previous.flags |= proposal.flags & VM_STICKY;
    if (proposal.source !== null && proposal.source !== previous) inherit(previous, proposal.source);
    if (right) {
      inherit(previous, next);
      const { end } = next;
      removeVma(memory, next);
      space.vmas.resize(previous, previous.start, end);
    } else space.vmas.resize(previous, previous.start, proposal.end);
    return previous;
  }
  if (!right) return null;
  next.flags |= proposal.flags & VM_STICKY;
  if (proposal.source !== null) inherit(next, proposal.source);
  space.vmas.resize(next, proposal.start, next.end);
  return next;
}

/**
 * Gives `[start, end)` of a VMA new flags, merging with neighbours or splitting as need be.
 * @returns the range's VMA now, with the new flags; ENOMEM; or EINVAL for a cut through a hugetlb page
 */
export function modifyFlags(memory: Memory, vma: Vma, start: number, end: number, flags: number): Vma | Errno {
  const merged = mergeExisting(memory, vma, start, end, flags);
  if (merged !== null) return merged;
  const lower = start > vma.start ? splitVma(memory, vma, start) : vma;
  if (typeof lower === 'number') return lower;
  if (end < lower.end) {
    const upper = splitVma(memory, lower, end);
    if (typeof upper === 'number') return upper;
  }
  lower.flags = flags;
  return lower;
}

function mergeExisting(memory: Memory, vma: Vma, start: number, end: number, flags: number): Vma | null {
  const { vmas } = vma.space;
  const { file, pageShift, anonVma } = vma;
  const pgoff = vma.pageOffset(start);
  const proposal = { start, end, flags, pgoff, file, pageShift, anonVma, source: vma };
  const previous = start === vma.start ? vmas.previous(vma) : undefined;
  const next = end === vma.end ? vmas.next(vma) : undefined;
  const left = mergesWithPrevious(previous, proposal);
  const right = mergesWithNext(next, proposal) && (!left || suitEachOther(previous, next));
  if (left && right) {
    inherit(previous, next.anonVma === null ? vma : next);
    previous.flags |= (vma.flags | next.flags) & VM_STICKY;
    const upper = next.end;
    removeVma(memory, vma);
    removeVma(memory, next);
    vmas.resize(previous, previous.start, upper);
    return previous;
  }
  if (left) {
    inherit(previous, vma);
    if (end === vma.end) removeVma(memory, vma);
    else {
      splitHugeAt(memory, vma, end);
      vmas.resize(vma, end, vma.end);
    }
    vmas.resize(previous, previous.start, end);
    return previous;
  }
  if (!right) return null;
  inherit(next, vma);
  if (start === vma.start) removeVma(memory, vma);
  else {
    splitHugeAt(memory, vma, start);
    vmas.resize(vma, vma.start, start);
  }
  vmas.resize(next, start, next.end);
  return next;
}

/** {@link cutVma}; ENOMEM too where no VMA may be added. */
function splitVma(memory: Memory, vma: Vma, address: number): Vma | Errno {
  return vma.space.vmas.size >= MOST_VMAS ? ENOMEM : cutVma(memory, vma, address);
}

/** Cuts a VMA in two at `address`, inside of it. Returns the upper part, a VMA of its own; ENOMEM; or EINVAL. */
export function cutVma(memory: Memory, vma: Vma, address: number): Vma | Errno {
  if (address % 2 ** vma.pageShift !== 0) return EINVAL;
  if (memory.frames.buddy.refuses()) return ENOMEM;
  const upper = vma.slice(vma.space, address, vma.end);
  upper.anonVma = vma.anonVma;
  cloneChain(upper, vma);
  splitHugeAt(memory, vma, address);
  vma.space.vmas.resize(vma, vma.start, address);
  addVma(upper);
  return upper;
}
