/** One machine of a comparison: RAM, processors with the TLB to be judged, and processes with pages of one kind. */

import { PAGE_BYTES, SHIFT_2M, SHIFT_4K, toNumber } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import type { AccessCounts, CounterValues } from '../../../hw/translate/counts/counters.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import { powerOfTwo } from '../../kernel/abi/layout.js';
import { HostTimer } from './host-time.js';
import { pieceShift } from './nested.js';
import type { FrameSupply } from './pages/frame-supply.js';
import { shiftAt } from './pages/mixed-pages.js';
import { isFolio } from './pages/page-kinds.js';
import type { PagesKind } from './pages/page-kinds.js';
import type { Owner, PageSupply } from './pages/page-supply.js';
import { Processors } from './processors.js';
import type { LoadedSpace, ReplayTarget } from './targets/target.js';

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

/** A process of the recorded program. */
interface Space extends LoadedSpace {
  /** Null once it had to make room for others. */
  owner: Owner | null;
  /** Addresses of its pages, or of what was made resident at once; resident while it has memory. */
  readonly pages: Set<number>;
  /** Bytes of them. */
  bytes: number;
  /** Addresses of the pieces that it touched; empty if an entry of a TLB holds a whole page. */
  readonly pieces: Set<number>;
  /** Of its tables, when it last had some. */
  tableBytes: number;
}

export class ReplayMachine {
  readonly processors: Processors;
  /** Host time of the replay, one sample a block. */
  readonly timer = new HostTimer();
  /** Pieces that came after a gap in the trace: at the most so many walks would have been hits without it. */
  coldPages = 0;
  /** Those of the block under way, by address: the first walk to each is such a walk. */
  readonly coldNow = new Set<number>();
  readonly #supply: PageSupply;
  readonly #isPlain: boolean;
  /** By the process numbers of blocks. */
  readonly #spaces = new Map<number, Space>();
  /** The one at work; it is the last of {@link #spaces}. */
  #space: Space;
  /** log2 of the bytes of a page, or of a folio made resident at once. */
  readonly shift: number;
  readonly kind: PagesKind;
  /**
   * Levels of tables of the processor to be judged. With three (Sv39) a table of the third is its root: the one above
   * is there since addresses of recorded programs are wider, and neither its entries nor its bytes count.
   */
  readonly levels: number;
  /** Bytes of the tables above those levels. */
  readonly #bytesAbove: number;

  /**
   * @param hostShift log2 of the bytes of a host's pages: an entry of a TLB holds no larger piece; null without a host
   * @param frames where tables and pages come from: see {@link ReplayTarget.boot}
   */
  constructor(
    private readonly target: ReplayTarget,
    kind: PagesKind,
    tlb: TlbGeometry,
    ram: Ram,
    private readonly hostShift: number | null = null,
    frames?: FrameSupply,
  ) {
    const levels = target.levels(kind);
    this.kind = kind;
    this.#isPlain = target.name === 'x86' && !isFolio(kind);
    this.shift = kind.shift;
    this.levels = Math.min(levels, tlb.walkLevels ?? levels);
    this.#bytesAbove = (levels - this.levels) * 2 ** kind.granule;
    const { processor, supply } = target.boot(ram, tlb, kind, hostShift, frames);
    this.#supply = supply;
    this.processors = new Processors(tlb, processor, target, processor);
    this.#space = this.#enter(0);
    processor.counters.reset();
  }

  /** Pages of x86 of a size of their own: lookups of these are worked out ahead. */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  /** Whether the second touch of 2 MiB finds all of them resident, and nobody asks whether it came after a gap. */
  get isCoarse(): boolean {
    const { isHuge, shift } = this.kind;
    return isHuge === undefined && Math.max(pieceShift(shift, this.hostShift), this.#supply.atOnce) >= SHIFT_2M;
  }

  /** The processor at work. */
  get mmu(): TranslatingMachine {
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
      if (space?.owner == null) space = this.#enter(process, space);
      // Whoever waited longest stands first.
      this.#spaces.delete(process);
      this.#spaces.set(process, space);
      this.#space = space;
    }
    this.processors.enter(this.#space, thread);
  }

  /** A new process, or one whose memory went: it gets all of its pages again. */
  #enter(number: number, before?: Space): Space {
    const { pages = new Set<number>(), pieces = new Set<number>() } = before ?? {};
    const owner = this.#withRoom(() => this.#supply.spawn());
    const bytes = [...pages].reduce((sum, page) => sum + 2 ** this.#shiftAt(page), 0);
    const space = { number, root: owner.root, owner, pages, pieces, bytes, tableBytes: 0 };
    this.#spaces.set(number, space);
    for (const page of pages) this.#withRoom(() => this.#populate(owner, page), space);
    this.processors.enter(space, 0);
    return space;
  }

  /** log2 of the bytes that become resident with an address. */
  #shiftAt(address: number): number {
    return Math.max(shiftAt(this.kind, address), this.#supply.atOnce);
  }

  #populate(owner: Owner, page: number): true | undefined {
    return this.#supply.populate(owner, page) || undefined;
  }

