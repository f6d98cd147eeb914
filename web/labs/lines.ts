/** How a lab's counts grow: a line for each series, with its name at its end. */

import { html, svg, type TemplateResult } from 'lit';
import type { LabLines } from '../../src/report/results/lab-result.js';

/** Places in the drawing, in its own units. */
const SIZE = { width: 480, height: 220 };
const PLOT = { left: 86, right: 350, top: 26, bottom: 180 };
/** The marks of the series, in turn: no two differ in colour alone. */
const DASHES = ['', '7 4', '2 3'];
/** Words of lines that end near each other keep this distance. */
const WORDS = 18;

export function linePlot({ x: xName, y: yName, series }: LabLines): TemplateResult {
  const points = series.flatMap((one) => one.points);
  const [most, highest] = [0, 1].map((part) => Math.max(...points.map((point) => point[part])));
  const x = (value: number): number => PLOT.left + (value / most) * (PLOT.right - PLOT.left);
  const y = (value: number): number => PLOT.bottom - (value / highest) * (PLOT.bottom - PLOT.top);
  const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });
  const ends = series.map(({ points: line }) => y(line.at(-1)?.[1] ?? 0));
  const words = `${yName} over ${xName}: ${series.map(({ name, points: line }) => `${name} up to ${number(line.at(-1)?.[1] ?? 0)}`).join(', ')}`;
  return html`<figure class="lines">
    <svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label=${words}>
      ${[0, highest / 2, highest].map(
        (value) =>
          svg`<line class="rule" x1=${PLOT.left} x2=${PLOT.right} y1=${y(value)} y2=${y(value)} /><text class="end" x=${PLOT.left - 6} y=${y(value) + 4}>${number(value)}</text>`,
      )}
      ${[0, most / 2, most].map((value) => svg`<text class="middle" x=${x(value)} y=${PLOT.bottom + 17}>${number(value)}</text>`)}
      ${series.map(
        ({ name, points: line }, i) =>
          svg`<polyline class="line-${i + 1}" stroke-dasharray=${DASHES[i % DASHES.length]} points=${line.map((point) => `${x(point[0])},${y(point[1])}`).join(' ')} /><text x=${PLOT.right + 6} y=${Math.min(ends[i] + 4, PLOT.bottom - WORDS * (series.length - 1 - i) + 4)}>${name}</text>`,
      )}
      <text x="0" y="13">${yName}</text>
      <text class="end" x=${PLOT.right} y=${SIZE.height - 4}>${xName}</text>
    </svg>
  </figure>`;
}
