/**
 * The buddy allocator: free frames in blocks of 2^order, split on demand and joined with their buddy when freed.
 *
 * Free blocks of one order form a doubly linked list through typed arrays; frame 0 is never handed out, so 0 can
 * end a list. The order of allocation depends on nothing but the calls made.
 */

import type { Ram } from '../../../hw/memory/ram.js';
import { PAGE_BYTES } from '../../../hw/base/address.js';
import { Columns } from './columns.js';
import { ENOMEM } from '../abi/errno.js';

/** Blocks reach from 4 KiB (order 0) to 1 GiB. */
const MAX_ORDER = 18;
const ORDERS = MAX_ORDER + 1;
/** A pageblock is 2 MiB. While a part of it is in use, the rest is for requests of the same kind. */
const PAGEBLOCK_ORDER = 9;
/** RAM of fewer pageblocks has one kind: it could not keep two apart. Linux: MIGRATE_TYPES. */
const LEAST_PAGEBLOCKS = 6;
/**
 * The links of the free lists, both ways: 0 at each frame but the first of a free block. So their columns may serve the
 * frames in use for something else, as Linux has it in struct page.
 */
export interface FreeLinks {
  readonly next: Int32Array;
  readonly previous: Int32Array;
}

function ownLinks(frames: number, shared = false): FreeLinks {
  const columns = new Columns(frames, 2 * 4, shared);
  return { next: columns.int32(), previous: columns.int32() };
}

export class Buddy {
  /** Free frames now. */
  free = 0;
  /** Frames to hand out, when all were free. */
  readonly managed: number;
  /** Requests so far, failed ones too. */
  requests = 0;
  /** The request with this number fails although memory is there; 0 for none. For tests. */
  failAt = 0;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Order + 1 at the beginning of a free block, otherwise 0. */
  readonly #blockOrder: Uint8Array;
  /** Lists by order, and after them those of parts of {@link #unmovable} pageblocks. */
  readonly #heads = new Int32Array(ORDERS + PAGEBLOCK_ORDER);
  /** 1 for a pageblock whose parts are for frames that nothing can move. */
  readonly #unmovable: Uint8Array;
  readonly #grouped: boolean;
  readonly #asked: number[] = [];

  /**
   * @param ram is handed out: its installed ranges, 4 KiB a frame
   * @param links all zero, and zero again at each frame given back; its own when absent
   */
  constructor(
    ram: Pick<Ram, 'frames' | 'ranges'> & Partial<Pick<Ram, 'shared'>>,
    links = ownLinks(ram.frames, ram.shared),
  ) {
    this.#next = links.next;
    this.#previous = links.previous;
    this.#blockOrder = new Columns(ram.frames, 1, ram.shared).uint8();
    this.#unmovable = new Uint8Array((ram.frames >>> PAGEBLOCK_ORDER) + 1);
    this.#grouped = ram.frames >= LEAST_PAGEBLOCKS << PAGEBLOCK_ORDER;
    for (const range of [...ram.ranges].reverse()) {
      this.#donate(Math.max(1, range.base / PAGE_BYTES), (range.base + range.bytes) / PAGE_BYTES);
    }
    this.managed = this.free;
  }

