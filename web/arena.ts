/** Memory with its segments and holes, as a bar. */

import { html, nothing, svg, type TemplateResult } from 'lit';
import type { ArenaDrawing } from '../src/report/results/lab-result.js';

const WIDTH = 600;

/**
 * Segments and holes as they lie; names stand in the list below, for pieces are often narrow.
 * @param what the memory, in words
 * @param at an address to be marked
 */
export function arenaBar({ base, bytes, pieces }: ArenaDrawing, what = 'The arena', at?: number): TemplateResult {
  const x = (address: number): number => ((address - base) / bytes) * WIDTH;
  return html`<figure class="arena">
    <figcaption>
      ${what}, ${bytes.toLocaleString('en-US')} bytes from 0x${base.toString(16)}
      <span class="legend"><i class="segment"></i> segment <i class="hole"></i> hole</span>
    </figcaption>
    <svg viewBox="0 0 ${WIDTH} 44" role="img" aria-label="Segments and holes in the order of their addresses">
      ${pieces.map(
        (
          piece,
        ) => svg`<rect class=${piece.name === undefined ? 'hole' : 'segment'} x=${x(piece.base)} y="1" width=${(piece.bytes / bytes) * WIDTH} height="42">
          <title>${piece.name ?? 'hole'}, ${piece.bytes} bytes at 0x${piece.base.toString(16)}</title></rect>`,
      )}
      ${pieces
        .filter((piece) => piece.name !== undefined && (piece.bytes / bytes) * WIDTH > piece.name.length * 8)
        .map(
          (piece) => svg`<text x=${x(piece.base) + ((piece.bytes / bytes) * WIDTH) / 2} y="27">${piece.name}</text>`,
        )}
      ${at === undefined ? nothing : svg`<path class="mark" d="M${x(at)} 1 v42 m-5 0 l5 -7 5 7 z"><title>0x${at.toString(16)}</title></path>`}
    </svg>
    <p class="quiet">
      ${pieces.map(({ name, bytes: size }) => `${name ?? 'hole'} ${size.toLocaleString('en-US')}`).join(' · ')}
    </p>
  </figure>`;
}
