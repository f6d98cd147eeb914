/** The page cache: one copy of a file's pages for reads, writes and all mappings. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { ENOMEM } from '../abi/errno.js';
import type { FileObject } from './model.js';
import { FRAME_SWAPBACKED } from '../frames/frames.js';
import type { Memory } from './memory.js';

/** Pages read at a miss of a mapping, half of them before the page asked for. Linux: read_ahead_kb = 128. */
const READ_AROUND = 32;
/** Pages read at a read(2) of the first page of a file. */
const FIRST_READ = 4;

/** Pages up to the end of the file, the last one perhaps in part. */
export function pagesOf(object: FileObject): number {
  return Math.ceil(object.size / PAGE_BYTES);
}

/** The frame of page `index` for use, made (zeros, a hole of the file) if the cache has none; or ENOMEM. */
export function cachePage(memory: Memory, object: FileObject, index: number): number {
  const cached = object.pages.get(index);
  if (cached !== undefined) {
    object.unwritten.delete(index);
    object.readAheadMarks.delete(index);
    return cached;
  }
  const { frames } = memory;
  const frame = frames.allocateZeroed(0, object.kind === 'shmem' ? FRAME_SWAPBACKED : 0);
  if (frame < 0) return ENOMEM;
  addToCache(memory, object, index, frame);
  memory.lru.addNew(frame);
  return frame;
}

/** Enters a new folio, of one page or more, without references yet. */
export function addToCache(memory: Memory, object: FileObject, index: number, head: number): void {
  const { frames } = memory;
  const pages = 2 ** frames.order[head];
  frames.pins[head] = pages;
  frames.setOwner(head, object.id, index);
  for (let i = 0; i < pages; i++) object.pages.set(index + i, head + i);
}

/** The frame of page `index` if the cache has it with contents; fallocate alone gives it none. */
export function writtenPage(object: FileObject, index: number): number | undefined {
  return object.unwritten.has(index) ? undefined : object.pages.get(index);
}

/** The frame of page `index` of a disk file for a mapping; on a miss its surroundings are read as well. Or ENOMEM. */
export function readAround(memory: Memory, object: FileObject, index: number): number {
  const miss = !object.pages.has(index);
  const frame = cachePage(memory, object, index);
  const from = Math.max(0, index - READ_AROUND / 2);
  if (miss && frame >= 0) readAhead(memory, object, from, READ_AROUND, from + (READ_AROUND * 3) / 4);
  return frame;
}

/**
 * As {@link readAround} for a mapping with the right to execute: nothing before the page, and nothing past the mapping's
 * end (index `end`). Source: Linux mm/filemap.c, do_sync_mmap_readahead.
 */
export function readOnward(memory: Memory, object: FileObject, index: number, end: number): number {
  const miss = !object.pages.has(index);
  const frame = cachePage(memory, object, index);
  if (miss && frame >= 0) readAhead(memory, object, index, Math.min(READ_AROUND, end - index), -1);
  return frame;
}

/** As {@link readAround} for read(2): it reads ahead from the beginning of a file only. */
export function readSequentially(memory: Memory, object: FileObject, index: number): number {
  const miss = !object.pages.has(index);
  const frame = cachePage(memory, object, index);
  if (miss && index === 0 && frame >= 0) readAhead(memory, object, 0, FIRST_READ, 1);
  return frame;
}

/** Reads `count` pages from `from` on, as far as file and memory reach, and marks one of them. */
function readAhead(memory: Memory, object: FileObject, from: number, count: number, mark: number): void {
  const to = Math.min(pagesOf(object), from + count);
  for (let page = from; page < to; page++) {
    if (object.pages.has(page)) continue;
    if (cachePage(memory, object, page) < 0) return;
    if (page === mark) object.readAheadMarks.add(page);
  }
}

/** Takes page `index` out of the cache; the frame is freed once nothing maps it. */
export function dropCachedPage(memory: Memory, object: FileObject, index: number): void {
  const frame = object.pages.get(index);
  if (frame === undefined) return;
  object.pages.delete(index);
  object.unwritten.delete(index);
  object.readAheadMarks.delete(index);
  const { frames } = memory;
  memory.lru.drain();
  const head = frames.headOf(frame);
  frames.pins[head]--;
  if (frames.references(head) === 0) frames.release(head);
}

/** Frees the object and its pages when no name, descriptor or mapping is left. */
export function dropIfUnused(memory: Memory, object: FileObject): void {
  if (object.links > 0 || object.vmas.size > 0) return;
  for (const index of [...object.pages.keys()]) dropCachedPage(memory, object, index);
  memory.objects.delete(object.id);
}
