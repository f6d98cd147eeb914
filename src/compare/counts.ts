/** TLB counts of traces by page size, in one pass: what {@link compare} counts, without prices, time or an answer. */

import { checkOptions } from '../../hw/base/arguments.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import type { SweepCounts } from '../report/results/sweep-result.js';
import type { PageName } from '../report/results/schema.js';
import type { CompareOptions, TraceSource } from './compare.js';
import { COMPARE_REQUIRED } from './required.js';
import { countLookups } from './machine/counting.js';
import { countingMachines } from './machine/counting-machines.js';
import { DEFAULT_PAGES, pageKinds } from './machine/pages/page-kinds.js';
import type { MachineName } from './machine/pages/page-kinds.js';

/** What to count: traces, page sizes, a TLB. */
export interface CountOptions {
  readonly sources: readonly TraceSource[];
  /** The machine. Default: x86. */
  readonly machine?: MachineName;
  /** Its pages by name. Default: those that `pagewalk compare` has for it. */
  readonly pages?: readonly PageName[];
  readonly tlb: TlbGeometry;
  /** Called after each block with the accesses so far and in all. */
  readonly onProgress?: CompareOptions['onProgress'];
}

/** Data accesses of one trace with pages of one size. */
export interface CountRow extends SweepCounts {
  readonly trace: string;
  readonly pages: PageName;
  /** Bytes of the 4 KiB pages touched. */
  readonly touchedBytes: number;
}

/**
 * Counts the lookups of every trace on one machine a page size: the counts of {@link compare}, for two thirds of its time.
 * @returns rows by trace, the smallest pages first
 * @throws TraceError for an unreadable trace, OutOfModelMemory for one too large, RangeError for pages that no machine has,
 *   TypeError for required options that are missing or of another kind
 */
export async function countTraces(options: CountOptions): Promise<CountRow[]> {
  checkOptions('countTraces: options', options, COMPARE_REQUIRED);
  const { sources, machine = 'x86', pages, tlb, onProgress } = options;
  const kinds = pageKinds(machine, pages ?? DEFAULT_PAGES[machine]);
  const newMachines = countingMachines(machine, tlb);
  const rows: CountRow[] = [];
  for (const source of sources) {
    const machines = await newMachines(kinds);
    const told = onProgress && ((done: number) => onProgress(done, source.accesses));
    const { counts, touchedBytes } = await countLookups(await source.open(), machines, undefined, told);
    kinds.forEach(({ name }, i) => rows.push({ trace: source.name, pages: name, ...counts[i][0], touchedBytes }));
  }
  return rows;
}
