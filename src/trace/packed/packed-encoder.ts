/** Turns accesses into the four columns of a packed block; `packed-format.ts` describes them. */

import type { AccessBlock } from '../block.js';
import {
  AccessModel,
  COLUMN_BYTES_PER_ACCESS,
  cursorIndex,
  CURSORS,
  EXPLICIT_OPERATION,
  PACKED_BLOCK_ACCESSES,
  PAIR_CODE,
  pairIndex,
  SITE_CODE,
  FILE_KINDS,
  siteIndex,
} from './packed-format.js';

/** A cursor follows a stream with steps below so many bytes; a longer one takes over the idlest cursor. */
const STREAM_STEP = 65536;

export class PackedEncoder {
  /** Accesses in the columns. */
  accesses = 0;
  readonly #model = new AccessModel();
  readonly #columns = COLUMN_BYTES_PER_ACCESS.map((bytes) => new Uint8Array(bytes * PACKED_BLOCK_ACCESSES));
  readonly #used = new Int32Array(COLUMN_BYTES_PER_ACCESS.length);
  /** Operation numbers by `kind << 16 | size`. */
  readonly #operations = new Map<number, number>();
  /** When each cursor was used last, in accesses. */
  readonly #cursorUse = new Float64Array(CURSORS);
  #clock = 0;
  /** Accesses of the last turn in the columns, and whose they are. */
  #turn = 0;
  #process = 0;
  #thread = 0;

  /** Begins a window: nothing is known of accesses before. Columns must have been taken. */
  reset(): void {
    this.#model.reset();
    this.#operations.clear();
    this.#cursorUse.fill(0);
    this.#clock = 0;
  }

  /** Adds accesses of `block` from `start` on, until the columns are full; returns the index of its end. */
  add(block: AccessBlock, start: number): number {
    const stop = Math.min(block.length, start + PACKED_BLOCK_ACCESSES - this.accesses);
    for (let i = start; i < stop; i++) {
      const operation = this.#putOperation(block.kind(i), block.size(i));
      this.#putAddress(operation, block.addressHi(i), block.addressLo(i));
    }
    const added = Math.max(0, stop - start);
    if (block.process !== this.#process || block.thread !== this.#thread) this.#endTurn();
    this.#process = block.process;
    this.#thread = block.thread;
    this.#turn += added;
    this.accesses += added;
    return stop;
  }

  /** The columns filled since the last call, valid until the next {@link add}. */
  take(): Uint8Array[] {
    this.#endTurn();
    const columns = this.#columns.map((bytes, column) => bytes.subarray(0, this.#used[column]));
    this.#used.fill(0);
    this.accesses = 0;
    return columns;
  }

  #endTurn(): void {
    if (this.#turn === 0) return;
    for (const number of [this.#turn, this.#process, this.#thread]) {
      let rest = number;
      for (; rest > 0x7f; rest >>>= 7) this.#put(3, (rest & 0x7f) | 0x80);
      this.#put(3, rest);
    }
    this.#turn = 0;
  }

  /** Returns the number of the operation. */
  #putOperation(kind: number, size: number): number {
    const key = (kind << 16) | size;
    const known = this.#operations.get(key);
    const number = known ?? Math.min(this.#operations.size, EXPLICIT_OPERATION);
    this.#put(0, number);
    if (known === undefined) {
      if (number < EXPLICIT_OPERATION) this.#operations.set(key, number);
      this.#put(0, FILE_KINDS.indexOf(kind));
      this.#put(0, size & 0xff);
      this.#put(0, size >>> 8);
    }
    const model = this.#model;
    model.olderOperations = (model.olderOperations << 8) | (model.operations >>> 24);
    model.operations = (model.operations << 8) | number;
    return number;
  }

  #putAddress(operation: number, hi: number, lo: number): void {
    const model = this.#model;
    const { addresses } = model;
    const site = siteIndex(model.operations, model.olderOperations);
    const pair = pairIndex(model.lastLo, model.secondLo, operation);
    if (addresses[site] === lo && addresses[site | 1] === hi) {
      this.#put(1, SITE_CODE);
    } else if (addresses[pair] === lo && addresses[pair | 1] === hi) {
      this.#put(1, PAIR_CODE);
    } else {
      addresses[cursorIndex(0)] = model.lastLo;
      addresses[cursorIndex(0) | 1] = model.lastHi;
      const cursor = this.#chooseCursor(hi, lo);
      const at = cursorIndex(cursor);
      this.#put(1, cursor);
      this.#putDifference(addresses[at | 1], addresses[at], hi, lo);
      addresses[at] = lo;
      addresses[at | 1] = hi;
    }
    addresses[site] = addresses[pair] = lo;
    addresses[site | 1] = addresses[pair | 1] = hi;
    model.secondLo = model.lastLo;
    model.lastLo = lo;
    model.lastHi = hi;
  }

  /** The cursor nearest to an address, or the one idle for longest when none is near. */
  #chooseCursor(hi: number, lo: number): number {
    const { addresses } = this.#model;
    let nearest = 0;
    let least = Infinity;
    let idlest = 1;
    for (let cursor = 0; cursor < CURSORS; cursor++) {
      const at = cursorIndex(cursor);
      const distance = Math.abs((hi - addresses[at | 1]) * 2 ** 32 + ((lo >>> 0) - (addresses[at] >>> 0)));
      if (distance < least) {
        least = distance;
        nearest = cursor;
      }
      if (cursor > 0 && this.#cursorUse[cursor] < this.#cursorUse[idlest]) idlest = cursor;
    }
    const chosen = least < STREAM_STEP ? nearest : idlest;
    this.#cursorUse[chosen] = ++this.#clock;
    return chosen;
  }

  #putDifference(fromHi: number, fromLo: number, hi: number, lo: number): void {
    const differenceLo = (lo - fromLo) | 0;
    const differenceHi = (hi - fromHi - (lo >>> 0 < fromLo >>> 0 ? 1 : 0)) | 0;
    const sign = differenceHi >> 31;
    let zigzagHi = ((differenceHi << 1) | (differenceLo >>> 31)) ^ sign;
    let zigzagLo = (differenceLo << 1) ^ sign;
    while (zigzagHi !== 0 || zigzagLo >>> 0 > 0x7f) {
      this.#put(2, (zigzagLo & 0x7f) | 0x80);
      zigzagLo = (zigzagLo >>> 7) | (zigzagHi << 25);
      zigzagHi >>>= 7;
    }
    this.#put(2, zigzagLo);
  }

  #put(column: number, byte: number): void {
    this.#columns[column][this.#used[column]++] = byte;
  }
}
