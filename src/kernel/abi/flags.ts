/** Arguments of the memory system calls, with the values of Linux on x86-64. Source: Linux manual pages, section 2. */

export const PROT_NONE = 0;
/** The pages may be read. */
export const PROT_READ = 1;
/** The pages may be written. */
export const PROT_WRITE = 2;
/** The pages may be executed. */
export const PROT_EXEC = 4;

/** The rights named by the first three characters of `r-x`, as in /proc/PID/maps. */
export function protOf(permissions: string): number {
  const bits = [PROT_READ, PROT_WRITE, PROT_EXEC];
  return bits.reduce((prot, bit, i) => (permissions[i] === 'rwx'[i] ? prot | bit : prot), 0);
}

/** Writes are seen by all who map the object. */
export const MAP_SHARED = 0x1;
/** Writes make a private copy. */
export const MAP_PRIVATE = 0x2;
/** MAP_SHARED, and unknown flags are refused. */
export const MAP_SHARED_VALIDATE = 0x3;
/** The bits of a kind of mapping. */
export const MAP_TYPE = 0xf;
/** Exactly at this address, replacing all mappings there. */
export const MAP_FIXED = 0x10;
/** Memory of zeros, no file. */
export const MAP_ANONYMOUS = 0x20;
/** A stack: a touch below extends it. */
export const MAP_GROWSDOWN = 0x100;
/** Lock the pages, as mlock does. */
export const MAP_LOCKED = 0x2000;
/** No charge against the commit limit. */
export const MAP_NORESERVE = 0x4000;
/** Fault the pages in at once. */
export const MAP_POPULATE = 0x8000;
/** With MAP_POPULATE: populate nothing. */
export const MAP_NONBLOCK = 0x1_0000;
/** Huge pages alone. */
export const MAP_HUGETLB = 0x4_0000;
/** Exactly at this address, or EEXIST. */
export const MAP_FIXED_NOREPLACE = 0x10_0000;
/** With MAP_HUGETLB: log2 of the page size, in bits 31:26. */
export const MAP_HUGE_SHIFT = 26;
/** With MAP_HUGETLB: pages of 1 GiB. */
export const MAP_HUGE_1GB = 30 << MAP_HUGE_SHIFT;

/** The mapping may move. */
export const MREMAP_MAYMOVE = 1;
/** Move it to exactly this address. */
export const MREMAP_FIXED = 2;
/** Leave the old range mapped, and empty. */
export const MREMAP_DONTUNMAP = 4;

/** Start writing back. */
export const MS_ASYNC = 1;
/** Other mappings must see it; refused for locked pages. */
export const MS_INVALIDATE = 2;
/** Write back and wait. */
export const MS_SYNC = 4;

/** No special treatment. */
export const MADV_NORMAL = 0;
/** Expect reads in random order. */
export const MADV_RANDOM = 1;
/** Expect reads in order. */
export const MADV_SEQUENTIAL = 2;
/** Read ahead. */
export const MADV_WILLNEED = 3;
/** Drop the pages now; the next touch finds zeros, or the file. */
export const MADV_DONTNEED = 4;
/** The pages may go when memory is short, unless they are written before. */
export const MADV_FREE = 8;
/** Punch a hole into the object behind. */
export const MADV_REMOVE = 9;
/** A child does not get the range. */
export const MADV_DONTFORK = 10;
/** Undoes {@link MADV_DONTFORK}. */
export const MADV_DOFORK = 11;
/** Huge pages are wanted here. */
export const MADV_HUGEPAGE = 14;
/** No huge pages here. */
export const MADV_NOHUGEPAGE = 15;
/** Leave the range out of core dumps. */
export const MADV_DONTDUMP = 16;
/** Undoes {@link MADV_DONTDUMP}. */
export const MADV_DODUMP = 17;
/** A child finds zeros here. */
export const MADV_WIPEONFORK = 18;
/** Undoes {@link MADV_WIPEONFORK}. */
export const MADV_KEEPONFORK = 19;
/** The pages will not be needed soon. */
export const MADV_COLD = 20;
/** Fault the pages in as reads would. */
export const MADV_POPULATE_READ = 22;
/** Fault the pages in as writes would. */
export const MADV_POPULATE_WRITE = 23;
/** As {@link MADV_DONTNEED}, for locked pages, too. */
export const MADV_DONTNEED_LOCKED = 24;
/** Make huge pages of the range at once. */
export const MADV_COLLAPSE = 25;
/** Make the pages guard pages: a touch is a signal. */
export const MADV_GUARD_INSTALL = 102;
/** Undoes {@link MADV_GUARD_INSTALL}. */
export const MADV_GUARD_REMOVE = 103;

/** mlock2(2): lock each page once it is touched. */
export const MLOCK_ONFAULT = 1;
/** mlockall(2): present mappings. */
export const MCL_CURRENT = 1;
/** mlockall(2): future mappings. */
export const MCL_FUTURE = 2;
/** mlockall(2): lock each page once it is touched. */
export const MCL_ONFAULT = 4;

/** fallocate(2): leave the size of the file as it is. */
export const FALLOC_KEEP_SIZE = 1;
/** fallocate(2): free the range; goes with FALLOC_KEEP_SIZE. */
export const FALLOC_PUNCH_HOLE = 2;
