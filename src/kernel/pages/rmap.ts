/** The reverse map: from a frame, or a range of an object, to all its mappings. */

import { SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import type { FileObject, Vma } from '../space/model.js';
import { FRAME_ANON, FRAME_DIRTY } from '../frames/frames.js';
import { splitHuge } from './huge.js';
import { frameBehind } from './mapping.js';
import type { Memory } from '../space/memory.js';
import { zapRange } from './zap.js';

/** A page as one address space sees it. */
interface FrameMapping {
  readonly vma: Vma;
  /** Linear address of the frame. */
  readonly address: number;
  /** log2 of the bytes of its entry. */
  readonly shift: number;
}

/** Every mapping of a frame, found through its owner: the VMAs on its anon_vma, or those of its object. */
export function mappingsOf(memory: Memory, frame: number): FrameMapping[] {
  const { frames } = memory;
  const head = frames.headOf(frame);
  const index = frames.indexOf(head) + frame - head;
  const owner = frames.owner[head];
  const anonymous = (frames.flags[head] & FRAME_ANON) !== 0;
  const vmas = (anonymous ? memory.anonVmas.get(owner)?.vmas : memory.objects.get(owner)?.vmas) ?? new Set<Vma>();
  const found: FrameMapping[] = [];
  for (const vma of vmas) {
    const address = vma.addressOf(index);
    if (address < vma.start || address >= vma.end) continue;
    const shift = shiftOfMapping(memory, vma, address, frame);
    if (shift > 0) found.push({ vma, address, shift });
  }
  return found;
}

/** log2 of the bytes of the entry from `address` to `frame`; 0 when there is none. */
function shiftOfMapping(memory: Memory, vma: Vma, address: number, frame: number): number {
  const { tables } = memory;
  const at = tables.findLeaf(vma.space, address);
  const { shift } = tables;
  return memory.entries.isMapped(tables.words[at]) && frameBehind(tables, at, shift, address) === frame ? shift : 0;
}

/**
 * Takes pages `[from, to)` of an object out of all page tables.
 * @param keepCopies leave the processes' private copies of them
 */
export function unmapObject(memory: Memory, object: FileObject, from: number, to: number, keepCopies: boolean): void {
  for (const vma of object.vmas) {
    const start = Math.max(vma.start, vma.addressOf(from));
    const end = Math.min(vma.end, vma.addressOf(to));
    if (start < end) zapRange(memory, vma, start, end, { keepCopies, keepGuards: true });
    memory.tlb.flush();
  }
}

/** Makes single pages of the object's folio around page `index`, unless it begins there. */
export function splitFolioAt(memory: Memory, object: FileObject, index: number): void {
  const { frames } = memory;
  const frame = object.kind === 'shmem' ? object.pages.get(index) : undefined;
  const head = frame === undefined ? -1 : frames.headOf(frame);
  if (frame === undefined || frame === head) return;
  for (const { vma, address, shift } of mappingsOf(memory, head)) {
    if (shift === SHIFT_2M) splitHuge(memory, vma, memory.tables.find(vma.space, address, SHIFT_2M), address);
  }
  frames.splitFolio(head);
}

/**
 * Writes a disk file's dirty pages out: they are clean then, and read-only in every mapping: so the next write to
 * one is noticed. There is no disk to write to.
 */
export function cleanObject(memory: Memory, object: FileObject): void {
  if (object.kind !== 'disk') return;
  const { entries, frames, tables, tlb } = memory;
  for (const frame of object.pages.values()) {
    frames.flags[frame] &= ~FRAME_DIRTY;
    for (const { vma, address } of mappingsOf(memory, frame)) {
      const at = tables.find(vma.space, address, SHIFT_4K);
      entries.makeClean(at);
      tlb.page(vma.space, address);
    }
  }
  tlb.flush();
}
