/** Opens recorded traces in Node: files and standard input. */

import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, inflateRawSync } from 'node:zlib';
import { type OpenOptions, RecordedTrace } from '../recorded.js';
import { TraceError } from '../trace-error.js';

const READ_BYTES = 1 << 18;

/**
 * A trace from a file, or from standard input for `-`. Nothing is opened before it is read, and memory stays flat at
 * any length.
 *
 * Reading it throws a {@link TraceError} with line or byte when the trace is malformed, cut or has no accesses, and the
 * file system's error when the file cannot be read.
 */
export function openTrace(path: string, options: OpenOptions = {}): RecordedTrace {
  const name = path === '-' ? 'standard input' : basename(path);
  const recording = {
    name,
    read: () => (path === '-' ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES })),
    gunzip: (packed: AsyncIterable<Uint8Array>, lenient: boolean) => gunzipped(name, packed, lenient),
    inflate,
  };
  return new RecordedTrace(recording, options);
}

async function* gunzipped(
  name: string,
  packed: AsyncIterable<Uint8Array>,
  lenient: boolean,
): AsyncGenerator<Uint8Array> {
  // With a flush short of the end, zlib gives all there is of a cut file.
  const finishFlush = lenient ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
  const gunzip = createGunzip({ finishFlush, chunkSize: READ_BYTES });
  // Errors reach the reader of gunzip; the callback only keeps pipeline from throwing them a second time.
  pipeline(Readable.from(packed, { objectMode: false }), gunzip, () => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    throw explainGunzip(name, error, gunzip.bytesWritten);
  }
}

function explainGunzip(name: string, error: unknown, offset: number): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (error.code === 'Z_BUF_ERROR') {
    const problem = 'the gzip data ends early: expected the rest of it; --lenient reads what there is';
    return new TraceError(name, `byte ${offset}`, problem);
  }
  if (error.code === 'Z_DATA_ERROR') {
    const problem = `the gzip data after here is damaged (${error.message}); copy or record the trace again`;
    return new TraceError(name, `byte ${offset}`, problem);
  }
  return error;
}

function inflate(bytes: Uint8Array, length: number): Uint8Array {
  // With room for one byte more all of it comes as one piece.
  return inflateRawSync(bytes, {
    maxOutputLength: Math.max(1, length),
    chunkSize: Math.max(constants.Z_MIN_CHUNK, length + 1),
  });
}
