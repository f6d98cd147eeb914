/** What an entry says of the VMA that its page lies in. */

import { VM_EXEC, VM_SHARED, VM_WRITE } from '../abi/vma-flags.js';
import { pageExecution, pageRights } from '../tables/entries-x86.js';
import type { Vma } from './model.js';

/**
 * The low word's bits for a page of this VMA: private memory is never writable by default, because a writable entry is
 * a promise that the page is this process's own; a page of a disk file becomes writable by a fault that marks it dirty.
 */
export function protectionBits(vma: Vma): number {
  const shared = (vma.flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE);
  return pageRights(vma.isAccessible, shared && vma.file?.object.kind !== 'disk');
}

/** The high word's bits for a page of this VMA. */
export function executeBits(vma: Vma): number {
  return pageExecution((vma.flags & VM_EXEC) !== 0);
}
