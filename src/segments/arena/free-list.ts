/**
 * malloc and free over a list of holes: a header before each block, sizes rounded up.
 *
 * Source: Arpaci-Dusseau, Operating Systems: Three Easy Pieces, "Free-Space Management".
 */

import { checkWhole } from '../../../hw/base/arguments.js';
import { HoleArena } from './arena.js';
import type { Fit, Hole, HoleOrder } from './arena.js';

/** All in bytes. */
export interface FreeListRules {
  readonly base: number;
  readonly bytes: number;
  readonly fit: Exclude<Fit, 'next'>;
  readonly order: HoleOrder;
  readonly coalesce: boolean;
  /** Before every block. */
  readonly header: number;
  /** Requests are rounded up to a multiple of this, before the header is added; 1: they are not. */
  readonly align: number;
}

/** What a request got. */
interface Allocated {
  /** The first byte after the header; -1 when no hole is large enough. */
  readonly at: number;
  /** Holes looked at. */
  readonly searched: number;
}

/** A heap by the rules of a textbook. */
export class FreeList {
  readonly #arena: HoleArena;
  /** Bytes of each block with its header, by the address given out. */
  readonly #blocks = new Map<number, number>();

  constructor(private readonly rules: FreeListRules) {
    const { base, bytes, fit, order, coalesce } = rules;
    this.#arena = new HoleArena(base, bytes, fit, { order, coalesce });
  }

  /** The holes, in the order of the list. */
  get holes(): readonly Readonly<Hole>[] {
    return this.#arena.holes;
  }

  /** Bytes taken by a request: rounded up, with its header. */
  roomFor(bytes: number): number {
    const { align, header } = this.rules;
    return Math.ceil(bytes / align) * align + header;
  }

  allocate(bytes: number): Allocated {
    checkWhole('bytes', bytes, 1, Number.MAX_SAFE_INTEGER);
    const before = this.#arena.probes;
    const room = this.roomFor(bytes);
    const base = this.#arena.allocate(room);
    const searched = this.#arena.probes - before;
    if (base < 0) return { at: -1, searched };
    const at = base + this.rules.header;
    this.#blocks.set(at, room);
    return { at, searched };
  }

  /** Takes a block from the start on, so that what is left are holes of one's own: false unless all of it is free. */
  take(base: number, bytes: number): boolean {
    return this.#arena.take(base, bytes);
  }

  /** Gives a block back; false when nothing is allocated at `at`. */
  free(at: number): boolean {
    const room = this.#blocks.get(at);
    if (room === undefined) return false;
    this.#blocks.delete(at);
    this.#arena.release(at - this.rules.header, room);
    return true;
  }
}
