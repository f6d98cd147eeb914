/** The memory of each process after a step of a lab: names on the left, memory on the right, and a line for each right. */

import { html, svg, type TemplateResult } from 'lit';
import type { LabMapping } from '../../src/report/results/lab-result.js';

/** Places in the drawing, in its own units. */
const WIDTH = 480;
const ROW = 52;
const BOX = { height: 44, left: 165, right: 145 };
/** The memory begins here. */
const RIGHT = WIDTH - BOX.right;

/** Lines of one look say the same: dashed where nothing may be written. */
function isWritable(rights: string): boolean {
  return /\bwritable\b/.test(rights);
}

export function mappingsDrawing(mappings: readonly LabMapping[]): TemplateResult {
  const places = [...new Set(mappings.map(({ to }) => to))].filter((to) => /\d/.test(to));
  const height = ROW * mappings.length;
  const middleOf = (to: string): number => {
    const rows = mappings.flatMap((mapping, i) => (mapping.to === to ? [i] : []));
    // Beside the middle of its owners; places of the same middle follow each other.
    const own = rows.reduce((sum, row) => sum + row + 0.5, 0) / rows.length;
    const order = places.indexOf(to);
    const spread = (order + 0.5) * (mappings.length / places.length);
    return ROW * (places.length === 1 ? own : spread);
  };
  return html`<figure class="mappings">
    <svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label=${inWords(mappings)}>
      ${mappings.map(({ to, rights }, i) => (places.includes(to) ? line((i + 0.5) * ROW, middleOf(to), rights) : ''))}
      ${mappings.map(({ who, at, to }, i) => box(0, (i + 0.5) * ROW, BOX.left, who, places.includes(to) ? at : `${at}: ${to}`, 'owner'))}
      ${places.map((to) => {
        const users = mappings.filter((mapping) => mapping.to === to).length;
        return box(RIGHT, middleOf(to), BOX.right, to, users === 1 ? '1 leads here' : `${users} lead here`, 'place');
      })}
    </svg>
  </figure>`;
}

function inWords(mappings: readonly LabMapping[]): string {
  return mappings.map(({ who, at, to, rights }) => `${who}, ${at}: ${to} ${rights}`.trim()).join('; ');
}

function box(x: number, middle: number, width: number, title: string, about: string, kind: string): unknown {
  const top = middle - BOX.height / 2;
  return svg`<g class=${kind}>
    <rect x=${x + 1} y=${top} width=${width - 2} height=${BOX.height} rx="4"></rect>
    <text class="title" x=${x + 10} y=${middle - 4}>${title}</text>
    <text x=${x + 10} y=${middle + 15}>${about}</text>
  </g>`;
}

function line(from: number, to: number, rights: string): unknown {
  const [x1, x2] = [BOX.left, RIGHT];
  const bend = (x1 + x2) / 2;
  const words = rights.replace('32-bit ', '').replace(/^data \((.*)\)$/, '$1');
  return svg`<path class=${isWritable(rights) ? 'writable' : 'read-only'} d="M${x1} ${from} C${bend} ${from} ${bend} ${to} ${x2} ${to}" />
    <text class="rights" x=${x1 + 12} y=${from - 5}>${words}</text>`;
}
