/**
 * An arena of buddy blocks: a segment gets a power of two of 4 KiB, aligned to its size. Little is left outside between
 * the blocks, much inside them; and a block cannot slide, so there is nothing to compact.
 */

import { addressOfFrame, PAGE_BYTES } from '../../../hw/base/address.js';
import { Buddy } from '../../kernel/frames/buddy.js';
import type { Arena, Hole } from './arena.js';

function orderOf(room: number): number {
  return Math.max(0, Math.ceil(Math.log2(room / PAGE_BYTES)));
}

export class BuddyArena implements Arena {
  readonly slides = false;
  readonly #buddy: Buddy;

  /** `base` and `bytes` are multiples of 4096, `base` above 0. */
  constructor(
    readonly base: number,
    readonly bytes: number,
  ) {
    this.#buddy = new Buddy({ frames: (base + bytes) / PAGE_BYTES, ranges: [{ base, bytes }] });
  }

  get free(): number {
    return this.#buddy.free * PAGE_BYTES;
  }

  get holes(): readonly Hole[] {
    const holes: Hole[] = [];
    this.#buddy.forEachFree((frame, order) => holes.push({ base: addressOfFrame(frame), bytes: PAGE_BYTES << order }));
    return holes.sort((a, b) => a.base - b.base);
  }

  roomFor(bytes: number): number {
    return PAGE_BYTES * 2 ** orderOf(bytes);
  }

  allocate(room: number): number {
    const frame = this.#buddy.allocate(orderOf(room));
    return frame < 0 ? frame : addressOfFrame(frame);
  }

  /** A block's size decides its place: no address can be asked for. */
  take(): boolean {
    return false;
  }

  release(base: number, room: number): void {
    this.#buddy.release(base / PAGE_BYTES, orderOf(room));
  }
}
