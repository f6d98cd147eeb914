/**
 * What every process must read, kept page by page in plain maps: no VMAs, no frames, no page tables. One byte a page
 * stands for the page.
 */

import { EFAULT, EINVAL, ENOMEM } from '../../../../src/kernel/abi/errno.js';
import { BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';

/** An object that several mappings share; sizes and indexes in pages. */
export class OracleObject {
  readonly bytes = new Map<number, number>();
  constructor(public size: number) {}

  read(index: number): number {
    return index < this.size ? (this.bytes.get(index) ?? 0) : BUS_ADRERR;
  }
}

export interface Cell {
  readonly rights: number;
  readonly object: OracleObject | null;
  readonly shared: boolean;
  readonly index: number;
  /** The private byte once written. */
  readonly own: number | undefined;
  readonly guard: boolean;
  readonly dontFork: boolean;
  readonly wipe: boolean;
}

const WRITE = 2;

export class OracleProcess {
  readonly cells = new Map<number, Cell>();

  read(page: number): number {
    const cell = this.cells.get(page);
    if (cell === undefined) return SEGV_MAPERR;
    if (cell.rights === 0) return SEGV_ACCERR;
    if (cell.guard) return SEGV_MAPERR;
    return cell.own ?? (cell.object === null ? 0 : cell.object.read(cell.index));
  }

  write(page: number, value: number): number {
    const cell = this.cells.get(page);
    if (cell === undefined) return SEGV_MAPERR;
    if ((cell.rights & WRITE) === 0) return SEGV_ACCERR;
    if (cell.guard) return SEGV_MAPERR;
    if (cell.own === undefined && cell.object !== null && cell.index >= cell.object.size) return BUS_ADRERR;
    if (cell.shared) cell.object?.bytes.set(cell.index, value);
    else this.cells.set(page, { ...cell, own: value });
    return 0;
  }

  /** MADV_POPULATE_WRITE: each page as if its own byte were written, up to the first refusal. Whether there was none. */
  populate(page: number, count: number): boolean {
    for (let i = 0; i < count; i++) {
      const byte = this.read(page + i);
      if (byte < 0 || this.write(page + i, byte) < 0) return false;
    }
    return true;
  }

  map(page: number, count: number, cellAt: (i: number) => Cell): number {
    for (let i = 0; i < count; i++) this.cells.set(page + i, cellAt(i));
    return 0;
  }

  unmap(page: number, count: number): number {
    for (let i = 0; i < count; i++) this.cells.delete(page + i);
    return 0;
  }

  /** Changes cells up to the first hole. */
  protect(page: number, count: number, rights: number): number {
    for (let i = 0; i < count; i++) {
      const cell = this.cells.get(page + i);
      if (cell === undefined) return ENOMEM;
      this.cells.set(page + i, { ...cell, rights });
    }
    return 0;
  }

  /** Changes all cells there are. */
  advise(page: number, count: number, change: (cell: Cell) => Cell): number {
    let hole = false;
    for (let i = 0; i < count; i++) {
      const cell = this.cells.get(page + i);
      if (cell === undefined) hole = true;
      else this.cells.set(page + i, change(cell));
    }
    return hole ? ENOMEM : 0;
  }

  /** mremap of one page to a fixed place, where it may become two. */
  move(from: number, to: number, newCount: number, keep: boolean): number {
    if (from < to + newCount && to < from + 1) return EINVAL;
    const cell = this.cells.get(from);
    if (cell === undefined) return EFAULT;
    this.cells.set(to, cell);
    if (newCount === 2) this.cells.set(to + 1, { ...cell, index: cell.index + 1, own: undefined, guard: false });
    if (keep) this.cells.set(from, { ...cell, own: undefined, guard: false });
    else this.cells.delete(from);
    return 0;
  }

  fork(): OracleProcess {
    const child = new OracleProcess();
    for (const [page, cell] of this.cells) {
      if (cell.dontFork) continue;
      child.cells.set(page, cell.wipe ? { ...cell, own: undefined, guard: false } : cell);
    }
    return child;
  }
}

/** ftruncate: pages past the end go from the object and from every private copy. */
export function truncate(object: OracleObject, size: number, processes: Iterable<OracleProcess>): number {
  object.size = size;
  for (const index of [...object.bytes.keys()]) if (index >= size) object.bytes.delete(index);
  for (const process of processes) {
    for (const [page, cell] of process.cells) {
      if (cell.object === object && cell.index >= size) process.cells.set(page, { ...cell, own: undefined });
    }
  }
  return 0;
}
