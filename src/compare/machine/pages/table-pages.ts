/**
 * Tables written without a kernel: for pages that the kernel of this model does not know, as base pages of 16 and 64 KiB and
 * folios of several entries. Only tables are ever read, so nobody has to fill the pages.
 */

import { PAGE_SHIFT } from '../../../../hw/base/address.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import { powerOfTwo } from '../../../kernel/abi/layout.js';
import { WholeRam } from './frame-supply.js';
import type { FrameSupply } from './frame-supply.js';
import { shiftAt } from './mixed-pages.js';
import type { PagesKind } from './page-kinds.js';
import type { Owner, PageSupply } from './page-supply.js';
import type { TableEntries } from './table-entries.js';

/** log2 of the words of a 4 KiB frame. */
const FRAME_WORDS_SHIFT = 10;
const FRAME_WORDS = 2 ** FRAME_WORDS_SHIFT;
const ENTRY_BYTES_SHIFT = 3;
const ENTRY_WORDS_SHIFT = 1;

class TableOwner implements Owner {
  /** The tables below the root, by the places of their entries. */
  readonly tables = new Map<number, number>();
  readonly pages: { readonly frame: number; readonly shift: number }[] = [];

  constructor(readonly root: number) {}
}

export class TablePages implements PageSupply {
  readonly atOnce: number;
  /** log2 of the entries of a table. */
  readonly #indexBits: number;

  /**
   * @param levels of tables
   * @param frames where tables and pages come from; all of RAM when absent
   */
  constructor(
    private readonly ram: Ram,
    private readonly entries: TableEntries,
    private readonly kind: PagesKind,
    private readonly levels: number,
    private readonly frames: FrameSupply = new WholeRam(ram, kind.granule, kind.shift),
  ) {
    this.#indexBits = kind.granule - ENTRY_BYTES_SHIFT;
    // Nobody asks for more pages of a table that was filled.
    const fills = frames.isOnePlace === true && kind.isHuge === undefined;
    this.atOnce = fills ? kind.entryShift + this.#indexBits : 0;
  }

  spawn(): TableOwner | undefined {
    const root = this.frames.tables.take();
    return root === undefined ? undefined : new TableOwner(root);
  }

  populate(owner: TableOwner, address: number): boolean {
    const shift = shiftAt(this.kind, address);
    const entryShift = Math.min(shift, this.kind.entryShift);
    const leafLevel = (entryShift - this.kind.granule) / this.#indexBits;
    let table = owner.root;
    for (let level = this.levels - 1; level > leafLevel; level--) {
      const at = this.#place(table, address, level);
      const lower = owner.tables.get(at) ?? this.#newTable(owner, at);
      if (lower === undefined) return false;
      table = lower;
    }
    const frame = this.frames.pages(shift).take();
    if (frame === undefined) return false;
    owner.pages.push({ frame, shift });
    const made = Math.max(shift, this.atOnce);
    const first = this.#place(table, address - (address % powerOfTwo(made)), leafLevel);
    this.#setPages(first, powerOfTwo(made - entryShift), powerOfTwo(shift - entryShift), frame, leafLevel);
    return true;
  }

  /** Writes the entries of one page, and the same for the pages beside it, which all lie at its place. */
  #setPages(first: number, entries: number, ofPage: number, frame: number, level: number): void {
    const frames = powerOfTwo(this.kind.entryShift - PAGE_SHIFT);
    for (let i = 0; i < ofPage; i++) {
      this.entries.setPage(first + (i << ENTRY_WORDS_SHIFT), frame + i * frames, level, ofPage > 1);
    }
    for (let words = ofPage << ENTRY_WORDS_SHIFT; words < entries << ENTRY_WORDS_SHIFT; words *= 2) {
      this.ram.words.copyWithin(first + words, first, first + words);
    }
  }

  #newTable(owner: TableOwner, at: number): number | undefined {
    const frame = this.frames.tables.take();
    if (frame === undefined) return undefined;
    this.entries.setTable(at, frame);
    owner.tables.set(at, frame);
    return frame;
  }

  /** The place in RAM's words of the entry for `address` in a table. */
  #place(table: number, address: number, level: number): number {
    const number = Math.floor(address / powerOfTwo(this.kind.granule + level * this.#indexBits));
    return table * FRAME_WORDS + ((number % powerOfTwo(this.#indexBits)) << ENTRY_WORDS_SHIFT);
  }

  exit({ root, tables, pages }: TableOwner): void {
    const words = 2 ** (this.kind.granule - PAGE_SHIFT + FRAME_WORDS_SHIFT);
    for (const frame of [root, ...tables.values()]) {
      const start = frame * FRAME_WORDS;
      this.ram.words.fill(0, start, start + words);
      this.frames.tables.giveBack(frame);
    }
    for (const { frame, shift } of pages) this.frames.pages(shift).giveBack(frame);
  }

  tableBytes({ tables }: TableOwner): number {
    return (1 + tables.size) * 2 ** this.kind.granule;
  }

  /** Fork copies every entry of private memory into tables of the child's own: as many as the parent has. */
  fork(owner: TableOwner): ReturnType<PageSupply['fork']> {
    const { entryShift } = this.kind;
    const entriesCopied = owner.pages.reduce((sum, { shift }) => sum + Math.max(1, 2 ** (shift - entryShift)), 0);
    return { entriesCopied, tableBytes: this.tableBytes(owner) };
  }
}
