/** What can be mapped besides private anonymous memory: objects with pages of their own, and descriptors to them. */

import type { Vma } from './vma.js';

/**
 * `hugetlb`: as `shmem`, in huge pages alone (a shared anonymous mapping with MAP_HUGETLB); `shmem`: lives in memory alone (memfd, POSIX and SysV shared memory, shared anonymous mappings); `disk`: a regular
 * file, whose first read of a page is a major fault and whose clean pages wait for a write fault to become dirty.
 */
/** Kinds of object that a name can stand for. */
export type NamedKind = (typeof OBJECT_KINDS)[number];
export const OBJECT_KINDS = ['disk', 'shmem'] as const;
export type ObjectKind = NamedKind | 'hugetlb';

/** Bytes of the largest file: every offset is exact as a plain number. */
export const LARGEST_FILE = 2 ** 52;

export class FileObject {
  /** Bytes. */
  size = 0;
  /** The page cache: frame by page offset. Each cached page pins its folio once. */
  readonly pages = new Map<number, number>();
  /** Cached pages that fallocate reserved and nobody has used: as good as absent to all but a write or a fault. */
  readonly unwritten = new Set<number>();
  /** Pages whose first use tells the kernel to read further ahead; a fault nearby does not map them along. */
  readonly readAheadMarks = new Set<number>();
  /** Every VMA that maps it: the reverse map of its pages. */
  readonly vmas = new Set<Vma>();
  /** Names and descriptors that keep it alive. */
  links = 0;

  /** @param id above 0, written into {@link Frames.owner} */
  constructor(
    readonly id: number,
    readonly kind: ObjectKind,
    public name: string,
  ) {}
}

/** An open file description: two descriptors of one object are two of these, and their mappings never merge. */
export class OpenFile {
  closed = false;

  constructor(
    readonly object: FileObject,
    readonly readable: boolean,
    readonly writable: boolean,
  ) {}
}
