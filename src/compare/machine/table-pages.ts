/**
 * Tables written without a kernel: for pages that the kernel of this model does not know, as base pages of 16 and 64 KiB and
 * folios of several entries. Only tables are ever read, so nobody has to fill the pages.
 */

import { PAGE_SHIFT } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';
import type { PagesKind } from './page-kinds.js';
import type { Owner, PageSupply } from './page-supply.js';

/** The entries of an architecture, as low and high word. */
export interface TableFormat {
  /** Maps the page at `frame`: a user's, writable, accessed and dirty. `folio`: one of several entries of a folio. */
  page(frame: number, level: number, folio: boolean): readonly [low: number, high: number];
  /** Leads to the table at `frame`. */
  table(frame: number): readonly [low: number, high: number];
}

/** log2 of the words of a 4 KiB frame, and of an entry. */
const FRAME_WORDS_SHIFT = 10;
const ENTRY_WORDS_SHIFT = 1;
const ENTRY_BYTES_SHIFT = 3;

class TableOwner implements Owner {
  /** The tables below the root, by the places of their entries. */
  readonly tables = new Map<number, number>();
  readonly pages: number[] = [];

  constructor(readonly root: number) {}
}

/** Pieces of RAM of one size, given and taken back. Tables come from its start, pages from its end. */
class Pieces {
  readonly #free: number[] = [];
  constructor(private readonly next: () => number | undefined) {}

  take(): number | undefined {
    return this.#free.pop() ?? this.next();
  }

  giveBack(frame: number): void {
    this.#free.push(frame);
  }
}

export class TablePages implements PageSupply {
  readonly #tables: Pieces;
  readonly #pages: Pieces;
  /** The first frame of RAM in no table, and the first of the pages. */
  #low: number;
  #high: number;
  /** log2 of the entries of a table. */
  readonly #indexBits: number;
  readonly #leafLevel: number;

  /** @param levels of tables */
  constructor(
    private readonly ram: Ram,
    private readonly format: TableFormat,
    private readonly kind: PagesKind,
    private readonly levels: number,
  ) {
    const { granule, shift, entryShift } = kind;
    const tableFrames = 2 ** (granule - PAGE_SHIFT);
    const pageFrames = 2 ** (shift - PAGE_SHIFT);
    this.#indexBits = granule - ENTRY_BYTES_SHIFT;
    this.#leafLevel = (entryShift - granule) / this.#indexBits;
    // Frame 0 stays free: an entry for it could be all zeros.
    this.#low = tableFrames;
    this.#high = ram.frames - (ram.frames % pageFrames);
    this.#tables = new Pieces(() => (this.#low + tableFrames > this.#high ? undefined : this.#tableAtLow(tableFrames)));
    this.#pages = new Pieces(() =>
      this.#high - pageFrames < this.#low ? undefined : (this.#high = this.#high - pageFrames),
    );
  }

  #tableAtLow(frames: number): number {
    this.#low += frames;
    return this.#low - frames;
  }

  spawn(): TableOwner | undefined {
    const root = this.#tables.take();
    return root === undefined ? undefined : new TableOwner(root);
  }

  populate(owner: TableOwner, address: number): boolean {
    let table = owner.root;
    for (let level = this.levels - 1; level > this.#leafLevel; level--) {
      const at = this.#place(table, address, level);
      const lower = owner.tables.get(at) ?? this.#newTable(owner, at);
      if (lower === undefined) return false;
      table = lower;
    }
    const first = this.#pages.take();
    if (first === undefined) return false;
    owner.pages.push(first);
    const { shift, entryShift } = this.kind;
    const start = address - (address % 2 ** shift);
    const frames = 2 ** (entryShift - PAGE_SHIFT);
    for (let i = 0; i < 2 ** (shift - entryShift); i++) {
      const at = this.#place(table, start + i * 2 ** entryShift, this.#leafLevel);
      this.#write(at, this.format.page(first + i * frames, this.#leafLevel, shift !== entryShift));
    }
    return true;
  }

  #newTable(owner: TableOwner, at: number): number | undefined {
    const frame = this.#tables.take();
    if (frame === undefined) return undefined;
    this.#write(at, this.format.table(frame));
    owner.tables.set(at, frame);
    return frame;
  }

  /** The index in RAM's words of the entry for `address` in a table. */
  #place(table: number, address: number, level: number): number {
    const number = Math.floor(address / 2 ** (this.kind.granule + level * this.#indexBits));
    return table * 2 ** FRAME_WORDS_SHIFT + ((number % 2 ** this.#indexBits) << ENTRY_WORDS_SHIFT);
  }

  #write(at: number, [low, high]: readonly [number, number]): void {
    this.ram.words[at + 1] = high;
    this.ram.words[at] = low;
  }

  exit({ root, tables, pages }: TableOwner): void {
    const words = 2 ** (this.kind.granule - PAGE_SHIFT + FRAME_WORDS_SHIFT);
    for (const frame of [root, ...tables.values()]) {
      const start = frame * 2 ** FRAME_WORDS_SHIFT;
      this.ram.words.fill(0, start, start + words);
      this.#tables.giveBack(frame);
    }
    for (const frame of pages) this.#pages.giveBack(frame);
  }

  tableBytes({ tables }: TableOwner): number {
    return (1 + tables.size) * 2 ** this.kind.granule;
  }

  /** Fork copies every entry of private memory into tables of the child's own: as many as the parent has. */
  fork(owner: TableOwner): ReturnType<PageSupply['fork']> {
    const { shift, entryShift } = this.kind;
    return { entriesCopied: owner.pages.length * 2 ** (shift - entryShift), tableBytes: this.tableBytes(owner) };
  }
}
