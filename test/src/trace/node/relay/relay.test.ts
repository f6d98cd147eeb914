import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { AccessBlock, LOAD } from '../../../../../src/trace/block.js';
import { RING_BYTES, slotsOf, type Note } from '../../../../../src/trace/node/relay/notes.js';
import { openRelayed } from '../../../../../src/trace/node/relay/relay.js';
import { packError, unpackError } from '../../../../../src/trace/node/relay/thread-error.js';
import { TraceError } from '../../../../../src/trace/trace-error.js';

/** A reader at one end, and the thread that reads the trace played at the other. */
function reader() {
  const { port1, port2 } = new MessageChannel();
  const ring = new SharedArrayBuffer(RING_BYTES);
  const trace = openRelayed({ trace: { name: 'app', path: 'app.pwt' }, ring, port: port2 });
  const tell = (note: Note): void => {
    port1.postMessage(note);
  };
  return { trace, tell, port: port1, blocks: slotsOf(ring) };
}

async function lengthsOf(trace: AsyncIterable<AccessBlock>): Promise<number[]> {
  const lengths: number[] = [];
  for await (const block of trace) lengths.push(block.length, block.addressLo(0), block.kinds[LOAD]);
  return lengths;
}

test('a block comes through shared memory, and its slot goes back', async () => {
  const { trace, tell, port, blocks } = reader();
  blocks[3].push(LOAD, 0, 0x1234, 8);
  const { length, process, thread, window, afterGap, warmUp } = blocks[3];
  tell({
    block: {
      slot: 3,
      length,
      kinds: [...blocks[3].kinds],
      process,
      thread,
      window,
      afterGap,
      warmUp,
      metadata: undefined,
    },
  });
  const back = new Promise((resolve) => port.once('message', resolve));
  const counts = { accesses: 1, loads: 1, stores: 0, modifies: 0, fetches: 0, droppedFetches: 0, skippedLines: 2 };
  tell({ end: { counts, metadata: undefined, coverage: undefined } });
  expect(await lengthsOf(trace)).toEqual([1, 0x1234, 1]);
  expect(trace.counts).toEqual(counts);
  expect(await back).toBe(3);
  port.close();
});

test('a failure of the reading thread is thrown here, of its own class', async () => {
  const { trace, tell, port } = reader();
  tell({ failure: packError(new TraceError('app.pwt', 'byte 9', 'found none')) });
  await expect(lengthsOf(trace)).rejects.toThrow(new TraceError('app.pwt', 'byte 9', 'found none'));
  port.close();
});

test('a thread that ends without a word is a failure', async () => {
  const { trace, port } = reader();
  port.close();
  await expect(lengthsOf(trace)).rejects.toThrow('sudden end');
});

test('an error of the system keeps its fields', () => {
  const error = Object.assign(new Error('no such file'), { code: 'ENOENT', path: 'app.pwt', cause: () => 0 });
  const { code, path } = unpackError(packError(error), [TraceError]) as Error & { code?: string; path?: string };
  expect([code, path]).toEqual(['ENOENT', 'app.pwt']);
  expect(unpackError(packError(new TraceError('a', 'b', 'c')), [TraceError])).toBeInstanceOf(TraceError);
  expect(unpackError(packError(new TraceError('a', 'b', 'c')), [])).not.toBeInstanceOf(TraceError);
});
