/**
 * Your handler's arguments, and the answers expected of it. Addresses, frame numbers and entries are plain numbers: an entry
 * has 64 bits, and the course uses none from bit 53 up. A frame is 4096 bytes of RAM; frame f begins at f * 4096.
 */

/** RAM, and a disk for swapping. */
interface CourseMemory {
  /** Frames of RAM, from frame 0. */
  readonly frames: number;
  /** Loads an entry: the eight bytes at a physical address. */
  load(address: number): number;
  /** Stores an entry. */
  store(address: number, entry: number): void;
  /** Fills a frame with zeros. */
  zeroFrame(frame: number): void;
  /** Copies a frame. */
  copyFrame(from: number, to: number): void;
  /** Writes a frame to a slot of the disk. */
  writeSlot(slot: number, frame: number): void;
  /** Reads a frame back from a slot. */
  readSlot(slot: number, frame: number): void;
}

/** A processor of x86-64 with 4-level paging. Source: Intel SDM vol. 3A, "Paging". */
export interface X86Processor extends CourseMemory {
  /** CR2: the address of the last page fault. */
  readonly cr2: number;
  /** CR3: the physical address of the root table. */
  readonly cr3: number;
  /** MOV to CR3: another root table. Drops all translations but the global ones. */
  writeCr3(root: number): void;
  /** INVLPG: drops the translation of one page, a global one too. */
  invlpg(address: number): void;
}

/** A hart of RISC-V with Sv39. Source: RISC-V privileged specification, "Supervisor-Level ISA". */
export interface Sv39Processor extends CourseMemory {
  /** stval: the address of the last page fault. */
  readonly stval: number;
  /** satp, its three fields: 8 is the mode Sv39; the root table's frame is the ppn. Drops nothing. */
  writeSatp(mode: number, asid: number, ppn: number): void;
  /** SFENCE.VMA: drops translations of one page, or of all without an address; with an ASID the global ones stay. */
  sfenceVma(address?: number, asid?: number): void;
}

/** A range of a process's addresses: `start` is in it, `end` is not. */
export interface CourseRegion {
  readonly start: number;
  readonly end: number;
  /** May the process write here now? `protect` is called after a change. */
  readonly writable: boolean;
  /** Parent and child go on to share these pages after a fork; otherwise each has its own. */
  readonly shared: boolean;
  /** Mapped in every address space alike: set the bit G. */
  readonly global: boolean;
}

/** A process. */
export interface CourseProcess {
  /** A letter. */
  readonly name: string;
  /** The frame of its root table, filled with zeros at the start. */
  readonly root: number;
  readonly regions: readonly CourseRegion[];
}

/** Your kernel. */
export interface CourseKernel<Machine = X86Processor | Sv39Processor> {
  readonly machine: Machine;
  /** All living processes, a child from the beginning of its fork. */
  readonly processes: readonly CourseProcess[];
  /** A free frame, with anything in it. With no frame free it calls `evict` first. */
  allocate(): number;
  /** Gives a frame back. */
  free(frame: number): void;
  /** A free slot of the disk. */
  allocateSlot(): number;
  /** Gives a slot back. */
  freeSlot(slot: number): void;
  /** For you, all zeros: how many entries lead to each frame. */
  readonly frameUsers: Int32Array;
  /** For you, all zeros: how many entries name each slot. */
  readonly slotUsers: Int32Array;
  /** For you: anything else. Every program begins with an empty one; in TypeScript: `kernel.own as MyState`. */
  readonly own: Record<string, unknown>;
}

/** Your functions, one or more a step. */
export interface CourseHandler<Machine = X86Processor | Sv39Processor> {
  /** The physical address of `address` by the tables below `root`, or -1 where a user's access is a page fault. */
  walk(machine: Machine, root: number, address: number, write: boolean): number;
  /** Makes `entry` the last-level entry of `address`, and the tables on the way to it. */
  map(kernel: CourseKernel<Machine>, root: number, address: number, entry: number): void;
  /** Makes the processor translate by the tables of `process`. */
  switchTo(kernel: CourseKernel<Machine>, process: CourseProcess): void;
  /** A page fault: `code` is the error code of x86 or scause. True makes the access again, false refuses it. */
  pageFault(kernel: CourseKernel<Machine>, process: CourseProcess, code: number): boolean;
  /** Gives `child` all pages of `parent`; its regions are there already. */
  fork(kernel: CourseKernel<Machine>, parent: CourseProcess, child: CourseProcess): void;
  /** The process ends: all its frames and tables are given back. The processor has left its tables already. */
  exit(kernel: CourseKernel<Machine>, process: CourseProcess): void;
  /** The private page at `address` goes, if there is one; the next access finds zeros. */
  discard(kernel: CourseKernel<Machine>, process: CourseProcess, address: number): void;
  /** `region.writable` has changed. */
  protect(kernel: CourseKernel<Machine>, process: CourseProcess, region: CourseRegion): void;
  /** A buddy allocator begins, over `count` free frames from frame `first`. */
  buddyInit(kernel: CourseKernel<Machine>, first: number, count: number): void;
  /** The first frame of a free block of 2^order frames, at a multiple of 2^order; -1 when there is none. */
  buddyAllocate(kernel: CourseKernel<Machine>, order: number): number;
  /** Takes a block back. False, and nothing done, if no such block is allocated. */
  buddyFree(kernel: CourseKernel<Machine>, frame: number, order: number): boolean;
  /** Takes the page of some process out to the disk, and frees its frame. */
  evict(kernel: CourseKernel<Machine>): void;
}
