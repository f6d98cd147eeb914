/** Regions and actions for the terminal, at most 80 columns wide. */

import pc from 'picocolors';
import type { Action } from '../../regions/actions.js';
import { OBSTACLES } from '../../regions/backing.js';
import type { Obstacle } from '../../regions/backing.js';
import type { KindSums, ReportedRegion } from '../../regions/report.js';
import { openTable } from '../output/table.js';
import { wrap } from '../output/wrap.js';
import { countOf, formatBytes } from '../output/units.js';

const NAME_WIDTH = 24;
const WHY_NOT = 'why not';
/** Regions in the table; the others are summed up. */
const MOST_REGIONS = 10;

/** The end of a path tells more than its beginning. */
export function shortName({ name, start }: Pick<ReportedRegion, 'name' | 'start'>): string {
  const full = name === '' ? start : name;
  return full.length <= NAME_WIDTH ? full : `…${full.slice(1 - NAME_WIDTH)}`;
}

function bytesOrNone(bytes: number): string {
  return bytes === 0 ? '-' : formatBytes(bytes);
}

type Sums = Pick<KindSums, 'mappedBytes' | 'residentBytes' | 'hugeBytes' | 'couldBytes'>;

function sumCells({ mappedBytes, residentBytes, hugeBytes, couldBytes }: Sums): string[] {
  return [mappedBytes, residentBytes, hugeBytes, couldBytes].map(bytesOrNone);
}

const HEAD = ['size', 'resident', 'huge now', 'could be'];

/** Sums by kind. */
export function kindTable(kinds: readonly KindSums[]): string {
  return openTable(
    ['kind (regions)', ...HEAD],
    kinds.map((sums) => [`${sums.kind} (${sums.regions})`, ...sumCells(sums)]),
  );
}

/** The regions with most resident memory, and the meaning of the causes in their last column. */
export function regionTable(regions: readonly ReportedRegion[]): string {
  const largest = regions
    .filter(({ residentBytes }) => residentBytes > 0)
    .sort((a, b) => b.residentBytes - a.residentBytes);
  const shown = largest.slice(0, MOST_REGIONS);
  const causes = new Set<Obstacle>();
  const rows = shown.map((region) => {
    if (region.whyNot !== null) causes.add(region.whyNot);
    return [shortName(region), ...sumCells(region), region.whyNot === null ? '' : OBSTACLES[region.whyNot].short];
  });
  const rest = largest.slice(MOST_REGIONS);
  const bytes = rest.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  return [
    openTable(['region', ...HEAD, WHY_NOT], rows, [0, HEAD.length + 1]),
    ...(rest.length === 0 ? [] : [`and ${formatBytes(bytes)} resident in ${countOf(rest.length, 'more region')}.`]),
    ...[...causes].map((cause) => pc.dim(wrap(`${OBSTACLES[cause].short}: ${OBSTACLES[cause].words}.`, '  '))),
  ].join('\n');
}

function priceWords({ effect, addedBytes, memory }: Action['price']): string {
  if (addedBytes === null || addedBytes.atFaults === 0 || effect === 'sets aside') return memory;
  const { atFaults, byKhugepaged } = addedBytes;
  if (effect === 'saves') return `saves up to ${formatBytes(byKhugepaged)} that khugepaged could add; ${memory}`;
  const less = byKhugepaged < atFaults ? `, ${formatBytes(byKhugepaged)} of it by khugepaged` : '';
  return `up to ${formatBytes(atFaults)} more where it is now${less}; ${memory}`;
}

function actionLines({ title, how, bytes, regions, price, source }: Action, i: number, before?: Action): string[] {
  const memory = priceWords(price);
  const sameMemory = before !== undefined && priceWords(before.price) === memory;
  const sameFork = before?.price.fork === price.fork;
  return [
    wrap(`${i + 1}. ${title} (${formatBytes(bytes)}: ${regions.join(', ')}):`, '   '),
    pc.bold(wrap(`   ${how}`, '   ')),
    wrap(`   Memory: ${sameMemory ? 'as before' : memory}.`, '   '),
    wrap(`   Fork: ${sameFork ? 'as before' : price.fork}.`, '   '),
    pc.dim(wrap(`   Source: ${source}.`, '   ')),
  ];
}

/** What to do, with the price of each action and its source; one sentence if there is nothing. */
export function actionText(actions: readonly Action[]): string {
  if (actions.length === 0) return 'What to do: nothing, as things are.';
  return ['What to do:', ...actions.flatMap((action, i) => actionLines(action, i, actions[i - 1]))].join('\n');
}
