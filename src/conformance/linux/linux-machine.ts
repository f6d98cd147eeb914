/** The machine for a recorded Linux program: the kernel, its processes and the recorder's files. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { Core } from '../../../hw/x86/core.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Pe } from '../../../hw/aarch64/pe.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { Ram } from '../../../hw/memory/ram.js';
import { LogicalProcessor } from '../../../hw/translate/logical-processor.js';
import { describeStale } from '../../../hw/translate/path/stale-check.js';
import { ENOMEM, errnoName, isErrno } from '../../kernel/abi/errno.js';
import type { OpenFile } from '../../kernel/space/model.js';
import * as f from '../../kernel/abi/flags.js';
import { Kernel } from '../../kernel/kernel.js';
import type { Process } from '../../kernel/space/process.js';
import type { LinuxProgram, LinuxOperation, OperationName, OperationValue } from './linux-case.js';
import {
  address,
  ADVICE,
  answer,
  ARENA,
  bits,
  FALLOC_MODES,
  howItChanged,
  MAP_FLAGS,
  MLOCKALL_FLAGS,
  MREMAP_FLAGS,
  MSYNC_FLAGS,
  protection,
  SIGNAL_LETTERS,
} from './linux-words.js';

/** Major faults are recorded as this many. */
const MAJOR = 1_000_000;
/** With huge pages every process may touch all of its arena. */
const RAM_BYTES = { small: 2 ** 26, huge: 2 ** 29 };

/** The machines to replay on. The programs ran on x86; memory management answers the same on each, with pages of 4 KiB. */
export const LINUX_MACHINES = ['x86', 'riscv', 'aarch64'] as const;

/** The machine below the kernel. */
export interface LinuxMachineOptions {
  /** x86 when absent. */
  readonly machine?: (typeof LINUX_MACHINES)[number];
  /** The processor leaves accessed and dirty bits to the kernel: RISC-V without Svadu, AArch64 without HAFDBS. */
  readonly softwareMarks?: boolean;
}

/** One machine that runs program after program on the same RAM. */
export class LinuxMachine {
  kernel: Kernel;
  readonly processes = new Map<number, Process>();
  readonly files: OpenFile[] = [];
  readonly #small = new Ram({ bytes: RAM_BYTES.small });
  readonly #huge = new Ram({ bytes: RAM_BYTES.huge });
  #mmu: Mmu | Hart | Pe;
  #pages = 0;
  readonly #machine: (typeof LINUX_MACHINES)[number];
  readonly #softwareMarks: boolean;

