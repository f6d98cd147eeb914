/** Frames of RAM for tables and pages. */

import { PAGE_SHIFT, SHIFT_1G } from '../../../../hw/base/address.js';
import { Ram } from '../../../../hw/memory/ram.js';

/** Pieces of RAM of one size, given and taken back, by their first frames. */
export class FramePieces {
  readonly #free: number[] = [];
  /** @param next the first frame of a piece never given before, or undefined if there is none */
  constructor(private readonly next: () => number | undefined) {}

  take(): number | undefined {
    return this.#free.pop() ?? this.next();
  }

  giveBack(frame: number): void {
    this.#free.push(frame);
  }
}

/** Where tables and pages come from. */
export interface FrameSupply {
  /** All pages lie at one place, so one costs as much as many. */
  readonly isOnePlace?: true;
  readonly tables: FramePieces;
  /** For pages, or folios, of `2^shift` bytes. */
  pages(shift: number): FramePieces;
}

/** All of RAM, side by side: tables from its start, pages of one size from its end. */
export class WholeRam implements FrameSupply {
  readonly tables: FramePieces;
  readonly #pages: FramePieces;
  /** The first frame of RAM in no table, and the first of the pages. */
  #low: number;
  #high: number;

  /** @param granule log2 of the bytes of a table, `shift` of a page */
  constructor(ram: Ram, granule: number, shift: number) {
    const tableFrames = 2 ** (granule - PAGE_SHIFT);
    const pageFrames = 2 ** (shift - PAGE_SHIFT);
    // Frame 0 stays free: an entry for it could be all zeros.
    this.#low = tableFrames;
    this.#high = ram.frames - (ram.frames % pageFrames);
    this.tables = new FramePieces(() => {
      if (this.#low + tableFrames > this.#high) return undefined;
      this.#low += tableFrames;
      return this.#low - tableFrames;
    });
    this.#pages = new FramePieces(() => {
      if (this.#high - pageFrames < this.#low) return undefined;
      this.#high -= pageFrames;
      return this.#high;
    });
  }

  pages(): FramePieces {
    return this.#pages;
  }
}

const FRESH_SHARE = 64;
/** Bytes for the TLBs of some ten processors, in hot memory behind RAM. */
const FRESH_ROOM = 2 ** 21;
const GIB_FRAMES = 2 ** (SHIFT_1G - PAGE_SHIFT);

/** RAM for the tables of several machines: all pages lie at one place, in the last GiB, since nobody reads them. */
export class TableRam {
  readonly #pages = new FramePieces(() => this.ram.frames - GIB_FRAMES);
  /** The first frame in no table. Frame 0 stays free. */
  #low = 1;

  private constructor(readonly ram: Ram) {}

  /** Null where the host refuses so much. */
  static make(): TableRam | null {
    try {
      return new TableRam(new Ram({ bytes: 3 * 2 ** SHIFT_1G }));
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  /** Whether hardly any was used: then there is room for the machines of another trace. */
  get isFresh(): boolean {
    return this.#low < this.ram.frames / FRESH_SHARE && this.ram.hot?.hasRoom(FRESH_ROOM) !== false;
  }

  /** Frames for a machine with tables of `2^granule` bytes, and pages up to 1 GiB. */
  readonly supply = (granule: number): FrameSupply => {
    const frames = 2 ** (granule - PAGE_SHIFT);
    const tables = new FramePieces(() => {
      const first = Math.ceil(this.#low / frames) * frames;
      if (first + frames > this.ram.frames - GIB_FRAMES) return undefined;
      this.#low = first + frames;
      return first;
    });
    return { isOnePlace: true, tables, pages: () => this.#pages };
  };
}
