/** The experiment of `pagewalk try` as text for the terminal. */

import { columns } from '../output/columns.js';
import { wrap } from '../output/wrap.js';
import type { TryResult, TrySide } from '../results/try-result.js';
import { countOf, formatBytes, formatCount, formatShort } from '../output/units.js';

function seconds(value: number): string {
  return `${value < 10 ? value.toFixed(3) : value.toFixed(1)} s`;
}

/** The figures of both sides, and the ratio where there is one. */
function rows({ system, sides, speedup }: TryResult): string[][] {
  const cells = (cell: (side: TrySide) => string): string[] => sides.map(cell);
  const ratio = (name: keyof TryResult['speedup']): string[] => {
    const range = speedup[name];
    return range === null
      ? ['-', '-']
      : [range.median.toFixed(2), `${range.low.toFixed(2)} to ${range.high.toFixed(2)}`];
  };
  const memory = (field: 'resident' | 'anonymous' | 'huge'): string[] =>
    cells(({ memory: sample }) => (sample === null ? 'not seen' : formatBytes(sample[field])));
  const pages = (bytes: number): string => `${formatBytes(bytes)} pages`;
  return [
    ['', pages(system.basePageBytes), `with ${pages(system.hugePageBytes)}`, 'as fast', 'range'],
    ['user time', ...cells(({ user }) => seconds(user)), ...ratio('user')],
    ['system time', ...cells((side) => seconds(side.system)), ...ratio('system')],
    ['user + system', ...cells((side) => seconds(side.user + side.system)), ...ratio('total')],
    ['wall time', ...cells(({ wall }) => seconds(wall)), ...ratio('wall')],
    ['page faults', ...cells(({ minorFaults }) => formatCount(minorFaults)), '', ''],
    ['  from disk', ...cells(({ majorFaults }) => formatCount(majorFaults)), '', ''],
    ['resident', ...memory('resident'), '', ''],
    ['  anonymous', ...memory('anonymous'), '', ''],
    ['  of it huge', ...memory('huge'), '', ''],
  ];
}

/** The experiment as people read it, at most 80 columns wide. */
export function tryText(result: TryResult): string {
  const { pairs, confidence, means, answer, notes, program } = result;
  const range =
    `as fast: time with base pages over time with huge ones, the median of ${countOf(pairs, 'pair')}. range: holds the true ` +
    `median with a chance of ${formatShort(100 * confidence)}%. Memory: when it was largest.`;
  return [
    wrap(`${program.join(' ')}: ${countOf(pairs, 'pair')} of runs in turns, medians`),
    '',
    ...columns(rows(result)),
    '',
    wrap(range),
    wrap(`By: ${means.join('; ')}.`),
    '',
    ...notes.map((note) => wrap(`note: ${note}`, '      ')),
    wrap(answer),
    '',
  ].join('\n');
}
