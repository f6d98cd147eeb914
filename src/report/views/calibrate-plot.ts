/** Loads by the size of their array, as lines. Slow to load, as svg.ts is: import it only when a chart is asked for. */

import * as Plot from '@observablehq/plot';
import type { CalibrateResult } from '../results/calibrate-result.js';
import { PAGE_COLORS, svgDocument } from '../output/svg.js';
import { formatBytes } from '../output/units.js';

/** Nanoseconds a load by size of the array: a line for each page size and kind of load. A standalone SVG document. */
export function calibratePlot({ prices: { loads = [] } }: CalibrateResult): string {
  const points = loads.flatMap(({ bytes, pages, dependentNs, independentNs }) => [
    { bytes, pages, ns: dependentNs, kind: 'one after another' },
    { bytes, pages, ns: independentNs, kind: 'all at once' },
  ]);
  const options: Plot.PlotOptions = {
    width: 720,
    height: 420,
    marginLeft: 50,
    marginRight: 130,
    x: { type: 'log', base: 2, label: 'array', tickFormat: (bytes: number) => formatBytes(bytes), ticks: 8 },
    y: { type: 'log', label: 'nanoseconds a load', grid: true, tickFormat: (ns: number) => String(ns) },
    color: { ...PAGE_COLORS, legend: false },
    marks: [
      Plot.line(points, {
        x: 'bytes',
        y: 'ns',
        stroke: 'pages',
        z: ({ pages, kind }: (typeof points)[number]) => pages + kind,
      }),
      Plot.dot(points, { x: 'bytes', y: 'ns', fill: 'pages', r: 2 }),
      Plot.text(
        points,
        Plot.selectLast({
          x: 'bytes',
          y: 'ns',
          z: ({ pages, kind }: (typeof points)[number]) => pages + kind,
          text: ({ pages, kind }: (typeof points)[number]) => `${pages}, ${kind}`,
          textAnchor: 'start',
          dx: 6,
        }),
      ),
    ],
  };
  return svgDocument(options);
}
