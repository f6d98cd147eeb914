/**
 * anon_vmas: from an anonymous page to all VMAs with a right to map it.
 *
 * An anonymous page belongs to the anon_vma of the VMA of its birth. Fork links the child's VMA to all anon_vmas of the
 * parent's, so shared pages can be found from either side. It gives the VMA one of its own for new pages. From page to
 * VMAs is the reverse map; it also decides on merging VMAs.
 */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { ENOMEM } from '../abi/errno.js';
import type { Memory } from './memory.js';
import type { AnonVma, Vma } from './model.js';
import { VM_ACCESS, VM_STICKY } from '../abi/vma-flags.js';

function link(vma: Vma, anonVma: AnonVma): void {
  vma.chain.push(anonVma);
  anonVma.vmas.add(vma);
}

/** Whether two neighbours are alike enough, protection aside, to share an anon_vma for their next pages. */
function compatible(lower: Vma, upper: Vma): boolean {
  return (
    lower.end === upper.start &&
    lower.file === upper.file &&
    ((lower.flags ^ upper.flags) & ~(VM_ACCESS | VM_STICKY)) === 0 &&
    upper.pgoff === lower.pgoff + (upper.start - lower.start) / PAGE_BYTES
  );
}

/** The anon_vma of a neighbour, for a merge with `vma` later; inherited ones are left alone. */
function neighboursAnonVma(vma: Vma): AnonVma | null {
  const next = vma.space.vmas.next(vma);
  if (next?.anonVma && !next.isForkChild && compatible(vma, next)) return next.anonVma;
  const previous = vma.space.vmas.previous(vma);
  if (previous?.anonVma && !previous.isForkChild && compatible(previous, vma)) return previous.anonVma;
  return null;
}

/** Gives the VMA an anon_vma before its first anonymous page. Returns 0 or ENOMEM. */
export function prepareAnonVma(memory: Memory, vma: Vma): number {
  if (vma.anonVma !== null) return 0;
  let anonVma = neighboursAnonVma(vma);
  if (anonVma === null) {
    if (memory.frames.buddy.refuses()) return ENOMEM;
    anonVma = memory.newAnonVma(null);
  }
  vma.anonVma = anonVma;
  anonVma.activeVmas++;
  link(vma, anonVma);
  return 0;
}

/**
 * Links `to`, so far on none, to every anon_vma of `from`, oldest first, as a split, a move or a fork needs.
 * Set `to.anonVma` before, unless it shall be found or made.
 */
export function cloneChain(to: Vma, from: Vma): void {
  for (const anonVma of from.chain) {
    link(to, anonVma);
    // An anon_vma without a VMA and with at most one child is taken over, so chains do not grow with each fork.
    if (to.anonVma === null && from.anonVma !== null && anonVma.children < 2 && anonVma.activeVmas === 0) {
      to.anonVma = anonVma;
    }
  }
  if (to.anonVma !== null) to.anonVma.activeVmas++;
}

/** Gives the child's VMA the parent's anon_vmas and one of its own. Returns 0 or ENOMEM. */
export function forkAnonVma(memory: Memory, child: Vma, parent: Vma): number {
  if (parent.anonVma === null) return 0;
  if (memory.frames.buddy.refuses()) return ENOMEM;
  cloneChain(child, parent);
  if (child.anonVma !== null) return 0;
  const own = memory.newAnonVma(parent.anonVma);
  own.activeVmas++;
  child.anonVma = own;
  link(child, own);
  return 0;
}

/** Unlinks a VMA, going away or empty, from all its anon_vmas. */
export function unlinkAnonVmas(memory: Memory, vma: Vma): void {
  for (const anonVma of vma.chain) {
    anonVma.vmas.delete(vma);
    if (anonVma.vmas.size === 0) {
      anonVma.parent.children--;
      memory.anonVmas.delete(anonVma.id);
    }
  }
  vma.chain = [];
  if (vma.anonVma !== null) {
    vma.anonVma.activeVmas--;
    vma.anonVma = null;
  }
}
