/** Turns the three columns of a packed block back into accesses; `packed-format.ts` says what they hold. */

import { FETCH, MAX_ACCESS_BYTES, MODIFY, type AccessBlock } from './block.js';
import { AccessModel, CURSORS, EXPLICIT_OPERATION, PAIR_CODE, SITE_CODE } from './packed-format.js';

const EMPTY = new Uint8Array(0);

export class PackedDecoder {
  /** Accesses of the columns that {@link fill} has not delivered yet. */
  remaining = 0;
  readonly #model = new AccessModel();
  #operations: Uint8Array = EMPTY;
  #codes: Uint8Array = EMPTY;
  #differences: Uint8Array = EMPTY;
  #operationAt = 0;
  #codeAt = 0;
  #differenceAt = 0;
  /** Kind and size by operation number; a size of 0 is a number not yet given. */
  readonly #kinds = new Uint8Array(EXPLICIT_OPERATION + 1);
  readonly #sizes = new Int32Array(EXPLICIT_OPERATION + 1);
  #known = 0;
  /** The address that readDifference made. */
  #hi = 0;
  #lo = 0;

  /** Begins a block of `accesses` accesses. */
  begin(accesses: number, operations: Uint8Array, codes: Uint8Array, differences: Uint8Array): void {
    this.remaining = accesses;
    this.#operations = operations;
    this.#codes = codes;
    this.#differences = differences;
    this.#operationAt = 0;
    this.#codeAt = 0;
    this.#differenceAt = 0;
  }

  /**
   * Fills `block` from its start with as many accesses as remain and fit.
   * @returns what is wrong with the columns, or `undefined`.
   */
  fill(block: AccessBlock): string | undefined {
    const count = Math.min(this.remaining, block.kind.length);
    const { addressHi, addressLo, kind, size } = block;
    const model = this.#model;
    for (let i = 0; i < count; i++) {
      const operation = this.#operations[this.#operationAt++];
      if (operation >= this.#known && !this.#learn(operation)) return 'an operation that no trace can have';
      kind[i] = this.#kinds[operation];
      size[i] = this.#sizes[operation];
      model.begin(operation);
      const code = this.#codes[this.#codeAt++];
      if (code < CURSORS) this.#moveCursor(code);
      else if (code === SITE_CODE) this.#take(model.bySite[model.site + 1], model.bySite[model.site]);
      else if (code === PAIR_CODE) this.#take(model.byPair[model.pair + 1], model.byPair[model.pair]);
      else return `an address code from 0 to ${PAIR_CODE}, found ${code}`;
      addressHi[i] = this.#hi;
      addressLo[i] = this.#lo;
      model.end(this.#hi, this.#lo);
    }
    block.length = count;
    this.remaining -= count;
    return this.remaining > 0 || this.#atEnd() ? undefined : 'columns that end with the last access';
  }

  /** Takes in kind and size behind an operation's first appearance; false when they cannot be. */
  #learn(operation: number): boolean {
    if (operation > this.#known && operation !== EXPLICIT_OPERATION) return false;
    const kind = this.#operations[this.#operationAt];
    const size = this.#operations[this.#operationAt + 1] | (this.#operations[this.#operationAt + 2] << 8);
    this.#operationAt += 3;
    if (!(kind >= FETCH && kind <= MODIFY && size >= 1 && size <= MAX_ACCESS_BYTES)) return false;
    this.#kinds[operation] = kind;
    this.#sizes[operation] = size;
    if (operation !== EXPLICIT_OPERATION) this.#known++;
    return true;
  }

  #take(hi: number, lo: number): void {
    this.#hi = hi;
    this.#lo = lo;
  }

  /** Adds the next difference to a cursor. */
  #moveCursor(cursor: number): void {
    const bytes = this.#differences;
    const { cursorHi, cursorLo } = this.#model;
    let byte = bytes[this.#differenceAt++];
    let zigzagLo = byte & 0x7f;
    let zigzagHi = 0;
    for (let shift = 7; byte >= 0x80 && shift < 70; shift += 7) {
      byte = bytes[this.#differenceAt++];
      const bits = byte & 0x7f;
      if (shift < 32) zigzagLo |= bits << shift;
      if (shift === 28) zigzagHi = bits >>> 4;
      else if (shift > 32) zigzagHi |= bits << (shift - 32);
    }
    const sign = -(zigzagLo & 1);
    const differenceLo = ((zigzagLo >>> 1) | (zigzagHi << 31)) ^ sign;
    const differenceHi = (zigzagHi >>> 1) ^ sign;
    const lo = (cursorLo[cursor] + differenceLo) | 0;
    const carry = lo >>> 0 < differenceLo >>> 0 ? 1 : 0;
    this.#lo = cursorLo[cursor] = lo;
    this.#hi = cursorHi[cursor] = (cursorHi[cursor] + differenceHi + carry) | 0;
  }

  #atEnd(): boolean {
    return (
      this.#operationAt === this.#operations.length &&
      this.#codeAt === this.#codes.length &&
      this.#differenceAt === this.#differences.length
    );
  }
}
