/** The thread that reads a trace for others: each gets every block, in shared memory. */

import { workerData, type MessagePort } from 'node:worker_threads';
import { ACCESS_WORDS, type Trace } from '../../block.js';
import { Recorded } from '../../recorded.js';
import { openNamed } from '../named.js';
import { slotsOf, type Note, type RelayTask } from './notes.js';
import { packError } from './thread-error.js';

/** Slots of the ring, each free once all readers have sent it back. */
class FreeSlots {
  private readonly free: number[] = [];
  /** By slot, the readers that still have it. */
  private readonly readers: Int32Array;
  private wake: (() => void) | undefined;

  constructor(
    slots: number,
    private readonly ports: readonly MessagePort[],
  ) {
    this.readers = new Int32Array(slots);
    for (let slot = 0; slot < slots; slot++) this.free.push(slot);
    for (const port of ports) {
      port.on('message', (slot: number) => {
        if (--this.readers[slot] > 0) return;
        this.free.push(slot);
        this.wake?.();
      });
    }
  }

  async take(): Promise<number> {
    let slot: number | undefined;
    while ((slot = this.free.pop()) === undefined) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.readers[slot] = this.ports.length;
    return slot;
  }
}

async function relay(trace: Trace, ring: SharedArrayBuffer, ports: readonly MessagePort[]): Promise<void> {
  const blocks = slotsOf(ring);
  const slots = new FreeSlots(blocks.length, ports);
  const tell = (note: Note): void => {
    for (const port of ports) port.postMessage(note);
  };
  const known = (): Pick<Recorded, 'metadata' | 'coverage'> =>
    trace instanceof Recorded ? trace : { metadata: undefined, coverage: undefined };
  try {
    for await (const block of trace) {
      const slot = await slots.take();
      const { length, process, thread, window, afterGap, warmUp } = block;
      blocks[slot].words.set(block.words.subarray(0, ACCESS_WORDS * length));
      const { metadata } = known();
      tell({ block: { slot, length, kinds: [...block.kinds], process, thread, window, afterGap, warmUp, metadata } });
    }
    const { metadata, coverage } = known();
    tell({ end: { counts: trace.counts, metadata, coverage } });
  } catch (error) {
    tell({ failure: packError(error) });
  } finally {
    for (const port of ports) port.close();
  }
}

const { trace, ring, ports } = workerData as RelayTask<MessagePort>;
await relay(openNamed(trace), ring, ports);
