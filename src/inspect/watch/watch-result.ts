/** The result of `pagewalk watch`: one object; text, plot and JSON are views of it. Sizes in bytes, times in milliseconds. */

import type { BoundVerdict } from '../verdict.js';
import type { Action } from '../../regions/actions.js';
import type { HugePolicy } from '../../regions/policy.js';
import type { RegionKind } from '../../regions/region.js';
import type { ReportedRegion } from '../../regions/report.js';

/** The pages used between one clearing of the referenced bits and the reading of them. */
export interface WatchSample {
  /** Time of the reading, since the first clearing. */
  readonly atMs: number;
  /** Time between the two. */
  readonly spanMs: number;
  readonly residentBytes: number;
  readonly usedBytes: number;
  readonly usedByKind: Readonly<Partial<Record<RegionKind, number>>>;
  /** TLB entries for all pages used, as they are mapped now: 4 KiB each, or 2 MiB. */
  readonly entriesNeeded: number;
  /** More entries than the TLB has for 4 KiB pages. */
  readonly beyondReach: boolean;
  /** CPU time of clearing and reading. */
  readonly costMs: number;
}

/** A region of the largest sample, with its use in all of them. */
export interface WatchedRegion extends ReportedRegion {
  readonly usedBytes: { readonly median: number; readonly most: number };
}

export interface WatchResult {
  readonly schemaVersion: 1;
  readonly command: 'watch';
  readonly pid: number;
  readonly name: string;
  readonly tlb: string;
  /** Memory in reach of the TLB's largest level, by page size. */
  readonly reach: { readonly '4K': number; readonly '2M': number };
  /** How the watching ended: its time was over, the process ended, or it was interrupted. */
  readonly ended: 'time' | 'process' | 'interrupted';
  /** The spans were made longer than asked for: the process shall lose a twentieth of its time at most. */
  readonly stretched: boolean;
  readonly samples: readonly WatchSample[];
  /** Share of its time lost to being watched: an estimate, by the pages used. */
  readonly slowdown: number;
  /** Share of the samples beyond the TLB's reach: no larger share of the time can gain by huge pages. */
  readonly beyondReach: number;
  readonly policy: HugePolicy;
  /** By the largest sample. */
  readonly verdict: BoundVerdict;
  readonly why: string;
  readonly advice: string;
  /** Most used first. */
  readonly regions: readonly WatchedRegion[];
  readonly actions: readonly Action[];
}
