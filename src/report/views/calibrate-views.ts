/** The measurements of `pagewalk calibrate` as text for the terminal. */

import type { CalibrateResult } from '../results/calibrate-result.js';
import { columns, labelled } from '../output/columns.js';
import { wrap } from '../output/wrap.js';
import { formatBytes, formatShort } from '../output/units.js';

function ns(value: number): string {
  return `${formatShort(value)} ns`;
}

/** Nanoseconds of a load by the size of its array. */
function loadRows({ prices: { loads = [] } }: CalibrateResult): string[][] {
  const sizes = [...new Set(loads.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const cells = (bytes: number): string[] => {
    const [base, huge] = ['4K', '2M'].map((pages) =>
      loads.find((load) => load.bytes === bytes && load.pages === pages),
    );
    const values = [base?.dependentNs, huge?.dependentNs, base?.independentNs, huge?.independentNs];
    return values.map((value) => (value === undefined ? '-' : formatShort(value)));
  };
  return [
    ['ns a load of', 'one after another,', '', 'all at once,', ''],
    ['an array of', '4K pages', '2M pages', '4K pages', '2M pages'],
    ...sizes.map((bytes) => [formatBytes(bytes), ...cells(bytes)]),
  ];
}

function cacheWords({ prices: { caches, memoryNs } }: CalibrateResult): string {
  if (caches === undefined || memoryNs === undefined) return '-';
  const { l1, l2, l3 } = caches;
  const levels = [
    `L1 ${formatBytes(l1.bytes)} ${ns(l1.ns)}`,
    `L2 ${formatBytes(l2.bytes)} ${ns(l2.ns)}`,
    ...(l3 === null ? [] : [`L3 ${ns(l3.ns)}, of which this core filled ${formatBytes(l3.bytes)}`]),
    `memory ${ns(memoryNs)}`,
  ];
  return levels.join('; ');
}

const BELOW = {
  none: 'no virtual machine',
  '4K': 'a virtual machine on host pages of 4 KiB: huge pages spare walks here, and no TLB entries',
  '2M': 'a virtual machine on host pages of 2 MiB or more',
  '1G': 'a virtual machine on host pages of 1 GiB',
};

function priceLines(result: CalibrateResult): string[] {
  const { prices } = result;
  const touches = Object.entries(prices.firstTouch ?? {}).map(([pages, { faultNs, zeroNsPerByte }]) => {
    return `${pages} ${ns(faultNs)} a fault and ${formatShort(zeroNsPerByte * 1024)} ns a KiB to zero`;
  });
  return [
    labelled(
      'core:',
      `an instruction ${ns(prices.nsPerInstruction ?? 0)} at best, a cycle ${ns(prices.nsPerCycle ?? 0)}`,
    ),
    labelled('caches:', cacheWords(result)),
    labelled(
      'TLB:',
      `a second-level hit ${ns(prices.l2TlbHitNs ?? 0)}; ${formatShort(prices.walksInFlight ?? 0)} walks and ` +
        `${formatShort(prices.missesInFlight ?? 0)} misses at once; ${BELOW[prices.nested ?? 'none']}`,
    ),
    labelled('first touch:', touches.join('; ')),
    labelled('fork:', `${ns(prices.forkNsPerEntry ?? 0)} an entry of 4K pages`),
    labelled('source:', prices.source ?? '-'),
  ];
}

/** The measurements as people read them, at most 80 columns wide. */
export function calibrateText(result: CalibrateResult): string {
  return [
    ...columns(loadRows(result)),
    '',
    ...priceLines(result),
    ...result.notes.map((note) => wrap(`note: ${note}`, '      ')),
    '',
  ].join('\n');
}
