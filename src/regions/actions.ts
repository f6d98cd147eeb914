/** Chooses the actions for a process, and prices them. */

import { ACTIONS } from './action-table.js';
import type { ActionRow } from './action-row.js';
import { SHIFT_2M } from '../../hw/base/address.js';
import { runtimesOf } from './programs.js';
import type { Runtime } from './programs.js';
import type { HugePolicy } from './policy.js';
import { regionName } from './region.js';
import type { AddedBytes, RegionUsage } from './usage.js';

/** Regions named by an action. */
const MOST_NAMED = 3;
/** Memory added by rounding up is called waste from this share of the memory on. Judgement. */
const WASTE_SHARE = 0.1;

export interface Action {
  readonly id: string;
  readonly title: string;
  /** The setting, command or call. */
  readonly how: string;
  /** The resident memory in question, bytes. */
  readonly bytes: number;
  /** Its largest regions. */
  readonly regions: readonly string[];
  readonly price: {
    /** `adds` resident memory, `saves` it, or `sets aside` a pool. */
    readonly effect: ActionRow['effect'];
    /** How much rounding up to 2 MiB would add there; null: the places of the pages are not known. */
    readonly addedBytes: AddedBytes | null;
    readonly memory: string;
    readonly fork: string;
  };
  readonly source: string;
}

/** What was found out about a process. */
export interface Found {
  /** Name of the program, without its folder. */
  readonly program: string;
  readonly usages: readonly RegionUsage[];
  readonly policy: HugePolicy;
  /** Huge pages may gain something: the verdict is yes, or between. */
  readonly mayGain: boolean;
}

/** The resident bytes of a region for a row of the table. */
function bytesFor(row: ActionRow, { region, backing, ...usage }: RegionUsage): number {
  if (!row.kinds.includes(region.kind)) return 0;
  const { residentBytes, wholeBytes, couldBytes, hugeBytes } = usage;
  const share = backing.byItself ? 'waiting' : 'asking';
  let bytes = row.shares.includes(share) ? Math.max(0, couldBytes - hugeBytes) : 0;
  for (const { obstacle, bytes: kept } of backing.hindered) {
    if (!row.shares.includes(obstacle)) continue;
    // Settings keep whole 2 MiB small; shape and place keep the rest so.
    const byShape = ['edges', 'unaligned', 'small', 'guard', 'stack', 'offset'].includes(obstacle);
    bytes += byShape ? Math.min(kept, residentBytes - (backing.bytes === 0 ? 0 : wholeBytes)) : wholeBytes;
  }
  return bytes;
}

function fits(row: ActionRow, runtimes: ReadonlySet<Runtime>, { policy, mayGain }: Found): boolean {
  const { needs = [], unless = [], enabled } = row;
  if (row.purpose === 'gain' && !mayGain) return false;
  if (enabled?.includes(policy.enabled) === false) return false;
  return needs.every((name) => runtimes.has(name)) && !unless.some((name) => runtimes.has(name));
}

function sumAdded(usages: readonly RegionUsage[]): AddedBytes | null {
  let [atFaults, byKhugepaged] = [0, 0];
  for (const { added } of usages) {
    if (added === null) return null;
    atFaults += added.atFaults;
    byKhugepaged += added.byKhugepaged;
  }
  return { atFaults, byKhugepaged };
}

function actionOf(row: ActionRow, usages: readonly RegionUsage[]): Action | undefined {
  const touched = usages
    .map((usage) => ({ usage, bytes: bytesFor(row, usage) }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
  const bytes = touched.reduce((sum, item) => sum + item.bytes, 0);
  const addedBytes = sumAdded(touched.map(({ usage }) => usage));
  if (bytes < 2 ** SHIFT_2M) return undefined;
  if (row.purpose === 'waste' && (addedBytes?.byKhugepaged ?? 0) < WASTE_SHARE * bytes) return undefined;
  const { id, title, how, effect, memory, fork, source } = row;
  const regions = touched.slice(0, MOST_NAMED).map(({ usage }) => regionName(usage.region));
  return { id, title, how, bytes, regions: [...new Set(regions)], price: { effect, addedBytes, memory, fork }, source };
}

/** The fitting actions, in the order of {@link ACTIONS}. */
export function actionsFor(found: Found): Action[] {
  const runtimes = runtimesOf(
    found.program,
    found.usages.map(({ region }) => region),
  );
  return ACTIONS.filter((row) => fits(row, runtimes, found)).flatMap((row) => actionOf(row, found.usages) ?? []);
}
