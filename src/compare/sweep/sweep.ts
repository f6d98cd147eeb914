/** Many TLB shapes on the same traces, spread over worker threads. */

import { Piscina } from 'piscina';
import { checkOptions, arrayOf, NUMBER, objectWith, TEXT, TRUTH } from '../../../hw/base/arguments.js';
import type { Kind } from '../../../hw/base/arguments.js';
import { pageSizeName } from '../../../hw/base/address.js';
import { DEFAULT_COSTS, translationCycles, type CostTable } from '../../../hw/translate/counts/cost.js';
import type { SweepCounts, SweepResult } from '../../report/results/sweep-result.js';
import type { SweepTask, SweepTrace } from './sweep-task.js';

/** Shapes replayed in one pass over a trace: enough that decoding hardly counts, few enough to spread. */
const SHAPES_A_TASK = 8;

/** The TLB shapes to try, and the traces. */
export interface SweepOptions {
  readonly traces: readonly SweepTrace[];
  /** First and second levels as parseTlb reads them; `none` is no second level. */
  readonly l1: readonly string[];
  readonly l2: readonly string[];
  /** log2 of the page sizes. */
  readonly shifts: readonly number[];
  /** With the model's default paging-structure caches. */
  readonly walkCaches: boolean;
  readonly workers: number;
  readonly costs: CostTable;
  /** Called with the number of shapes done, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

const REQUIRED: Readonly<Record<Exclude<keyof SweepOptions, 'onProgress' | 'costs'>, Kind>> = {
  traces: arrayOf(objectWith('name', 'an object { name, path } or { name, workload, shape }')),
  l1: arrayOf(TEXT),
  l2: arrayOf(TEXT),
  shifts: arrayOf(NUMBER),
  walkCaches: TRUTH,
  workers: NUMBER,
};
const COSTS = Object.fromEntries(Object.keys(DEFAULT_COSTS).map((name) => [name, NUMBER]));

interface Shape {
  readonly l1: string;
  readonly l2: string;
  readonly tlb: string;
}

/** The text of one shape, for parseTlb. */
export function shapeText(l1: string, l2: string, walkCaches: boolean): string {
  return `${l1}${l2 === 'none' ? '' : `+${l2}`}${walkCaches ? '+psc' : ''}`;
}

function cyclesPerAccess(counts: SweepCounts, costs: CostTable): number {
  if (counts.accesses === 0) return 0;
  return translationCycles(counts, costs).total / counts.accesses;
}

/** Tasks of at most {@link SHAPES_A_TASK} shapes; how they are cut does not depend on the number of workers. */
function tasksOf(options: SweepOptions, shapes: readonly Shape[]): { task: SweepTask; shapes: readonly Shape[] }[] {
  return options.traces.flatMap((trace) =>
    options.shifts.flatMap((shift) =>
      Array.from({ length: Math.ceil(shapes.length / SHAPES_A_TASK) }, (_, i) => {
        const some = shapes.slice(i * SHAPES_A_TASK, (i + 1) * SHAPES_A_TASK);
        return { task: { trace, shift, tlbs: some.map(({ tlb }) => tlb) }, shapes: some };
      }),
    ),
  );
}

/**
 * Counts every shape on every trace and page size; rows come by trace, page size, first level, second level, however
 * many workers there are.
 * @throws the error of the first worker to fail; TypeError for required options that are missing or of another kind
 */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  checkOptions('sweep: options', options, REQUIRED);
  checkOptions('sweep: options.costs', options.costs, COSTS);
  const shapes = options.l1.flatMap((l1) =>
    options.l2.map((l2) => ({ l1, l2, tlb: shapeText(l1, l2, options.walkCaches) })),
  );
  const tasks = tasksOf(options, shapes);
  const total = tasks.reduce((sum, { task }) => sum + task.tlbs.length, 0);
  const pool = new Piscina<SweepTask, SweepCounts[]>({
    filename: new URL('./sweep-task.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: options.workers,
  });
  let done = 0;
  try {
    const rows = await Promise.all(
      tasks.map(async ({ task, shapes: some }) => {
        const counted = await pool.run(task);
        done += some.length;
        options.onProgress?.(done, total);
        return counted.map((counts, i) => ({
          trace: task.trace.name,
          pages: pageSizeName(task.shift),
          l1: some[i].l1,
          l2: some[i].l2,
          ...counts,
          cyclesPerAccess: cyclesPerAccess(counts, options.costs),
        }));
      }),
    );
    return { schemaVersion: 1, command: 'sweep', costs: options.costs, rows: rows.flat() };
  } finally {
    await pool.destroy();
  }
}
