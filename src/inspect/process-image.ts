/** All known facts on a live process's memory: its regions, and their resident pages. */

import { PAGE_BYTES } from '../../hw/base/address.js';
import type { LiveRegion } from '../regions/smaps.js';

/**
 * The owner of a page: anonymous memory of the process; a file's, or shared memory; or the page of zeros. It stands for
 * anonymous memory only read so far, and counts as resident nowhere.
 */
export type PageKind = 'anonymous' | 'file' | 'zero';

/** Pages side by side, all present and of one kind; addresses and lengths in bytes. */
export interface ResidentRun {
  readonly start: number;
  readonly bytes: number;
  readonly kind: PageKind;
}

/** Bytes of the resident runs, or of those of the page of zeros. */
export function runBytes(runs: readonly ResidentRun[], zero: boolean): number {
  return runs.reduce((sum, { bytes, kind }) => ((kind === 'zero') === zero ? sum + bytes : sum), 0);
}

export interface ProcessImage {
  readonly pid: number;
  readonly command: string;
  readonly regions: readonly LiveRegion[];
  /** Resident pages by region; a region not in here is estimated from its sums. */
  readonly runs: ReadonlyMap<LiveRegion, readonly ResidentRun[]>;
  /** Linux's own page tables below the top one, bytes (VmPTE); null when it does not say. */
  readonly kernelTableBytes: number | null;
}

/**
 * The resident pages of a region. If pagemap could not be read they are taken to lie at its start, the anonymous ones
 * first: the sums are right, the places are a guess.
 */
export function residentRuns(image: ProcessImage, region: LiveRegion): readonly ResidentRun[] {
  const known = image.runs.get(region);
  if (known !== undefined) return known;
  const wholePages = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  const all = Math.min(wholePages(region.resident), region.end - region.start);
  const anonymous = Math.min(wholePages(region.anonymous), all);
  return [
    { start: region.start, bytes: anonymous, kind: 'anonymous' as const },
    { start: region.start + anonymous, bytes: all - anonymous, kind: 'file' as const },
  ].filter(({ bytes }) => bytes > 0);
}