  /** Frees `[start, end)` in the largest aligned blocks, highest first: the lowest is handed out first. */
  #donate(start: number, end: number): void {
    let top = end;
    while (top > start) {
      let order = 0;
      while (order < MAX_ORDER && top % (2 << order) === 0 && top - (2 << order) >= start) order++;
      top -= 1 << order;
      this.#push(top, order);
      this.free += 1 << order;
    }
  }

  /** The list of a free block. */
  #listOf(frame: number, order: number): number {
    return order < PAGEBLOCK_ORDER && this.#unmovable[frame >>> PAGEBLOCK_ORDER] === 1 ? ORDERS + order : order;
  }

  #push(frame: number, order: number): void {
    const list = this.#listOf(frame, order);
    const head = this.#heads[list];
    this.#next[frame] = head;
    this.#previous[frame] = 0;
    if (head !== 0) this.#previous[head] = frame;
    this.#heads[list] = frame;
    this.#blockOrder[frame] = order + 1;
  }

  #unlink(frame: number, order: number): void {
    const next = this.#next[frame];
    const previous = this.#previous[frame];
    if (previous === 0) this.#heads[this.#listOf(frame, order)] = next;
    else this.#next[previous] = next;
    if (next !== 0) this.#previous[next] = previous;
    this.#next[frame] = this.#previous[frame] = 0;
    this.#blockOrder[frame] = 0;
  }

  /** Counts one request for memory of any kind; true when the test asked for this one to fail. */
  refuses(): boolean {
    this.requests++;
    return this.requests === this.failAt;
  }

  /**
   * The first frame of 2^order free frames, aligned to their number; ENOMEM when there is no such block.
   *
   * Frames for the kernel itself, page tables above all, lie in pageblocks of their own while there are any: no page table
   * then keeps its neighbours from becoming a huge page, and tables lie side by side.
   * Source: Linux mm/page_alloc.c, __rmqueue and build_all_zonelists.
   *
   * @param unmovable for the kernel itself
   */
  allocate(order: number, unmovable = false): number {
    if (this.refuses()) return ENOMEM;
    if (order === 0 && this.#asked.length > 0) return this.#asked.shift() ?? ENOMEM;
    const apart = unmovable && this.#grouped;
    const list = this.#findList(order, apart);
    if (list < 0) return ENOMEM;
    const frame = this.#heads[list];
    this.#cut(frame, list % ORDERS, frame, order, apart);
    this.free -= 1 << order;
    return frame;
  }

  /** The list with the smallest block of this kind, else with a whole pageblock, else with the smallest of the other kind. */
  #findList(order: number, apart: boolean): number {
    const own = apart ? ORDERS : 0;
    for (let from = order; from < PAGEBLOCK_ORDER; from++) if (this.#heads[own + from] !== 0) return own + from;
    for (let from = Math.max(order, PAGEBLOCK_ORDER); from < ORDERS; from++) if (this.#heads[from] !== 0) return from;
    const other = ORDERS - own;
    for (let from = order; from < PAGEBLOCK_ORDER; from++) if (this.#heads[other + from] !== 0) return other + from;
    return ENOMEM;
  }

  /** Takes 2^order frames from `frame` on out of a free block, and frees the rest. */
  #cut(block: number, from: number, frame: number, order: number, apart: boolean): void {
    this.#unlink(block, from);
    if (from >= PAGEBLOCK_ORDER) this.#unmovable[frame >>> PAGEBLOCK_ORDER] = apart ? 1 : 0;
    while (from > order) {
      from--;
      const half = block + (1 << from);
      this.#push(frame >= half ? block : half, from);
      if (frame >= half) block = half;
    }
  }

  /**
   * The next requests for one frame get exactly these, in this order: for lessons with addresses in their text.
   * @returns false when one of them is not free; those before it are asked for all the same
   */
  ask(frames: readonly number[]): boolean {
    return frames.every((frame) => this.#take(frame));
  }

  #take(frame: number): boolean {
    let order = 0;
    while (order <= MAX_ORDER && this.#blockOrder[frame & -(1 << order)] !== order + 1) order++;
    if (order > MAX_ORDER) return false;
    this.#cut(frame & -(1 << order), order, frame, 0, false);
    this.free--;
    this.#asked.push(frame);
    return true;
  }

  /** Gives back a block from {@link allocate}. */
  release(frame: number, order: number): void {
    this.free += 1 << order;
    let block = frame;
    let at = order;
    while (at < MAX_ORDER) {
      const buddy = block ^ (1 << at);
      if (this.#blockOrder[buddy] !== at + 1) break;
      this.#unlink(buddy, at);
      block &= buddy;
      at++;
    }
    this.#push(block, at);
  }

  /** Calls `visit(frame, order)` for every free block. For audits. */
  forEachFree(visit: (frame: number, order: number) => void): void {
    for (let list = 0; list < this.#heads.length; list++) {
      const order = list % ORDERS;
      for (let frame = this.#heads[list]; frame !== 0; frame = this.#next[frame]) visit(frame, order);
    }
  }

  /** Free blocks of each order, as /proc/buddyinfo prints them. */
  freeBlocks(): number[] {
    const counts = new Array<number>(MAX_ORDER + 1).fill(0);
    this.forEachFree((_frame, order) => {
      counts[order]++;
    });
    return counts;
  }
}
