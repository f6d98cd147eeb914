/** What `pagewalk inspect` finds: one object, of which table and JSON are views. Sizes are in bytes. */

import type { SCHEMA_VERSION } from '../report/schema.js';
import type { LeftOut } from './rebuild.js';

/** What a fork of the process does in the model. */
export interface InspectedFork {
  readonly entriesVisited: number;
  readonly entriesCopied: number;
  /** Page tables that the child translates with. */
  readonly tableBytes: number;
  /** Tables set aside for the child, so that its huge pages can be split without fail. */
  readonly spareTableBytes: number;
}

/** After two forks, before anybody has written. */
export interface TwoForks {
  /** Resident in all three processes at once, and there only once. */
  readonly sharedBytes: number;
  /** The rest of what the parent has resident: pages of files, which the children map when they touch them. */
  readonly sharedWhenTouched: number;
  /** Memory that the two children take: their page tables. */
  readonly addedBytes: number;
  /** What one process copies when it writes to all of the shared pages that it may write to. */
  readonly copiedIfWritten: number;
}

/** The process in pages of one size. */
export interface InspectedRun {
  /** `2M`: huge pages wherever 2 MiB of anonymous memory are mapped, the rest in 4 KiB. */
  readonly pages: '4K' | '2M';
  readonly residentBytes: number;
  readonly tableBytes: number;
  readonly spareTableBytes: number;
  readonly smallPages: number;
  readonly hugePages: number;
  /** Entries that the TLB has for pages of this size, and the memory that they reach. */
  readonly tlbEntries: number;
  readonly tlbReachBytes: number;
  readonly fork: InspectedFork;
  readonly twoForks: TwoForks;
}

export interface InspectResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'inspect';
  readonly pid: number;
  readonly name: string;
  /** Where the resident pages are known from: `smaps` gives sums only, so that their places are a guess. */
  readonly source: 'pagemap' | 'smaps';
  readonly regions: number;
  readonly mappedBytes: number;
  /** As Linux counts them. */
  readonly residentBytes: number;
  /**
   * Present by pagemap, which is read after smaps: another figure when the process ran on meanwhile. Null where pagemap
   * could not be read.
   */
  readonly presentBytes: number | null;
  /** Anonymous memory that was only read so far, all of it the one page of zeros; not resident in Linux's count. */
  readonly zeroBytes: number;
  readonly anonymousBytes: number;
  readonly anonymousHugeBytes: number;
  readonly swappedBytes: number;
  /** VmPTE: what Linux spends on page tables now, the top one left out; null when it does not say. */
  readonly kernelTableBytes: number | null;
  readonly tlb: string;
  readonly runs: readonly InspectedRun[];
  readonly leftOut: readonly LeftOut[];
}
