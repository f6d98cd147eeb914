/** Reads a packed trace from its bytes, checking everything; `packed-format.ts` is the specification. */

import { toNumber } from '../../../hw/base/address.js';
import type { AccessBlock, AccessTally } from '../block.js';
import type { ByteReader } from '../byte-reader.js';
import { parseFacts, parseMetadata, type TraceFacts, type TraceMetadata } from './metadata.js';
import { PackedDecoder } from './packed-decoder.js';
import {
  blockHeadBytes,
  BLOCK_TAG,
  columnsOf,
  CRC_BYTES,
  crc32,
  END_BYTES,
  END_TAG,
  FACTS_HEAD_BYTES,
  FACTS_TAG,
  FIRST_VERSION,
  HEADER_BYTES,
  MAX_FACTS_BYTES,
  MAX_METADATA_BYTES,
  PACKED_BLOCK_ACCESSES,
  VERSION,
  WINDOW_BYTES,
  WINDOW_TAG,
} from './packed-format.js';
import { TraceError } from '../trace-error.js';

/** Undoes raw DEFLATE; it fails or gives other than `length` bytes when the bytes are damaged. */
export type Inflate = (bytes: Uint8Array, length: number) => Uint8Array | Promise<Uint8Array>;

export class PackedReader {
  /** Known once all blocks have been read; none in files of version 1. */
  facts: TraceFacts | undefined = undefined;
  readonly #bytes: ByteReader;
  readonly #inflate: Inflate;
  readonly #source: string;
  readonly #tally: AccessTally;
  #columns: readonly number[] = [];
  #windows = false;

  /**
   * @param source for messages: the file's name, or `standard input`
   * @param tally the taker of the blocks adds each to it before it asks for the next
   */
  constructor(bytes: ByteReader, inflate: Inflate, source: string, tally: AccessTally) {
    this.#tally = tally;
    this.#bytes = bytes;
    this.#inflate = inflate;
    this.#source = source;
  }

  /** Reads the header, first of all. */
  async header(): Promise<TraceMetadata> {
    const head = await this.#takeRecord(HEADER_BYTES, 'the header');
    const version = head[4];
    if (!(version >= FIRST_VERSION && version <= VERSION)) {
      const expected = `expected format version ${FIRST_VERSION} to ${VERSION}`;
      this.#fail(4, `${expected}, found ${version}; a newer pagewalk may read it`);
    }
    this.#columns = columnsOf(version);
    this.#windows = version > 1;
    const length = word(head, 5);
    if (length > MAX_METADATA_BYTES) this.#fail(5, `expected at most ${MAX_METADATA_BYTES} bytes of metadata`);
    const rest = await this.#takeRecord(length + CRC_BYTES, 'the metadata');
    this.#check([head, rest], 0);
    const metadata = parseMetadata(new TextDecoder().decode(rest.subarray(0, length)));
    return metadata ?? this.#fail(HEADER_BYTES, 'expected metadata that says which command was recorded');
  }

  /**
   * The accesses, up to the end record; it must agree with them. The block is the same every time; it names process,
   * thread and window.
   */
  async *blocks(): AsyncGenerator<AccessBlock> {
    const decoder = new PackedDecoder();
    const block = decoder.newBlock();
    let anyWindow = false;
    for (let tag = await this.#tag(); tag !== END_TAG; tag = await this.#tag()) {
      const start = this.#bytes.offset;
      if (this.#windows && tag === WINDOW_TAG && this.facts === undefined) {
        block.window = await this.#window(start);
        decoder.reset();
        anyWindow = true;
      } else if (this.#windows && tag === FACTS_TAG && this.facts === undefined) {
        this.facts = await this.#facts(start);
      } else if (tag === BLOCK_TAG && this.facts === undefined && (anyWindow || !this.#windows)) {
        await this.#beginBlock(decoder, start);
        while (decoder.remaining > 0) {
          const problem = decoder.fill(block);
          if (problem !== undefined) this.#fail(start, `expected ${problem}`);
          yield block;
        }
      } else this.#fail(start, `expected ${this.#expected(anyWindow)}, found none of it`);
    }
    if (this.#windows && this.facts === undefined) this.#fail(this.#bytes.offset, 'expected the facts of the run');
    await this.#end(this.#bytes.offset);
  }

  /** The first byte of the next record. */
  async #tag(): Promise<number> {
    const ahead = await this.#bytes.peek(1);
    if (ahead.length > 0) return ahead[0];
    return this.#fail(this.#bytes.offset, 'the file ends early: expected a block or the end record');
  }

  #expected(anyWindow: boolean): string {
    if (!this.#windows) return 'a block or the end record';
    if (this.facts !== undefined) return 'the end record';
    return anyWindow ? 'a window, a block or the facts of the run' : 'a window';
  }

  async #window(start: number): Promise<number> {
    const record = await this.#takeRecord(WINDOW_BYTES, 'a window');
    this.#check([record], start);
    return word(record, 1) + word(record, 5) * 2 ** 32;
  }

