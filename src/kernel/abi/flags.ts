/** Arguments of the memory system calls, with the values of Linux on x86-64. Source: Linux manual pages, section 2. */

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

/** The rights that the first three characters of `r-x`, as /proc/PID/maps has them, name. */
export function protOf(permissions: string): number {
  const bits = [PROT_READ, PROT_WRITE, PROT_EXEC];
  return bits.reduce((prot, bit, i) => (permissions[i] === 'rwx'[i] ? prot | bit : prot), 0);
}

export const MAP_SHARED = 0x1;
export const MAP_PRIVATE = 0x2;
/** MAP_SHARED that refuses flags it does not know. */
export const MAP_SHARED_VALIDATE = 0x3;
export const MAP_TYPE = 0xf;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_GROWSDOWN = 0x100;
export const MAP_LOCKED = 0x2000;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MAP_NONBLOCK = 0x1_0000;
export const MAP_HUGETLB = 0x4_0000;
export const MAP_FIXED_NOREPLACE = 0x10_0000;
/** With MAP_HUGETLB: log2 of the page size, in bits 31:26. */
export const MAP_HUGE_SHIFT = 26;
export const MAP_HUGE_1GB = 30 << MAP_HUGE_SHIFT;

export const MREMAP_MAYMOVE = 1;
export const MREMAP_FIXED = 2;
export const MREMAP_DONTUNMAP = 4;

export const MS_ASYNC = 1;
export const MS_INVALIDATE = 2;
export const MS_SYNC = 4;

export const MADV_NORMAL = 0;
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
export const MADV_FREE = 8;
export const MADV_REMOVE = 9;
export const MADV_DONTFORK = 10;
export const MADV_DOFORK = 11;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_DONTDUMP = 16;
export const MADV_DODUMP = 17;
export const MADV_WIPEONFORK = 18;
export const MADV_KEEPONFORK = 19;
export const MADV_COLD = 20;
export const MADV_POPULATE_READ = 22;
export const MADV_POPULATE_WRITE = 23;
export const MADV_DONTNEED_LOCKED = 24;
export const MADV_COLLAPSE = 25;
export const MADV_GUARD_INSTALL = 102;
export const MADV_GUARD_REMOVE = 103;

/** mlock2(2): lock each page once it is touched. */
export const MLOCK_ONFAULT = 1;
/** mlockall(2): what is mapped now; what will be mapped; either of them once it is touched. */
export const MCL_CURRENT = 1;
export const MCL_FUTURE = 2;
export const MCL_ONFAULT = 4;

export const FALLOC_KEEP_SIZE = 1;
export const FALLOC_PUNCH_HOLE = 2;
