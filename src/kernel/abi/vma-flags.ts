/** Flags of a VMA: kinds and rights of a range of addresses. Linux's values where they fit. */

export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
/** Writes are seen by everybody who maps the object. */
export const VM_SHARED = 0x8;
export const VM_MAYREAD = 0x10;
/** mprotect may make it writable. Cleared for shared mappings of read-only descriptors. */
export const VM_MAYWRITE = 0x20;
export const VM_MAYEXEC = 0x40;
/** MAP_SHARED was asked for, with or without the right to write. */
export const VM_MAYSHARE = 0x80;
/** Grows to lower addresses on a fault below it, as stacks do. */
export const VM_GROWSDOWN = 0x100;
/** Has or had guard pages: its page tables are copied at fork. A merge passes it on. */
export const VM_MAYBE_GUARD = 0x800;
export const VM_LOCKED = 0x2000;
/** Not inherited by fork (MADV_DONTFORK). */
export const VM_DONTCOPY = 0x2_0000;
/** Locked as it is touched, and populated by nobody (MLOCK_ONFAULT); only with VM_LOCKED. */
export const VM_LOCKONFAULT = 0x8_0000;
/** Counted against the commit limit. */
export const VM_ACCOUNT = 0x10_0000;
export const VM_NORESERVE = 0x20_0000;
/** Mapped with huge pages only, of the size in {@link Vma.pageShift} (MAP_HUGETLB). */
export const VM_HUGETLB = 0x40_0000;
/** Empty in the child after fork (MADV_WIPEONFORK). */
export const VM_WIPEONFORK = 0x80_0000;
export const VM_SEQ_READ = 0x100_0000;
export const VM_RAND_READ = 0x200_0000;
/** Left out of core dumps (MADV_DONTDUMP). */
export const VM_DONTDUMP = 0x400_0000;
/** New or changed since clear_refs. */
export const VM_SOFTDIRTY = 0x800_0000;
export const VM_HUGEPAGE = 0x2000_0000;
export const VM_NOHUGEPAGE = 0x4000_0000;

/** Two VMAs may differ in these flags and still merge; the merged one has them if either had. */
export const VM_STICKY = VM_SOFTDIRTY | VM_MAYBE_GUARD;

/** The flags of mlock and its kin. */
export const VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;

export const VM_ACCESS = VM_READ | VM_WRITE | VM_EXEC;
