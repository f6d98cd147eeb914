/**
 * The kernel: processes over one processor and its RAM, and the system calls they make.
 *
 * The kernel's own memory is not mapped in any page table: it reaches all of RAM through a direct map outside of the
 * translated space, as `ram.words`. Processes reach memory through the processor alone. System calls return 0 or what
 * their manual page says, or a negative number of errno.ts; a process that has ended gets ESRCH.
 */

import { SHIFT_1G } from '../../hw/address.js';
import { Random } from '../../hw/random.js';
import { alignDown, alignUp, USER_END } from './address-space.js';
import type { AddressSpace, HugePagePolicy } from './address-space.js';
import { audit } from './audit.js';
import { brk } from './brk.js';
import type { KernelCounters } from './counters.js';
import { EAGAIN, ECHILD, EEXIST, EFAULT, EINVAL, ENOMEM, ESRCH } from './errno.js';
import { Files } from './files.js';
import type { OpenFile } from './file.js';
import { readFile, writeFile } from './file-io.js';
import * as f from './flags.js';
import { forkSpace } from './fork.js';
import { madvise } from './madvise.js';
import { Memory } from './memory.js';
import { mmap } from './mmap.js';
import type { MmapRequest } from './mmap.js';
import { mprotect } from './mprotect.js';
import { mremap } from './mremap.js';
import type { MremapRequest } from './mremap.js';
import { munmap } from './munmap.js';
import { pagemap } from './pagemap.js';
import type { PagemapEntry } from './pagemap.js';
import { faultIn } from './populate.js';
import type { Processor } from './privileged.js';
import { Process } from './process.js';
import type { PagePolicy } from './process.js';
import { mincore, msync, setLocked } from './residency.js';
import { SharedMemory } from './shm.js';
import { OOM_KILL } from './signal.js';
import { mapsText, smapsText } from './smaps.js';
import { clearSoftDirty } from './soft-dirty.js';
import { destroySpace } from './teardown.js';
import { UserAccess } from './user-access.js';
import { copyIn, copyOut, readFrame } from './user-copy.js';
import { VM_WRITE } from './vma-flags.js';
import { vmstatText } from './vmstat.js';

export interface KernelOptions {
  /** The processor, with paging still off; its RAM is the kernel's to use. */
  readonly processor: Processor;
  /** False when the RAM may hold something else than zeros, because another kernel ran on it. */
  readonly cleanRam?: boolean;
  /** Seed for the addresses that the kernel chooses (ASLR); without one they are the same for every process. */
  readonly seed?: number;
}

/** How a process begins. */
export interface SpawnOptions {
  /** The largest page for its regions; decides `hugePages` unless that is given. */
  readonly pages?: PagePolicy;
  readonly hugePages?: HugePagePolicy;
  /** Where the heap begins, bytes; without it there is none. */
  readonly brk?: number;
}

const POLICIES: Record<PagePolicy, HugePagePolicy> = { '4K': 'never', '2M': 'always', '1G': 'always' };
/** Bytes kept free above the highest mapping for the stack, and pages of randomness: mmap_rnd_bits = 28. */
const STACK_ROOM = 2 ** 27;
const RANDOM_PAGES = 2 ** 28;

export class Kernel {
  readonly memory: Memory;
  readonly files: Files;
  readonly shm: SharedMemory;
  readonly processes = new Map<number, Process>();
  readonly #user: UserAccess;
  readonly #random: Random | null;
  #lastPid = 0;

  /** @throws RangeError when the RAM is too small. */
  constructor(options: KernelOptions) {
    this.memory = new Memory(options.processor.mmu, options.cleanRam ?? true);
    this.files = new Files(this.memory);
    this.shm = new SharedMemory(this.memory);
    this.#user = new UserAccess(options.processor, this.memory);
    this.#random = options.seed === undefined ? null : new Random(options.seed);
  }

  get counters(): KernelCounters {
    return this.memory.counters;
  }

  /** What the last load or fetch found: its low and high word. */
  get valueLo(): number {
    return this.#user.valueLo;
  }

  get valueHi(): number {
    return this.#user.valueHi;
  }

  /** A first process with nothing mapped; or ENOMEM. */
  spawn(options: SpawnOptions = {}): Process | number {
    const pages = options.pages ?? '4K';
    const space = this.memory.newSpace(options.hugePages ?? POLICIES[pages]);
    if (typeof space === 'number') return space;
    this.#layOut(space);
    space.brkStart = space.brkEnd = options.brk ?? -1;
    return this.#enrol(null, space, pages);
  }

