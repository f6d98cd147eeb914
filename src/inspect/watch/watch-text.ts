/** A watched process as people read it in a terminal: bars over time, regions, the answer. */

import pc from 'picocolors';
import { PAGE_BYTES } from '../../../hw/base/address.js';
import { VERDICT_COLORS } from '../inspect-text.js';
import { openTable } from '../../report/output/table.js';
import { WIDTH, wrap } from '../../report/output/wrap.js';
import { countOf, formatBytes, formatCount, formatShare, formatShort } from '../../report/output/units.js';
import { actionText, shortName } from '../../report/views/region-views.js';
import type { WatchedRegion, WatchResult, WatchSample } from './watch-result.js';

const BAR_WIDTH = 50;
/** Lines of the plot; more samples than these share lines. */
const MOST_LINES = 20;
const MOST_REGIONS = 10;

const seconds = (ms: number): string => `${formatShort(ms / 1000)} s`;

/** One sample a line: of several in a row the largest. */
function thinned(samples: readonly WatchSample[]): WatchSample[] {
  const each = Math.ceil(samples.length / MOST_LINES);
  return Array.from({ length: Math.ceil(samples.length / each) }, (_, line) =>
    samples
      .slice(line * each, (line + 1) * each)
      .reduce((most, sample) => (sample.usedBytes > most.usedBytes ? sample : most)),
  );
}

/** Bars of the memory used, with a mark at the reach of the TLB for 4 KiB pages. */
function bars({ samples, reach }: WatchResult): string {
  const most = Math.max(reach['4K'], ...samples.map(({ usedBytes }) => usedBytes));
  const column = (bytes: number): number => Math.round((bytes / most) * BAR_WIDTH);
  const mark = Math.max(1, column(reach['4K']));
  const lines = thinned(samples).map(({ atMs, usedBytes, beyondReach }) => {
    const bar = '█'.repeat(column(usedBytes)).padEnd(BAR_WIDTH);
    const marked = `${bar.slice(0, mark - 1)}│${bar.slice(mark)}`;
    const color = beyondReach ? pc.yellow : pc.cyan;
    return `${seconds(atMs).padStart(8)} ${color(marked)} ${formatBytes(usedBytes)}`;
  });
  const words = `reach of the TLB: ${formatBytes(reach['4K'])} of 4K`;
  const before = ' '.repeat(9 + mark - 1);
  // Right of its mark, or left where the screen ends.
  const fits = before.length + words.length + 2 <= WIDTH;
  return [...lines, fits ? `${before}│ ${words}` : `${words} │`.padStart(before.length + 1)].join('\n');
}

function regionCells(region: WatchedRegion): string[] {
  const { residentBytes, usedBytes, couldBytes } = region;
  return [
    shortName(region),
    formatBytes(residentBytes),
    formatBytes(usedBytes.median),
    formatBytes(usedBytes.most),
    formatCount(Math.ceil(usedBytes.most / PAGE_BYTES)),
    couldBytes === 0 ? '-' : formatBytes(couldBytes),
  ];
}

function regionTable(regions: readonly WatchedRegion[]): string {
  const rest = regions.slice(MOST_REGIONS);
  const table = openTable(
    ['region', 'resident', 'used', 'most', '4K entries', 'could be'],
    regions.slice(0, MOST_REGIONS).map(regionCells),
  );
  return rest.length === 0 ? table : `${table}\nand ${countOf(rest.length, 'more region')}.`;
}

const ENDED = {
  time: '',
  process: ' Then the process ended.',
  interrupted: ' Then it was interrupted.',
};

function intro({ name, pid, samples, ended, stretched, slowdown, tlb }: WatchResult): string {
  const longer = stretched ? ', longer than asked for since it uses so many pages' : '';
  const span = seconds(samples[samples.length - 1].spanMs);
  return (
    `${name} (PID ${pid}), TLB ${tlb}: ${countOf(samples.length, 'sample')} of ${span}${longer}; ` +
    `being watched slowed it by about ${formatShare(slowdown)}.${ENDED[ended]} Memory used in each:`
  );
}

function boundWords({ beyondReach, samples }: WatchResult): string {
  const count = Math.round(beyondReach * samples.length);
  if (count === 0) return 'In no sample more was used than the TLB holds: nothing is to be gained.';
  if (count === samples.length) return 'In every sample more was used than the TLB holds: all of the time may gain.';
  return `In ${count} of ${samples.length} samples more was used than the TLB holds: no more than ${formatShare(beyondReach)} of the time can gain.`;
}

/** At most 80 columns wide. */
export function watchText(result: WatchResult): string {
  const { regions, verdict, why, advice, actions } = result;
  const sections = [
    [wrap(intro(result)), bars(result)],
    [regionTable(regions)],
    [wrap(boundWords(result)), wrap(`Why: ${why}`), VERDICT_COLORS[verdict](wrap(`Verdict: ${advice}`))],
    [actionText(actions)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
