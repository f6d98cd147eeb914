/** Stacks: GROWSDOWN mappings, extended by a touch below them. */

import { alignDown } from '../abi/layout.js';
import { prepareAnonVma } from '../space/anon-vma.js';
import { EFAULT, ENOMEM, EPERM } from '../abi/errno.js';
import type { Memory } from '../space/memory.js';
import { STACK_GUARD_GAP } from '../space/model.js';
import type { Vma } from '../space/model.js';
import { VM_GROWSDOWN } from '../abi/vma-flags.js';

/** RLIMIT_STACK, bytes. */
const STACK_LIMIT = 8 * 2 ** 20;
/** Lowest address to be mapped. Linux: vm.mmap_min_addr. */
export const MMAP_MIN_ADDRESS = 65536;

/** Extends the VMA down to the page of `address`, below it. Returns 0, EFAULT, EPERM or ENOMEM. */
export function growDown(memory: Memory, vma: Vma, address: number): number {
  if ((vma.flags & VM_GROWSDOWN) === 0) return EFAULT;
  const start = alignDown(address);
  if (start < MMAP_MIN_ADDRESS) return EPERM;
  const below = vma.space.vmas.previous(vma);
  if (below !== undefined && (below.flags & VM_GROWSDOWN) === 0 && below.isAccessible) {
    if (start - below.end < STACK_GUARD_GAP) return ENOMEM;
  }
  if (prepareAnonVma(memory, vma) < 0) return ENOMEM;
  if (vma.end - start > STACK_LIMIT) return ENOMEM;
  vma.space.vmas.resize(vma, start, vma.end);
  return 0;
}
