/** Charts of comparisons. Slow to load, as svg.ts is: import it only when a chart is asked for. */

import * as Plot from '@observablehq/plot';
import type { CompareResult } from '../results/compare-result.js';
import { PAGE_COLORS, svgDocument } from '../output/svg.js';
import { formatShares } from '../output/units.js';

const ROW_HEIGHT = 24;
const TITLE_HEIGHT = 28;
const AXIS_HEIGHT = 50;

/** Translation's share of user time by its bounds, one bar a page size, a group of bars a trace: a standalone SVG document. */
export function comparePlot(result: CompareResult): string {
  const bars = result.runs.map(({ trace, pages, time: { translationShare } }) => {
    const { low, high } = translationShare;
    return { trace, pages, low: 100 * low, high: 100 * high, label: formatShares(translationShare) };
  });
  const sizes = [...new Set(bars.map((bar) => bar.pages))];
  const groups = result.traces.map(({ trace }) => ({ trace }));
  const options: Plot.PlotOptions = {
    width: 720,
    height: groups.length * (sizes.length * ROW_HEIGHT + TITLE_HEIGHT) + AXIS_HEIGHT,
    marginLeft: 40,
    marginRight: 60,
    marginTop: TITLE_HEIGHT,
    marginBottom: AXIS_HEIGHT - 10,
    x: { label: `translation, percent of user time, TLB ${result.tlb.name}`, grid: true, zero: true },
    y: { label: null, domain: sizes },
    fy: { axis: null, domain: groups.map(({ trace }) => trace), padding: 0.25 },
    color: PAGE_COLORS,
    marks: [
      Plot.barX(bars, { x1: 'low', x2: 'high', y: 'pages', fy: 'trace', fill: 'pages' }),
      Plot.text(bars, { x: 'high', y: 'pages', fy: 'trace', text: 'label', textAnchor: 'start', dx: 4 }),
      Plot.text(groups, {
        fy: 'trace',
        text: 'trace',
        frameAnchor: 'top-left',
        dy: -16,
        fontWeight: 'bold',
        fontSize: 12,
      }),
      Plot.ruleX([0]),
    ],
  };
  return svgDocument(options);
}
