/**
 * A comparison on several threads: traces side by side, and where threads are left over, the reading and the page sizes of
 * each. The counts are the same on any number.
 */

import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { CompareResult } from '../../report/results/compare-result.js';
import { compare, comparisonOf } from '../compare.js';
import type { Compared, CompareOptions, TraceSource } from '../compare.js';
import { spreadTrace } from './spread.js';
import { plainOptions, plainSource, TaskThread } from './task-thread.js';

/** Smaller traces are done before another thread has started: a few tenths of a second. */
const LARGE_BYTES = 2 ** 18;
const LARGE_ACCESSES = 2 ** 20;

function isLarge({ named }: TraceSource): boolean {
  if (named === undefined) return false;
  if ('workload' in named) return named.shape.accesses >= LARGE_ACCESSES;
  return (statSync(named.path, { throwIfNoEntry: false })?.size ?? 0) >= LARGE_BYTES;
}

/** Adds up the progress of traces side by side. */
class Sum {
  private readonly parts: (readonly [number, number | undefined])[];

  constructor(private readonly options: CompareOptions) {
    this.parts = options.sources.map(({ accesses }) => [0, accesses]);
  }

  async tell(part: number, done: number, total: number | undefined): Promise<void> {
    this.parts[part] = [done, total];
    const sum = (index: 0 | 1): number => this.parts.reduce((all, one) => all + (one[index] ?? 0), 0);
    const known = this.parts.every(([, one]) => one !== undefined);
    await this.options.onProgress?.(sum(0), known ? sum(1) : undefined);
  }
}

/**
 * Each of so many threads takes one trace after the other; this thread is the first of them.
 * @throws the failure of the first trace that has one, whichever came first
 */
async function sideBySide(options: CompareOptions, lanes: number, threads: number): Promise<Compared[]> {
  const sum = new Sum(options);
  const here = (source: TraceSource, index: number): Promise<Compared> => {
    const onProgress = async (done: number, total: number | undefined): Promise<void> => {
      await sum.tell(index, done, total);
      // A turn of the event loop: other threads may have come to their ends.
      await setImmediate();
    };
    return spreadTrace(source, { ...options, onProgress }, threads);
  };
  const others = Array.from({ length: lanes - 1 }, () => new TaskThread());
  const there = others.map((thread) => (source: TraceSource, index: number) => {
    const tell = (done: number, total: number | undefined): void => void sum.tell(index, done, total);
    return thread.run<Compared>({ source: plainSource(source), options: plainOptions(options), threads }, [], tell);
  });
  try {
    return await takeTurns(options.sources, [here, ...there]);
  } finally {
    await Promise.all(others.map((thread) => thread.close()));
  }
}

/** Gives each item to a lane that is free. @returns the results in the order of the items; nothing begins after a failure */
async function takeTurns<Item, Result>(
  items: readonly Item[],
  lanes: readonly ((item: Item, index: number) => Promise<Result>)[],
): Promise<Result[]> {
  const free = lanes.map((_, lane) => Promise.resolve(lane));
  const begun: Promise<Result>[] = [];
  const failures: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const lane = await Promise.race(free);
    if (failures.length > 0) break;
    const result = lanes[lane](item, index);
    begun.push(result);
    free[lane] = result.then(
      () => lane,
      (error: unknown) => {
        failures.push(error);
        return lane;
      },
    );
  }
  const results: Result[] = [];
  for (const result of begun) results.push(await result);
  return results;
}

/**
 * Compares as {@link compare} does, on up to `jobs` threads. Small traces start none, and those without a name for
 * other threads, as standard input, are read and replayed here.
 * @throws TraceError, OutOfModelMemory
 */
export async function compareOnThreads(options: CompareOptions, jobs: number): Promise<CompareResult> {
  const { sources } = options;
  const large = sources.filter(isLarge).length;
  if (jobs === 1 || large === 0) return compare(options);
  if (large > 1 && sources.every(({ named }) => named !== undefined)) {
    const lanes = Math.min(jobs, sources.length);
    return comparisonOf(await sideBySide(options, lanes, Math.floor(jobs / lanes)), options);
  }
  const compared: Compared[] = [];
  for (const source of sources) compared.push(await spreadTrace(source, options, isLarge(source) ? jobs : 1));
  return comparisonOf(compared, options);
}
