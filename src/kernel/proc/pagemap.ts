/** Facts about a page of a process, as /proc/PID/pagemap and /proc/kpageflags tell them. */

import { SHIFT_4K } from '../../../hw/base/address.js';
import type { AddressSpace } from '../space/model.js';
import { FRAME_ANON, FRAME_MLOCKED } from '../frames/frames.js';
import { firstFrame, frameBehind } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';

/** The facts about one page of a process. */
export interface PagemapEntry {
  /** Bit 63. Under PROT_NONE a page is present all the same. */
  readonly present: boolean;
  /** Page frame number; 0 when not present. */
  readonly frame: number;
  /** Bit 61: a page of a file or of shared memory. */
  readonly file: boolean;
  /** Bit 58: a guard page. */
  readonly guard: boolean;
  /** Bit 56: mapped once in all the system; of a huge entry this tells about its first 4 KiB. */
  readonly exclusive: boolean;
  /** Bit 55: written since clear_refs. */
  readonly softDirty: boolean;
  /** Part of a folio of more than 4 KiB. */
  readonly huge: boolean;
  /** kpageflags bit KPF_MLOCKED: a locked VMA maps it, or did until lately. */
  readonly mlocked: boolean;
  /** The zero page or part of the huge one. */
  readonly zero: boolean;
}

const ABSENT: PagemapEntry = {
  present: false,
  frame: 0,
  file: false,
  guard: false,
  exclusive: false,
  softDirty: false,
  huge: false,
  mlocked: false,
  zero: false,
};

/** The page of `space` at `address`. */
export function pagemap(memory: Memory, space: AddressSpace, address: number): PagemapEntry {
  const { tables } = memory;
  const at = tables.findLeaf(space, address);
  return describe(memory, at, tables.shift, address);
}

function describe(memory: Memory, at: number, shift: number, address: number): PagemapEntry {
  const { entries, frames, tables } = memory;
  const low = tables.words[at];
  if (entries.isGuard(low)) return { ...ABSENT, guard: true };
  if (!entries.isMapped(low)) return ABSENT;
  const frame = frameBehind(tables, at, shift, address);
  const softDirty = entries.isSoftDirty(low);
  if (entries.isSpecial(low)) {
    // The small zero page is no "normal" page and has no flags; the huge one is a folio, and not an anonymous one.
    const huge = shift !== SHIFT_4K;
    return { ...ABSENT, present: true, frame, file: huge, softDirty, huge, zero: true };
  }
  const head = frames.headOf(frame);
  return {
    present: true,
    frame,
    file: (frames.flags[head] & FRAME_ANON) === 0,
    guard: false,
    exclusive: frames.mappingsOf(firstFrame(tables, at, shift)) === 1,
    softDirty,
    huge: frames.order[head] !== 0,
    mlocked: (frames.flags[head] & FRAME_MLOCKED) !== 0,
    zero: false,
  };
}
