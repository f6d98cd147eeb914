/** The memory of each process, drawn for narrow pages: a column each, and a bar between those with the same memory. */

import { html, svg, type TemplateResult } from 'lit';
import type { Piece, ProcessDrawing, Row } from './machine.js';

/** Places in the drawing, in its own units. */
const LABEL = 72;
const COLUMN = 74;
const LINE = 26;
const CHIP = { width: 62, height: 20 };

function x(column: number): number {
  return LABEL + column * COLUMN;
}

function y(line: number): number {
  return (line + 1) * LINE;
}

/** The first and last column with the memory `to`, for each memory in several. */
function bars(cells: readonly (Row | undefined)[]): readonly (readonly [from: number, to: number])[] {
  const ids = [...new Set(cells.flatMap((row) => row?.to ?? []))];
  return ids
    .map((id) => [cells.findIndex((row) => row?.to === id), cells.findLastIndex((row) => row?.to === id)] as const)
    .filter(([from, to]) => from < to);
}

export function sharingMap(processes: readonly ProcessDrawing[], memory: readonly Piece[]): TemplateResult {
  const titles = new Map(memory.map(({ id, title }) => [id, title.replace('frame ', '')]));
  const rows = processes.flatMap((process) => process.rows);
  const names = [...new Set(rows.map(nameOf))];
  const lines = names.map((name) => processes.map((process) => process.rows.find((row) => nameOf(row) === name)));
  const [width, height] = [x(Math.max(processes.length, 3)), y(names.length)];
  return html`<figure class="map">
    <svg width=${width} viewBox="0 0 ${width} ${height}" role="img" aria-label="Who has which memory">
      ${processes.map(
        ({ pid }, column) =>
          svg`<text class="head process-${(pid - 1) % 4}" x=${x(column) + CHIP.width / 2} y="17">process ${pid}</text>`,
      )}
      ${names.map((name, line) => svg`<text x="0" y=${y(line) + 15}>${name}</text>`)}
      ${lines.map((cells, line) =>
        bars(cells).map(
          ([from, to]) =>
            svg`<line x1=${x(from) + CHIP.width / 2} x2=${x(to) + CHIP.width / 2} y1=${y(line) + 10} y2=${y(line) + 10} />`,
        ),
      )}
      ${lines.map((cells, line) => cells.map((row, column) => chip(row, titles, x(column), y(line))))}
    </svg>
    <figcaption class="quiet">A bar joins processes with the same memory; a chip shows its address.</figcaption>
  </figure>`;
}

function nameOf({ region, page }: Row): string {
  return region.pages > 1 ? `${region.name}[${page}]` : region.name;
}

function chip(row: Row | undefined, titles: ReadonlyMap<string, string>, left: number, top: number): unknown {
  if (row?.to === undefined || row.to === null) return '';
  return svg`<g class="state-${row.state.replaceAll(' ', '-')}">
    <rect x=${left} y=${top} width=${CHIP.width} height=${CHIP.height} rx="4"><title>${row.state}</title></rect>
    <text x=${left + CHIP.width / 2} y=${top + 15}>${titles.get(row.to) ?? ''}</text>
  </g>`;
}
