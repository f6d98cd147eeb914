/** The messages between page and worker. */

import type { CompareResult } from '../../src/report/results/compare-result.js';
import type { WindowPoint } from './windows.js';

/** The subject of a comparison. */
export interface CompareTask {
  /** A shipped recording (its address), a dropped one, or nothing for the generated workload. */
  readonly recording: { readonly name: string; readonly about?: string; readonly data: string | File } | null;
  /** TLB shapes, as parseTlb reads them. */
  readonly tlbs: readonly string[];
  /** `4K`, `2M`, `1G`: at least one, smallest first. */
  readonly pages: readonly string[];
}

/** The generated workload over one footprint: the share of lookups with a walk, for each page size. */
export interface MissPoint {
  readonly tlb: string;
  readonly pages: string;
  readonly footprint: number;
  readonly missRate: number;
}

/** The reach of one page size through a TLB's largest level, in bytes. */
export interface Reach {
  readonly tlb: string;
  readonly pages: string;
  readonly bytes: number;
}

/** The share of user time that translation takes with pages of one size, by its bounds: 0 to 1. */
interface TimeShare {
  readonly tlb: string;
  readonly pages: string;
  readonly low: number;
  readonly high: number;
}

/** Bytes copied when a child writes a share of the memory common with its parent. */
export interface ForkPoint {
  readonly share: number;
  /** `4K pages`, `2M pages` or `one segment`. */
  readonly scheme: string;
  readonly copied: number;
}

export interface Comparison {
  /** One for each TLB. */
  readonly results: readonly CompareResult[];
  readonly shares: readonly TimeShare[];
  readonly misses: readonly MissPoint[];
  /** Windows of the recording; none for the generated workload. */
  readonly windows: readonly (WindowPoint & { readonly tlb: string })[];
  readonly reaches: readonly Reach[];
  readonly forks: readonly ForkPoint[];
}

export type WorkerMessage =
  | { readonly kind: 'progress'; readonly what: string; readonly share: number }
  | { readonly kind: 'done'; readonly comparison: Comparison }
  | { readonly kind: 'failed'; readonly sentence: string };
