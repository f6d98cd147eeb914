/** Charts as SVG text. Slow to load (a DOM and a plotting library): import it only when a chart is asked for. */

import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import type { CompareResult } from './compare-result.js';

const XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Model cycles of translation per access, one bar a page size, one row of bars a trace: a standalone SVG document. */
export function comparePlot(result: CompareResult): string {
  const { document } = new JSDOM('').window;
  const bars = result.runs.map((run) => ({
    trace: run.trace,
    pages: run.pages,
    cycles: run.perAccess.cycles,
    label: run.perAccess.cycles.toPrecision(3),
  }));
  const svg = Plot.plot({
    document,
    width: 720,
    marginLeft: 60,
    marginRight: 160,
    x: { label: 'model cycles of translation per access', grid: true },
    y: { label: null, domain: [...new Set(bars.map((bar) => bar.pages))] },
    fy: { label: null, domain: [...new Set(bars.map((bar) => bar.trace))] },
    color: { domain: ['4K', '2M', '1G'], scheme: 'Tableau10' },
    marks: [
      Plot.barX(bars, { x: 'cycles', y: 'pages', fy: 'trace', fill: 'pages' }),
      Plot.text(bars, { x: 'cycles', y: 'pages', fy: 'trace', text: 'label', textAnchor: 'start', dx: 4 }),
      Plot.ruleX([0]),
    ],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${XML_HEADER}${svg.outerHTML}\n`;
}
