/**
 * The kernel: processes over one processor and its RAM.
 *
 * The kernel's own memory is not mapped in any page table: it reaches all of RAM through a direct map outside of the
 * translated space, as `ram.words`. Processes reach memory through the processor alone.
 */

import { highWord, lowWord, SHIFT_1G, toNumber } from '../../hw/address.js';
import { PAGE_FAULT } from '../../hw/exception.js';
import type { Exception } from '../../hw/exception.js';
import { CR0_ET, CR0_PE, CR0_PG, CR0_WP, CR4_PAE, EFER_LME, EFER_NXE } from '../../hw/registers.js';
import { alignDown, alignUp, USER_END } from './address-space.js';
import type { AddressSpace, HugePagePolicy } from './address-space.js';
import { audit } from './audit.js';
import type { KernelCounters } from './counters.js';
import { EEXIST, EFAULT, EINVAL, ENOMEM, ESRCH } from './errno.js';
import { handleFault, pageFault } from './fault.js';
import { forkSpace } from './fork.js';
import { Memory } from './memory.js';
import type { Processor } from './privileged.js';
import { Process } from './process.js';
import type { PagePolicy } from './process.js';
import { OOM_KILL, SEGV_MAPERR } from './signal.js';
import { destroySpace } from './teardown.js';
import { Vma } from './vma.js';
import { VM_HUGETLB, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE, VM_READ, VM_WRITE } from './vma-flags.js';
import { addVma } from './vma-ops.js';

export interface KernelOptions {
  /** The processor, with paging still off; its RAM is the kernel's to use. */
  readonly processor: Processor;
  /** False when the RAM may hold something else than zeros, because another kernel ran on it. */
  readonly cleanRam?: boolean;
}

const POLICIES: Record<PagePolicy, HugePagePolicy> = { '4K': 'never', '2M': 'always', '1G': 'always' };

export class Kernel {
  readonly memory: Memory;
  readonly processes = new Map<number, Process>();
  /** What the last load found: its low and high word. */
  valueLo = 0;
  valueHi = 0;
  readonly #processor: Processor;
  #current: Process | null = null;
  #signal = 0;
  #lastPid = 0;

  /** @throws RangeError when the RAM is too small. */
  constructor(options: KernelOptions) {
    this.#processor = options.processor;
    this.memory = new Memory(options.processor.mmu, options.cleanRam ?? true);
    this.#startPaging();
    options.processor.onException((exception) => this.#enter(exception));
  }

  /** 4-level paging with execute-disable and write protection. Source: Intel SDM vol. 3A, "Paging-Mode Enabling". */
  #startPaging(): void {
    const { mmu } = this.#processor;
    const root = this.memory.tlb.idleRoot;
    mmu.writeCr4(CR4_PAE);
    mmu.writeEfer(EFER_LME | EFER_NXE);
    mmu.writeCr3(root >>> 20, root << 12);
    mmu.writeCr0(CR0_ET | CR0_PE | CR0_WP | CR0_PG);
  }

  get counters(): KernelCounters {
    return this.memory.counters;
  }

  /** A first process with nothing mapped; or ENOMEM. */
  spawn(options: { pages?: PagePolicy; hugePages?: HugePagePolicy } = {}): Process | number {
    const pages = options.pages ?? '4K';
    const space = this.memory.newSpace(options.hugePages ?? POLICIES[pages]);
    return typeof space === 'number' ? space : this.#enrol(null, space, pages);
  }

  #enrol(parent: Process | null, space: AddressSpace, pages: PagePolicy): Process {
    this.#lastPid++;
    const process = new Process(this.#lastPid, parent, space, pages);
    this.processes.set(process.pid, process);
    return process;
  }

  /**
   * Maps `[start, start + length)`, rounded out to 4 KiB, as private anonymous memory that may be read and written,
   * with pages of the process's policy where the region covers whole ones. Returns 0, EINVAL, ENOMEM (beyond the user
   * addresses) or EEXIST (something is mapped there).
   */
  mapRegion(process: Process, start: number, length: number): number {
    const { space } = process;
    if (space === null) return ESRCH;
    const low = alignDown(start);
    const high = alignUp(start + length);
    if (!(length > 0) || start < 0) return EINVAL;
    if (high > USER_END) return ENOMEM;
    if (space.vmas.overlapping(low, high).length > 0) return EEXIST;
    const wideLow = process.pages === '1G' ? alignUp(low, SHIFT_1G) : high;
    const wideHigh = process.pages === '1G' ? alignDown(high, SHIFT_1G) : high;
    if (wideLow >= wideHigh) this.#addAnonymous(space, low, high, false);
    else {
      this.#addAnonymous(space, low, wideLow, false);
      this.#addAnonymous(space, wideLow, wideHigh, true);
      this.#addAnonymous(space, wideHigh, high, false);
    }
    return 0;
  }

