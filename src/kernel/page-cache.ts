/** The page cache: the one copy of a file's pages that reads, writes and all mappings see. */

import { PAGE_BYTES } from '../../hw/address.js';
import { ENOMEM } from './errno.js';
import type { FileObject } from './file.js';
import { FRAME_SWAPBACKED } from './frames.js';
import type { Memory } from './memory.js';

/** Pages that one miss reads from a disk, half of them before the page asked for. Linux: read_ahead_kb = 128. */
const READ_AROUND = 32;

/** Pages up to the end of the file, the last one perhaps in part. */
export function pagesOf(object: FileObject): number {
  return Math.ceil(object.size / PAGE_BYTES);
}

/** The frame of page `index` for use, made (zeros, a hole of the file) if the cache has none; or ENOMEM. */
export function cachePage(memory: Memory, object: FileObject, index: number): number {
  const cached = object.pages.get(index);
  if (cached !== undefined) {
    object.unwritten.delete(index);
    return cached;
  }
  const { frames } = memory;
  const frame = frames.allocateZeroed(0, object.kind === 'shmem' ? FRAME_SWAPBACKED : 0);
  if (frame < 0) return ENOMEM;
  frames.pins[frame] = 1;
  frames.owner[frame] = object.id;
  frames.index[frame] = index;
  object.pages.set(index, frame);
  return frame;
}

/** The frame of page `index` if the cache has it with contents; fallocate alone gives it none. */
export function writtenPage(object: FileObject, index: number): number | undefined {
  return object.unwritten.has(index) ? undefined : object.pages.get(index);
}

/** The frame of page `index` of a disk file; on a miss its surroundings are read as well. Or ENOMEM. */
export function readAround(memory: Memory, object: FileObject, index: number): number {
  const cached = object.pages.get(index);
  if (cached !== undefined) return cached;
  const frame = cachePage(memory, object, index);
  const from = Math.max(0, index - READ_AROUND / 2);
  const to = Math.min(pagesOf(object), from + READ_AROUND);
  // What there is no memory for is read when somebody asks for it.
  for (let page = from; page < to && frame >= 0; page++) if (cachePage(memory, object, page) < 0) break;
  return frame;
}

/** Takes page `index` out of the cache; the frame is freed once nothing maps it. */
export function dropCachedPage(memory: Memory, object: FileObject, index: number): void {
  const frame = object.pages.get(index);
  if (frame === undefined) return;
  object.pages.delete(index);
  object.unwritten.delete(index);
  const { frames } = memory;
  frames.pins[frame]--;
  if (frames.references(frame) === 0) frames.release(frame);
}

/** Frees the object and its pages when no name, descriptor or mapping is left. */
export function dropIfUnused(memory: Memory, object: FileObject): void {
  if (object.links > 0 || object.vmas.size > 0) return;
  for (const index of [...object.pages.keys()]) dropCachedPage(memory, object, index);
  memory.objects.delete(object.id);
}
