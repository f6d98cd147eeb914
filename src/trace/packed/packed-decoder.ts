/** Turns the columns of a packed block back into accesses; `packed-format.ts` describes them. */

import * as accesses from '../block.js';
import { AccessBlock } from '../block.js';
import { DecodeLoop } from './hot/decode-loop.js';
import * as format from './packed-format.js';
import type { AccessModel as Model } from './packed-format.js';

const { ACCESS_WORDS, BLOCK_ACCESSES, KIND_MASK, LOW_WORD, MAX_ACCESS_BYTES, MODIFY, OPERATION_WORD, SIZE_SHIFT } =
  accesses;
const { AccessModel, cursorIndex, CURSORS, EXPLICIT_OPERATION, FILE_KINDS } = format;
const { PAIR_CODE, pairIndex, SITE_CODE, siteIndex } = format;
const EMPTY = new Uint8Array(0);
/**
 * Accesses of one call of the decoding loop: few, so V8 has seen a whole call before it compiles the loop. A loop
 * compiled in the midst of the first call lacks its end. V8 throws it away there, call after call.
 */
const SLICE = 512;
/** So many go by the plain path after a stop of the loop in WebAssembly. */
const AFTER_STOP = 16;
/**
 * The accesses of a slice are counted in one int32, in as many bits a kind as the slice needs. The bits left for the
 * last kind are too few: its count is the total less the others.
 */
const KIND_BITS = 32 - Math.clz32(SLICE);
const KIND_COUNT_MASK = (1 << KIND_BITS) - 1;

export class PackedDecoder {
  /** Accesses of the columns, not yet delivered by {@link fill}. */
  remaining = 0;
  /** Accesses of the columns, all of them. */
  private accesses = 0;
  private readonly model: Model;
  private operations: Uint8Array = EMPTY;
  private codes: Uint8Array = EMPTY;
  private differences: Uint8Array = EMPTY;
  /** The next bytes of the columns: the loop in WebAssembly moves on in them, too. */
  operationAt = 0;
  codeAt = 0;
  differenceAt = 0;
  private turns: Uint8Array = EMPTY;
  private turnAt = 0;
  /** Accesses left of a turn. */
  private turn = 0;
  private process = 0;
  private thread = 0;
  /** Operations as blocks have them, by their number. */
  private readonly byNumber: Int32Array;
  private known = 0;

  /** @param loop in WebAssembly; null: there is none */
  constructor(private readonly loop: DecodeLoop | null = DecodeLoop.make()) {
    this.model = new AccessModel(loop?.addresses);
    this.byNumber = loop?.byNumber ?? new Int32Array(EXPLICIT_OPERATION + 1);
  }

  /** A block for {@link fill}, in memory that the loop in WebAssembly reaches. */
  newBlock(): AccessBlock {
    const block = new AccessBlock(this.loop?.block);
    block.memory = this.loop?.memory ?? null;
    return block;
  }

  /** Begins a window: nothing is known of accesses before. */
  reset(): void {
    this.model.reset();
    this.known = 0;
  }

  /** Begins a block of `accesses` accesses; without turns all are of one thread. */
  begin(
    accesses: number,
    operations: Uint8Array,
    codes: Uint8Array,
    differences: Uint8Array,
    turns?: Uint8Array,
  ): void {
    this.turns = turns ?? EMPTY;
    this.turnAt = 0;
    this.turn = turns === undefined ? accesses : 0;
    this.accesses = this.remaining = accesses;
    this.operations = operations;
    this.codes = codes;
    this.differences = differences;
    this.operationAt = 0;
    this.codeAt = 0;
    this.differenceAt = 0;
    this.loop?.begin(operations, codes, differences);
  }

  /**
   * Fills `block` from its start with as many accesses as remain and fit, all of one thread.
   * @returns the fault of the columns, or `undefined`.
   */
  fill(block: AccessBlock): string | undefined {
    if (this.turn === 0 && !this.takeTurn()) return 'turns that add up to the accesses of their block';
    const count = Math.min(this.turn, BLOCK_ACCESSES);
    block.clear();
    block.process = this.process;
    block.thread = this.thread;
    const loop = block.words === this.loop?.block ? this.loop : null;
    for (let from = 0; from < count;) {
      if (loop !== null) from = loop.run(from, count, this.known, this, this.model, block.kinds);
      const to = Math.min(from + (loop === null ? SLICE : AFTER_STOP), count);
      const problem = this.decode(block, from, to);
      if (problem !== undefined) return problem;
      from = to;
    }
    block.length = count;
    this.remaining -= count;
    this.turn -= count;
    return this.remaining > 0 || this.atEnd() ? undefined : 'columns that end with the last access';
  }

  /** The next turn; false when it cannot be. */
  private takeTurn(): boolean {
    this.turn = this.takeNumber();
    this.process = this.takeNumber();
    this.thread = this.takeNumber();
    return this.turn > 0 && this.turn <= this.remaining && this.turnAt <= this.turns.length;
  }

  /** A number below 2^28 of the turns. */
  private takeNumber(): number {
    let number = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.turns[this.turnAt++];
      number |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return number;
  }

