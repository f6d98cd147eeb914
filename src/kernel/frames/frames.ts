/**
 * Facts about each frame: typed arrays indexed by frame number (PFN).
 *
 * A **folio** is one allocation: 2^order frames, known by its first, the head. A mapping is an entry of
 * some page table; every other hold on a folio (by the page cache, the kernel itself) is a pin. A folio with neither is
 * freed. Keeping mappings apart from pins makes fork cost one addition a page.
 *
 * The map word of a frame: bits 29:0 the entries that map this very frame, bit 30 exclusive (an anonymous page that
 * one process alone may write, Linux's PageAnonExclusive), bit 31 part of a folio of more than one frame.
 */

import type { Ram } from '../../../hw/memory/ram.js';
import { Buddy } from './buddy.js';
import { Columns } from './columns.js';
import type { KernelCounters } from './counters.js';
import { LargeFolio } from './large-folio.js';

const MAP_LARGE = 1 << 31;
export const MAP_EXCLUSIVE = 1 << 30;
export const MAP_COUNT = MAP_EXCLUSIVE - 1;

/** Kinds and states of a folio, in {@link Frames.flags} of its head. */
export const FRAME_TABLE = 1 << 0;
export const FRAME_ANON = 1 << 1;
export const FRAME_DIRTY = 1 << 2;
/** Would go to swap rather than to a file: anonymous memory (until MADV_FREE) and shared memory. */
export const FRAME_SWAPBACKED = 1 << 3;
export const FRAME_REFERENCED = 1 << 4;
/** The kernel's own, such as the zero page. */
export const FRAME_KERNEL = 1 << 5;
/** Waits in a batch of {@link LruBatches} other than that of new pages; the batch holds a reference. */
export const FRAME_GATHERED = 1 << 6;
/** A locked VMA maps it, or did until lately: PG_mlocked. */
export const FRAME_MLOCKED = 1 << 7;
/** Used again after {@link FRAME_REFERENCED}: on Linux's active list. */
export const FRAME_ACTIVE = 1 << 8;
/** On no list yet: waits in the batch of {@link LruBatches} for new folios, or in that for locked ones. */
export const FRAME_NEW = 1 << 9;

const CHUNK_SHIFT = 9;
/** Of pins, owner, the two words of the index, flags and order; and of map. */
const BYTES_PER_FRAME = 3 * 4 + 2 * 2 + 1;
const MAP_BYTES = 4;

export class Frames {
  readonly buddy: Buddy;
  readonly map: Int32Array;
  /** References other than mappings, at the head. */
  readonly pins: Int32Array;
  readonly flags: Uint16Array;
  /** Order of the folio, at each of its frames. */
  readonly order: Uint8Array;
  /**
   * Id of the {@link AnonVma} or file object the folio belongs to, at the head; 0 for none. A free frame has a link of
   * {@link Buddy} in its place, and in that of the low index.
   */
  readonly owner: Int32Array;
  /** Page offset of the head in its owner, 48 bits: below 2^60 bytes. */
  readonly #indexLow: Int32Array;
  readonly #indexHigh: Uint16Array;
  /** Records of folios of more than one frame, by head. */
  readonly large = new Map<number, LargeFolio>();
  /** Told of each folio freed while a batch of {@link LruBatches} may know it. */
  whenFreed: (head: number) => void = () => undefined;
  readonly #ram: Ram;
  readonly #counters: KernelCounters;
  /** 1 for each 2 MiB with anything but zeros, perhaps. */
  readonly #used: Uint8Array;