  async #facts(start: number): Promise<TraceFacts> {
    const head = await this.#takeRecord(FACTS_HEAD_BYTES, 'the facts');
    const length = word(head, 1);
    const packed = word(head, 5);
    if (Math.max(length, packed) > MAX_FACTS_BYTES) this.#fail(start + 1, `expected at most ${MAX_FACTS_BYTES} bytes`);
    const body = await this.#takeRecord(packed + CRC_BYTES, 'the facts');
    this.#check([head, body], start);
    const json = await this.#unpack(body.subarray(0, packed), length, start);
    const facts = parseFacts(new TextDecoder().decode(json));
    return facts ?? this.#fail(start, 'expected facts of the run');
  }

  async #beginBlock(decoder: PackedDecoder, start: number): Promise<void> {
    const columnBytes = this.#columns;
    const head = await this.#takeRecord(blockHeadBytes(columnBytes.length), 'a block');
    const accesses = word(head, 1);
    if (accesses < 1 || accesses > PACKED_BLOCK_ACCESSES) {
      this.#fail(start + 1, `expected a block of 1 to ${PACKED_BLOCK_ACCESSES} accesses, found ${accesses}`);
    }
    const rawLengths = columnBytes.map((most, column) => {
      const length = word(head, 5 + 8 * column);
      if (length > most * accesses) this.#fail(start + 5 + 8 * column, `expected at most ${most * accesses} bytes`);
      return length;
    });
    const packedLengths = rawLengths.map((length, column) => {
      const packed = word(head, 9 + 8 * column);
      // DEFLATE stores data that do not shrink, with 5 bytes for each 64 KiB.
      if (packed > 1.01 * length + 64) this.#fail(start + 9 + 8 * column, 'expected a column smaller than unpacked');
      return packed;
    });
    const total = packedLengths.reduce((sum, length) => sum + length, 0);
    const body = await this.#takeRecord(total + CRC_BYTES, 'the columns of a block');
    this.#check([head, body], start);
    let at = 0;
    const columns: Uint8Array[] = [];
    for (const [column, length] of packedLengths.entries()) {
      columns.push(await this.#unpack(body.subarray(at, (at += length)), rawLengths[column], start));
    }
    const [operations, codes, differences] = columns;
    decoder.begin(accesses, operations, codes, differences, columns.at(3));
  }

  async #unpack(packed: Uint8Array, length: number, start: number): Promise<Uint8Array> {
    let column: Uint8Array | undefined;
    try {
      column = await this.#inflate(packed, length);
    } catch {
      // Damaged, as a wrong length is: told below.
    }
    return column?.length === length ? column : this.#fail(start, `expected ${length} bytes unpacked`);
  }

  async #end(start: number): Promise<void> {
    const record = await this.#takeRecord(END_BYTES, 'the end record');
    this.#check([record], start);
    const { fetches, droppedFetches, loads, stores, modifies } = this.#tally;
    for (const [kind, delivered] of [fetches + droppedFetches, loads, stores, modifies].entries()) {
      const told = toNumber(word(record, 5 + 8 * kind), word(record, 1 + 8 * kind));
      if (told !== delivered) this.#fail(start, `expected the ${told} accesses that it tells of, found ${delivered}`);
    }
    const after = this.#bytes.offset;
    if ((await this.#bytes.peek(1)).length > 0) this.#fail(after, 'expected nothing after the end record');
  }

  async #takeRecord(length: number, what: string): Promise<Uint8Array> {
    const start = this.#bytes.offset;
    const bytes = await this.#bytes.take(length);
    if (bytes.length === length) return bytes;
    return this.#fail(
      start + bytes.length,
      `the file ends early: expected ${length} bytes of ${what} from byte ${start}`,
    );
  }

  /** Compares the CRC at the end of the last part with everything before it. */
  #check(parts: Uint8Array[], start: number): void {
    const record = parts.length === 1 ? parts[0] : joined(parts);
    const told = word(record, record.length - CRC_BYTES);
    if (crc32(record.subarray(0, record.length - CRC_BYTES)) !== told) {
      this.#fail(start, 'the data is damaged: its checksum does not fit; copy or record the trace again');
    }
  }

  #fail(offset: number, problem: string): never {
    throw new TraceError(this.#source, `byte ${offset}`, problem);
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The little-endian u32 at an offset. */
function word(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) >>> 0;
}
