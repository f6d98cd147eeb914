/** Soft-dirty: the mark of pages written since /proc/PID/clear_refs was told 4. Checkpointing tools ask for it. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import type { AddressSpace } from '../space/model.js';
import type { Memory } from '../space/memory.js';
import { VM_SOFTDIRTY } from '../abi/vma-flags.js';

/** Clears all marks and makes the pages read-only: the next write to each leaves its mark by a fault. */
export function clearSoftDirty(memory: Memory, space: AddressSpace): void {
  const { tables } = memory;
  for (const vma of space.vmas) {
    vma.flags &= ~VM_SOFTDIRTY;
    let from = vma.start;
    while (tables.next(space, from, vma.end)) {
      const { at, start, end } = tables;
      from = end;
      if (!tables.isTable(at)) {
        clearEntry(memory, space, at, start);
        continue;
      }
      let entry = tables.entryIn(at, start);
      for (let address = start; address < end; address += PAGE_BYTES, entry += 2)
        clearEntry(memory, space, entry, address);
    }
  }
  memory.tlb.flush();
}

function clearEntry(memory: Memory, space: AddressSpace, at: number, address: number): void {
  const { entries, tlb } = memory;
  if (entries.isMapped(entries.words[at]) && entries.isPresent(entries.clearSoftDirty(at))) tlb.page(space, address);
}
