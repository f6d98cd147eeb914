/** Threads that replay traces for a comparison, and what is told to them and back. */

import { Worker, type Transferable } from 'node:worker_threads';
import { TraceError } from '../../trace/trace-error.js';
import type { RelayEnd } from '../../trace/node/relay/relay.js';
import { unpackError, type PackedError } from '../../trace/node/relay/thread-error.js';
import type { CompareOptions, TraceSource } from '../compare.js';
import { OutOfModelMemory } from '../machine/machine.js';

/** A source as data. */
export type PlainSource = Omit<TraceSource, 'open'>;

/** Options as data. */
export type PlainOptions = Omit<CompareOptions, 'sources' | 'ramBytes' | 'profile' | 'onBlock' | 'onProgress'>;

/** The fields that have a value. */
function known(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The source without its function, which another thread cannot be sent. */
export function plainSource({ name, about, accesses, named }: TraceSource): PlainSource {
  return { name, ...known({ about, accesses, named }) };
}

/** The options without what another thread cannot be sent. */
export function plainOptions(options: CompareOptions): PlainOptions {
  const { machine, pages, shifts, tlb, fetches, prices, policy, hugeShare } = options;
  const given = { machine, pages, shifts, fetches, prices, policy, hugeShare };
  return { tlb, ...known(given) };
}

/** A whole trace on so many threads; or the trace at a relay's end, on machines of some of the pages. */
export type Task = { readonly source: PlainSource; readonly options: PlainOptions } & (
  { readonly threads: number } | { readonly end: RelayEnd }
);

/** What a thread tells of its task. */
export type TaskNote<Result> =
  | { readonly progress: readonly [number, number | undefined] }
  | { readonly result: Result }
  | { readonly failure: PackedError };

/** A thread that does one task after the other. */
export class TaskThread {
  private readonly worker = new Worker(new URL('./jobs-task.js', import.meta.url));

  /** @throws TraceError, OutOfModelMemory and others, as they were thrown there */
  run<Result>(
    task: Task,
    transfer: readonly Transferable[] = [],
    onProgress: (done: number, total: number | undefined) => void = () => undefined,
  ): Promise<Result> {
    const { worker } = this;
    return new Promise<Result>((resolve, reject) => {
      const hear = (note: TaskNote<Result>): void => {
        if ('progress' in note) {
          onProgress(...note.progress);
          return;
        }
        worker.off('message', hear);
        worker.off('error', reject);
        if ('result' in note) resolve(note.result);
        else reject(unpackError(note.failure, [TraceError, OutOfModelMemory, RangeError]));
      };
      worker.on('message', hear);
      worker.on('error', reject);
      worker.postMessage(task, transfer);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}
