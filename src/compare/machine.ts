/** One machine of a comparison: RAM, an MMU with the TLB to be judged, and one process with pages of one size. */

import { PAGE_BYTES, SHIFT_4K, toNumber } from '../../hw/base/address.js';
import { Core } from '../../hw/x86/core.js';
import type { AccessCounts, CounterValues } from '../../hw/translate/counters.js';
import { Mmu } from '../../hw/x86/mmu.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import type { TlbShape } from '../../hw/tlb/shape.js';
import { Kernel } from '../kernel/kernel.js';
import type { Process } from '../kernel/space/process.js';
import { VM_ACCESS, VM_HUGETLB, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE } from '../kernel/abi/vma-flags.js';
import { addVma } from '../kernel/space/vma-ops.js';
import { Vma } from '../kernel/space/model.js';
import { HostTimer } from './host-time.js';
import { reserveRam } from '../../hw/memory/reserve.js';

/** All user addresses; Linux keeps the last 4 KiB of them back, but a recorded program may have used them. */
const USER_BYTES = 2 ** 47;
/**
 * Whether RAM is shared memory, though nobody shares it: V8 takes the size of any other buffer, touched or not, for garbage
 * to come, and spent a third of a comparison's CPU time on collecting it.
 */
const SHARED = typeof SharedArrayBuffer !== 'undefined';
/** Levels of tables in the model's walks. */
const LEVELS = 4;
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

export class ReplayMachine {
  readonly mmu: Mmu;
  /** Host time of the replay, one sample a block. */
  readonly timer = new HostTimer();
  readonly #kernel: Kernel;
  readonly #process: Process;
  /** Numbers of the resident pages. */
  readonly #resident = new Set<number>();
  /**
   * Levels of tables of the processor to be judged. With three (Sv39) a table of the third is its root: the one above
   * is there since addresses of recorded programs are wider, and neither its entries nor its bytes count.
   */
  readonly #levels: number;

  /**
   * @throws RangeError when the host cannot give any RAM, and for a cache of entries where walks read fewer tables than
   * the model's: what their root has no part in cannot be told apart in it.
   */
  constructor(
    readonly shift: number,
    tlb: TlbGeometry,
    entryCache?: TlbShape,
    ramBytes = Infinity,
  ) {
    this.#levels = tlb.walkLevels ?? LEVELS;
    if (this.#levels < LEVELS && entryCache !== undefined) {
      const why = `its walks have ${this.#levels} levels, and the cache sees those of the model`;
      throw new RangeError(`entryCache: not modelled for ${tlb.name}: ${why}; leave entryCache out`);
    }
    this.mmu = new Mmu({ ram: reserveRam(ramBytes, SHARED), tlb, ...(entryCache !== undefined && { entryCache }) });
    this.#kernel = new Kernel({ processor: new Core(this.mmu) });
    const process = this.#kernel.trySpawn({ pages: '4K' });
    if (typeof process === 'number' || process.space === null) throw new OutOfModelMemory(shift, this.mmu.ram.bytes);
    this.#process = process;
    // Huge pages come as with MAP_HUGETLB: nothing else guarantees the size of every page.
    const flags = shift === SHIFT_4K ? ANY_ACCESS : ANY_ACCESS | VM_HUGETLB;
    const everything = new Vma(process.space, 0, USER_BYTES, flags, 0, null);
    everything.pageShift = shift;
    addVma(everything);
    this.#kernel.memory.tlb.load(process.space);
    this.mmu.counters.reset();
  }

  /**
   * Makes the page that holds `(hi, lo)`, below 2^47, resident and dirty, as in a program after a long run. An absent
   * entry needs no invalidation, so the TLB does not notice.
   * @throws OutOfModelMemory
   */
  makeResident(hi: number, lo: number): void {
    const page = Math.floor(toNumber(hi, lo) / 2 ** this.shift);
    if (this.#resident.has(page)) return;
    const status = this.#kernel.populate(this.#process, page * 2 ** this.shift);
    if (status < 0) throw new OutOfModelMemory(this.shift, this.mmu.ram.bytes);
    this.#resident.add(page);
  }

  /** Resident pages of this size. */
  get pages(): number {
    return this.#resident.size;
  }

  get mappedBytes(): number {
    return this.#resident.size * 2 ** this.shift;
  }

  get tableBytes(): number {
    return this.#bytesOf(this.#process);
  }

  #bytesOf({ space }: Process): number {
    return (space?.tableBytes ?? 0) - (LEVELS - this.#levels) * PAGE_BYTES;
  }

  /** The counts of the processor to be judged. */
  counts(): Pick<CounterValues, 'data' | 'fetch'> {
    const { data, fetch } = this.mmu.counters.snapshot();
    return { data: readsOf(data, this.#levels), fetch: readsOf(fetch, this.#levels) };
  }

  /**
   * Forks the process and ends the child: entries that map memory and went into the child's tables, and the bytes of
   * those tables.
   * @throws OutOfModelMemory when there is no room for the tables
   */
  fork(): { entriesCopied: number; tableBytes: number } {
    const { counters } = this.#kernel;
    const before = counters.forkEntriesCopied;
    const child = this.#kernel.fork(this.#process);
    if (typeof child === 'number') throw new OutOfModelMemory(this.shift, this.mmu.ram.bytes);
    const cost = {
      entriesCopied: counters.forkEntriesCopied - before,
      tableBytes: this.#bytesOf(child),
    };
    this.#kernel.exit(child);
    return cost;
  }
}
