/** Turns accesses into the four columns of a packed block; `packed-format.ts` describes them. */

import * as accesses from '../block.js';
import type { AccessBlock } from '../block.js';
import * as format from './packed-format.js';

const { ACCESS_WORDS, KIND_MASK, LOW_WORD, OPERATION_WORD, SIZE_SHIFT } = accesses;
const { AccessModel, COLUMN_BYTES_PER_ACCESS, cursorIndex, CURSORS, EXPLICIT_OPERATION, FILE_KINDS } = format;
const { PACKED_BLOCK_ACCESSES, PAIR_CODE, pairIndex, SITE_CODE, siteIndex, SITES } = format;

/** A cursor follows a stream with steps below so many bytes. */
const STREAM_STEP = 16384;
/** A cursor as near as this is not worth a search for a nearer one. */
const NEAR = 16;
/** Operations by `kind << 13 | size`. */
const OPERATION_SIZE_BITS = 13;
const OPERATIONS = (KIND_MASK + 1) << OPERATION_SIZE_BITS;

export class PackedEncoder {
  /** Accesses in the columns. */
  accesses = 0;
  private readonly model = new AccessModel();
  private readonly columns = COLUMN_BYTES_PER_ACCESS.map((bytes) => new Uint8Array(bytes * PACKED_BLOCK_ACCESSES));
  private readonly used = new Int32Array(COLUMN_BYTES_PER_ACCESS.length);
  /** One more than the number of an operation; 0 for those without one. */
  private readonly numbers = new Uint8Array(OPERATIONS);
  private known = 0;
  /** When each cursor was used last, in accesses; and the last cursor of each site. */
  private readonly cursorUse = new Float64Array(CURSORS);
  private readonly siteCursors = new Uint8Array(SITES);
  private clock = 0;
  /** Accesses of the last turn in the columns, and their process and thread. */
  private turn = 0;
  private process = 0;
  private thread = 0;

  /** Begins a window: nothing is known of accesses before. Columns must have been taken. */
  reset(): void {
    this.model.reset();
    this.numbers.fill(0);
    this.known = 0;
    this.cursorUse.fill(0);
    this.siteCursors.fill(0);
    this.clock = 0;
  }

  /** Adds accesses of `block` from `start` on, until the columns are full; returns the index of its end. */
  add(block: AccessBlock, start: number): number {
    const stop = Math.min(block.length, start + PACKED_BLOCK_ACCESSES - this.accesses);
    const added = Math.max(0, stop - start);
    if (block.process !== this.process || block.thread !== this.thread) this.endTurn();
    this.process = block.process;
    this.thread = block.thread;
    this.turn += added;
    this.accesses += added;
    this.encode(block.words, ACCESS_WORDS * start, ACCESS_WORDS * stop);
    return stop;
  }

  /** The columns filled since the last call, valid until the next {@link add}. */
  take(): Uint8Array[] {
    this.endTurn();
    const columns = this.columns.map((bytes, column) => bytes.subarray(0, this.used[column]));
    this.used.fill(0);
    this.accesses = 0;
    return columns;
  }

  private endTurn(): void {
    if (this.turn === 0) return;
    for (const number of [this.turn, this.process, this.thread]) {
      let rest = number;
      for (; rest > 0x7f; rest >>>= 7) this.put(3, (rest & 0x7f) | 0x80);
      this.put(3, rest);
    }
    this.turn = 0;
  }

  private put(column: number, byte: number): void {
    this.columns[column][this.used[column]++] = byte;
  }

  private encode(words: Int32Array, from: number, to: number): void {
    const { model, columns, used } = this;
    const { addresses } = model;
    const [operationColumn, codes] = columns;
    let [operationAt, codeAt] = used;
    let { operations, olderOperations, lastHi, lastLo, secondLo } = model;
    for (let at = from; at < to; at += ACCESS_WORDS) {
      const hi = words[at];
      const lo = words[at + LOW_WORD];
      const kindAndSize = words[at + OPERATION_WORD];
      let operation = this.numbers[operationKey(kindAndSize)] - 1;
      if (operation >= 0) operationColumn[operationAt++] = operation;
      else {
        operation = this.learn(kindAndSize, operationAt);
        operationAt += 4;
      }
      olderOperations = (olderOperations << 8) | (operations >>> 24);
      operations = (operations << 8) | operation;
      const site = siteIndex(operations, olderOperations);
      const pair = pairIndex(lastLo, secondLo, operation);
      if (addresses[site] === lo && addresses[site | 1] === hi) codes[codeAt++] = SITE_CODE;
      else if (addresses[pair] === lo && addresses[pair | 1] === hi) codes[codeAt++] = PAIR_CODE;
      else {
        addresses[cursorIndex(0)] = lastLo;
        addresses[cursorIndex(0) | 1] = lastHi;
        codes[codeAt++] = this.moveCursor(site, hi, lo);
      }
      addresses[site] = addresses[pair] = lo;
      addresses[site | 1] = addresses[pair | 1] = hi;
      secondLo = lastLo;
      lastLo = lo;
      lastHi = hi;
    }
    used[0] = operationAt;
    used[1] = codeAt;
    model.operations = operations;
    model.olderOperations = olderOperations;
    model.lastHi = lastHi;
    model.lastLo = lastLo;
    model.secondLo = secondLo;
  }

