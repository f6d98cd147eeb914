/** A VMA's rights, as they stand in the entries of its pages. */

import { VM_EXEC, VM_SHARED, VM_WRITE } from '../abi/vma-flags.js';
import { PAGE_ACCESSIBLE, PAGE_EXECUTABLE, PAGE_WRITABLE } from '../tables/entries.js';
import type { Vma } from './model.js';

/**
 * The rights of a page of this VMA, as PAGE_ bits. Private memory is never writable by default: a writable entry is a
 * promise to the process: the page is its own. A page of a disk file becomes writable, and dirty, by a fault.
 */
export function pageRights(vma: Vma): number {
  const shared = (vma.flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE);
  return (
    (vma.isAccessible ? PAGE_ACCESSIBLE : 0) |
    (shared && vma.file?.object.kind !== 'disk' ? PAGE_WRITABLE : 0) |
    ((vma.flags & VM_EXEC) !== 0 ? PAGE_EXECUTABLE : 0)
  );
}
