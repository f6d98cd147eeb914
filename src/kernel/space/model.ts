/**
 * The nouns of a process's memory: address space, VMA, anon_vma, and the objects to be mapped.
 *
 * They refer to one another in circles, as in Linux (linux/mm_types.h): a VMA lies in an address space, maps a file,
 * and is on the lists of its object and of its anon_vmas. So they stand in one file.
 */

import { PAGE_BYTES, PAGE_SHIFT } from '../../../hw/base/address.js';
import { USER_END } from '../abi/layout.js';
import { VM_ACCESS, VM_GROWSDOWN, VM_MAYWRITE, VM_SHARED } from '../abi/vma-flags.js';
import { TableRoot } from '../tables/root.js';
import { VmaMap } from './vma-map.js';
import type { Area } from './vma-tree.js';

/** When anonymous memory gets 2 MiB pages: /sys/kernel/mm/transparent_hugepage/enabled. */
export type HugePagePolicy = (typeof HUGE_PAGE_POLICIES)[number];
export const HUGE_PAGE_POLICIES = ['always', 'madvise', 'never'] as const;

/** The memory of one process (or several, after vfork): its VMAs, and the page tables to make them real. */
export class AddressSpace extends TableRoot {
  readonly vmas = new VmaMap<Vma>();
  /** Present 4 KiB pages, the zero pages left out. */
  residentPages = 0;
  /** Processes with this address space. */
  users = 1;
  /** Program break: start and end of the heap, bytes; -1 when there is none. */
  brkStart = -1;
  brkEnd = -1;
  /** Addresses are chosen downwards from here. */
  mmapBase = USER_END;
  /** Flags of new mappings: VM_LOCKED and VM_LOCKONFAULT after mlockall(MCL_FUTURE). A child begins without. */
  defaultFlags = 0;

  /**
   * @param id above 0
   * @param root frame of the topmost table
   */
  constructor(
    readonly id: number,
    root: number,
    public hugePages: HugePagePolicy,
  ) {
    super(root);
  }

  /** Bytes of all VMAs. */
  get mappedBytes(): number {
    let bytes = 0;
    for (const vma of this.vmas) bytes += vma.end - vma.start;
    return bytes;
  }

  /** Bytes of present pages, the zero pages left out. */
  get residentBytes(): number {
    return this.residentPages * PAGE_BYTES;
  }
}

/** Bytes kept free below a stack: it cannot run into another mapping. Linux: stack_guard_gap = 256 pages. */
export const STACK_GUARD_GAP = 256 * PAGE_BYTES;

/** A virtual memory area: a run of pages with one protection over one object, as a line of /proc/PID/maps shows it. */
export class Vma implements Area {
  /** The owner of this VMA's own anonymous pages; set by the first write. @internal */
  anonVma: AnonVma | null = null;
  /** Every anon_vma with pages here, perhaps: its own and its ancestors'. @internal */
  chain: AnonVma[] = [];
  /** log2 of the page size; above 12 only for VM_HUGETLB. */
  pageShift = PAGE_SHIFT;
  /** False once unmapped or merged away. */
  attached = false;

  /**
   * @param start first byte, a multiple of 4096
   * @param end one past the last byte
   * @param pgoff page offset of `start` in the object; for anonymous private memory its page number when mapped
   * @param file the open file, or null for private anonymous memory
   */
  constructor(
    readonly space: AddressSpace,
    readonly start: number,
    readonly end: number,
    public flags: number,
    public pgoff: number,
    readonly file: OpenFile | null,
  ) {}

  /** A VMA with the same flags, object and page size over `[start, end)` of this one, without an anon_vma. */
  slice(space: AddressSpace, start: number, end: number): Vma {
    const part = new Vma(space, start, end, this.flags, this.pageOffset(start), this.file);
    part.pageShift = this.pageShift;
    return part;
  }

  /** Pages of 4 KiB. */
  get pages(): number {
    return (this.end - this.start) / PAGE_BYTES;
  }

  /** Page offset in the object of the page at `address`. */
  pageOffset(address: number): number {
    return this.pgoff + Math.floor((address - this.start) / PAGE_BYTES);
  }

  /** Address of the page with this offset in the object; it may lie outside of the VMA. */
  addressOf(pgoff: number): number {
    return this.start + (pgoff - this.pgoff) * PAGE_BYTES;
  }

  /** Begin of the range closed to others: stacks keep a guard gap below them. */
  get startWithGap(): number {
    return (this.flags & VM_GROWSDOWN) === 0 ? this.start : Math.max(0, this.start - STACK_GUARD_GAP);
  }

  /** No file is behind it. */
  get isAnonymous(): boolean {
    return this.file === null;
  }

  /** Writes are seen by all who map the object. */
  get isShared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }

  /** Private and possibly writable: its pages are copied on write. */
  get isCow(): boolean {
    return (this.flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE;
  }

  /** Any of read, write and execute is allowed. */
  get isAccessible(): boolean {
    return (this.flags & VM_ACCESS) !== 0;
  }

  /** Inherited its anonymous memory by fork: its chain holds more than its own anon_vma. */
  get isForkChild(): boolean {
    return this.anonVma !== null && this.chain.length !== 1;
  }
}

/** The owner of anonymous pages, and the VMAs with a right to map them; see anon-vma.ts. */
export class AnonVma {
  readonly root: AnonVma;
  readonly parent: AnonVma;
  /** Every VMA with pages of this owner, perhaps. */
  readonly vmas = new Set<Vma>();
  /** Children of this anon_vma; a root is its own parent. */
  children = 0;
  /** VMAs with this anon_vma as their own. */
  activeVmas = 0;

  /** @param id above 0, written into `Frames.owner` */
  constructor(
    readonly id: number,
    parent: AnonVma | null,
  ) {
    this.root = parent === null ? this : parent.root;
    this.parent = parent ?? this;
    this.parent.children++;
  }
}

/**
 * Kinds of object with a name. `disk` is a regular file: the first read of a page is a major fault, and
 * its clean pages wait for a write fault to become dirty. `shmem` lives in memory alone: memfd, POSIX and SysV shared
 * memory, shared anonymous mappings.
 */
export type NamedKind = (typeof OBJECT_KINDS)[number];
export const OBJECT_KINDS = ['disk', 'shmem'] as const;
/** `hugetlb`: as `shmem`, in huge pages alone (a shared anonymous mapping with MAP_HUGETLB). */
export type ObjectKind = NamedKind | 'hugetlb';

/** An object with pages of its own, to be mapped: all but private anonymous memory is one. */
export class FileObject {
  /** Bytes. */
  size = 0;
  /** The page cache: frame by page offset. Each cached page pins its folio once. */
  readonly pages = new Map<number, number>();
  /** Cached pages, reserved by fallocate and not used yet: as good as absent to all but a write or a fault. */
  readonly unwritten = new Set<number>();
  /** At the first use of these pages the kernel reads further ahead; a fault nearby does not map them along. */
  readonly readAheadMarks = new Set<number>();
  /** Every VMA over it: the reverse map of its pages. */
  readonly vmas = new Set<Vma>();
  /** Names and descriptors; they keep it alive. */
  links = 0;

  /** @param id above 0, written into `Frames.owner` */
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
