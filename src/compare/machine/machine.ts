/** One machine of a comparison: RAM, an MMU with the TLB to be judged, and one process with pages of one size. */

import { PAGE_BYTES, SHIFT_2M, SHIFT_4K, toNumber } from '../../../hw/base/address.js';
import { Core } from '../../../hw/x86/core.js';
import type { AccessCounts, CounterValues } from '../../../hw/translate/counts/counters.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { Kernel } from '../../kernel/kernel.js';
import type { Process } from '../../kernel/space/process.js';
import { VM_ACCESS, VM_HUGETLB, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE } from '../../kernel/abi/vma-flags.js';
import { addVma } from '../../kernel/space/vma-ops.js';
import { Vma, type AddressSpace } from '../../kernel/space/model.js';
import { HostTimer } from './host-time.js';
import type { HugeChoice } from './mixed-pages.js';
import { Processors, type LoadedSpace } from './processors.js';
import { reserveRam } from '../../../hw/memory/reserve.js';

/** All user addresses; Linux keeps the last 4 KiB of them back, but a recorded program may have used them. */
export const USER_BYTES = 2 ** 47;
/**
 * Whether RAM is shared memory, though nobody shares it: V8 takes the size of any other buffer, touched or not, for garbage
 * to come, and spent a third of a comparison's CPU time on collecting it.
 */
const SHARED = typeof SharedArrayBuffer !== 'undefined';
/** Levels of tables in the model's walks. */
export const LEVELS = 4;
const HUGE_BYTES = 2 ** SHIFT_2M;
const ANY_ACCESS = VM_ACCESS | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

/** The program needs more memory at this page size than the model has. */
export class OutOfModelMemory extends Error {
  override readonly name = 'OutOfModelMemory';

  constructor(
    readonly shift: number,
    readonly ramBytes: number,
  ) {
    super(`pages of 2^${shift} bytes fill the ${ramBytes} bytes of RAM`);
  }
}

/** The reads of a walk over `levels` of tables: the tables above them are left out. */
function readsOf(counts: AccessCounts, levels: number): AccessCounts {
  const entryReadsByLevel = counts.entryReadsByLevel.map((reads, level) => (level < levels ? reads : 0));
  return { ...counts, entryReadsByLevel, entryReads: entryReadsByLevel.reduce((sum, reads) => sum + reads) };
}

/** Huge pages come as with MAP_HUGETLB: nothing else guarantees the size of every page. */
function addMemory(space: AddressSpace, start: number, end: number, shift: number): void {
  const vma = new Vma(space, start, end, shift === SHIFT_4K ? ANY_ACCESS : ANY_ACCESS | VM_HUGETLB, 0, null);
  vma.pageShift = shift;
  addVma(vma);
}

/** A process of the recorded program. */
interface Space extends LoadedSpace {
  /** Null once it had to make room for others. */
  process: Process | null;
  /** Addresses of its pages, resident while it has memory. */
  readonly pages: Set<number>;
  /** Bytes of them. */
  bytes: number;
  /** Of its tables, when it last had some. */
  tableBytes: number;
}

export class ReplayMachine {
  readonly processors: Processors;
  /** Host time of the replay, one sample a block. */
  readonly timer = new HostTimer();
  /** Pages that came after a gap in the trace: at the most so many walks would have been hits without it. */
  coldPages = 0;
  /** Those of the block under way, by address: the first walk to each is such a walk. */
  readonly coldNow = new Set<number>();
  readonly #kernel: Kernel;
  /** By the process numbers of blocks. */
  readonly #spaces = new Map<number, Space>();
  /** The one at work; it is the last of {@link #spaces}. */
  #space: Space;
  /**
   * Levels of tables of the processor to be judged. With three (Sv39) a table of the third is its root: the one above
   * is there since addresses of recorded programs are wider, and neither its entries nor its bytes count.
   */
  readonly #levels: number;

  /**
   * @param shift log2 of the page size
   * @param isHuge of 2 MiB pages, those to be had; the rest is in pages of 4 KiB. Absent: all
   * @throws RangeError when the host cannot give any RAM
   */
  constructor(
    readonly shift: number,
    tlb: TlbGeometry,
    ramBytes = Infinity,
    readonly isHuge?: HugeChoice,
  ) {
    this.#levels = tlb.walkLevels ?? LEVELS;
    const mmu = new Mmu({ ram: reserveRam(ramBytes, SHARED), tlb });
    this.#kernel = new Kernel({ processor: new Core(mmu) });
    this.processors = new Processors(tlb, mmu, mmu);
    this.#space = this.#enter(0, new Set());
    mmu.counters.reset();
  }

  /** The processor at work. */
  get mmu(): Mmu {
    return this.processors.current;
  }

  /** The address space at work. */
  get loaded(): LoadedSpace {
    return this.#space;
  }