  /** `clean`: the RAM holds nothing but zeros, as after power-on, so fresh frames need no clearing. */
  constructor(ram: Ram, counters: KernelCounters, clean: boolean) {
    this.#ram = ram;
    this.#counters = counters;
    // Behind RAM, where there is room: then fork's loop in WebAssembly reaches both.
    const map = ram.hot?.takeNamed('map', ram.frames) ?? null;
    const columns = new Columns(ram.frames, BYTES_PER_FRAME + (map === null ? MAP_BYTES : 0), ram.shared);
    this.map = map ?? columns.int32();
    this.pins = columns.int32();
    this.owner = columns.int32();
    this.#indexLow = columns.int32();
    this.#indexHigh = columns.uint16();
    this.flags = columns.uint16();
    this.order = columns.uint8();
    this.buddy = new Buddy(ram, { next: this.owner, previous: this.#indexLow });
    this.#used = new Uint8Array((ram.frames >>> CHUNK_SHIFT) + 1);
    if (!clean) this.#used.fill(1);
  }

  /** The head of a new folio of 2^order frames with no mapping and no pin, contents unknown; or ENOMEM. */
  allocate(order: number, flags: number): number {
    const head = this.buddy.allocate(order, (flags & (FRAME_TABLE | FRAME_KERNEL)) !== 0);
    if (head < 0) return head;
    this.#counters.framesAllocated += 1 << order;
    this.flags[head] = flags;
    if (order !== 0) {
      this.order.fill(order, head, head + (1 << order));
      this.map.fill(MAP_LARGE, head, head + (1 << order));
      this.large.set(head, new LargeFolio());
    }
    return head;
  }

  /** As {@link allocate}, filled with zeros. */
  allocateZeroed(order: number, flags: number): number {
    const head = this.allocate(order, flags);
    if (head >= 0) this.zero(head, order);
    return head;
  }

  /** Fills with zeros, unless zeros are there already. */
  private zero(head: number, order: number): void {
    const frames = 1 << order;
    const step = Math.min(frames, 1 << CHUNK_SHIFT);
    for (let frame = head; frame < head + frames; frame += step) {
      if (this.#used[frame >>> CHUNK_SHIFT] === 1) this.#ram.zeroFrames(frame, step);
    }
    this.#counters.framesZeroed += frames;
  }

  /** Gives a folio back to the buddy allocator; nothing may map or pin it any more. */
  release(head: number): void {
    const order = this.order[head];
    if ((this.flags[head] & (FRAME_GATHERED | FRAME_MLOCKED | FRAME_NEW)) !== 0) this.whenFreed(head);
    this.flags[head] = 0;
    this.setOwner(head, 0, 0);
    if (order === 0) {
      this.map[head] = 0;
      this.#used[head >>> CHUNK_SHIFT] = 1;
    } else {
      this.order.fill(0, head, head + (1 << order));
      this.map.fill(0, head, head + (1 << order));
      this.large.delete(head);
      this.#used.fill(1, head >>> CHUNK_SHIFT, ((head + (1 << order) - 1) >>> CHUNK_SHIFT) + 1);
    }
    this.#counters.framesFreed += 1 << order;
    this.buddy.release(head, order);
  }

  /** The head of the folio around `frame`. */
  headOf(frame: number): number {
    return frame & -(1 << this.order[frame]);
  }

  /** The page offset of a folio in its owner, by its head. */
  indexOf(head: number): number {
    return this.#indexHigh[head] * 2 ** 32 + (this.#indexLow[head] >>> 0);
  }

  /** Names the owner of the folio with this head, by id, and its page offset there. */
  setOwner(head: number, owner: number, index: number): void {
    this.owner[head] = owner;
    this.#indexLow[head] = index;
    this.#indexHigh[head] = index / 2 ** 32;
  }

  /** The record of the large folio with this head. */
  largeAt(head: number): LargeFolio {
    const folio = this.large.get(head);
    if (folio === undefined) throw new Error(`frame ${head} does not head a large folio`);
    return folio;
  }

  /** A new entry of `space` maps `frame` alone. */
  addMapping(frame: number, space: number): void {
    const word = this.map[frame];
    this.map[frame] = word + 1;
    if (word < 0) this.largeAt(this.headOf(frame)).add(1, space);
  }

  /** An entry of `space` for `frame` alone is gone; true when nothing holds the folio any more. */
  removeMapping(frame: number, space: number): boolean {
    const word = this.map[frame] - 1;
    if (word < 0) return this.#removeFromLarge(frame, word, space);
    const left = word & MAP_COUNT;
    this.map[frame] = left === 0 ? 0 : word;
    return left === 0 && this.pins[frame] === 0;
  }

  #removeFromLarge(frame: number, word: number, space: number): boolean {
    this.map[frame] = (word & MAP_COUNT) === 0 ? MAP_LARGE : word;
    const head = this.headOf(frame);
    return this.largeAt(head).remove(1, space) === 0 && this.pins[head] === 0;
  }

  /** A new huge entry of `space` maps the whole folio. */
  addWholeMapping(head: number, space: number): void {
    const folio = this.largeAt(head);
    folio.whole++;
    folio.add(1, space);
  }

  /** A huge entry of `space` is gone; true when nothing holds the folio any more. */
  removeWholeMapping(head: number, space: number): boolean {
    const folio = this.largeAt(head);
    folio.whole--;
    if (folio.whole === 0) this.setExclusive(head, false);
    return folio.remove(1, space) === 0 && this.pins[head] === 0;
  }

  /** Entries for `frame`, 4 KiB ones and huge ones. */
  mappingsOf(frame: number): number {
    const word = this.map[frame];
    return (word & MAP_COUNT) + (word < 0 ? this.largeAt(this.headOf(frame)).whole : 0);
  }

  /** Makes single frames of a large folio without huge entries; parts without any mapping are freed. */
  splitFolio(head: number): void {
    const count = 1 << this.order[head];
    // The page cache pins a folio once for each of its pages.
    const pinned = this.pins[head] / count;
    for (let part = head; part < head + count; part++) {
      this.order[part] = 0;
      this.map[part] &= ~MAP_LARGE;
      this.flags[part] = this.flags[head];
      this.setOwner(part, this.owner[head], this.indexOf(head) + part - head);
      this.pins[part] = pinned;
    }
    this.large.delete(head);
    for (let part = head + count - 1; part >= head; part--) if (this.references(part) === 0) this.release(part);
  }

  /** Entries for the folio or a part of it; a huge entry counts once. */
  folioMappings(head: number): number {
    return this.map[head] < 0 ? this.largeAt(head).total : this.map[head] & MAP_COUNT;
  }

  /** All holds on the folio: mappings of all its parts, and pins. */
  references(head: number): number {
    return this.folioMappings(head) + this.pins[head];
  }

  isExclusive(frame: number): boolean {
    return (this.map[frame] & MAP_EXCLUSIVE) !== 0;
  }

  setExclusive(frame: number, exclusive: boolean): void {
    this.map[frame] = exclusive ? this.map[frame] | MAP_EXCLUSIVE : this.map[frame] & ~MAP_EXCLUSIVE;
  }

  /** Copies the contents of 2^order frames and counts them. */
  copy(from: number, to: number, order: number): void {
    const frames = 1 << order;
    const words = this.#ram.words;
    words.copyWithin(to * 1024, from * 1024, (from + frames) * 1024);
    this.#counters.framesCopied += frames;
    this.#counters.bytesCopied += frames * 4096;
  }
}
