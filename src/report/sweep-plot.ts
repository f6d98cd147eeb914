/** A sweep as a heat map. Slow to load, as plot.ts is: import it only when a chart is asked for. */

import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import type { SweepResult } from '../compare/sweep.js';
import { formatShort } from './units.js';

const CELL_WIDTH = 90;
const CELL_HEIGHT = 28;

/** Model cycles per access as colours: first levels across, second levels down, a field for each trace and page size. */
export function sweepPlot({ rows }: SweepResult): string {
  const { document } = new JSDOM('').window;
  const count = (key: 'l1' | 'l2' | 'pages' | 'trace'): number => new Set(rows.map((row) => row[key])).size;
  const order = (key: 'l1' | 'l2'): string[] => [...new Set(rows.map((row) => row[key]))];
  const svg = Plot.plot({
    document,
    width: 200 + count('pages') * (count('l1') * CELL_WIDTH + 20),
    height: 110 + count('trace') * (count('l2') * CELL_HEIGHT + 20),
    marginLeft: 90,
    marginRight: 110,
    marginTop: 50,
    marginBottom: 50,
    x: { label: 'first level', domain: order('l1') },
    y: { label: 'second level', domain: order('l2') },
    color: { scheme: 'YlOrRd', legend: false, label: 'model cycles per access' },
    marks: [
      Plot.cell(rows, { x: 'l1', y: 'l2', fx: 'pages', fy: 'trace', fill: 'cyclesPerAccess', inset: 0.5 }),
      Plot.text(rows, {
        x: 'l1',
        y: 'l2',
        fx: 'pages',
        fy: 'trace',
        text: ({ cyclesPerAccess }: { cyclesPerAccess: number }) => formatShort(cyclesPerAccess),
      }),
    ],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.outerHTML}\n`;
}
