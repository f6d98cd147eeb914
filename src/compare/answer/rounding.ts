/** What pages of each kind cost in memory, region by region: each is rounded up to whole pages. */

import type { Rounding } from '../../report/results/compare-result.js';
import { withKinds } from '../../regions/region.js';
import type { PresentRun } from '../../regions/usage.js';
import type { PagesKind } from '../machine/pages/page-kinds.js';
import { atPeak } from './recorded-regions.js';
import type { RecordedProgram } from './recorded-regions.js';

/** Pages of `bytes` with a byte of a run in them. */
function pagesOf(runs: readonly PresentRun[], bytes: number): number {
  let pages = 0;
  let last = -1;
  for (const run of runs) {
    const first = Math.max(last + 1, Math.floor(run.start / bytes));
    last = Math.floor((run.start + run.bytes - 1) / bytes);
    pages += Math.max(0, last - first + 1);
  }
  return pages;
}

const fileName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** The touched regions, those of one name together; the one with most to waste first. */
export function roundingByRegion({ regions, footprint }: RecordedProgram, kinds: readonly PagesKind[]): Rounding[] {
  const byName = new Map<string, Rounding>();
  for (const { start, end, kind, name } of withKinds(atPeak(regions))) {
    const runs = footprint.runs(start, end);
    const touchedBytes = runs.reduce((sum, { bytes }) => sum + bytes, 0);
    if (touchedBytes === 0) continue;
    const region = fileName(name) || kind;
    const one = byName.get(region) ?? { region, mappings: 0, touchedBytes: 0, wastedBytes: {} };
    one.mappings++;
    one.touchedBytes += touchedBytes;
    for (const { name: page, shift } of kinds) {
      const wasted = pagesOf(runs, 2 ** shift) * 2 ** shift - touchedBytes;
      one.wastedBytes[page] = (one.wastedBytes[page] ?? 0) + wasted;
    }
    byName.set(region, one);
  }
  const most = ({ wastedBytes }: Rounding): number => Math.max(...Object.values(wastedBytes));
  return [...byName.values()].sort((a, b) => most(b) - most(a));
}
