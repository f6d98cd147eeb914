/** The plots of a comparison. Loaded only when there is something to plot. */

import * as Plot from '@observablehq/plot';
import { formatBytes } from '../../src/report/output/units.js';
import type { Comparison, ForkPoint, Reach } from './messages.js';

/** Colours of the page's own style; every plot also names the sizes in words. */
const RANGE = ['var(--series-1)', 'var(--series-2)', 'var(--series-3)'];
const COLORS = { domain: ['4K', '2M', '1G'], range: RANGE };
const WIDTH = 430;

/**
 * Plots are made in a document of their own: the page's content security policy would refuse their style element, and
 * the page has these rules in its own style sheet.
 */
function draw(label: string, options: Plot.PlotOptions): SVGElement | HTMLElement {
  const plot = Plot.plot({
    document: document.implementation.createHTMLDocument(),
    className: 'plot',
    width: WIDTH,
    marginLeft: 60,
    ...options,
  });
  for (const style of plot.querySelectorAll('style')) style.remove();
  // The plot has a label as a whole; names of its marks say nothing more.
  for (const mark of plot.querySelectorAll('g[aria-label]')) mark.removeAttribute('aria-label');
  plot.setAttribute('role', 'img');
  plot.setAttribute('aria-label', label);
  return document.importNode(plot, true);
}

/** The name of each TLB above its part of a plot. */
function tlbNames(points: readonly { readonly tlb: string }[]): Plot.Markish {
  const names = [...new Set(points.map(({ tlb }) => tlb))].map((tlb) => ({ tlb }));
  return Plot.text(names, {
    fy: 'tlb',
    text: 'tlb',
    frameAnchor: 'top-left',
    dy: -17,
    fontWeight: 'bold',
    fill: 'currentColor',
  });
}

/** Decimals enough to tell a third of `most` from two thirds of it, in per cent. */
function percentDigits(most: number): number {
  return Math.max(0, Math.ceil(-Math.log10((100 * most) / 3)));
}

/** One part of a miss-rate plot for each TLB; the axes, the reaches, and the additions of `marks`. */
function rateOptions(tlbs: readonly string[], x: Plot.ScaleOptions, most: number): Plot.PlotOptions {
  return {
    height: 70 + 150 * tlbs.length,
    marginTop: 44,
    marginRight: 34,
    marginBottom: 40,
    x: { type: 'log', base: 2, tickFormat: (bytes: number) => formatBytes(bytes), ticks: 4, ...x },
    y: { label: null, domain: [0, most], tickFormat: `.${percentDigits(most)}%`, ticks: 3, grid: true },
    fy: { axis: null, padding: 0.35, domain: tlbs },
    color: COLORS,
  };
}

function reachMarks(reaches: readonly Reach[], from: number, to: number): Plot.Markish[] {
  const within = reaches.filter(({ bytes }) => bytes >= from && bytes <= to);
  return [
    Plot.ruleX(within, { x: 'bytes', fy: 'tlb', stroke: 'pages', strokeWidth: 2, strokeDasharray: '4 3' }),
    Plot.text(within, {
      x: 'bytes',
      fy: 'tlb',
      text: ({ pages, bytes }: Reach) => `reach of ${pages}: ${formatBytes(bytes)}`,
      frameAnchor: 'top',
      lineAnchor: 'bottom',
      dy: -5,
      fill: 'currentColor',
    }),
  ];
}

/** Undefined when there is nothing to plot, as with pages of 1 GiB alone. */
export function missPlot({ misses, reaches }: Comparison): Element | undefined {
  if (misses.length === 0) return undefined;
  const footprints = misses.map(({ footprint }) => footprint);
  const [least, most] = [Math.min(...footprints), Math.max(...footprints)];
  const ends = misses.filter(({ footprint }) => footprint === most);
  const tlbs = [...new Set(misses.map(({ tlb }) => tlb))];
  return draw('Share of lookups that walk, against the footprint, for each page size; the reach of each is marked', {
    ...rateOptions(tlbs, { label: 'footprint' }, 1),
    marks: [
      ...reachMarks(reaches, least, most),
      Plot.lineY(misses, { x: 'footprint', y: 'missRate', fy: 'tlb', z: 'pages', stroke: 'pages', marker: 'circle' }),
      Plot.text(ends, { x: 'footprint', y: 'missRate', fy: 'tlb', text: 'pages', dx: 18, fill: 'currentColor' }),
      tlbNames(misses),
    ],
  });
}

