/** System calls on files, over the same page cache as mappings: pread, pwrite, ftruncate, fallocate. */

import { PAGE_BYTES, PAGE_OFFSET_MASK } from '../../../hw/base/address.js';
import { isWhole } from '../abi/arguments.js';
import { EBADF, EFAULT, EFBIG, EINVAL, ENOMEM, EOPNOTSUPP } from '../abi/errno.js';
import type { CallResult, CallValue, Errno } from '../abi/errno.js';
import { LARGEST_FILE } from '../abi/layout.js';
import type { FileObject, OpenFile } from '../space/model.js';
import { FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE } from '../abi/flags.js';
import { FRAME_DIRTY } from '../frames/frames.js';
import type { Memory } from '../space/memory.js';
import { cachePage, dropCachedPage, pagesOf, readSequentially, writtenPage } from '../space/page-cache.js';
import { splitFolioAt, unmapObject } from '../pages/rmap.js';
import { writeFrame } from '../space/direct-map.js';

/** Most bytes that one call moves, whatever it is asked for. Source: read(2), write(2), NOTES; Linux MAX_RW_COUNT. */
const LONGEST_TRANSFER = 0x7fff_f000;

/**
 * The bytes that one call moves at most, if it may: pread(2) and pwrite(2) ask before all else. Or EINVAL, or EBADF.
 * Source: Linux fs/read_write.c, ksys_pread64, ksys_pwrite64, vfs_read and vfs_write, in their order.
 */
export function longestTransfer(allowed: boolean, offset: number, bytes: number): CallValue | Errno {
  if (!isWhole(offset, 0)) return EINVAL;
  if (!allowed) return EBADF;
  return isWhole(bytes, 0) ? Math.min(bytes, LONGEST_TRANSFER) : EINVAL;
}

/** Moves bytes between a page and the caller's buffer; returns the number moved. */
export type PageMover = (frame: number, offsetInPage: number, bytes: number, done: number) => number;

/**
 * pread(2): calls `move` for each piece; frame -1 stands for a hole, all zeros.
 * @returns bytes read, 0 at the end of the file, EBADF, EINVAL, EFAULT (nothing could be moved) or ENOMEM
 */
export function readFile(
  memory: Memory,
  file: OpenFile,
  offset: number,
  bytes: number,
  move: PageMover,
): CallValue | Errno {
  const longest = longestTransfer(file.readable, offset, bytes);
  if (longest < 0) return longest;
  const { object } = file;
  const wanted = Math.min(longest, Math.max(0, object.size - offset));
  let done = 0;
  while (done < wanted) {
    const at = offset + done;
    const index = Math.floor(at / PAGE_BYTES);
    const frame = object.kind === 'disk' ? readSequentially(memory, object, index) : (writtenPage(object, index) ?? -1);
    if (frame === ENOMEM) return done > 0 ? done : ENOMEM;
    const inPage = at % PAGE_BYTES;
    // Reading on in a page is no second use: it was counted at the beginning.
    if (frame >= 0 && inPage === 0) memory.lru.markAccessed(memory.frames.headOf(frame));
    const piece = Math.min(wanted - done, PAGE_BYTES - inPage);
    const moved = move(frame, inPage, piece, done);
    done += moved;
    if (moved < piece) return done > 0 ? done : EFAULT;
  }
  return done;
}

/** The bytes to be written, in pieces: `[done, done + count)`. */
export interface ByteSource {
  /** As many of the bytes as are at hand without a fault. */
  take(done: number, count: number): Uint8Array;
  /** Faults the bytes in; false when not even the first can be had. */
  faultIn(done: number, count: number): boolean;
}

/**
 * pwrite(2), extending the file as far as it may grow. Each piece is tried without a fault first, and each try is a use
 * of the page.
 * @returns bytes written, EBADF, EINVAL, EFBIG (nothing fits), EFAULT or ENOMEM
 * Source: Linux fs/read_write.c, generic_write_checks; mm/filemap.c, generic_perform_write; mm/shmem.c,
 * shmem_get_folio_gfp with SGP_WRITE.
 */
export function writeFile(
  memory: Memory,
  file: OpenFile,
  offset: number,
  bytes: number,
  source: ByteSource,
): CallValue | Errno {
  const longest = longestTransfer(file.writable, offset, bytes);
  if (longest <= 0) return longest;
  if (offset >= LARGEST_FILE) return EFBIG;
  const { object } = file;
  const wanted = Math.min(longest, LARGEST_FILE - offset);
  let done = 0;
  while (done < wanted) {
    const at = offset + done;
    const inPage = at % PAGE_BYTES;
    const count = Math.min(wanted - done, PAGE_BYTES - inPage);
    const frame = cachePage(memory, object, Math.floor(at / PAGE_BYTES));
    if (frame < 0) return done > 0 ? done : ENOMEM;
    // As in Linux the file first grows up to the write's begin. Then the bytes are read, or cannot be.
    if (at > object.size) extend(memory, object, at);
    const head = memory.frames.headOf(frame);
    if (object.kind === 'shmem') memory.lru.markAccessed(head);
    const piece = source.take(done, count);
    writeFrame(memory.ram, frame, inPage, piece);
    memory.frames.flags[head] |= FRAME_DIRTY;
    done += piece.length;
    if (offset + done > object.size) extend(memory, object, offset + done);
    if (piece.length === 0 && !source.faultIn(done, count)) return done > 0 ? done : EFAULT;
  }
  return done;
}

/** Makes the file longer. The part past the end, in the last page of a disk file, is zeroed before it shows. */
function extend(memory: Memory, object: FileObject, size: number): void {
  const inPage = object.size % PAGE_BYTES;
  if (object.kind === 'disk' && inPage !== 0) zeroPart(memory, object, object.size, object.size - inPage + PAGE_BYTES);
  object.size = size;
}

