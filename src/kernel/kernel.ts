/**
 * The kernel: processes over one processor and its RAM, and the system calls they make.
 *
 * The kernel's own memory is not mapped in any page table: it reaches all of RAM through a direct map outside of the
 * translated space, as `ram.words`. Processes reach memory through the processor alone. System calls return 0 or the
 * value of their manual page, or a negative number of errno.ts; a process gets ESRCH once it has ended.
 */

import { highWordOf, lowWordOf, toBigInt } from '../../hw/base/address.js';
import type { AddressSpace, OpenFile } from './space/model.js';
import { checkAccess, checkOptions, checkValue, isWhole, objectWith } from './abi/arguments.js';
import { audit } from './proc/audit.js';
import { brk } from './calls/brk.js';
import type { KernelCounters } from './frames/counters.js';
import { EFAULT, EINVAL, ENOMEM } from './abi/errno.js';
import type { AccessResult, Address, CallResult, CallValue, Errno } from './abi/errno.js';
import { Files } from './files/files.js';
import { readFile, writeFile } from './files/file-io.js';
import { madvise } from './calls/madvise.js';
import { Memory } from './space/memory.js';
import { mlock, mlockall, munlock, munlockall } from './calls/mlock.js';
import { mmap } from './calls/mmap.js';
import type { MmapRequest } from './calls/mmap.js';
import { mprotect } from './calls/mprotect.js';
import { mremap } from './calls/mremap.js';
import type { MremapRequest } from './calls/mremap.js';
import { munmap } from './calls/munmap.js';
import { pagemap } from './proc/pagemap.js';
import type { PagemapEntry } from './proc/pagemap.js';
import { faultIn } from './faults/populate.js';
import { AARCH64 } from './tables/machine-aarch64.js';
import type { AArch64Instructions } from './tables/machine-aarch64.js';
import { RISCV } from './tables/machine-riscv.js';
import type { RiscvInstructions } from './tables/machine-riscv.js';
import { X86 } from './tables/machine-x86.js';
import type { X86Instructions } from './tables/machine-x86.js';
import type { Processor } from './tables/privileged.js';
import type { Process } from './space/process.js';
import { cannotRun, ProcessTable } from './process-table.js';
import { mapRegion } from './calls/region.js';
import { mincore, msync } from './calls/residency.js';
import { SharedMemory } from './calls/shm.js';
import { OOM_KILL } from './abi/signal.js';
import { mapsText, smapsText } from './proc/smaps.js';
import { clearSoftDirty } from './pages/soft-dirty.js';
import { UserAccess } from './user/user-access.js';
import { copyIn, copyInPresent, copyOut, faultInBytes } from './user/user-copy.js';
import { readFrame } from './space/direct-map.js';
import { VM_WRITE } from './abi/vma-flags.js';
import { dropUnmapped } from './space/vma-ops.js';
import { vmstatText } from './proc/vmstat.js';

/** The processor that the kernel runs on, and how its memory and addresses begin. */
export interface KernelOptions {
  /** The processor, with paging still off; its RAM is the kernel's to use. */
  readonly processor: Processor<X86Instructions> | Processor<RiscvInstructions> | Processor<AArch64Instructions>;
  /** False when the RAM may hold something else than zeros, because another kernel ran on it. */
  readonly cleanRam?: boolean;
  /** Seed for the addresses of the kernel's choice (ASLR); without one they are the same for every process. */
  readonly seed?: number;
}

const REQUIRED = { processor: objectWith('mmu', 'a processor, such as new Core(new Mmu({ ram }))') };

/** The kernel's memory on a machine, of the architecture of its instructions. */
function memoryOn(options: KernelOptions): Memory {
  checkOptions('Kernel: options', options, REQUIRED);
  const { processor, cleanRam = true } = options;
  const { mmu } = processor;
  if ('writeTtbr0' in mmu) return new Memory(AARCH64, mmu, cleanRam);
  return 'writeSatp' in mmu ? new Memory(RISCV, mmu, cleanRam) : new Memory(X86, mmu, cleanRam);
}

