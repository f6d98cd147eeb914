/** Bytes out of a stream of chunks, in the portions of a format. */
export class ByteReader {
  /** Bytes taken so far. */
  offset = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `count` bytes without taking them; fewer only when the stream ends before. */
  async peek(count: number): Promise<Uint8Array> {
    if (this.#chunk.length < count) await this.#gather(count);
    return this.#chunk.subarray(0, count);
  }

  /** Takes the next `count` bytes; fewer only when the stream ends before. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#chunk = this.#chunk.subarray(bytes.length);
    this.offset += bytes.length;
    return bytes;
  }

  /** Everything not yet taken, chunk by chunk as it comes. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      if (this.#chunk.length > 0) yield this.#chunk;
      for (let next = await this.#chunks.next(); next.done !== true; next = await this.#chunks.next()) {
        yield next.value;
      }
    } finally {
      await this.close();
    }
  }

  /** Lets go of the stream, whether it ended or not. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #gather(count: number): Promise<void> {
    const pieces = [this.#chunk];
    let length = this.#chunk.length;
    while (length < count) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      pieces.push(next.value);
      length += next.value.length;
    }
    this.#chunk = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      this.#chunk.set(piece, at);
      at += piece.length;
    }
  }
}
