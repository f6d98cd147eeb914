/** Guard pages (MADV_GUARD_INSTALL): marks in the page tables to make an access a fault, without a VMA of their own. */

import { PAGE_BYTES, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import { alignDown } from '../abi/layout.js';
import { prepareAnonVma } from '../space/anon-vma.js';
import { ENOMEM } from '../abi/errno.js';
import type { CallResult } from '../abi/errno.js';
import type { Memory } from '../space/memory.js';
import type { Vma } from '../space/model.js';
import { VM_MAYBE_GUARD } from '../abi/vma-flags.js';
import { zapRange } from '../pages/zap.js';

/** Replaces the pages of a range within the VMA by guard pages. Returns 0 or ENOMEM. */
export function installGuards(memory: Memory, vma: Vma, start: number, end: number): CallResult {
  const { entries, tables, tlb } = memory;
  // The page tables are to be copied at fork, and the guards with them.
  vma.flags |= VM_MAYBE_GUARD;
  if (vma.isAnonymous && prepareAnonVma(memory, vma) < 0) return ENOMEM;
  zapRange(memory, vma, start, end, { keepGuards: true });
  tlb.flush();
  for (let address = start; address < end; address += PAGE_BYTES) {
    const at = tables.ensure(vma.space, address, SHIFT_4K);
    if (at < 0) return ENOMEM;
    entries.setGuard(at);
  }
  return 0;
}

/** Removes the guard pages of a range; other pages are left alone. */
export function removeGuards(memory: Memory, vma: Vma, start: number, end: number): void {
  const { entries, tables } = memory;
  for (let address = start; address < end; address += PAGE_BYTES) {
    const at = tables.find(vma.space, address, SHIFT_4K);
    if (at < 0) address = alignDown(address, SHIFT_2M) + 2 ** SHIFT_2M - PAGE_BYTES;
    else if (entries.isGuard(tables.words[at])) tables.clear(at);
  }
}