  /**
   * Does an attempt in need of memory. While there is none, the process with the longest wait gives up its own: mostly it
   * has ended.
   * @throws OutOfModelMemory
   */
  #withRoom<Result>(attempt: () => Result | undefined, own: Space = this.#space): Result {
    for (;;) {
      const result = attempt();
      if (result !== undefined) return result;
      const other = [...this.#spaces.values()].find((space) => space !== own && space.owner !== null);
      if (other?.owner == null) throw new OutOfModelMemory(this.shift, this.mmu.ram.bytes);
      other.tableBytes = this.#bytesOf(other.owner);
      this.#supply.exit(other.owner);
      other.owner = null;
    }
  }

  /**
   * Makes the page that holds `(hi, lo)`, below 2^47, resident and dirty, as in a program after a long run. An absent
   * entry needs no invalidation, so the TLB does not notice.
   * @param cold it comes after a gap, so it may not be the first time
   * @throws OutOfModelMemory
   */
  makeResident(hi: number, lo: number, cold = false): void {
    const { owner, pages, pieces } = this.#space;
    const address = toNumber(hi, lo);
    const shift = this.#shiftAt(address);
    const bytes = powerOfTwo(shift);
    const page = address - (address % bytes);
    if (owner === null) return;
    const isNew = !pages.has(page);
    if (isNew) {
      this.#withRoom(() => this.#populate(owner, page));
      pages.add(page);
      this.#space.bytes += bytes;
    }
    const pieceBytes = powerOfTwo(pieceShift(shift, this.hostShift));
    const piece = address - (address % pieceBytes);
    if (pieceBytes === bytes ? !isNew : pieces.has(piece)) return;
    if (pieceBytes !== bytes) pieces.add(piece);
    if (!cold) return;
    this.coldPages++;
    this.coldNow.add(piece);
  }

  /** Resident pages of all processes. */
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
    return this.#sum(({ owner, tableBytes }) => (owner === null ? tableBytes : this.#bytesOf(owner)));
  }

  #sum(of: (space: Space) => number): number {
    return [...this.#spaces.values()].reduce((sum, space) => sum + of(space), 0);
  }

  #bytesOf(owner: Owner): number {
    return this.#supply.tableBytes(owner) - this.#bytesAbove;
  }

  /** Further processors over the same RAM and tables. */
  beside(tlb: TlbGeometry): Processors {
    return new Processors(tlb, this.mmu, this.target);
  }

  /** The counts of the processors to be judged. */
  counts(): Pick<CounterValues, 'data' | 'fetch'> {
    return this.countsOf(this.processors);
  }

  /** The same of other processors over the same tables. */
  countsOf(processors: Processors): Pick<CounterValues, 'data' | 'fetch'> {
    const { data, fetch } = processors.counters().snapshot();
    return { data: readsOf(data, this.levels), fetch: readsOf(fetch, this.levels) };
  }

  /**
   * Forks the process with the most pages and ends the child: entries that map memory and went into the child's tables,
   * and the bytes of those tables.
   * @throws OutOfModelMemory when there is no room for the tables
   */
  fork(): { entriesCopied: number; tableBytes: number } {
    const largest = [...this.#spaces].reduce((most, one) => (one[1].pages.size > most[1].pages.size ? one : most));
    this.enter(largest[0], 0);
    const { owner } = this.#space;
    const cost = owner === null ? undefined : this.#supply.fork(owner);
    if (cost === undefined) throw new OutOfModelMemory(this.shift, this.mmu.ram.bytes);
    return { ...cost, tableBytes: cost.tableBytes - this.#bytesAbove };
  }
}
