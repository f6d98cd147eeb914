/**
 * A toy machine: the events, faults and counters of the large ones, a walk and a TLB of its own, since its pages may
 * be far smaller than 4 KiB. Frames in its events are numbers of its own pages.
 */

import { FETCH, READ, USER, WRITE } from '../base/access.js';
import { checkWhole } from '../base/arguments.js';
import { BUS_ERROR, FaultRecord, PAGE_FAULT } from '../base/fault.js';
import { DIRTY } from '../base/permission.js';
import { Ram } from '../memory/ram.js';
import {
  Counters,
  DIRTY_UPDATE_READS,
  DIRTY_UPDATES,
  ENTRY_READS,
  FAULT_READS,
  FAULTS_ON_HIT,
  FAULTS_ON_WALK,
  FETCH_SIDE,
  FLUSHES,
  PAGE_INVALIDATIONS,
  WALKS,
} from '../translate/counts/counters.js';
import { Listeners } from '../translate/walk/events.js';
import type { FaultEvent, TranslationEvent, TranslationListener } from '../translate/walk/events.js';
import { checkToyShape, toyFlag, toyFrame, TOY_EXECUTABLE, TOY_RIGHTS, TOY_USER, TOY_WRITABLE } from './shape.js';
import type { ToyEntry, ToyPaging, ToySegmentation, ToyShape } from './shape.js';
import { isKnownDirty, ToyTlb } from './tlb.js';

/** Status of an address outside its segment. Its number is that of x86's exception for it. */
export const TOY_SEGMENT_FAULT = -13;

/** An entry on the way. */
interface Step {
  readonly address: number;
  readonly value: number;
  readonly level: number;
  readonly layout: ToyEntry;
}

/** The rights that the access needs and `rights` lacks: the error code of the fault. */
function lacking(rights: number, access: number): number {
  const needed =
    ((access & WRITE) !== 0 ? TOY_WRITABLE : 0) |
    ((access & FETCH) !== 0 ? TOY_EXECUTABLE : 0) |
    ((access & USER) !== 0 ? TOY_USER : 0);
  return needed & ~rights;
}

/** The rights in an entry. */
function rightsOf(layout: ToyEntry, value: number): number {
  return (
    (toyFlag(layout, value, 'writable') ? TOY_WRITABLE : 0) |
    (toyFlag(layout, value, 'executable') ? TOY_EXECUTABLE : 0) |
    (toyFlag(layout, value, 'user') ? TOY_USER : 0)
  );
}

/** A processor of few bits with its memory. */
export class ToyMachine {
  readonly ram: Ram;
  readonly tlb: ToyTlb | null;
  /** Its registers refuse segments without a count: a machine with segments counts nothing. */
  readonly counters = new Counters();
  /** The last fault. An error code of 0: an entry is not valid, or the address is outside. Else the rights missing. */
  readonly fault = new FaultRecord();
  readonly #listeners = new Listeners();
  #listener: TranslationListener | null = null;

  /** @throws RangeError for a shape that cannot be, with the field, its value and the fix */
  constructor(readonly shape: ToyShape) {
    checkToyShape(shape);
    const { memoryBytes, paging, tlb } = shape;
    this.ram = new Ram({ bytes: Math.ceil(memoryBytes / 4096) * 4096 });
    this.tlb = tlb && paging ? new ToyTlb(tlb, Math.log2(paging.pageBytes)) : null;
  }

  /** Tells `listener` of every step from now on, until the returned function is called. */
  listen(listener: TranslationListener): () => void {
    this.#listeners.add(listener);
    this.#join();
    return () => {
      this.#listeners.remove(listener);
      this.#join();
    };
  }