  /** @throws RangeError for x86 without marks by hardware: there is none */
  constructor({ machine = 'x86', softwareMarks = false }: LinuxMachineOptions = {}) {
    if (machine === 'x86' && softwareMarks) {
      throw new RangeError('x86 always sets accessed and dirty bits itself: choose another machine for software marks');
    }
    this.#machine = machine;
    this.#softwareMarks = softwareMarks;
    [this.#mmu, this.kernel] = this.#boot(this.#small);
  }

  #boot(ram: Ram): [Mmu | Hart | Pe, Kernel] {
    if (this.#machine === 'x86') {
      const mmu = new Mmu({ ram, check: true });
      return [mmu, new Kernel({ processor: new Core(mmu), cleanRam: false })];
    }
    if (this.#machine === 'aarch64') {
      const pe = new Pe({ ram, check: true, features: { HAFDBS: !this.#softwareMarks } });
      return [pe, new Kernel({ processor: new LogicalProcessor(pe), cleanRam: false })];
    }
    const hart = new Hart({ ram, check: true, svadu: !this.#softwareMarks });
    return [hart, new Kernel({ processor: new LogicalProcessor(hart), cleanRam: false })];
  }

  /** A fresh kernel with process 0 and the recorder's files, all empty. */
  begin(program: LinuxProgram): void {
    const ram = program.fam === 'thp' ? this.#huge : this.#small;
    ram.endJournal();
    [this.#mmu, this.kernel] = this.#boot(ram);
    this.#pages = program.pages;
    const { kernel } = this;
    const hugePages = program.fam === 'thp' ? 'madvise' : 'never';
    const first = kernel.spawn(program.brk < 0 ? { hugePages } : { hugePages, brk: address(program.brk) });
    this.processes.clear();
    this.processes.set(0, first);
    this.files.length = 0;
    this.files.push(kernel.files.memfd('0'), kernel.files.memfd('1'));
    this.files.push(kernel.files.open('/dev/shm/2', 'shmem'), kernel.files.open('/dev/shm/2', 'shmem', true, false));
    if (program.fam === 'ext4') this.files.push(kernel.files.open('/disk/4', 'disk'));
  }

  /**
   * The recorder makes new pages of its own at a checkpoint. They push the program's from the batch of new ones. The
   * other batches stay: recorded pages unlocked before a checkpoint are still marked after it. How many pages the
   * recorder makes is not known; one recorded program (mix-1647) tells that they are enough.
   */
  afterCheckpoint(): void {
    this.kernel.memory.lru.fillWithOthers();
  }

  /** The faults of the kernel's books and of the TLBs after a program, in words; it should be nothing. */
  problems(): string[] {
    const stale = this.#mmu.checker?.found ?? [];
    return [...this.kernel.audit(), ...stale.map((entry) => describeStale(entry))];
  }

  /** Faults so far, as the recorder counts them. */
  #faults(): number {
    return this.kernel.counters.minorFaults + this.kernel.counters.majorFaults * MAJOR;
  }

  /** Runs one operation other than a checkpoint and returns its result in the recorder's form. */
  run(operation: LinuxOperation): OperationValue {
    const [number, name, ...args] = operation;
    const process = this.processes.get(number);
    if (process === undefined) return 'ESRCH';
    const before = this.#faults();
    if (name === 'r' || name === 'w')
      return this.#access(process, name === 'w', Number(args[0]), Number(args[1]), Number(args[2]));
    const result = this.#call(process, number, name as OperationName, args);
    const faults = this.#faults() - before;
    return faults === 0 ? result : [result, faults];
  }

  #access(process: Process, write: boolean, page: number, inPage: number, value: number): OperationValue {
    const { kernel } = this;
    const at = address(page) + inPage;
    const faultsBefore = this.#faults();
    const before = kernel.pagemap(process, at);
    const status = write ? kernel.store(process, at, 1, value) : kernel.load(process, at, 1);
    if (status < 0) return SIGNAL_LETTERS.get(status) ?? errnoName(status);
    const byte = write ? 0 : kernel.valueLo & 0xff;
    const faults = this.#faults() - faultsBefore;
    const after = kernel.pagemap(process, at);
    if (faults === 0 || before === undefined || after === undefined) return byte;
    return [byte, howItChanged(before, after), faults];
  }

  #call(process: Process, number: number, name: OperationName, args: readonly (number | string)[]): number | string {
    const { kernel } = this;
    const n = args.map(Number);
    const at = address(n[0]);
    const length = n[1] * PAGE_BYTES;
    switch (name) {
      case 'mmap':
        return this.#mmap(process, n, String(args[2]), String(args[3]));
      case 'munmap':
        return answer(kernel.munmap(process, at, length));
      case 'mprotect':
        return answer(kernel.mprotect(process, at, length, protection(String(args[2]))));
      case 'mremap':
        return this.#mremap(process, n, String(args[3]));
      case 'madvise':
        return answer(kernel.madvise(process, at, length, ADVICE[String(args[2])] ?? -1));
      case 'msync':
        return answer(kernel.msync(process, at, length, bits(String(args[2]), MSYNC_FLAGS)));
      case 'mincore':
        return this.#mincore(process, at, length);
      case 'mlock':
        return answer(kernel.mlock(process, at, length));
      case 'mlock2':
        return answer(kernel.mlock2(process, at, length, args[2] === 'F' ? f.MLOCK_ONFAULT : 0));
      case 'munlock':
        return answer(kernel.munlock(process, at, length));
      case 'mlockall':
        return answer(kernel.mlockall(process, bits(String(args[0]), MLOCKALL_FLAGS)));
      case 'munlockall':
        return answer(kernel.munlockall(process));
      case 'fork':
        return this.#fork(process, n[0]);
      case 'exit':
        return this.#exit(process, number);
      case 'brk': {
        const after = kernel.brk(process, args[0] === '?' ? 0 : at);
        return (after - ARENA) / PAGE_BYTES;
      }
      default:
        return this.#fileCall(process, name, n, String(args[3]));
    }
  }

  #mmap(process: Process, n: readonly number[], prot: string, flags: string): number | string {
    const file = n[4] < 0 ? null : this.files.at(n[4]);
    const offset = n[5] * PAGE_BYTES;
    const noFile = file === undefined || (file === null && !flags.includes('a'));
    // The kernel looks at the offset before it looks for the descriptor.
    if (noFile) return offset % PAGE_BYTES === 0 ? 'EBADF' : 'EINVAL';
    const result = this.kernel.mmap(process, {
      address: address(n[0]),
      length: n[1] * PAGE_BYTES,
      prot: protection(prot),
      flags: bits(flags, MAP_FLAGS),
      file: flags.includes('a') ? null : file,
      offset,
    });
    return result < 0 ? errnoName(result) : (result - address(n[0])) / PAGE_BYTES;
  }

  #mremap(process: Process, n: readonly number[], flags: string): number | string {
    const newLength = n[2] * PAGE_BYTES;
    const result = this.kernel.mremap(process, {
      address: address(n[0]),
      oldLength: n[1] * PAGE_BYTES,
      newLength,
      flags: bits(flags, MREMAP_FLAGS),
      newAddress: address(n[4] || 0),
    });
    if (isErrno(result)) return errnoName(result);
    const page = (result - ARENA) / PAGE_BYTES;
    if (page >= 0 && page < this.#pages) return page;
    this.kernel.munmap(process, result, newLength);
    return 'OUT';
  }

  #mincore(process: Process, at: number, length: number): string {
    const result = this.kernel.mincore(process, at, length);
    return typeof result === 'number' ? errnoName(result) : result.map((there) => (there ? '1' : '0')).join('');
  }

  #fork(process: Process, child: number): number | string {
    const result = this.kernel.fork(process);
    if (typeof result === 'number') return errnoName(result);
    this.processes.set(child, result);
    return 0;
  }

