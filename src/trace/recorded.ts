/** A recorded trace, in any form: lackey text or packed, plain or gzipped; the source of its bytes is given. */

import { AccessTally, dropFetches, type AccessBlock, type TraceCounts, type Trace } from './block.js';
import { ByteReader } from './byte-reader.js';
import { programsOf, type Coverage } from './coverage.js';
import { CoverageTally } from './coverage-tally.js';
import { lackeyBlocks, LackeyParser } from './readers/lackey.js';
import type { TraceMetadata } from './packed/metadata.js';
import { MAGIC } from './packed/packed-format.js';
import { type Inflate, PackedReader } from './packed/packed-reader.js';
import { TraceError } from './trace-error.js';

/** How to read a recording. */
export interface OpenOptions {
  /** Skip and count malformed lines, and take a cut gzip file as far as it goes. Default: no. */
  readonly lenient?: boolean;
  /** Deliver instruction fetches too. Default: no, data accesses only. */
  readonly fetches?: boolean;
}

/** How a platform, Node or a browser, gets at the bytes of a recording. */
export interface StoredTrace {
  /** The name for reports and errors. */
  readonly name: string;
  /** The bytes as they are stored; nothing is opened before they are read. */
  readonly read: () => AsyncIterable<Uint8Array>;
  /** Undoes gzip; with `lenient` a cut file gives all there is. Throws a {@link TraceError} for damaged data. */
  readonly gunzip: (packed: AsyncIterable<Uint8Array>, lenient: boolean) => AsyncIterable<Uint8Array>;
  readonly inflate: Inflate;
}

/** RFC 1952, "Member header and trailer". */
const GZIP_MAGIC = [0x1f, 0x8b];

/** First bytes of forms pagewalk does not unpack, though people try. */
const FOREIGN_MAGIC: readonly [string, readonly number[]][] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
];

const NOTHING_KNOWN = { processes: [], mixed: 0 };

/** What a recording tells besides its accesses. */
export abstract class Recorded {
  /** The metadata of a packed trace, known from its first block on; lackey text says nothing. */
  metadata: TraceMetadata | undefined = undefined;
  /** Known once all has been read. */
  coverage: Coverage | undefined = undefined;

  constructor(readonly name: string) {}

  /** How many processes the accesses are of, known once all have been read. */
  get processes(): number | 'unknown' {
    const { processes, mixed } = this.coverage ?? NOTHING_KNOWN;
    return programsOf(processes) || mixed || (this.metadata?.processes ?? 'unknown');
  }

  /** How many processes are counted as one, as if they shared their pages. */
  get countedAsOne(): number | 'unknown' {
    return (this.coverage?.processes.length ?? 0) > 0 ? 1 : this.processes;
  }

  /** Programs of the recording out of its engine's sight: their accesses are missing. */
  get unseen(): number {
    return this.coverage?.unseen.length ?? 0;
  }
}

/** A recording, read by one `for await`; each round gives the same block, filled anew. */
export class RecordedTrace extends Recorded implements Trace {
  readonly #recording: StoredTrace;
  readonly #lenient: boolean;
  readonly #fetches: boolean;
  #tally = new AccessTally();

  constructor(recording: StoredTrace, options: OpenOptions = {}) {
    super(recording.name);
    this.#recording = recording;
    this.#lenient = options.lenient ?? false;
    this.#fetches = options.fetches ?? false;
  }

  /** The part read so far. */
  get counts(): TraceCounts {
    return this.#tally.snapshot();
  }

  /** The blocks. @throws TraceError for a malformed, cut or empty recording */
  async *[Symbol.asyncIterator](): AsyncGenerator<AccessBlock> {
    const tally = (this.#tally = new AccessTally());
    const covered = new CoverageTally();
    for await (const block of this.#allBlocks(tally, covered)) {
      tally.add(block);
      if (!this.#fetches && tally.fetches > 0) {
        dropFetches(block);
        tally.dropFetches();
      }
      if (block.length > 0) yield block;
    }
    if (tally.accesses === 0) throw this.#emptyError(tally);
    this.coverage = covered.coverage();
  }

  async *#allBlocks(tally: AccessTally, covered: CoverageTally): AsyncGenerator<AccessBlock> {
    const bytes = new ByteReader(this.#unpacked());
    try {
      const first = await bytes.peek(MAGIC.length);
      if (startsWith(first, MAGIC)) {
        const reader = new PackedReader(bytes, this.#recording.inflate, this.name, tally);
        this.metadata = await reader.header();
        covered.metadata = this.metadata;
        for await (const block of reader.blocks()) yield* covered.warmedUp(block);
        covered.facts = reader.facts;
        return;
      }
      const parser = new LackeyParser({ source: this.name, lenient: this.#lenient });
      for await (const block of lackeyBlocks(bytes.rest(), parser)) {
        tally.skippedLines = parser.skippedLines;
        yield* covered.warmedUp(block);
      }
      tally.skippedLines = parser.skippedLines;
      // Lackey need not name every process: more than one is certain, a single one is not.
      covered.mixed = parser.processes > 1 ? parser.processes : 0;
    } finally {
      await bytes.close();
    }
  }

  /** The bytes of the trace, gunzipped when the first two say so. */
  async *#unpacked(): AsyncGenerator<Uint8Array> {
    const bytes = new ByteReader(this.#recording.read());
    try {
      const first = await bytes.peek(4);
      const foreign = FOREIGN_MAGIC.find(([, magic]) => startsWith(first, magic))?.[0];
      if (foreign !== undefined) {
        throw new TraceError(this.name, 'byte 0', `expected a trace, found ${foreign} data; unpack it first`);
      }
      if (startsWith(first, GZIP_MAGIC)) yield* this.#recording.gunzip(bytes.rest(), this.#lenient);
      else yield* bytes.rest();
    } finally {
      await bytes.close();
    }
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

function startsWith(bytes: Uint8Array, magic: ArrayLike<number>): boolean {
  return Array.from(magic).every((byte, index) => bytes[index] === byte);
}
