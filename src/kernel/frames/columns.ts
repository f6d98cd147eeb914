/**
 * Arrays with an element a frame, cut from one buffer, widest elements first.
 *
 * A model of 16 GiB has four million frames. One large reservation costs the host nothing until it is touched; a dozen
 * smaller ones are cleared when their memory was used before, and each makes V8 collect garbage.
 */
export class Columns {
  readonly #buffer: ArrayBufferLike;
  readonly #elements: number;
  #used = 0;

  /**
   * @param bytesPerElement of all columns to be cut, together
   * @param shared the reservation is shared memory, as RAM may be; V8 takes it for no garbage to come
   */
  constructor(elements: number, bytesPerElement: number, shared = false) {
    this.#elements = elements;
    const bytes = elements * bytesPerElement;
    this.#buffer = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  }

  int32(): Int32Array {
    return new Int32Array(this.#buffer, this.#take(4), this.#elements);
  }

  uint16(): Uint16Array {
    return new Uint16Array(this.#buffer, this.#take(2), this.#elements);
  }

  uint8(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(1), this.#elements);
  }

  /** The first byte of a column of elements this wide. */
  #take(bytes: number): number {
    const start = this.#used;
    this.#used += bytes * this.#elements;
    return start;
  }
}
