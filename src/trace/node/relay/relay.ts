/** A trace read in a thread of its own, beside its readers. */

import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { AccessTally, type AccessBlock, type Trace, type TraceCounts } from '../../block.js';
import { Recorded } from '../../recorded.js';
import { TraceError } from '../../trace-error.js';
import type { NamedTrace } from '../named.js';
import { RING_BYTES, slotsOf, type EndNote, type Note, type RelayTask } from './notes.js';
import { unpackError } from './thread-error.js';

/** One reader's end; it may go to another thread. */
export interface RelayEnd {
  readonly trace: NamedTrace;
  readonly ring: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** Starts to read a trace for so many readers, each of whom has to read it to its end or to call `close`. */
export function startRelay(trace: NamedTrace, readers: number): { ends: RelayEnd[]; close: () => Promise<void> } {
  const ring = new SharedArrayBuffer(RING_BYTES);
  const channels = Array.from({ length: readers }, () => new MessageChannel());
  const ports = channels.map(({ port1 }) => port1);
  const workerData: RelayTask<MessagePort> = { trace, ring, ports };
  const worker = new Worker(new URL('./relay-task.js', import.meta.url), { workerData, transferList: ports });
  // The ports close with their thread, and the readers tell.
  worker.on('error', () => undefined);
  return {
    ends: channels.map(({ port2 }) => ({ trace, ring, port: port2 })),
    close: async () => {
      await worker.terminate();
    },
  };
}

/** The notes of a port in their order. @throws Error when the port closes before the last one */
async function* notesOf(port: MessagePort): AsyncGenerator<Note> {
  const waiting: (Note | undefined)[] = [];
  let wake: (() => void) | undefined;
  const take = (note?: Note): void => {
    waiting.push(note);
    wake?.();
  };
  port.on('message', take);
  port.on('close', () => {
    take();
  });
  try {
    for (;;) {
      while (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const note = waiting.shift();
      if (note === undefined) throw new Error('the thread that reads the trace came to a sudden end');
      yield note;
    }
  } finally {
    port.close();
  }
}

/** The blocks of a relayed trace; `learn` is told what is known of it, with each of them and at the end. */
async function* relayed(
  { ring, port }: RelayEnd,
  learn: (known: Pick<EndNote, 'metadata'> & Partial<EndNote>) => void,
): AsyncGenerator<AccessBlock> {
  const blocks = slotsOf(ring);
  for await (const note of notesOf(port)) {
    if ('failure' in note) throw unpackError(note.failure, [TraceError, RangeError]);
    learn('end' in note ? note.end : note.block);
    if ('end' in note) return;
    const { slot, kinds, length, process, thread, window, afterGap, warmUp } = note.block;
    const block = Object.assign(blocks[slot], { length, process, thread, window, afterGap, warmUp });
    block.kinds.set(kinds);
    yield block;
    port.postMessage(slot);
  }
}

class RelayedRecording extends Recorded implements Trace {
  counts: TraceCounts = new AccessTally();

  constructor(private readonly end: RelayEnd) {
    super(end.trace.name);
  }

  [Symbol.asyncIterator](): AsyncIterator<AccessBlock> {
    return relayed(this.end, ({ counts, metadata, coverage }) => {
      this.counts = counts ?? this.counts;
      this.metadata = metadata;
      this.coverage = coverage;
    });
  }
}

class RelayedWorkload implements Trace {
  counts: TraceCounts = new AccessTally();
  readonly name: string;

  constructor(private readonly end: RelayEnd) {
    this.name = end.trace.name;
  }

  [Symbol.asyncIterator](): AsyncIterator<AccessBlock> {
    return relayed(this.end, ({ counts }) => {
      this.counts = counts ?? this.counts;
    });
  }
}

/** The trace at one reader's end: the same blocks, counts and errors as where it is read. */
export function openRelayed(end: RelayEnd): Trace {
  return 'path' in end.trace ? new RelayedRecording(end) : new RelayedWorkload(end);
}
