/** What page and worker say to each other. */

import type { CompareResult } from '../../src/report/compare-result.js';
import type { WindowPoint } from './windows.js';

/** What to compare. */
export interface CompareTask {
  /** A recording that is shipped (its address), one that was dropped in, or nothing for the generated workload. */
  readonly recording: { readonly name: string; readonly about?: string; readonly data: string | File } | null;
  /** TLB shapes, as parseTlb reads them. */
  readonly tlbs: readonly string[];
  /** `4K`, `2M`, `1G`: at least one, smallest first. */
  readonly pages: readonly string[];
}

/** The generated workload over one footprint: what share of lookups each page size had to walk for. */
export interface MissPoint {
  readonly tlb: string;
  readonly pages: string;
  readonly footprint: number;
  readonly missRate: number;
}

/** Bytes that one page size can reach through a TLB's largest level. */
export interface Reach {
  readonly tlb: string;
  readonly pages: string;
  readonly bytes: number;
}

/** Model cycles of one run per access, by where they went. */
export interface CycleSplit {
  readonly tlb: string;
  readonly pages: string;
  readonly part: 'L1 hit' | 'L2 hit' | 'walk';
  readonly cycles: number;
}

/** Bytes copied when a child writes a share of what it shares with its parent. */
export interface ForkPoint {
  readonly share: number;
  /** `4K pages`, `2M pages` or `one segment`. */
  readonly scheme: string;
  readonly copied: number;
}

export interface Comparison {
  /** One for each TLB. */
  readonly results: readonly CompareResult[];
  readonly cycles: readonly CycleSplit[];
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