  private decode(block: AccessBlock, from: number, to: number): string | undefined {
    const { words } = block;
    const { model, operations: column, codes, byNumber } = this;
    const { addresses } = model;
    const codeAt = this.codeAt - from;
    let { known, operationAt } = this;
    let { operations, olderOperations, lastHi, lastLo, secondLo } = model;
    let kinds = 0;
    let at = ACCESS_WORDS * from;
    for (let i = from; i < to; i++) {
      const operation = column[operationAt++];
      if (operation >= known) {
        if (!this.learn(operation, operationAt)) return 'an operation that a trace can have';
        known = this.known;
        operationAt += 3;
      }
      olderOperations = (olderOperations << 8) | (operations >>> 24);
      operations = (operations << 8) | operation;
      const site = siteIndex(operations, olderOperations);
      const pair = pairIndex(lastLo, secondLo, operation);
      secondLo = lastLo;
      // Branches, though often predicted wrong: a choice by arithmetic would have each address wait for the one before.
      const code = codes[codeAt + i];
      if (code === SITE_CODE) {
        lastLo = addresses[site];
        lastHi = addresses[site | 1];
        addresses[pair] = lastLo;
        addresses[pair | 1] = lastHi;
      } else if (code === PAIR_CODE) {
        lastLo = addresses[pair];
        lastHi = addresses[pair | 1];
        addresses[site] = lastLo;
        addresses[site | 1] = lastHi;
      } else if (code < CURSORS) {
        addresses[cursorIndex(0)] = lastLo;
        addresses[cursorIndex(0) | 1] = lastHi;
        this.moveCursor(code);
        lastLo = addresses[cursorIndex(code)];
        lastHi = addresses[cursorIndex(code) | 1];
        addresses[site] = addresses[pair] = lastLo;
        addresses[site | 1] = addresses[pair | 1] = lastHi;
      } else return codeProblem(code, this.accesses, codes.length);
      words[at] = lastHi;
      words[at + LOW_WORD] = lastLo;
      const kindAndSize = byNumber[operation];
      words[at + OPERATION_WORD] = kindAndSize;
      kinds = (kinds + (1 << (KIND_BITS * (kindAndSize & KIND_MASK)))) | 0;
      at += ACCESS_WORDS;
    }
    this.operationAt = operationAt;
    this.codeAt += to - from;
    model.operations = operations;
    model.olderOperations = olderOperations;
    model.lastHi = lastHi;
    model.lastLo = lastLo;
    model.secondLo = secondLo;
    countKinds(block, to - from, kinds);
    return undefined;
  }

  /** Takes in the kind and size `at` behind an operation's first appearance; false when they cannot be. */
  private learn(operation: number, at: number): boolean {
    if (operation > this.known && operation !== EXPLICIT_OPERATION) return false;
    const kind = FILE_KINDS.at(this.operations[at]);
    const size = this.operations[at + 1] | (this.operations[at + 2] << 8);
    if (kind === undefined || !(size >= 1 && size <= MAX_ACCESS_BYTES)) return false;
    this.byNumber[operation] = kind | (size << SIZE_SHIFT);
    if (operation !== EXPLICIT_OPERATION) this.known++;
    return true;
  }

  /** Adds the next difference to a cursor. */
  private moveCursor(cursor: number): void {
    const bytes = this.differences;
    const { addresses } = this.model;
    const at = cursorIndex(cursor);
    let byte = bytes[this.differenceAt++];
    let zigzagLo = byte & 0x7f;
    let zigzagHi = 0;
    for (let shift = 7; byte >= 0x80 && shift < 70; shift += 7) {
      byte = bytes[this.differenceAt++];
      const bits = byte & 0x7f;
      if (shift < 32) zigzagLo |= bits << shift;
      if (shift === 28) zigzagHi = bits >>> 4;
      else if (shift > 32) zigzagHi |= bits << (shift - 32);
    }
    const sign = -(zigzagLo & 1);
    const differenceLo = ((zigzagLo >>> 1) | (zigzagHi << 31)) ^ sign;
    const differenceHi = (zigzagHi >>> 1) ^ sign;
    const lo = (addresses[at] + differenceLo) | 0;
    const carry = lo >>> 0 < differenceLo >>> 0 ? 1 : 0;
    addresses[at] = lo;
    addresses[at | 1] = (addresses[at | 1] + differenceHi + carry) | 0;
  }

  private atEnd(): boolean {
    return (
      this.operationAt === this.operations.length &&
      this.codeAt === this.codes.length &&
      this.differenceAt === this.differences.length &&
      this.turnAt === this.turns.length
    );
  }
}

/** Counts a slice of `length` accesses, given the counts of its kinds. */
function countKinds({ kinds }: AccessBlock, length: number, counts: number): void {
  let others = 0;
  for (let kind = 0; kind < MODIFY; kind++) {
    const count = (counts >>> (KIND_BITS * kind)) & KIND_COUNT_MASK;
    kinds[kind] += count;
    others += count;
  }
  kinds[MODIFY] += length - others;
}

/** The expected thing instead of a code; `undefined` means the end of the column, too short for `needed` codes. */
function codeProblem(code: number | undefined, needed: number, length: number): string {
  if (code === undefined) return `an address code for each access, at least ${needed}, found only ${length}`;
  return `an address code from 0 to ${PAIR_CODE}, found ${code}`;
}