/** Undefined for a workload without windows. */
export function windowPlot({ windows, reaches }: Comparison): Element | undefined {
  if (windows.length === 0) return undefined;
  const sets = windows.map(({ workingSet }) => workingSet);
  const tlbs = [...new Set(windows.map(({ tlb }) => tlb))];
  const reached = reaches.filter(({ pages }) => pages === '4K').map(({ bytes }) => bytes);
  // The reach of the small pages is always to be seen; the reach of large ones mostly lies far beyond the program.
  const [least, most] = [Math.min(...sets, ...reached) / 1.5, Math.max(...sets, ...reached) * 2.5];
  const highest = Math.max(...windows.map(({ missRate }) => missRate), 0.001);
  return draw('Share of lookups that walk in each window of the recording, against what the window touches', {
    ...rateOptions(tlbs, { label: 'touched in the window', domain: [least, most] }, Math.min(1, highest * 1.1)),
    marks: [
      ...reachMarks(reaches, least, most),
      Plot.dot(windows, {
        x: 'workingSet',
        y: 'missRate',
        fy: 'tlb',
        stroke: 'pages',
        symbol: 'pages',
        r: 3.5,
        strokeWidth: 1.6,
        className: 'windows',
      }),
      tlbNames(windows),
    ],
    symbol: { domain: COLORS.domain, range: ['circle', 'times', 'square'] },
  });
}

export function sharePlot({ shares }: Comparison): Element {
  const percent = shares.map((one) => ({ ...one, low: 100 * one.low, high: 100 * one.high }));
  const tlbs = new Set(shares.map(({ tlb }) => tlb)).size;
  return draw('Share of user time that translation takes, from its least to its most, by page size', {
    height: 40 + 110 * tlbs,
    marginTop: 28,
    marginLeft: 40,
    marginBottom: 40,
    x: { label: 'translation, percent of user time', grid: true, ticks: 5, zero: true },
    y: { label: null, domain: COLORS.domain.filter((name) => shares.some(({ pages }) => pages === name)) },
    fy: { axis: null, padding: 0.3 },
    color: COLORS,
    marks: [
      Plot.barX(percent, { x1: 'low', x2: 'high', y: 'pages', fy: 'tlb', fill: 'pages' }),
      Plot.ruleX([0], { stroke: 'currentColor' }),
      tlbNames(shares),
    ],
  });
}

export function forkPlot({ forks }: Comparison): Element {
  const points = forks.map(({ share, scheme, copied }) => ({ share, scheme, copied: copied / 2 ** 20 }));
  const paged = { domain: ['4K pages', '2M pages', 'one segment'], range: RANGE };
  // If lines lie on each other, the one below shows through the dashes of the one above.
  const above = points.filter(({ scheme }) => scheme === '2M pages');
  return draw('MiB copied after a fork, against the share of the memory that the child writes', {
    height: 230,
    marginTop: 28,
    marginBottom: 40,
    x: { label: 'share of the memory that the child writes', domain: [0, 1], tickFormat: '%', ticks: 5, grid: true },
    y: { label: 'MiB copied', grid: true, ticks: 4 },
    color: paged,
    marks: [
      Plot.lineY(points, {
        x: 'share',
        y: 'copied',
        z: 'scheme',
        stroke: 'scheme',
        marker: 'circle',
        filter: ({ scheme }: ForkPoint) => scheme !== '2M pages',
      }),
      Plot.lineY(above, {
        x: 'share',
        y: 'copied',
        z: 'scheme',
        stroke: 'scheme',
        strokeDasharray: '6 6',
        strokeWidth: 3,
      }),
      Plot.text(
        points.filter(({ share, scheme }) => share === 0.5 && scheme === 'one segment'),
        { x: 'share', y: 'copied', text: 'scheme', dy: 14, fill: 'currentColor' },
      ),
      Plot.text(
        points.filter(({ share, scheme }) => share === 0.5 && scheme === '4K pages'),
        {
          x: 'share',
          y: 'copied',
          text: () => '4K and 2M pages',
          textAnchor: 'start',
          dx: 8,
          dy: 12,
          fill: 'currentColor',
        },
      ),
    ],
  });
}
