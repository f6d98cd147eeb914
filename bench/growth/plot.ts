/** Growth as plots: modelled counts in some, host time in others. Slow to load: import it only when asked for. */

import * as Plot from '@observablehq/plot';
import { PAGE_COLORS, svgDocument } from '../../src/report/output/svg.js';
import { formatBytes, formatShort } from '../../src/report/output/units.js';
import type { ForkGrowth } from './fork.js';
import type { GrowthResult } from './growth.js';
import type { TranslationPoint } from './translation.js';

const FRAME: Plot.PlotOptions = {
  width: 760,
  height: 240,
  marginTop: 46,
  marginLeft: 68,
  marginRight: 40,
  marginBottom: 40,
  color: PAGE_COLORS,
};

function sizeAxis(label: string, ticks: readonly number[]): Plot.ScaleOptions {
  return { type: 'log', base: 2, label, labelAnchor: 'center', ticks, tickFormat: formatBytes };
}

/** The meaning of colours, in all plots. */
function legend(points: readonly { readonly pages: string }[]): Plot.PlotOptions {
  const sizes = PAGE_COLORS.domain.filter((size) => points.some(({ pages }) => pages === size));
  const x = (size: string): string => size;
  return {
    width: 60 + 100 * sizes.length,
    height: 36,
    x: { axis: null, domain: sizes },
    color: PAGE_COLORS,
    marks: [
      Plot.dotX(sizes, { x, fill: x, r: 5 }),
      Plot.textX(sizes, { x, text: (size: string) => `${size} pages`, textAnchor: 'start', dx: 9 }),
    ],
  };
}

function translationPlot(
  points: readonly TranslationPoint[],
  title: string,
  y: (point: TranslationPoint) => number,
): Plot.PlotOptions {
  return {
    ...FRAME,
    x: sizeAxis('footprint', [2 ** 14, 2 ** 20, 2 ** 26, 2 ** 32]),
    y: { label: title, grid: true, ticks: 5, zero: true },
    fx: { label: null, tickFormat: (pattern: string) => `${pattern} accesses` },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY(points, { x: 'footprint', y, fx: 'pattern', z: 'pages', stroke: 'pages', marker: 'circle' }),
    ],
  };
}

/** Powers of 10 within the values: the marks of a logarithmic axis. */
function powersOfTen(values: readonly number[]): number[] {
  const first = Math.ceil(Math.log10(Math.min(...values)));
  const last = Math.floor(Math.log10(Math.max(...values)));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

function forkPlot(points: readonly ForkGrowth[], title: string, y: (point: ForkGrowth) => number): Plot.PlotOptions {
  const ticks = powersOfTen(points.map(y));
  return {
    ...FRAME,
    x: sizeAxis('resident size of the process that forks', [2 ** 24, 2 ** 27, 2 ** 30, 2 ** 33]),
    y: { type: 'log', label: title, grid: true, ticks, tickFormat: formatShort },
    marks: [Plot.lineY(points, { x: 'resident', y, z: 'pages', stroke: 'pages', marker: 'circle' })],
  };
}

/** A legend, three plots of translations and two of forks, one below the other. */
export function growthPlot({ translations, forks }: GrowthResult): string {
  const modelledTime = 'host time, modelled path: nanoseconds of a translation';
  const softTime = 'host time, soft path: nanoseconds of a translation';
  return svgDocument(
    legend(translations),
    translationPlot(translations, 'modelled: model cycles of a translation', ({ cycles }) => cycles),
    translationPlot(translations, modelledTime, ({ modelledNanoseconds }) => modelledNanoseconds),
    translationPlot(translations, softTime, ({ softNanoseconds }) => softNanoseconds),
    forkPlot(forks, 'modelled: entries that a fork copies', ({ entriesCopied }) => entriesCopied),
    forkPlot(forks, 'host time: milliseconds of a fork', ({ nanoseconds }) => nanoseconds / 1e6),
  );
}
