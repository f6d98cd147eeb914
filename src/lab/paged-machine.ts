/** A machine with the paged kernel, as the labs use it: every step metered, every page to be looked at. */

import { addressOfFrame, formatHex, PAGE_BYTES, toHex } from '../../hw/base/address.js';
import { DEFAULT_COSTS, translationCycles } from '../../hw/translate/counts/cost.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import type { OpenFile, Vma } from '../kernel/space/model.js';
import * as f from '../kernel/abi/flags.js';
import { Kernel } from '../kernel/kernel.js';
import { must } from '../kernel/abi/must.js';
import { permissions } from '../kernel/proc/smaps.js';
import type { Process, PagePolicy } from '../kernel/space/process.js';
import type { LabMapping, SchemeCost } from '../report/results/lab-result.js';
import { Meter } from './meter.js';
import type { Work } from './meter.js';
import type { LabMachine } from './lab-machines.js';
import { labProcessor } from './processors.js';
import type { LabProcessor } from './processors.js';
import type { StageProcess, StageRegion } from './stage.js';

export interface MapOptions {
  /** The address, bytes; chosen by the kernel when absent. */
  readonly at?: number;
  /** `rwx` letters, such as `r-x`; `rw-` when absent. */
  readonly rights?: string;
  /** Others see the writes. */
  readonly shared?: boolean;
  readonly file?: OpenFile;
  /** Offset in the file, bytes. */
  readonly offset?: number;
  /** 2 MiB pages, never split (MAP_HUGETLB). */
  readonly huge?: boolean;
}

function regionOf(vma: Vma): StageRegion {
  const what = vma.file === null ? 'anonymous' : vma.file.object.name;
  return { start: vma.start, bytes: vma.end - vma.start, about: `${permissions(vma)} ${what}` };
}

export class PagedMachine {
  readonly kernel: Kernel;
  readonly #processor: LabProcessor;
  readonly #meter: Meter;

  /** @param bytes of RAM; the host commits only touched pages */
  constructor(
    bytes: number,
    { seed, machine = 'x86' }: { readonly seed?: number; readonly machine?: LabMachine } = {},
  ) {
    this.#processor = labProcessor(machine, new Ram({ bytes }));
    const { processor } = this.#processor;
    this.kernel = new Kernel({ processor, ...(seed === undefined ? {} : { seed }) });
    this.#meter = new Meter(() => this.#work());
  }

  /** Null on another machine than x86. */
  get mmu(): Mmu | null {
    return this.#processor.x86;
  }

  /** The register with the root of the tables in use: `CR3 0x5000`. */
  get root(): string {
    return this.#processor.root();
  }