  #layOut(space: AddressSpace): void {
    const shift = this.#random === null ? 0 : this.#random.below(RANDOM_PAGES);
    space.mmapBase = USER_END - STACK_ROOM - shift * 4096;
  }

  #enrol(parent: Process | null, space: AddressSpace, pages: PagePolicy): Process {
    this.#lastPid++;
    const process = new Process(this.#lastPid, parent, space, pages);
    this.processes.set(process.pid, process);
    return process;
  }

  /** A copy of the process; or ENOMEM, with nothing changed. */
  fork(process: Process): Process | number {
    if (process.space === null) return ESRCH;
    const space = forkSpace(this.memory, process.space);
    return typeof space === 'number' ? space : this.#enrol(process, space, process.pages);
  }

  /** A child that uses its parent's memory until it calls exec or exit; the parent waits so long (its calls: EAGAIN). */
  vfork(process: Process): Process | number {
    if (process.space === null) return ESRCH;
    if (process.waitsFor !== null) return EAGAIN;
    process.space.users++;
    const child = this.#enrol(process, process.space, process.pages);
    process.waitsFor = child;
    return child;
  }

  /** Replaces what the process sees by an empty address space. Returns 0 or ENOMEM. */
  exec(process: Process): number {
    const old = process.space;
    if (old === null) return ESRCH;
    const fresh = this.memory.newSpace(old.hugePages);
    if (typeof fresh === 'number') return fresh;
    this.#layOut(fresh);
    process.space = fresh;
    this.#leave(process, old);
    return 0;
  }

  /** Ends the process; its memory is free at once. Its parent may ask for `status` with {@link wait}. */
  exit(process: Process, status = 0): void {
    const { space } = process;
    if (space === null) return;
    process.space = null;
    process.status = status;
    this.processes.delete(process.pid);
    for (const child of process.children) child.parent = null;
    this.#leave(process, space);
  }

  #leave(process: Process, space: AddressSpace): void {
    if (process.parent?.waitsFor === process) process.parent.waitsFor = null;
    space.users--;
    if (space.users === 0) destroySpace(this.memory, space);
  }

  /** A child that has ended, which is then forgotten; EAGAIN while none has; ECHILD when there is no child. */
  wait(process: Process): Process | number {
    for (const child of process.children) {
      if (child.alive) continue;
      process.children.delete(child);
      return child;
    }
    return process.children.size > 0 ? EAGAIN : ECHILD;
  }

  /** Runs a system call in the process's address space. */
  #in(process: Process, call: (space: AddressSpace) => number): number {
    const { space } = process;
    return space === null || process.waitsFor !== null ? cannotRun(process) : call(space);
  }

  mmap(process: Process, request: MmapRequest): number {
    return this.#in(process, (space) => mmap(this.memory, space, request));
  }

  munmap(process: Process, address: number, length: number): number {
    return this.#in(process, (space) => munmap(this.memory, space, address, length));
  }

  mprotect(process: Process, address: number, length: number, prot: number): number {
    return this.#in(process, (space) => mprotect(this.memory, space, address, length, prot));
  }

  mremap(process: Process, request: MremapRequest): number {
    return this.#in(process, (space) => mremap(this.memory, space, request));
  }

  madvise(process: Process, address: number, length: number, advice: number): number {
    return this.#in(process, (space) => madvise(this.memory, space, address, length, advice));
  }

  msync(process: Process, address: number, length: number, flags: number): number {
    return this.#in(process, (space) => msync(space, address, length, flags));
  }

  mlock(process: Process, address: number, length: number): number {
    return this.#in(process, (space) => setLocked(this.memory, space, address, length, true));
  }

  munlock(process: Process, address: number, length: number): number {
    return this.#in(process, (space) => setLocked(this.memory, space, address, length, false));
  }

  /** For each page whether it is in memory, or an errno. */
  mincore(process: Process, address: number, length: number): boolean[] | number {
    return process.space === null ? ESRCH : mincore(this.memory, process.space, address, length);
  }

  /** Sets the break and returns what it is then; a wanted break of 0 only asks. */
  brk(process: Process, wanted: number): number {
    return this.#in(process, (space) => brk(this.memory, space, wanted));
  }

  /** Attaches a System V segment; see {@link SharedMemory.attach}. */
  shmat(process: Process, id: number, address: number, flags: number): number {
    return this.#in(process, (space) => this.shm.attach(space, id, address, flags));
  }

  shmdt(process: Process, address: number): number {
    return this.#in(process, (space) => this.shm.detach(space, address));
  }

  /** pread(2) into the process's memory: bytes read, 0 at the end of the file, or an errno. */
  pread(process: Process, file: OpenFile, address: number, bytes: number, offset: number): number {
    return this.#in(process, (space) =>
      readFile(this.memory, file, offset, bytes, (frame, inPage, count, done) => {
        const piece = new Uint8Array(count);
        readFrame(this.memory, frame, inPage, piece);
        return copyOut(this.memory, space, address + done, piece);
      }),
    );
  }

  /** pwrite(2) from the process's memory: bytes written, or an errno. */
  pwrite(process: Process, file: OpenFile, address: number, bytes: number, offset: number): number {
    return this.#in(process, (space) =>
      writeFile(this.memory, file, offset, bytes, (done, count) => {
        const piece = new Uint8Array(count);
        return piece.subarray(0, copyIn(this.memory, space, address + done, piece));
      }),
    );
  }

  /** The kernel reads the process's memory: bytes that could be read. */
  copyIn(process: Process, address: number, target: Uint8Array): number {
    return this.#in(process, (space) => copyIn(this.memory, space, address, target));
  }

  /** The kernel writes to the process's memory, breaking copy-on-write: bytes that could be written. */
  copyOut(process: Process, address: number, source: Uint8Array): number {
    return this.#in(process, (space) => copyOut(this.memory, space, address, source));
  }

  /** Loads 1 to 8 bytes as the process would; see `valueLo` and `valueHi`. Returns 0 or a signal of signal.ts. */
  load(process: Process, address: number, size: number): number {
    const { space } = process;
    if (space === null || process.waitsFor !== null) return cannotRun(process);
    return this.#accessed(process, this.#user.load(space, address, size));
  }

  /** Stores 1 to 8 bytes as the process would. Returns 0 or a signal. */
  store(process: Process, address: number, size: number, valueLo: number, valueHi = 0): number {
    const { space } = process;
    if (space === null || process.waitsFor !== null) return cannotRun(process);
    return this.#accessed(process, this.#user.store(space, address, size, valueLo, valueHi));
  }

  /** Fetches 1 to 8 bytes of code as the process would. Returns 0 or a signal. */
  fetch(process: Process, address: number, size: number): number {
    const { space } = process;
    if (space === null || process.waitsFor !== null) return cannotRun(process);
    return this.#accessed(process, this.#user.fetch(space, address, size));
  }

  /** A process whose fault found no memory is killed; other signals are the caller's to deliver. */
  #accessed(process: Process, result: number): number {
    if (result === OOM_KILL) this.exit(process, OOM_KILL);
    return result;
  }

  /**
   * Maps `[start, start + length)`, rounded out to 4 KiB, as private anonymous memory that may be read and written,
   * with pages of the process's policy where the region covers whole ones. Nothing may be mapped there yet.
   * @returns 0, EINVAL, ENOMEM or EEXIST
   */
  mapRegion(process: Process, start: number, length: number): number {
    const low = alignDown(start);
    const high = alignUp(start + length);
    if (!(length > 0)) return EINVAL;
    if (high > USER_END) return ENOMEM;
    const taken = process.space?.vmas.overlapping(low, high) ?? [];
    if (taken.length > 0) return EEXIST;
    const wide = process.pages === '1G';
    const wideLow = wide ? Math.min(high, alignUp(low, SHIFT_1G)) : high;
    const wideHigh = wide ? Math.max(wideLow, alignDown(high, SHIFT_1G)) : high;
    const parts = [
      { from: low, to: wideLow, flags: 0 },
      { from: wideLow, to: wideHigh, flags: f.MAP_HUGETLB | f.MAP_HUGE_1GB },
      { from: wideHigh, to: high, flags: 0 },
    ];
    for (const { from, to, flags } of parts) {
      const result = from < to ? this.#mapFixed(process, from, to - from, flags) : 0;
      if (result < 0) return result;
    }
    return 0;
  }

  #mapFixed(process: Process, address: number, length: number, more: number): number {
    const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED_NOREPLACE | more;
    return this.mmap(process, { address, length, prot: f.PROT_READ | f.PROT_WRITE, flags, file: null, offset: 0 });
  }

  /** Makes the page at `address` resident and writable as a write would, without an access. Returns 0, EFAULT or ENOMEM. */
  populate(process: Process, address: number): number {
    const vma = process.space?.vmas.at(address);
    if (vma === undefined || (vma.flags & VM_WRITE) === 0) return EFAULT;
    return faultIn(this.memory, vma, address, true) < 0 ? ENOMEM : 0;
  }

  /** What /proc/PID/pagemap tells about the page at `address`; `undefined` once the process has ended. */
  pagemap(process: Process, address: number): PagemapEntry | undefined {
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

  /** Writing 4 to /proc/PID/clear_refs: forgets which pages were written. */
  clearSoftDirty(process: Process): void {
    if (process.space !== null) clearSoftDirty(this.memory, process.space);
  }

  /** What is wrong with the kernel's books, a line each; empty when every frame is accounted for. */
  audit(): string[] {
    return audit(this.memory);
  }
}

/** Why a process can do nothing: it has ended, or waits for its vfork child. */
function cannotRun(process: Process): number {
  return process.space === null ? ESRCH : EAGAIN;
}