  #join(): void {
    this.#listener = this.#listeners.joined;
    if (this.tlb) this.tlb.listener = this.#listener;
  }

  #tell(event: TranslationEvent): void {
    this.#listener?.(event);
  }

  /**
   * The physical address of a virtual one, or a negative status with its details in {@link fault}: PAGE_FAULT,
   * TOY_SEGMENT_FAULT, or BUS_ERROR where no memory answers.
   * @param access see access.ts
   * @throws RangeError for an address of more than `virtualBits` bits
   */
  translate(address: number, access = READ): number {
    const { virtualBits, paging, segmentation } = this.shape;
    checkWhole('address', address, 0, 2 ** virtualBits - 1);
    this.#tell({ kind: 'lookup', hi: 0, lo: address | 0, access, space: 0 });
    if (paging) return this.#translatePage(paging, address, access);
    return segmentation ? this.#translateSegment(segmentation, address, access) : BUS_ERROR;
  }

  /** The byte at a physical address; 0 outside of memory. */
  byteAt(physical: number): number {
    return this.#answers(physical, 1) ? this.ram.load8(0, physical | 0) : 0;
  }

  /** The unsigned value of 1, 2 or 4 bytes at a physical address, the lowest byte first. */
  valueAt(physical: number, bytes: number): number {
    let value = 0;
    for (let byte = bytes - 1; byte >= 0; byte--) value = value * 256 + this.byteAt(physical + byte);
    return value;
  }

  /** Stores 1, 2 or 4 bytes at a physical address, the lowest byte first: an operating system's way to change an entry. */
  store(physical: number, bytes: number, value: number): void {
    for (let byte = 0; byte < bytes; byte++) {
      if (this.#answers(physical + byte, 1)) this.ram.store8(0, (physical + byte) | 0, Math.floor(value / 256 ** byte));
    }
  }

  /** Drops the translation of the page around a virtual address from the TLB. */
  invalidatePage(address: number): void {
    this.counters.values[PAGE_INVALIDATIONS]++;
    this.#tell({ kind: 'invalidate', scope: 'page', space: 0, hi: 0, lo: address | 0 });
    this.tlb?.dropPage(Math.floor(address / 2 ** this.tlb.pageShift));
  }

  /** Empties the TLB. */
  flush(): void {
    this.counters.values[FLUSHES]++;
    this.#tell({ kind: 'invalidate', scope: 'everything', space: 0, hi: 0, lo: 0 });
    this.tlb?.flush();
  }

  #answers(physical: number, bytes: number): boolean {
    return physical >= 0 && physical + bytes <= this.shape.memoryBytes;
  }

  #raise(of: FaultEvent['of'], status: number, errorCode: number, address: number, level = -1): number {
    this.fault.raise(status, errorCode, 0, address | 0, level);
    this.#tell({ kind: 'fault', of, ...this.fault.take() });
    return status;
  }

  #translatePage(paging: ToyPaging, address: number, access: number): number {
    const { tlb, counters } = this;
    const { pageBytes } = paging;
    const held = tlb?.lookup(Math.floor(address / pageBytes));
    const side = (access & FETCH) !== 0 ? FETCH_SIDE : 0;
    if (held === undefined || tlb === null) return this.#walk(paging, address, access, side);
    const { frame, rights } = held;
    this.#tell({ kind: 'hit', where: 'TLB', level: 1, hi: 0, lo: address | 0, frame, rights, shift: tlb.pageShift });
    const missing = lacking(rights, access);
    if (missing !== 0) {
      counters.values[FAULTS_ON_HIT]++;
      return this.#raise('hit', PAGE_FAULT, missing, address);
    }
    if ((access & WRITE) !== 0 && paging.entry.dirty !== undefined && !isKnownDirty(held)) {
      return this.#walk(paging, address, access, -1);
    }
    const physical = frame * pageBytes + (address % pageBytes);
    if (!this.#answers(physical, 1)) return this.#raise('hit', BUS_ERROR, 0, physical);
    counters.addL1Hits(side, 1);
    return physical;
  }

  /** @param side of the counters; -1: the TLB has the page, and the walk is to set its dirty bit */
  #walk(paging: ToyPaging, address: number, access: number, side: number): number {
    const steps: Step[] = [];
    const found = this.#readEntries(paging, address, access, steps);
    if (found < 0) {
      this.counters.values[FAULTS_ON_WALK]++;
      this.counters.values[FAULT_READS] += steps.length;
      return found;
    }
    this.#count(steps, side);
    const { pageBytes } = paging;
    const physical = found * pageBytes + (address % pageBytes);
    const dirty = this.#setBits(steps, (access & WRITE) !== 0);
    const rights = steps.reduce((all, { layout, value }) => all & rightsOf(layout, value), TOY_RIGHTS) | dirty;
    this.#tell({ kind: 'walked', frame: found, rights, shift: Math.log2(pageBytes) });
    this.tlb?.fill({ page: Math.floor(address / pageBytes), frame: found, rights });
    return physical;
  }

  /** Reads the entry of each level, root first; the frame, or a status. */
  #readEntries(paging: ToyPaging, address: number, access: number, steps: Step[]): number {
    const { pageBytes, levels, entry, tableEntry = entry } = paging;
    let table = paging.root;
    let rights = TOY_RIGHTS;
    let frame = 0;
    let below = this.shape.virtualBits;
    for (const [depth, bits] of levels.entries()) {
      const level = levels.length - 1 - depth;
      const layout = level === 0 ? entry : tableEntry;
      below -= bits;
      const at = table + (Math.floor(address / 2 ** below) % 2 ** bits) * layout.bytes;
      if (!this.#answers(at, layout.bytes)) return this.#raise('walk', BUS_ERROR, 0, at, level);
      const value = this.valueAt(at, layout.bytes);
      const valid = toyFlag(layout, value, 'valid');
      rights = valid ? rights & rightsOf(layout, value) : 0;
      steps.push({ address: at, value, level, layout });
      this.#tell({ kind: 'read', address: at, high: 0, low: value | 0, level, stage: 1, rights });
      if (!valid) return this.#raise('walk', PAGE_FAULT, 0, address, level);
      frame = toyFrame(layout, value);
      table = frame * pageBytes;
    }
    const missing = lacking(rights, access);
    if (missing !== 0) return this.#raise('walk', PAGE_FAULT, missing, address, 0);
    const physical = frame * pageBytes + (address % pageBytes);
    return this.#answers(physical, 1) ? frame : this.#raise('walk', BUS_ERROR, 0, physical, 0);
  }

  /** Sets accessed in every entry, and dirty in the page's own for a store; DIRTY if it is set or needs no bit. */
  #setBits(steps: readonly Step[], write: boolean): number {
    let known = 0;
    for (const { address, value, level, layout } of steps) {
      const dirty = level === 0 && write ? layout.dirty : undefined;
      let next = value;
      for (const [bit, at] of [['accessed', layout.accessed] as const, ['dirty', dirty] as const]) {
        if (at === undefined || ((next >>> at) & 1) === 1) continue;
        next += 2 ** at;
        this.store(address, layout.bytes, next);
        this.#tell({ kind: 'set', bit, address, mask: 1 << at, level });
      }
      if (level === 0 && toyFlag(layout, next, 'dirty')) known = DIRTY;
    }
    return known;
  }

  #count(steps: readonly Step[], side: number): void {
    const { values } = this.counters;
    if (side < 0) {
      values[DIRTY_UPDATES]++;
      values[DIRTY_UPDATE_READS] += steps.length;
      // The access itself was answered by the TLB.
      this.counters.addL1Hits(0, 1);
      return;
    }
    for (const { level } of steps) values[side + ENTRY_READS + level]++;
    values[side + WALKS]++;
  }

  #translateSegment({ bits, registers }: ToySegmentation, address: number, access: number): number {
    const size = 2 ** (this.shape.virtualBits - bits);
    const segment = registers.at(Math.floor(address / size));
    if (segment === undefined) return this.#raise('address', TOY_SEGMENT_FAULT, 0, address);
    const { base, limit, grows, writable = true, executable = true } = segment;
    const rights = TOY_USER | (writable ? TOY_WRITABLE : 0) | (executable ? TOY_EXECUTABLE : 0);
    this.#tell({ kind: 'read', address: null, high: limit | 0, low: base | 0, level: 0, stage: 1, rights });
    const offset = address % size;
    const inside = grows === 'up' ? offset < limit : size - offset <= limit;
    if (!inside) return this.#raise('address', TOY_SEGMENT_FAULT, 0, address);
    const missing = lacking(rights, access);
    if (missing !== 0) return this.#raise('address', TOY_SEGMENT_FAULT, missing, address);
    const physical = grows === 'up' ? base + offset : base - (size - offset);
    if (!this.#answers(physical, 1)) return this.#raise('address', BUS_ERROR, 0, physical);
    this.#tell({ kind: 'walked', frame: physical, rights, shift: 0 });
    return physical;
  }
}