  /** Writes the first appearance of an operation, or one without a number, at its place. @returns its number */
  private learn(kindAndSize: number, at: number): number {
    const [column] = this.columns;
    const size = kindAndSize >>> SIZE_SHIFT;
    const number = Math.min(this.known, EXPLICIT_OPERATION);
    if (number < EXPLICIT_OPERATION) this.numbers[operationKey(kindAndSize)] = ++this.known;
    column[at] = number;
    column[at + 1] = FILE_KINDS.indexOf(kindAndSize & KIND_MASK);
    column[at + 2] = size & 0xff;
    column[at + 3] = size >>> 8;
    return number;
  }

  /** Moves a cursor to an address, and writes the difference. @returns the cursor */
  private moveCursor(site: number, hi: number, lo: number): number {
    const { addresses } = this.model;
    const hint = this.siteCursors[site >>> 1];
    const near = addresses[cursorIndex(hint) | 1] === hi && Math.abs(lo - addresses[cursorIndex(hint)]) < NEAR;
    const cursor = near ? hint : this.chooseCursor(hint, hi, lo);
    this.siteCursors[site >>> 1] = cursor;
    this.cursorUse[cursor] = ++this.clock;
    const at = cursorIndex(cursor);
    this.putDifference(addresses[at | 1], addresses[at], hi, lo);
    addresses[at] = lo;
    addresses[at | 1] = hi;
    return cursor;
  }

  /**
   * The cursor nearest to an address. When none is near, the last one of its site: the others keep to their streams. Of
   * a site without one, the cursor idle for longest.
   */
  private chooseCursor(siteCursor: number, hi: number, lo: number): number {
    const { addresses } = this.model;
    let nearest = 0;
    let least = STREAM_STEP;
    for (let cursor = 0; cursor < CURSORS; cursor++) {
      const at = cursorIndex(cursor);
      // Streams seldom cross a multiple of 4 GiB: then another cursor takes over.
      const distance = addresses[at | 1] === hi ? Math.abs(lo - addresses[at]) : STREAM_STEP;
      if (distance < least) {
        least = distance;
        nearest = cursor;
      }
    }
    if (least < STREAM_STEP) return nearest;
    return siteCursor > 0 ? siteCursor : this.idlestCursor();
  }

  private idlestCursor(): number {
    let idlest = 1;
    for (let cursor = 2; cursor < CURSORS; cursor++) {
      if (this.cursorUse[cursor] < this.cursorUse[idlest]) idlest = cursor;
    }
    return idlest;
  }

  private putDifference(fromHi: number, fromLo: number, hi: number, lo: number): void {
    const differenceLo = (lo - fromLo) | 0;
    const differenceHi = (hi - fromHi - (lo >>> 0 < fromLo >>> 0 ? 1 : 0)) | 0;
    const sign = differenceHi >> 31;
    let zigzagHi = ((differenceHi << 1) | (differenceLo >>> 31)) ^ sign;
    let zigzagLo = (differenceLo << 1) ^ sign;
    const bytes = this.columns[2];
    let at = this.used[2];
    while (zigzagHi !== 0 || zigzagLo >>> 0 > 0x7f) {
      bytes[at++] = (zigzagLo & 0x7f) | 0x80;
      zigzagLo = (zigzagLo >>> 7) | (zigzagHi << 25);
      zigzagHi >>>= 7;
    }
    bytes[at++] = zigzagLo;
    this.used[2] = at;
  }
}

/** Kind and size as blocks have them, in fewer bits. */
const operationKey = (kindAndSize: number): number =>
  ((kindAndSize & KIND_MASK) << OPERATION_SIZE_BITS) | (kindAndSize >>> SIZE_SHIFT);
