/** A sweep as a heat map. Slow to load, as svg.ts is: import it only when a chart is asked for. */

import * as Plot from '@observablehq/plot';
import type { SweepResult, SweepRow } from '../results/sweep-result.js';
import { svgDocument } from '../output/svg.js';
import { formatShort } from '../output/units.js';

const CELL_WIDTH = 90;
const CELL_HEIGHT = 28;
/** Above this share of the most, a cell is so dark that its number is white. */
const DARK = 0.6;
const LEGEND_STEPS = 60;

/**
 * Model cycles per access as colours: first levels across, second levels down, a field for each trace and page size.
 * Everything comes in the order of the rows.
 */
export function sweepPlot({ rows }: SweepResult): string {
  const values = (key: 'l1' | 'l2' | 'pages' | 'trace'): string[] => [...new Set(rows.map((row) => row[key]))];
  // If nothing costs anything, the colours still need a range.
  const most = Math.max(...rows.map(({ cyclesPerAccess }) => cyclesPerAccess)) || 1;
  const color: Plot.ScaleOptions = { type: 'linear', scheme: 'YlOrRd', domain: [0, most] };
  const [pages, traces] = [values('pages'), values('trace')];
  const place = { x: 'l1', y: 'l2', fx: 'pages', fy: 'trace' };
  const map: Plot.PlotOptions = {
    width: 130 + pages.length * (values('l1').length * CELL_WIDTH + 20),
    height: 100 + traces.length * (values('l2').length * CELL_HEIGHT + 40),
    marginLeft: 90,
    marginRight: 40,
    marginTop: 50,
    marginBottom: 50,
    x: { label: 'first-level TLB, entries x ways', labelAnchor: 'center', domain: values('l1') },
    y: { label: 'second-level TLB', labelAnchor: 'center', domain: values('l2') },
    fx: { axis: null, domain: pages },
    fy: { axis: null, domain: traces, padding: 0.2 },
    color,
    marks: [
      Plot.cell(rows, { ...place, fill: 'cyclesPerAccess', inset: 0.5 }),
      Plot.text(rows, {
        ...place,
        text: ({ cyclesPerAccess }: SweepRow) => formatShort(cyclesPerAccess),
        fill: ({ cyclesPerAccess }: SweepRow) => (cyclesPerAccess > DARK * most ? 'white' : 'black'),
      }),
      Plot.text(
        traces.flatMap((trace) => pages.map((size) => ({ trace, pages: size }))),
        {
          fx: 'pages',
          fy: 'trace',
          text: ({ trace, pages: size }: Pick<SweepRow, 'trace' | 'pages'>) => `${trace}, ${size} pages`,
          frameAnchor: 'top-left',
          dy: -14,
          fontWeight: 'bold',
        },
      ),
    ],
  };
  return svgDocument(legend(color, most), map);
}

/** The colours and their meaning, in bars: a smooth ramp would need a canvas. */
function legend(color: Plot.ScaleOptions, most: number): Plot.PlotOptions {
  const step = most / LEGEND_STEPS;
  return {
    width: 130 + 4 * CELL_WIDTH,
    height: 56,
    marginLeft: 90,
    marginRight: 40,
    marginTop: 4,
    marginBottom: 36,
    x: { label: 'model cycles of translation per access', labelAnchor: 'center', labelArrow: 'none', ticks: 5 },
    y: { axis: null },
    color,
    marks: [
      Plot.rect(
        Array.from({ length: LEGEND_STEPS }, (_, i) => i * step),
        { x1: (from: number) => from, x2: (from: number) => from + step, y1: 0, y2: 1, fill: (from: number) => from },
      ),
    ],
  };
}