  #addAnonymous(space: AddressSpace, start: number, end: number, wide: boolean): void {
    if (start >= end) return;
    const flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | (wide ? VM_HUGETLB : 0);
    const vma = new Vma(space, start, end, flags, start / 4096, null);
    if (wide) vma.pageShift = SHIFT_1G;
    addVma(vma);
  }

  /** Makes the page at `address` resident and writable as a write would, without an access. Returns 0, EFAULT or ENOMEM. */
  populate(process: Process, address: number): number {
    if (process.space === null) return ESRCH;
    const vma = process.space.vmas.at(address);
    if (vma === undefined || (vma.flags & VM_WRITE) === 0) return EFAULT;
    return handleFault(this.memory, vma, address, true) < 0 ? ENOMEM : 0;
  }

  /** A copy of the process; or ENOMEM, with nothing changed. */
  fork(process: Process): Process | number {
    if (process.space === null) return ESRCH;
    const space = forkSpace(this.memory, process.space);
    return typeof space === 'number' ? space : this.#enrol(process, space, process.pages);
  }

  /** Replaces what the process sees by an empty address space. Returns 0 or ENOMEM. */
  exec(process: Process): number {
    const old = process.space;
    if (old === null) return ESRCH;
    const fresh = this.memory.newSpace(old.hugePages);
    if (typeof fresh === 'number') return fresh;
    process.space = fresh;
    this.#leave(old);
    return 0;
  }

  /** Ends the process; its memory is free at once. */
  exit(process: Process, status = 0): void {
    const { space } = process;
    if (space === null) return;
    process.space = null;
    process.status = status;
    this.processes.delete(process.pid);
    this.#leave(space);
  }

  #leave(space: AddressSpace): void {
    space.users--;
    if (space.users === 0) destroySpace(this.memory, space);
  }

  /** Loads 1 to 8 bytes as the process would; see `valueLo` and `valueHi`. Returns 0 or a signal of signal.ts. */
  load(process: Process, address: number, size: number): number {
    if (!this.#switchTo(process)) return ESRCH;
    const status = this.#processor.load(highWord(address), lowWord(address), size);
    this.valueLo = this.#processor.mmu.valueLo;
    this.valueHi = this.#processor.mmu.valueHi;
    return this.#finish(process, status);
  }

  /** Stores 1 to 8 bytes as the process would. Returns 0 or a signal of signal.ts. */
  store(process: Process, address: number, size: number, valueLo: number, valueHi = 0): number {
    if (!this.#switchTo(process)) return ESRCH;
    const status = this.#processor.store(highWord(address), lowWord(address), size, valueLo, valueHi);
    return this.#finish(process, status);
  }

  #switchTo(process: Process): boolean {
    if (process.space === null) return false;
    this.memory.tlb.load(process.space);
    this.#processor.cpl = 3;
    this.#current = process;
    this.#signal = 0;
    return true;
  }

  #finish(process: Process, status: number): number {
    this.#current = null;
    this.#processor.cpl = 0;
    if (status >= 0) return 0;
    if (this.#signal === OOM_KILL) this.exit(process, OOM_KILL);
    return this.#signal;
  }

  /** The exception entry. */
  #enter(exception: Exception): boolean {
    const space = this.#current?.space ?? null;
    if (space === null || exception.status !== PAGE_FAULT) {
      this.#signal = SEGV_MAPERR;
      return false;
    }
    const address = toNumber(exception.hi, exception.lo);
    const result = pageFault(this.memory, space, address, exception.errorCode);
    this.#signal = Math.min(result, 0);
    return result >= 0;
  }

  /** What is wrong with the kernel's books, a line each; empty when every frame is accounted for. */
  audit(): string[] {
    return audit(this.memory);
  }
}
