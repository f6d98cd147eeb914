/**
 * The kernel: what `pagewalk/kernel` exports. Its hardware is that of `pagewalk/hw`.
 *
 * Types without a constructor here are those of public members: they can be named, not made.
 * @module pagewalk/kernel
 */

export { Kernel } from './kernel.js';
export type { KernelOptions } from './kernel.js';
export type { SpawnOptions } from './process-table.js';
export type { Processor, ProcessorMachine } from './tables/privileged.js';
export type { AArch64Instructions } from './tables/machine-aarch64.js';
export type { RiscvInstructions } from './tables/machine-riscv.js';
export type { X86Instructions } from './tables/machine-x86.js';
export type { KernelCounters } from './frames/counters.js';

// Processes and what they have mapped.
export type { PagePolicy, Process } from './space/process.js';
export type { AddressSpace, HugePagePolicy } from './space/model.js';
export type { Vma } from './space/model.js';
export type { VmaMap } from './space/vma-map.js';
export type { Area } from './space/vma-tree.js';
export type { PagemapEntry } from './proc/pagemap.js';

// Files and shared memory.
export type { FileObject, NamedKind, ObjectKind, OpenFile } from './space/model.js';
export type { Files } from './files/files.js';
export { IPC_CREAT, IPC_EXCL, IPC_PRIVATE, SHM_RDONLY, SHM_REMAP, SHM_RND } from './calls/shm.js';
export type { SharedMemory } from './calls/shm.js';

// System calls: their arguments, and what they return.
export type { MmapRequest } from './calls/mmap.js';
export type { MremapRequest } from './calls/mremap.js';
export {
  FALLOC_KEEP_SIZE,
  FALLOC_PUNCH_HOLE,
  MADV_COLD,
  MADV_COLLAPSE,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_GUARD_INSTALL,
  MADV_GUARD_REMOVE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_HUGE_1GB,
  MAP_HUGE_SHIFT,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_TYPE,
  MCL_CURRENT,
  MCL_FUTURE,
  MCL_ONFAULT,
  MLOCK_ONFAULT,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from './abi/flags.js';
export {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  ECHILD,
  EEXIST,
  EFAULT,
  EFBIG,
  EIDRM,
  EINVAL,
  ENOENT,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
  ESRCH,
  ERRNOS,
  errnoName,
  errnoNumber,
  isErrno,
} from './abi/errno.js';
export type { AccessResult, Address, CallResult, CallValue, Errno, ErrnoName } from './abi/errno.js';
export { BUS_ADRERR, isSignal, OOM_KILL, SEGV_ACCERR, SEGV_MAPERR, SIGNALS, signalName } from './abi/signal.js';
export type { Signal, SignalName } from './abi/signal.js';
export { must } from './abi/must.js';
