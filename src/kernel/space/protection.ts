/** What an entry says of the VMA that its page lies in. */

import { PTE_P, PTE_RW, PTE_US, PTE_XD } from '../../../hw/x86/format.js';
import { VM_EXEC, VM_SHARED, VM_WRITE } from '../abi/vma-flags.js';
import { PTE_PROT_NONE } from '../tables/pte.js';
import type { Vma } from './model.js';

/**
 * The low word's bits for a page of this VMA: private memory is never writable by default, because a writable entry is
 * a promise that the page is this process's own; a page of a disk file becomes writable by a fault that marks it dirty.
 */
export function protectionBits(vma: Vma): number {
  if (!vma.isAccessible) return PTE_PROT_NONE | PTE_US;
  const shared = (vma.flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE);
  return PTE_P | PTE_US | (shared && vma.file?.object.kind !== 'disk' ? PTE_RW : 0);
}

/** The high word's bits for a page of this VMA. */
export function executeBits(vma: Vma): number {
  return (vma.flags & VM_EXEC) !== 0 ? 0 : PTE_XD;
}
