/** Runs tasks under tinybench and turns its findings into rows. */

import { Bench } from 'tinybench';
import { boxTable } from '../../src/report/output/table.js';

export interface BenchTask {
  readonly name: string;
  /** Operations (translations, entries) of one call of `run`. */
  readonly operations: number;
  readonly run: () => void;
}

/** Times are nanoseconds of wall time for one operation; absent unless the task completed. */
export interface BenchRow {
  readonly name: string;
  readonly state: string;
  readonly p50?: number;
  readonly p99?: number;
  /** Relative margin of error of the mean, in per cent. */
  readonly spread?: number;
  readonly perSecond?: number;
  readonly samples?: number;
}

const NANOSECONDS = 1e6;

/** Measures every task for about `milliseconds`, one after the other. */
export async function measure(tasks: readonly BenchTask[], milliseconds: number): Promise<BenchRow[]> {
  const bench = new Bench({ time: milliseconds, warmupTime: milliseconds / 4, throws: false });
  for (const task of tasks) bench.add(task.name, task.run);
  await bench.run();
  return tasks.map(({ name, operations }) => {
    const result = bench.getTask(name)?.result;
    if (result?.state !== 'completed') return { name, state: result?.state ?? 'missing' };
    const { p50, p99, rme, samplesCount } = result.latency;
    const scale = NANOSECONDS / operations;
    return {
      name,
      state: result.state,
      p50: p50 * scale,
      p99: p99 * scale,
      spread: rme,
      perSecond: (operations * 1000) / p50,
      samples: samplesCount,
    };
  });
}

/** The rows for people. */
export function rowsTable(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => {
    const cells = [row.p50, row.p99, row.spread, (row.perSecond ?? 0) / 1e6].map((value) => value?.toFixed(1) ?? '');
    return row.state === 'completed'
      ? [row.name, ...cells, String(row.samples)]
      : [row.name, row.state, '', '', '', ''];
  });
  return `${boxTable(['what', 'p50 ns', 'p99 ns', '± %', 'M per s', 'samples'], lines)}\n`;
}