  /** Does something, and lists the privileged instructions executed for it: `INVLPG 0x400000`. */
  executed(deed: () => void): string[] {
    const found: string[] = [];
    const stop = this.#processor.mmu.listen((event) => {
      if (event.kind === 'instruction') found.push(`${event.name} ${formatHex(event.hi, event.lo)}`);
    });
    deed();
    stop();
    return found;
  }

  get inhabitants(): readonly StageProcess[] {
    return [...this.kernel.processes.values()].flatMap(({ pid, space }) =>
      space === null ? [] : [{ pid, root: addressOfFrame(space.root), regions: [...space.vmas].map(regionOf) }],
    );
  }

  #work(): Work {
    const { counters, processes } = this.kernel;
    let tableBytes = 0;
    for (const { space } of processes.values()) tableBytes += space?.tableBytes ?? 0;
    return {
      bytesCopied: counters.bytesCopied,
      bytesMoved: counters.framesZeroed * PAGE_BYTES,
      tableBytes,
      faults: counters.minorFaults + counters.majorFaults + counters.failedFaults,
      entriesWritten: counters.forkEntriesCopied + counters.forkEntriesProtected,
      flushes: counters.invlpg + counters.fullFlushes + counters.switches,
    };
  }

  cost(): SchemeCost {
    const { data, fetch } = this.#processor.mmu.counters.snapshot();
    const cycles = translationCycles(data, DEFAULT_COSTS).total + translationCycles(fetch, DEFAULT_COSTS).total;
    return this.#meter.cost(cycles);
  }

  /** Leaves all work so far out of the costs: it set the scene. */
  restartMeter(): void {
    this.#meter.restart();
    this.#processor.mmu.counters.reset();
  }

  spawn(pages: PagePolicy = '4K'): Process {
    return this.#meter.run(() => this.kernel.spawn({ pages }));
  }

  fork(process: Process): Process {
    return this.#meter.run(() => must(this.kernel.fork(process)));
  }

  exec(process: Process): void {
    this.#meter.run(() => must(this.kernel.exec(process)));
  }

  exit(process: Process): void {
    this.#meter.run(() => {
      this.kernel.exit(process);
    });
  }

  /** Maps memory; returns its address. */
  map(process: Process, length: number, options: MapOptions = {}): number {
    const { at, file } = options;
    const request = {
      address: at ?? 0,
      length,
      prot: f.protOf(options.rights ?? 'rw-'),
      flags:
        (options.shared === true ? f.MAP_SHARED : f.MAP_PRIVATE) |
        (at === undefined ? 0 : f.MAP_FIXED_NOREPLACE) |
        (file === undefined ? f.MAP_ANONYMOUS : 0) |
        (options.huge === true ? f.MAP_HUGETLB : 0),
      file: file ?? null,
      offset: options.offset ?? 0,
    };
    return this.#meter.run(() => must(this.kernel.mmap(process, request)));
  }

  /** Gives mapped memory other rights, such as `r--`. */
  protect(process: Process, address: number, length: number, rights: string): void {
    this.#meter.run(() => must(this.kernel.mprotect(process, address, length, f.protOf(rights))));
  }

  /** A file of `bytes` in the page cache, byte i being i mod 251; on exactly `frames` if given. */
  file(name: string, bytes: number, frames?: readonly number[]): OpenFile {
    const file = this.kernel.files.open(name, 'disk');
    if (frames !== undefined) this.place(frames);
    must(
      this.kernel.files.write(
        file,
        0,
        Uint8Array.from({ length: bytes }, (_, i) => i % 251),
      ),
    );
    return file;
  }

  /** The kernel takes these frames next, one by one. */
  place(frames: readonly number[]): void {
    if (!this.kernel.memory.frames.buddy.ask(frames)) throw new RangeError(`frames ${frames.join(', ')}: not free`);
  }

  /** Stores a byte; 0, or the signal to the process. */
  store(process: Process, address: number, value: number): number {
    return this.#meter.run(() => this.kernel.store(process, address, 1, value));
  }

  /** The byte at `address`, or the signal. */
  load(process: Process, address: number): number {
    const status = this.#meter.run(() => this.kernel.load(process, address, 1));
    return status < 0 ? status : this.kernel.valueLo & 0xff;
  }

  /** Executes at `address`: 0, or the signal. */
  fetch(process: Process, address: number): number {
    return this.#meter.run(() => this.kernel.fetch(process, address, 1));
  }

  /** Loads a byte of each of `pages` pages. */
  touch(process: Process, address: number, pages: number): void {
    for (let page = 0; page < pages; page++) must(this.load(process, address + page * PAGE_BYTES));
  }

  /** Stores a byte into each of `pages` pages. */
  fill(process: Process, address: number, pages: number, value = 1): void {
    for (let page = 0; page < pages; page++) must(this.store(process, address + page * PAGE_BYTES, value));
  }

  /** A new process with `bytes` of private memory from `at` on, every page of it written. */
  spawnFilled(bytes: number): { readonly process: Process; readonly at: number } {
    const process = this.spawn();
    const at = this.map(process, bytes);
    this.fill(process, at, bytes / PAGE_BYTES);
    return { process, at };
  }

  /** The last exception of the processor, in words. */
  get lastFault(): string {
    const { describe, mmu } = this.#processor;
    return describe(mmu.fault.take());
  }

  /** The frame behind a page; 0 when there is none. */
  frame(process: Process, address: number): number {
    return this.kernel.pagemap(process, address)?.frame ?? 0;
  }

  /** Physical address of a present byte. */
  physical(process: Process, address: number): number {
    return addressOfFrame(this.frame(process, address)) + (address % PAGE_BYTES);
  }

  /** How many entries of all page tables map the frame. */
  count(frame: number): number {
    return this.kernel.memory.frames.mappingsOf(frame);
  }

  /** The 4 KiB entry of a page in words: `frame 0x12, present, read-only`. */
  entry(process: Process, address: number): string {
    const { space } = process;
    const { entries, tables } = this.kernel.memory;
    const at = space === null ? -1 : tables.find(space, address, 12);
    const low = at < 0 ? 0 : tables.words[at];
    if (!entries.isPresent(low)) return 'not present';
    return `frame ${toHex(tables.frameAt(at))}, ${entries.isWritable(low) ? 'writable' : 'read-only'}`;
  }

  /** The page at `address` as memory that the process has, under the name `who`. */
  mapping(who: string, process: Process, address: number): LabMapping {
    const [to, rights = ''] = this.entry(process, address).split(', ');
    return { who, at: toHex(address), to, rights };
  }

  /** Frames in use, page tables and the kernel's own left out. */
  get dataFrames(): number {
    const { counters } = this.kernel;
    const tables = counters.tablesAllocated - counters.tablesFreed;
    return counters.framesAllocated - counters.framesFreed - tables - this.kernel.memory.kernelFrames().length;
  }
}
