/** Putting VMAs into an address space and taking them out, with the reverse map of their object kept in step. */

import type { Memory } from './memory.js';
import { unlinkAnonVmas } from './anon-vma.js';
import { dropIfUnused } from './page-cache.js';
import type { Vma } from './model.js';

/** Enters the VMA into its address space and into its object's list of mappings. */
export function addVma(vma: Vma): void {
  vma.space.vmas.insert(vma);
  vma.file?.object.vmas.add(vma);
}

/** Takes the VMA out of everything; its pages must be gone. An object without references goes with {@link dropUnmapped}. */
export function removeVma(memory: Memory, vma: Vma): void {
  vma.space.vmas.remove(vma);
  releaseVma(memory, vma);
}

/** As {@link removeVma} for a VMA no longer in its address space. */
export function releaseVma(memory: Memory, vma: Vma): void {
  unlinkAnonVmas(memory, vma);
  if (vma.file === null) return;
  vma.file.object.vmas.delete(vma);
  // Linux closes the file as the system call returns: the call populates before.
  memory.unmapped.add(vma.file.object);
}

/** Frees the objects without a mapping left, at the end of a system call, unless something else keeps them. */
export function dropUnmapped(memory: Memory): void {
  if (memory.unmapped.size === 0) return;
  for (const object of memory.unmapped) dropIfUnused(memory, object);
  memory.unmapped.clear();
}
