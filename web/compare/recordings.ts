/** Recordings in a browser: shipped ones from the page's server, and dropped files. */

import { RecordedTrace } from '../../src/trace/recorded.js';
import { TraceError } from '../../src/trace/trace-error.js';

/** Dropped files above this are refused: nobody would wait for them. */
export const MOST_BYTES = 2 ** 29;

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}

function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<BufferSource> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

async function* read(data: string | File): AsyncGenerator<Uint8Array> {
  if (typeof data !== 'string') {
    yield* chunksOf(data.stream());
    return;
  }
  const { ok, status, body } = await fetch(data);
  if (!ok || body === null) throw new Error(`the recording cannot be fetched (status ${status}); start the page again`);
  yield* chunksOf(body);
}

async function* gunzip(name: string, packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunksOf(streamOf(packed).pipeThrough(new DecompressionStream('gzip')));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TraceError(name, 'gzip', 'the gzip data is damaged or ends early; pack it again');
  }
}

/** Raw DEFLATE; the reader compares the length. It is bounded here, so a bomb cannot fill memory. */
async function inflate(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const whole = new Uint8Array(length);
  let at = 0;
  for await (const chunk of chunksOf(stream)) {
    if (at + chunk.length > length) throw new RangeError('more bytes than there should be');
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole.subarray(0, at);
}

/** `data`: the address of a shipped recording, or a file. */
export function openRecording(name: string, data: string | File): RecordedTrace {
  return new RecordedTrace({ name, read: () => read(data), gunzip: (packed) => gunzip(name, packed), inflate });
}
