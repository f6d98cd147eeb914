/** The regions of a recorded program against huge pages, and the actions for them: `regions` and `actions` of a comparison. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { actionsFor } from '../../regions/actions.js';
import type { Action } from '../../regions/actions.js';
import type { HugePolicy } from '../../regions/policy.js';
import { withKinds } from '../../regions/region.js';
import type { RecordedRegion, RegionTraits } from '../../regions/region.js';
import { reportRegion } from '../../regions/report.js';
import type { ReportedRegion } from '../../regions/report.js';
import { regionUsages } from '../../regions/usage.js';
import type { Occupied } from '../../regions/usage.js';
import type { ProcessShare } from '../../trace/coverage.js';
import { Footprint } from '../machine/footprint.js';
import { USER_BYTES } from '../machine/pages/kernel-pages.js';

/** A region as a recording has it. */
export type RecordedMapping = Omit<RecordedRegion, 'kind'> &
  RegionTraits & {
    /** The most bytes of it seen in RAM. */
    readonly residentBytes: number;
  };

/** What a recording knows of one process. */
export interface RecordedProgram {
  /** Name of the program; a folder before it is passed over. */
  readonly program: string;
  readonly regions: readonly RecordedMapping[];
  /** The pages touched by its recorded accesses. */
  readonly footprint: Footprint;
}

/** The process with most memory, of those whose regions a recording has; undefined when it has none. */
export function largestProgram(
  processes: readonly Pick<ProcessShare, 'program' | 'regions' | 'residentBytes'>[],
  footprints: readonly (Footprint | undefined)[],
): RecordedProgram | undefined {
  let [largest, most]: [RecordedProgram | undefined, number] = [undefined, -1];
  for (const [i, { program, residentBytes = 0, ...process }] of processes.entries()) {
    const regions = process.regions.filter(({ start, end }) => start < end && end <= USER_BYTES);
    const footprint = footprints[i] ?? new Footprint();
    const bytes = Math.max(residentBytes, footprint.pages * PAGE_BYTES);
    if (regions.length > 0 && bytes > most) [largest, most] = [{ program, regions, footprint }, bytes];
  }
  return largest;
}

/** The regions of the moment with most memory in use: others may have the same addresses at another time. */
export function atPeak(regions: readonly RecordedMapping[]): RecordedMapping[] {
  const changes = regions
    .flatMap((region) => [
      { at: region.cameAt, bytes: region.residentBytes },
      ...(region.wentAt === null ? [] : [{ at: region.wentAt, bytes: -region.residentBytes }]),
    ])
    // At one time, room is made before it is taken.
    .sort((a, b) => a.at - b.at || a.bytes - b.bytes);
  let [now, most, peak] = [0, 0, Infinity];
  for (const { at, bytes } of changes) {
    now += bytes;
    if (now > most) [most, peak] = [now, at];
  }
  return regions.filter(({ cameAt, wentAt }) => cameAt <= peak && (wentAt === null || wentAt > peak));
}

/** Touched pages give the places of memory only if they are all of it. */
function occupied(region: RecordedRegion & RecordedMapping, footprint: Footprint): Occupied {
  const runs = footprint.runs(region.start, region.end);
  const touched = runs.reduce((sum, { bytes }) => sum + bytes, 0);
  const residentBytes = Math.max(touched, region.residentBytes);
  return { region, residentBytes, hugeBytes: 0, runs: touched === residentBytes ? runs : undefined };
}

/**
 * @param policy the settings of the system in question: a recording does not know those of its own
 * @param mayGain the verdict is yes, or between
 */
export function judgeRegions(
  { program, regions, footprint }: RecordedProgram,
  policy: HugePolicy,
  mayGain: boolean,
): { regions: ReportedRegion[]; actions: Action[] } {
  const there = withKinds(atPeak(regions)).sort((a, b) => a.start - b.start);
  const usages = regionUsages(
    there.map((region) => occupied(region, footprint)),
    policy,
  );
  const name = program.slice(program.lastIndexOf('/') + 1);
  return { regions: usages.map(reportRegion), actions: actionsFor({ program: name, usages, policy, mayGain }) };
}