  /**
   * A thread of a process goes on.
   * @throws OutOfModelMemory
   */
  enter(process: number, thread: number): void {
    let space = this.#spaces.get(process);
    if (space !== this.#space) {
      if (space?.process == null) space = this.#enter(process, space?.pages ?? new Set());
      // Whoever waited longest stands first.
      this.#spaces.delete(process);
      this.#spaces.set(process, space);
      this.#space = space;
    }
    this.processors.enter(this.#space, thread);
  }

  /** A new process, or one whose memory went: it gets all of its pages again. */
  #enter(number: number, pages: Set<number>): Space {
    const process = this.#withRoom(() => this.#trySpawn());
    const bytes = [...pages].reduce((sum, page) => sum + 2 ** this.#shiftAt(page), 0);
    const space = { number, root: process.space.root, process, pages, bytes, tableBytes: 0 };
    this.#spaces.set(number, space);
    for (const page of pages) this.#withRoom(() => this.#populate(process, page), space);
    this.processors.enter(space, 0);
    return space;
  }

  #trySpawn(): (Process & { space: AddressSpace }) | undefined {
    const process = this.#kernel.trySpawn({ pages: '4K' });
    if (typeof process === 'number' || process.space === null) return undefined;
    if (this.isHuge === undefined) addMemory(process.space, 0, USER_BYTES, this.shift);
    return Object.assign(process, { space: process.space });
  }

  #populate(process: Process, page: number): true | undefined {
    const { space } = process;
    if (space !== null && space.vmas.at(page) === undefined) {
      const block = page - (page % HUGE_BYTES);
      addMemory(space, block, block + HUGE_BYTES, this.#shiftAt(page));
    }
    return this.#kernel.populate(process, page) < 0 ? undefined : true;
  }

  /** log2 of the size of the page at an address. */
  #shiftAt(address: number): number {
    const { isHuge, shift } = this;
    return isHuge === undefined || isHuge(Math.floor(address / HUGE_BYTES)) ? shift : SHIFT_4K;
  }

  /**
   * Does what needs memory; while there is none, the process that has waited longest gives up its own: mostly it has
   * ended.
   * @throws OutOfModelMemory
   */
  #withRoom<Result>(attempt: () => Result | undefined, own: Space = this.#space): Result {
    for (;;) {
      const result = attempt();
      if (result !== undefined) return result;
      const other = [...this.#spaces.values()].find((space) => space !== own && space.process !== null);
      if (other?.process == null) throw new OutOfModelMemory(this.shift, this.mmu.ram.bytes);
      other.tableBytes = this.#bytesOf(other.process);
      this.#kernel.exit(other.process);
      other.process = null;
    }
  }

  /**
   * Makes the page that holds `(hi, lo)`, below 2^47, resident and dirty, as in a program after a long run. An absent
   * entry needs no invalidation, so the TLB does not notice.
   * @param cold it comes after a gap, so it may not be the first time
   * @throws OutOfModelMemory
   */
  makeResident(hi: number, lo: number, cold = false): void {
    const { process, pages } = this.#space;
    const address = toNumber(hi, lo);
    const bytes = 2 ** this.#shiftAt(address);
    const page = address - (address % bytes);
    if (process === null || pages.has(page)) return;
    this.#withRoom(() => this.#populate(process, page));
    pages.add(page);
    this.#space.bytes += bytes;
    if (!cold) return;
    this.coldPages++;
    this.coldNow.add(page);
  }

  /** Pages of all processes. */
  get pages(): number {
    return this.#sum(({ pages }) => pages.size);
  }

  get mappedBytes(): number {
    return this.#sum(({ bytes }) => bytes);
  }

  /** Those of 4 KiB among larger ones. */
  get smallPages(): number {
    const bytes = 2 ** this.shift;
    return this.shift === SHIFT_4K ? 0 : (this.pages * bytes - this.mappedBytes) / (bytes - PAGE_BYTES);
  }

  get tableBytes(): number {
    return this.#sum(({ process, tableBytes }) => (process === null ? tableBytes : this.#bytesOf(process)));
  }

  #sum(of: (space: Space) => number): number {
    return [...this.#spaces.values()].reduce((sum, space) => sum + of(space), 0);
  }

  #bytesOf({ space }: Process): number {
    return (space?.tableBytes ?? 0) - (LEVELS - this.#levels) * PAGE_BYTES;
  }

  /** The counts of the processors to be judged. */
  counts(): Pick<CounterValues, 'data' | 'fetch'> {
    const { data, fetch } = this.processors.counters().snapshot();
    return { data: readsOf(data, this.#levels), fetch: readsOf(fetch, this.#levels) };
  }

  /**
   * Forks the process with the most pages and ends the child: entries that map memory and went into the child's tables,
   * and the bytes of those tables.
   * @throws OutOfModelMemory when there is no room for the tables
   */
  fork(): { entriesCopied: number; tableBytes: number } {
    const { counters } = this.#kernel;
    const largest = [...this.#spaces].reduce((most, one) => (one[1].pages.size > most[1].pages.size ? one : most));
    this.enter(largest[0], 0);
    const { process } = this.#space;
    const before = counters.forkEntriesCopied;
    const child = process === null ? -1 : this.#kernel.fork(process);
    if (typeof child === 'number') throw new OutOfModelMemory(this.shift, this.mmu.ram.bytes);
    const cost = {
      entriesCopied: counters.forkEntriesCopied - before,
      tableBytes: this.#bytesOf(child),
    };
    this.#kernel.exit(child);
    return cost;
  }
}