  #exit(process: Process, number: number): number | string {
    if (this.processes.size === 1) return 'ELAST';
    this.kernel.exit(process);
    this.processes.delete(number);
    return 0;
  }

  #fileCall(process: Process, name: OperationName, n: readonly number[], mode: string): number | string {
    const { files } = this.kernel;
    if (name === 'unlink') return answer(files.unlink('/dev/shm/2'));
    const file = this.files.at(n[0]);
    if (file === undefined || n[0] < 0) return 'EBADF';
    const offset = n[1] * PAGE_BYTES;
    switch (name) {
      case 'trunc':
        return answer(files.truncate(file, offset));
      case 'falloc':
        return answer(files.allocate(file, FALLOC_MODES[mode] ?? -1, offset, n[2] * PAGE_BYTES));
      case 'pw':
        return answer(files.write(file, offset, Uint8Array.of(n[2])));
      case 'pr': {
        const target = new Uint8Array(1);
        const result = files.read(file, offset, target);
        return result === 0 ? 'EOF' : result < 0 ? errnoName(result) : target[0];
      }
      case 'xr':
        return answer(this.kernel.pread(process, file, address(n[2]), n[3], offset));
      case 'xw':
        return answer(this.kernel.pwrite(process, file, address(n[2]), n[3], offset));
      default:
        return errnoName(ENOMEM);
    }
  }
}
