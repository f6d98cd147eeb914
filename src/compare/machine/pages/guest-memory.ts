/**
 * The memory of a virtual machine: where a guest's frames lie, and the host's tables that lead there.
 *
 * A guest's physical addresses are the machine's: its host maps each page to itself, in pages of one size. The host's tables
 * lie behind the guest's memory, those of one level one after the other.
 */

import { PAGE_SHIFT, SHIFT_2M } from '../../../../hw/base/address.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import { FramePieces } from './frame-supply.js';
import type { FrameSupply } from './frame-supply.js';
import { pageShifts } from './page-kinds.js';
import type { PagesKind } from './page-kinds.js';
import type { TableEntries } from './table-entries.js';

const HUGE_FRAMES = 2 ** (SHIFT_2M - PAGE_SHIFT);
/** Entries of a table are chosen by 9 bits. */
const INDEX_BITS = 9;
/** Words of a frame, and of an entry. */
const FRAME_WORDS = 1024;
const ENTRY_WORDS = 2;
/** log2 of the 4 KiB frames side by side in a guest after a while: see docs/time-model.md. */
const CLUMP_SHIFT = 1;
/** The kernel keeps tables apart from pages, since they cannot be moved: in this share of memory. Model default. */
const TABLE_SHARE = 64;
const SCATTER = 0x9e37_79b1;

/** The tables of a host, as an architecture has them. */
export interface HostFormat {
  readonly entries: TableEntries;
  readonly levels: number;
  /** Frames of the root: several tables in a row. */
  readonly rootFrames: number;
}

/** One to one on numbers of so many bits. */
function scattered(number: number, bits: number): number {
  const mask = 2 ** bits - 1;
  const mixed = Math.imul(number, SCATTER) & mask;
  return Math.imul(mixed ^ (mixed >>> (bits >> 1)), SCATTER) & mask;
}

/** The numbers below `count`, each once, as good as in any order; undefined when all were given. */
function scatter(count: number): () => number | undefined {
  const bits = Math.ceil(Math.log2(Math.max(count, 1)));
  let next = 0;
  return () => {
    while (next < 2 ** bits) {
      const number = scattered(next++, bits);
      if (number < count) return number;
    }
    return undefined;
  };
}

export class GuestMemory implements FrameSupply {
  /** The first frame of the host's root table. */
  readonly root: number;
  readonly tables: FramePieces;
  private readonly pagesByShift = new Map<number, FramePieces>();
  /** By level, the first frame of the host's tables. */
  private readonly levelFrames: number[] = [];
  private readonly leafLevel: number;

  /**
   * @param kind the guest's pages
   * @param hostShift log2 of the bytes of the host's
   */
  constructor(
    private readonly ram: Ram,
    private readonly format: HostFormat,
    kind: PagesKind,
    hostShift: number,
  ) {
    const shifts = pageShifts(kind);
    this.leafLevel = (hostShift - PAGE_SHIFT) / INDEX_BITS;
    const guestFrames = this.layTables();
    this.root = this.levelFrames[format.levels - 1];
    const tableFrames = Math.ceil(guestFrames / TABLE_SHARE / HUGE_FRAMES) * HUGE_FRAMES;
    this.tables = this.piecesIn(0, tableFrames, kind.granule);
    const share = Math.floor((guestFrames - tableFrames) / shifts.length / HUGE_FRAMES) * HUGE_FRAMES;
    shifts.forEach((shift, i) => {
      const first = tableFrames + i * share;
      this.pagesByShift.set(shift, this.piecesIn(first, first + share, shift));
    });
  }

  /** Puts the host's tables at the end of RAM. @returns the frames before them, a multiple of 2 MiB */
  private layTables(): number {
    const { ram, format, leafLevel, levelFrames } = this;
    let end = ram.frames;
    for (let level = leafLevel; level < format.levels; level++) {
      const isRoot = level === format.levels - 1;
      const frames = isRoot ? format.rootFrames : Math.ceil(ram.frames / 2 ** (INDEX_BITS * (level + 1)));
      end -= frames;
      end -= end % frames;
      levelFrames[level] = end;
    }
    return end - (end % HUGE_FRAMES);
  }

  /** Pieces of `2^shift` bytes anywhere from frame `first` up to `end`; small ones two side by side. */
  private piecesIn(first: number, end: number, shift: number): FramePieces {
    const clump = Math.max(0, CLUMP_SHIFT - (shift - PAGE_SHIFT));
    const frames = 2 ** (shift - PAGE_SHIFT);
    const size = frames * 2 ** clump;
    const start = Math.ceil(first / size) * size;
    const nextClump = scatter(Math.max(0, Math.floor((end - start) / size)));
    let left: number[] = [];
    return new FramePieces(() => {
      if (left.length === 0) {
        const place = nextClump();
        if (place === undefined) return undefined;
        left = Array.from({ length: 2 ** clump }, (_, i) => start + place * size + i * frames).reverse();
      }
      const frame = left.pop();
      if (frame !== undefined) this.map(frame, frames);
      return frame;
    });
  }

  pages(shift: number): FramePieces {
    const found = this.pagesByShift.get(shift);
    if (found === undefined) throw new RangeError(`no memory of the guest is for pages of 2^${shift} bytes`);
    return found;
  }

  /** Maps frames of the guest, whole pages of the host around them. */
  private map(frame: number, count: number): void {
    const { leafLevel, levelFrames } = this;
    const { entries, levels } = this.format;
    const step = 2 ** (INDEX_BITS * leafLevel);
    for (let at = frame - (frame % step); at < frame + count; at += step) {
      entries.setPage(this.placeOf(at, leafLevel), at, leafLevel, false);
    }
    for (let level = leafLevel + 1; level < levels; level++) {
      const reach = 2 ** (INDEX_BITS * level);
      for (let at = frame - (frame % reach); at < frame + count; at += reach) {
        entries.setTable(this.placeOf(at, level), levelFrames[level - 1] + at / reach);
      }
    }
  }

  /** The place in RAM's words of the host's entry of a level for a frame. */
  private placeOf(frame: number, level: number): number {
    return this.levelFrames[level] * FRAME_WORDS + Math.floor(frame / 2 ** (INDEX_BITS * level)) * ENTRY_WORDS;
  }
}
