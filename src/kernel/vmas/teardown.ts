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
  const vmas = space.vmas.clear();
  for (const vma of vmas.toReversed()) releaseVma(memory, vma);
  dropUnmapped(memory);
  const [first] = vmas;
  const last = vmas.at(-1);
  // Tables lie below VMAs alone.
  if (last !== undefined) {
    for (const table of tables.unlinkRange(space, first.start, last.end, 0, 2 ** 47)) tables.release(table);
  }
  tables.release(space.root);
  memory.spaces.delete(space);
}