/** An operating system's memory management, as Linux does it: processes and their system calls over one processor. */
export class Kernel extends ProcessTable {
  readonly files: Files;
  readonly shm: SharedMemory;
  readonly #user: UserAccess;

  /** @throws RangeError when the RAM is too small, TypeError without a processor */
  constructor(options: KernelOptions) {
    super(memoryOn(options), options.seed);
    this.files = new Files(this.memory);
    this.shm = new SharedMemory(this.memory);
    this.#user = new UserAccess(options.processor, this.memory);
  }

  /** What the kernel has done since it started. */
  get counters(): KernelCounters {
    return this.memory.counters;
  }

  /** The value of the last load or fetch, unsigned. */
  get value(): bigint {
    return toBigInt(this.valueHi, this.valueLo);
  }

  /** The same: its low and high word. */
  get valueLo(): number {
    return this.#user.valueLo;
  }

  /** Its high word; 0 for accesses of up to 4 bytes. */
  get valueHi(): number {
    return this.#user.valueHi;
  }

  /** Runs a system call in the process's address space; EINVAL unless all its numbers are whole. */
  #in<T>(name: string, process: Process, numbers: readonly number[], call: (space: AddressSpace) => T): T | Errno {
    const { space } = process;
    if (space === null || process.waitsFor !== null) return cannotRun(process);
    if (!numbers.every((value) => isWhole(value))) return EINVAL;
    const { journal } = this.memory.ram;
    if (journal !== null) this.memory.label(name, numbers);
    const result = call(space);
    dropUnmapped(this.memory);
    if (journal !== null) this.memory.label('');
    return result;
  }

  /** Maps memory: its address, or an errno. Source: Linux manual pages, mmap(2). */
  mmap(process: Process, request: MmapRequest): Address | Errno {
    const { address, length, prot, flags, offset } = request;
    return this.#in('mmap', process, [address, length, prot, flags, offset], (space) =>
      mmap(this.memory, space, request),
    );
  }

  /** Unmaps a range: 0, EINVAL or ENOMEM. Source: Linux manual pages, munmap(2). */
  munmap(process: Process, address: Address, length: number): CallResult {
    return this.#in('munmap', process, [address, length], (space) => munmap(this.memory, space, address, length));
  }

  /** Changes the rights of a range to PROT_ bits: 0, EINVAL, EACCES or ENOMEM. Source: Linux manual pages, mprotect(2). */
  mprotect(process: Process, address: Address, length: number, prot: number): CallResult {
    return this.#in('mprotect', process, [address, length, prot], (space) =>
      mprotect(this.memory, space, address, length, prot),
    );
  }

  /** Shrinks, grows or moves a mapping: its address, or an errno. Source: Linux manual pages, mremap(2). */
  mremap(process: Process, request: MremapRequest): Address | Errno {
    const { address, oldLength, newLength, flags, newAddress } = request;
    const numbers = [address, oldLength, newLength, flags, newAddress];
    return this.#in('mremap', process, numbers, (space) => mremap(this.memory, space, request));
  }

  /** Advice about `[address, address + length)`, a MADV_ constant: 0 or an errno. Source: Linux manual pages, madvise(2). */
  madvise(process: Process, address: Address, length: number, advice: number): CallResult {
    return this.#in('madvise', process, [address, length, advice], (space) =>
      madvise(this.memory, space, address, length, advice),
    );
  }

  /** Writes back a range, by MS_ bits: 0, EINVAL, EBUSY or ENOMEM. Source: Linux manual pages, msync(2). */
  msync(process: Process, address: Address, length: number, flags: number): CallResult {
    return this.#in('msync', process, [address, length, flags], (space) => msync(space, address, length, flags));
  }

  /** Locks pages in memory and makes them present; see {@link mlock}. Source: Linux manual pages, mlock(2). */
  mlock(process: Process, address: Address, length: number): CallResult {
    return this.mlock2(process, address, length, 0);
  }

  /** As {@link mlock}, with MLOCK_ONFAULT only once they are touched. Source: Linux manual pages, mlock2(2). */
  mlock2(process: Process, address: Address, length: number, flags: number): CallResult {
    return this.#in('mlock2', process, [address, length, flags], (space) =>
      mlock(this.memory, space, address, length, flags),
    );
  }

  /** Unlocks pages: 0, EINVAL, or ENOMEM for a hole. Source: Linux manual pages, munlock(2). */
  munlock(process: Process, address: Address, length: number): CallResult {
    return this.#in('munlock', process, [address, length], (space) => munlock(this.memory, space, address, length));
  }

  /** Locks present mappings, or future ones, by the MCL_ bits of flags.ts: 0 or EINVAL. Source: Linux manual pages, mlockall(2). */
  mlockall(process: Process, flags: number): CallResult {
    return this.#in('mlockall', process, [flags], (space) => mlockall(this.memory, space, flags));
  }

  /** Unlocks everything; later mappings are not locked either. Returns 0. Source: Linux manual pages, munlockall(2). */
  munlockall(process: Process): CallResult {
    return this.#in('munlockall', process, [], (space) => munlockall(this.memory, space));
  }

  /** For each page whether it is in memory, or an errno. */
  mincore(process: Process, address: Address, length: number): boolean[] | Errno {
    return this.#in('mincore', process, [address, length], (space) => mincore(this.memory, space, address, length));
  }

  /** Sets the break and returns it, or the old one where the new one cannot be; a wanted break of 0 only asks. */
  brk(process: Process, wanted: Address): Address | Errno {
    return this.#in('brk', process, [], (space) => brk(this.memory, space, wanted));
  }

  /** Attaches a System V segment; see {@link SharedMemory.attach}. */
  shmat(process: Process, id: CallValue, address: Address, flags: number): Address | Errno {
    return this.#in('shmat', process, [id, address, flags], (space) => this.shm.attach(space, id, address, flags));
  }

  /** Detaches the System V segment at `address`: 0 or EINVAL. Source: Linux manual pages, shmop(2). */
  shmdt(process: Process, address: Address): CallResult {
    return this.#in('shmdt', process, [address], (space) => this.shm.detach(space, address));
  }

  /** pread(2) into the process's memory: bytes read, 0 at the end of the file, or an errno. */
  pread(process: Process, file: OpenFile, address: Address, bytes: number, offset: number): CallValue | Errno {
    return this.#in('pread', process, [address, bytes, offset], (space) =>
      readFile(this.memory, file, offset, bytes, (frame, inPage, count, done) => {
        const piece = new Uint8Array(count);
        readFrame(this.memory.ram, frame, inPage, piece);
        return copyOut(this.memory, space, address + done, piece);
      }),
    );
  }

  /** pwrite(2) from the process's memory: bytes written, or an errno. */
  pwrite(process: Process, file: OpenFile, address: Address, bytes: number, offset: number): CallValue | Errno {
    return this.#in('pwrite', process, [address, bytes, offset], (space) =>
      writeFile(this.memory, file, offset, bytes, {
        take: (done, count) => {
          const piece = new Uint8Array(count);
          return piece.subarray(0, copyInPresent(this.memory, space, address + done, piece));
        },
        faultIn: (done, count) => faultInBytes(this.memory, space, address + done, count),
      }),
    );
  }

  /** The kernel reads the process's memory: bytes read, or EINVAL. */
  copyIn(process: Process, address: Address, target: Uint8Array): CallValue | Errno {
    return this.#in('copyIn', process, [address], (space) => copyIn(this.memory, space, address, target));
  }

  /** The kernel writes to the process's memory, breaking copy-on-write: bytes written, or EINVAL. */
  copyOut(process: Process, address: Address, source: Uint8Array): CallValue | Errno {
    return this.#in('copyOut', process, [address], (space) => copyOut(this.memory, space, address, source));
  }

  /**
   * Loads 1 to 8 bytes as the process would; see `valueLo` and `valueHi`. Returns 0 or a signal of signal.ts.
   * @throws RangeError for another size, or an address other than a whole number below 2^53
   */
  load(process: Process, address: Address, size: number): AccessResult {
    checkAccess(address, size);
    const { space } = process;
    if (space === null || process.waitsFor !== null) return cannotRun(process);
    return this.#accessed(process, this.#user.load(space, address, size));
  }

  /**
   * Stores 1 to 8 bytes as the process would; 0 or a signal.
   * @throws RangeError as {@link load}, or for a value too large for so many bytes; above 2^53 it is a bigint
   */
  store(process: Process, address: Address, size: number, value: number | bigint): AccessResult {
    checkAccess(address, size);
    checkValue('value', value, size);
    const { space } = process;
    if (space === null || process.waitsFor !== null) return cannotRun(process);
    return this.#accessed(process, this.#user.store(space, address, size, highWordOf(value), lowWordOf(value)));
  }

  /** Fetches 1 to 8 bytes of code as the process would; 0 or a signal. @throws RangeError as {@link load} */
  fetch(process: Process, address: Address, size: number): AccessResult {
    checkAccess(address, size);
    const { space } = process;
    if (space === null || process.waitsFor !== null) return cannotRun(process);
    return this.#accessed(process, this.#user.fetch(space, address, size));
  }

  /** Where a fault found no memory, the process is killed; other signals are the caller's to deliver. */
  #accessed(process: Process, result: number): AccessResult {
    if (result === OOM_KILL) this.exit(process, OOM_KILL);
    return result as AccessResult;
  }

  /** As {@link mmap} for private anonymous memory at a fixed place; see {@link mapRegion}. */
  mapRegion(process: Process, start: Address, length: number): CallResult {
    return this.#in('mapRegion', process, [start, length], (space) =>
      mapRegion(this.memory, space, process.pages, start, length),
    );
  }

  /** Makes the page at `address` resident and writable as a write would, without an access. Returns 0, EFAULT or ENOMEM. */
  populate(process: Process, address: Address): CallResult {
    const vma = isWhole(address) ? process.space?.vmas.at(address) : undefined;
    if (vma === undefined || (vma.flags & VM_WRITE) === 0) return EFAULT;
    const { journal } = this.memory.ram;
    // Without a journal there need be no list of numbers.
    if (journal !== null) this.memory.label('populate', [address]);
    const result = faultIn(this.memory, vma, address, true);
    if (journal !== null) this.memory.label('');
    return result < 0 ? ENOMEM : 0;
  }

  /**
   * The facts of /proc/PID/pagemap about the page at `address`; `undefined` once the process has ended.
   * @throws RangeError for an address other than a whole number below 2^53
   */
  pagemap(process: Process, address: Address): PagemapEntry | undefined {
    checkAccess(address, 1);
    return process.space === null ? undefined : pagemap(this.memory, process.space, address);
  }

  /** The text of /proc/PID/maps. */
  maps(process: Process): string {
    return process.space === null ? '' : mapsText(process.space);
  }

  /** The text of /proc/PID/smaps. */
  smaps(process: Process): string {
    return process.space === null ? '' : smapsText(this.memory, process.space);
  }

  /** The text of /proc/vmstat. */
  vmstat(): string {
    return vmstatText(this.memory);
  }

  /** Writing 4 to /proc/PID/clear_refs: forgets all writes to pages so far. */
  clearSoftDirty(process: Process): void {
    if (process.space === null) return;
    this.memory.label('clear_refs');
    clearSoftDirty(this.memory, process.space);
    this.memory.label('');
  }

  /** Errors in the kernel's books, a line each; empty when every frame is accounted for. */
  audit(): string[] {
    return audit(this.memory);
  }
}
