/** Charts of comparisons. Slow to load, as svg.ts is: import it only when a chart is asked for. */

import * as Plot from '@observablehq/plot';
import type { CompareResult } from './compare-result.js';
import { PAGE_COLORS, svgDocument } from './svg.js';
import { formatShort } from './units.js';

const ROW_HEIGHT = 24;
const TITLE_HEIGHT = 28;
const AXIS_HEIGHT = 50;

/** Model cycles of translation per access, one bar a page size, a group of bars a trace: a standalone SVG document. */
export function comparePlot(result: CompareResult): string {
  const bars = result.runs.map(({ trace, pages, perAccess: { cycles } }) => {
    return { trace, pages, cycles, label: formatShort(cycles) };
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
    x: { label: `model cycles of translation per access, TLB ${result.tlb.name}`, grid: true, zero: true },
    y: { label: null, domain: sizes },
    fy: { axis: null, domain: groups.map(({ trace }) => trace), padding: 0.25 },
    color: PAGE_COLORS,
    marks: [
      Plot.barX(bars, { x: 'cycles', y: 'pages', fy: 'trace', fill: 'pages' }),
      Plot.text(bars, { x: 'cycles', y: 'pages', fy: 'trace', text: 'label', textAnchor: 'start', dx: 4 }),
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
