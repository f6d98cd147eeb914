/** Opens a recorded trace, whatever its form: lackey text or packed, plain or gzipped, a file or standard input. */

import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, inflateRawSync } from 'node:zlib';
import { AccessTally, dropFetches, type AccessBlock, type AccessCounts, type Trace } from './block.js';
import { ByteReader } from './byte-reader.js';
import { lackeyBlocks, LackeyParser } from './lackey.js';
import type { TraceMetadata } from './metadata.js';
import { MAGIC } from './packed-format.js';
import { PackedReader } from './packed-reader.js';
import { TraceError } from './trace-error.js';

export interface OpenOptions {
  /** Skip and count malformed lines, and take a cut gzip file as far as it goes. Default: no. */
  readonly lenient?: boolean;
  /** Deliver instruction fetches too. Default: no, data accesses only. */
  readonly fetches?: boolean;
}

const READ_BYTES = 1 << 18;

/** RFC 1952, "Member header and trailer". */
const GZIP_MAGIC = [0x1f, 0x8b];

/** First bytes of what people try to read and pagewalk does not unpack. */
const FOREIGN_MAGIC: readonly [string, readonly number[]][] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
];

/**
 * A trace from a file, or from standard input for `-`. Nothing is opened before it is read, and memory stays flat
 * whatever its length.
 *
 * Reading it throws a {@link TraceError} that names line or byte when the trace is malformed, cut or has no accesses,
 * and the file system's error when the file cannot be read.
 */
export function openTrace(path: string, options: OpenOptions = {}): RecordedTrace {
  return new RecordedTrace(path, options);
}

export class RecordedTrace implements Trace {
  readonly name: string;
  /** What a packed trace says about itself, known from its first block on; lackey text says nothing. */
  metadata: TraceMetadata | undefined = undefined;
  readonly #path: string;
  readonly #lenient: boolean;
  readonly #fetches: boolean;
  #tally = new AccessTally();

  constructor(path: string, options: OpenOptions) {
    this.name = path === '-' ? 'standard input' : basename(path);
    this.#path = path;
    this.#lenient = options.lenient ?? false;
    this.#fetches = options.fetches ?? false;
  }

  get counts(): AccessCounts {
    return this.#tally.snapshot();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AccessBlock> {
    const tally = (this.#tally = new AccessTally());
    for await (const block of this.#allBlocks(tally)) {
      if (!this.#fetches) tally.droppedFetches += dropFetches(block);
      tally.add(block);
      if (block.length > 0) yield block;
    }
    if (tally.accesses === 0) throw this.#emptyError(tally);
  }

  async *#allBlocks(tally: AccessTally): AsyncGenerator<AccessBlock> {
    const bytes = new ByteReader(this.#unpacked());
    try {
      const first = await bytes.peek(MAGIC.length);
      if (startsWith(first, MAGIC)) {
        const reader = new PackedReader(bytes, inflate, this.name);
        this.metadata = await reader.header();
        yield* reader.blocks();
        return;
      }
      const parser = new LackeyParser({ source: this.name, lenient: this.#lenient });
      for await (const block of lackeyBlocks(bytes.rest(), parser)) {
        tally.skippedLines = parser.skippedLines;
        yield block;
      }
      tally.skippedLines = parser.skippedLines;
    } finally {
      await bytes.close();
    }
  }

  /** The bytes of the trace, gunzipped when the first two say so. */
  async *#unpacked(): AsyncGenerator<Uint8Array> {
    const input = this.#path === '-' ? process.stdin : createReadStream(this.#path, { highWaterMark: READ_BYTES });
    const bytes = new ByteReader(input);
    try {
      const first = await bytes.peek(4);
      const foreign = FOREIGN_MAGIC.find(([, magic]) => startsWith(first, magic))?.[0];
      if (foreign !== undefined) {
        throw new TraceError(this.name, 'byte 0', `expected a trace, found ${foreign} data; unpack it first`);
      }
      if (startsWith(first, GZIP_MAGIC)) yield* this.#gunzipped(bytes.rest());
      else yield* bytes.rest();
    } finally {
      await bytes.close();
    }
  }

  async *#gunzipped(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    // A flush that asks for no end makes zlib take what there is of a cut file.
    const finishFlush = this.#lenient ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
    const gunzip = createGunzip({ finishFlush, chunkSize: READ_BYTES });
    // Errors reach the reader of gunzip; the callback only keeps pipeline from throwing them a second time.
    pipeline(Readable.from(packed, { objectMode: false }), gunzip, () => undefined);
    try {
      for await (const chunk of gunzip) yield chunk as Uint8Array;
    } catch (error) {
      throw this.#explainGunzip(error, gunzip.bytesWritten);
    }
  }

  #explainGunzip(error: unknown, offset: number): unknown {
    if (!(error instanceof Error) || !('code' in error)) return error;
    if (error.code === 'Z_BUF_ERROR') {
      const problem = 'the gzip data ends early: expected the rest of it; --lenient reads what there is';
      return new TraceError(this.name, `byte ${offset}`, problem);
    }
    if (error.code === 'Z_DATA_ERROR') {
      const problem = `the gzip data is damaged (${error.message}): expected valid data up to here`;
      return new TraceError(this.name, `byte ${offset}`, problem);
    }
    return error;
  }

  #emptyError(tally: AccessTally): TraceError {
    const found =
      tally.droppedFetches > 0
        ? `found only ${tally.droppedFetches} instruction fetches, which --fetches would include`
        : tally.skippedLines > 0
          ? `found only ${tally.skippedLines} malformed lines`
          : 'found none';
    return new TraceError(this.name, 'end', `expected data accesses, ${found}`);
  }
}

function inflate(bytes: Uint8Array, length: number): Uint8Array {
  return inflateRawSync(bytes, { maxOutputLength: Math.max(1, length) });
}

function startsWith(bytes: Uint8Array, magic: ArrayLike<number>): boolean {
  return Array.from(magic).every((byte, index) => bytes[index] === byte);
}