/** Zeros bytes `[from, to)` of a frame. */
function zeroBytes(memory: Memory, frame: number, from: number, to: number): void {
  writeFrame(memory.ram, frame, from & PAGE_OFFSET_MASK, new Uint8Array(to - from));
}

/** ftruncate(2). Returns 0 or EINVAL; pages past the new end leave every mapping, private copies too. */
export function truncateFile(memory: Memory, file: OpenFile, size: number): CallResult {
  if (!file.writable || !isWhole(size, 0)) return EINVAL;
  if (size > LARGEST_FILE) return EFBIG;
  const { object } = file;
  if (size > object.size) {
    touchCutPage(memory, object, object.size);
    extend(memory, object, size);
    return 0;
  }
  const oldPages = pagesOf(object);
  object.size = size;
  const firstGone = pagesOf(object);
  if (oldPages > firstGone) unmapObject(memory, object, firstGone, oldPages, false);
  discard(memory, object, size, Infinity);
  touchCutPage(memory, object, object.size);
  return 0;
}

/** Drops the whole pages of `[from, to)` bytes from the cache and zeros the parts. */
function discard(memory: Memory, object: FileObject, from: number, to: number): void {
  const first = Math.ceil(from / PAGE_BYTES);
  const last = Math.floor(to / PAGE_BYTES);
  for (const edge of [first, last]) splitFolioAt(memory, object, edge);
  for (const index of [...object.pages.keys()]) {
    if (index >= first && index < last) dropCachedPage(memory, object, index);
  }
  zeroPart(memory, object, from, Math.min(to, first * PAGE_BYTES));
  if (last >= first) zeroPart(memory, object, last * PAGE_BYTES, to);
}

/**
 * The page of a disk file cut by `offset` comes into the cache to have a part zeroed, unread until it is asked for. This
 * counts as use. Source: Linux fs/ext4/inode.c, ext4_block_zero_page_range.
 */
function touchCutPage(memory: Memory, object: FileObject, offset: number): void {
  const index = Math.floor(offset / PAGE_BYTES);
  if (object.kind !== 'disk' || offset % PAGE_BYTES === 0) return;
  const known = object.pages.get(index);
  const frame = known ?? cachePage(memory, object, index);
  if (frame < 0) return;
  if (known === undefined) object.unwritten.add(index);
  memory.lru.markAccessed(frame);
}

/** Zeros bytes within one page, if the cache has it; the zeros are a write. */
function zeroPart(memory: Memory, object: FileObject, from: number, to: number): void {
  if (!(from < to) || to === Infinity) return;
  const base = Math.floor(from / PAGE_BYTES) * PAGE_BYTES;
  const frame = object.pages.get(base / PAGE_BYTES);
  if (frame === undefined) return;
  zeroBytes(memory, frame, from - base, to - base);
  memory.frames.flags[memory.frames.headOf(frame)] |= FRAME_DIRTY;
}

/**
 * fallocate(2): reserves pages, or with FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE gives them back; private copies stay.
 * @returns 0, EBADF, EINVAL, EFBIG, EOPNOTSUPP or ENOMEM (nothing was reserved)
 */
export function allocateFile(memory: Memory, file: OpenFile, mode: number, offset: number, length: number): CallResult {
  if (!isWhole(offset, 0) || !isWhole(length, 1) || !isWhole(mode)) return EINVAL;
  if ((mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE)) !== 0) return EOPNOTSUPP;
  if ((mode & FALLOC_PUNCH_HOLE) !== 0 && (mode & FALLOC_KEEP_SIZE) === 0) return EOPNOTSUPP;
  if (!file.writable) return EBADF;
  if (offset + length > LARGEST_FILE) return EFBIG;
  const { object } = file;
  if ((mode & FALLOC_PUNCH_HOLE) !== 0) {
    punchHole(memory, object, offset, offset + length);
    return 0;
  }
  if (object.kind === 'shmem' && !reserve(memory, object, offset, offset + length)) return ENOMEM;
  if ((mode & FALLOC_KEEP_SIZE) === 0 && offset + length > object.size) extend(memory, object, offset + length);
  return 0;
}

/** Gives the bytes `[from, to)` of an object back: they read as zeros. */
export function punchHole(memory: Memory, object: FileObject, from: number, to: number): void {
  const first = Math.ceil(from / PAGE_BYTES);
  const last = Math.floor(to / PAGE_BYTES);
  if (last > first) unmapObject(memory, object, first, last, true);
  discard(memory, object, from, to);
  for (const cut of [from, to]) if (cut < object.size) touchCutPage(memory, object, cut);
}

/**
 * Puts pages never written into the cache, all or none, and makes those of the whole range dirty: pages of
 * memory must not be dropped as if a disk had them. Source: Linux mm/shmem.c, shmem_fallocate.
 */
function reserve(memory: Memory, object: FileObject, from: number, to: number): boolean {
  const made: number[] = [];
  for (let index = Math.floor(from / PAGE_BYTES); index < Math.ceil(to / PAGE_BYTES); index++) {
    const known = object.pages.has(index);
    const frame = cachePage(memory, object, index);
    if (frame < 0) {
      for (const page of made) dropCachedPage(memory, object, page);
      return false;
    }
    memory.frames.flags[memory.frames.headOf(frame)] |= FRAME_DIRTY;
    // A page reserved before is cleared for good now: undoing this call cannot take it away again.
    if (known) continue;
    made.push(index);
    object.unwritten.add(index);
  }
  return true;
}
