/** The end of an address space: exit and exec. */

import type { AddressSpace } from '../space/model.js';
import type { Memory } from '../space/memory.js';
import { dropUnmapped, releaseVma } from '../space/vma-ops.js';
import { zapRange } from '../pages/zap.js';

/** Drops every page, VMA and table. The processor is taken off the space first, so nothing needs invalidating. */
export function destroySpace(memory: Memory, space: AddressSpace): void {
  const { tables, tlb } = memory;
  tlb.unload(space);
  for (const vma of space.vmas) zapRange(memory, vma, vma.start, vma.end, {});
  tlb.flush();
  for (const vma of space.vmas.clear().reverse()) releaseVma(memory, vma);
  dropUnmapped(memory);
  for (const table of tables.unlinkRange(space, 0, 2 ** 47, 0, 2 ** 47)) tables.release(table);
  tables.release(space.root);
  memory.spaces.delete(space);
}
