/** The result of `pagewalk inspect`: one object; table and JSON are views of it. Sizes are in bytes. */

import type { Action } from '../regions/actions.js';
import type { HugePolicy } from '../regions/policy.js';
import type { KindSums, ReportedRegion } from '../regions/report.js';
import type { LeftOut } from './rebuild.js';
import type { BoundVerdict } from './verdict.js';

/** The version of the form: 2 lists the regions, where 1 counted them. */
export const INSPECT_VERSION = 2;

/** The deeds of a fork of the process in the model. */
export interface InspectedFork {
  readonly entriesVisited: number;
  readonly entriesCopied: number;
  /** Page tables of the child. */
  readonly tableBytes: number;
  /** Tables set aside for the child, to split its huge pages without fail. */
  readonly spareTableBytes: number;
}

/** After two forks, before anybody has written. */
export interface TwoForks {
  /** Resident in all three processes at once, and there only once. */
  readonly sharedBytes: number;
  /** The rest of the parent's resident memory: pages of files; the children map them at the first touch. */
  readonly sharedWhenTouched: number;
  /** Memory of the two children: their page tables. */
  readonly addedBytes: number;
  /** The copies of one process that writes to all its writable shared pages. */
  readonly copiedIfWritten: number;
}

/** The process in pages of one size. */
export interface InspectedRun {
  /** `2M`: huge pages for each mapped 2 MiB of anonymous memory, the rest in 4 KiB. */
  readonly pages: '4K' | '2M';
  readonly residentBytes: number;
  readonly tableBytes: number;
  readonly spareTableBytes: number;
  readonly smallPages: number;
  readonly hugePages: number;
  /** The TLB's entries for pages of this size, and their reach in memory. */
  readonly tlbEntries: number;
  readonly tlbReachBytes: number;
  readonly fork: InspectedFork;
  readonly twoForks: TwoForks;
}

export interface InspectResult {
  readonly schemaVersion: typeof INSPECT_VERSION;
  readonly command: 'inspect';
  readonly pid: number;
  readonly name: string;
  /** The source of the resident pages: `smaps` gives sums only, so their places are a guess. */
  readonly source: 'pagemap' | 'smaps';
  readonly mappedBytes: number;
  /** As Linux counts them. */
  readonly residentBytes: number;
  /**
   * Present by pagemap, read after smaps: another figure when the process ran on meanwhile. Null if pagemap could not
   * be read.
   */
  readonly presentBytes: number | null;
  /** Anonymous memory only read so far, all of it the one page of zeros; not resident in Linux's count. */
  readonly zeroBytes: number;
  readonly anonymousBytes: number;
  readonly anonymousHugeBytes: number;
  readonly swappedBytes: number;
  /** VmPTE: Linux's page tables now, the top one left out; null when it does not say. */
  readonly kernelTableBytes: number | null;
  readonly tlb: string;
  readonly runs: readonly InspectedRun[];
  readonly leftOut: readonly LeftOut[];
  /** The system's settings for huge pages, and the process's own. */
  readonly policy: HugePolicy;
  /** Whether huge pages would help, by the resident memory alone: an upper bound, and never `yes`. */
  readonly verdict: BoundVerdict;
  readonly why: string;
  readonly advice: string;
  readonly kinds: readonly KindSums[];
  /** In order of address. */
  readonly regions: readonly ReportedRegion[];
  readonly actions: readonly Action[];
}
