/** The findings of `pagewalk sweep`, in one object: table, JSON, CSV and heat map are its views. */

import type { CostTable } from '../../../hw/translate/counts/cost.js';

/** What one shape counted. */
export interface SweepCounts {
  /** Processes that the accesses are of. */
  readonly processes: number | 'unknown';
  /** Of them, those counted as one: 1 where each has its own pages. */
  readonly countedAsOne: number | 'unknown';
  readonly accesses: number;
  readonly lookups: number;
  readonly l1Hits: number;
  readonly l2Hits: number;
  readonly walks: number;
  readonly entryReads: number;
}

/** One shape on one trace and page size. */
export interface SweepRow extends SweepCounts {
  readonly trace: string;
  readonly pages: string;
  readonly l1: string;
  readonly l2: string;
  /** Model cycles of translation per access. */
  readonly cyclesPerAccess: number;
}

/** Rows come by trace, page size, first level, second level. */
export interface SweepResult {
  readonly schemaVersion: 1;
  readonly command: 'sweep';
  readonly costs: CostTable;
  readonly rows: readonly SweepRow[];
}
