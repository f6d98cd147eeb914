/** The TLB view's drawings: the page number in fields, the array, the program over time, and other sizes. */

import { html, nothing, svg, type TemplateResult } from 'lit';
import { addressField } from '../../src/explain/address-field.js';
import { addressFields } from '../translate/drawing/address-fields.js';
import type { TlbDrawing } from '../translate/machines/tlb-drawing.js';
import type { TlbMachine } from './machine.js';
import { PAGE_BITS } from './programs.js';

/** The page number, cut into the tag and the number of the set. */
export function pageFields(page: number, { sets }: TlbDrawing): TemplateResult {
  const low = Math.log2(sets);
  const value = BigInt(page);
  const tag = addressField('tag', value, low, PAGE_BITS - low);
  return addressFields(low === 0 ? [tag] : [tag, addressField('set', value, 0, low)], 0);
}

/** All sets and ways, each entry by its page. */
export function arrayTable(array: TlbDrawing, last: TlbMachine['last']): TemplateResult {
  const gone = last === null ? [] : pagesIn(last.before).filter((page) => !pagesIn(array).includes(page));
  return html`<figure class="tlb ${last?.hit === true ? 'hit' : 'miss'}">
    <figcaption>
      <b>${array.sets === 1 ? '1 set' : `${array.sets} sets`} of ${array.ways}</b>
      <span class="quiet">${array.sets === 1 ? 'a page may be in any way' : `set = page mod ${array.sets}`}</span>
    </figcaption>
    <table class="whole">
      ${array.rows.map(
        ({ set, ways }) =>
          html`<tr class=${last !== null && array.rows[set].lookedUp ? 'looked' : ''}>
            <th scope="row">${last !== null && array.rows[set].lookedUp ? '▸ ' : ''}set ${set}</th>
            ${ways.map((entry) =>
              entry === null
                ? html`<td class="empty">empty</td>`
                : html`<td class=${last?.page === entry.page ? 'match' : ''}>
                    <b>${last?.page === entry.page ? (last.hit ? '✓ ' : '+ ') : ''}page ${entry.page}</b>
                    <small>frame 0x${entry.frame.toString(16)}</small>
                  </td>`,
            )}
          </tr>`,
      )}
    </table>
    <p class="quiet legend">▸ the set looked at; ✓ found there; + put there after the walk.</p>
    ${gone.map((page) => html`<p data-gone=${page}>Page ${page} had to give way.</p>`)}
  </figure>`;
}

function pagesIn({ rows }: TlbDrawing): number[] {
  return rows.flatMap(({ ways }) => ways.flatMap((entry) => (entry === null ? [] : [entry.page])));
}

const CHART = { width: 600, left: 34, right: 8, top: 10, row: 18, bottom: 34 };
/** Pages further apart than this have lines of their own, with none between. */
const MARK = 5;

/** A mark for each touch, at its time and page: a ring for a hit, a cross for a miss; those to come are dots. */
export function timeChart(pages: readonly number[], touches: TlbMachine['touches']): TemplateResult {
  const lines = [...new Set([...pages, ...touches.map(({ page }) => page)])].sort((a, b) => b - a);
  const { width, left, right, top, row, bottom } = CHART;
  const count = Math.max(pages.length, touches.length, 1);
  const height = top + row * Math.max(1, lines.length) + bottom;
  const x = (i: number): number => left + ((i + 0.5) * (width - left - right)) / count;
  const y = (page: number): number => top + row * (lines.indexOf(page) + 0.5);
  const marks = Array.from({ length: count }, (_, i) => {
    const touch = touches.at(i);
    const page = touch?.page ?? pages.at(i);
    return page === undefined
      ? nothing
      : mark(x(i), y(page), i >= touches.length ? 'later' : touch?.hit ? 'hit' : 'miss');
  });
  return html`<figure class="time">
    <figcaption>
      Pages over time
      <span class="legend"
        ><svg width="12" height="12" aria-hidden="true">${mark(6, 6, 'hit')}</svg> hit
        <svg width="12" height="12" aria-hidden="true">${mark(6, 6, 'miss')}</svg> miss
        <svg width="12" height="12" aria-hidden="true">${mark(6, 6, 'later')}</svg> to come</span
      >
    </figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="The page of each touch, and whether it hit">
      ${lines.map(
        (page) =>
          svg`<line class="rule" x1=${left} x2=${width - right} y1=${y(page)} y2=${y(page)} /><text x=${left - 6} y=${y(page) + 4} class="end">${page}</text>`,
      )}
      ${touches.length === 0 ? nothing : svg`<rect class="now-at" x=${x(touches.length - 1) - 9} y=${top - 4} width="18" height=${row * lines.length + 8} rx="4" />`}
      ${marks}
      <text x=${left} y=${height - 6}>page number, upwards; a column is a touch</text>
    </svg>
  </figure>`;
}

function mark(x: number, y: number, kind: 'hit' | 'miss' | 'later'): unknown {
  if (kind === 'miss') {
    return svg`<path class="miss" d="M${x - MARK} ${y - MARK} l${2 * MARK} ${2 * MARK} m0 ${-2 * MARK} l${-2 * MARK} ${2 * MARK}" />`;
  }
  return svg`<circle class=${kind} cx=${x} cy=${y} r=${kind === 'hit' ? MARK : 2} />`;
}

/** @param misses of the whole program by the TLB's shape, the shape in words @param shown the shape of the drawing */
export function sizeBars(
  misses: readonly { readonly words: string; readonly misses: number; readonly own: boolean }[],
  touches: number,
): TemplateResult {
  return html`<figure class="time">
    <figcaption>Misses of the whole program, by TLB</figcaption>
    <table class="figures bars">
      <tr>
        <th scope="col">TLB</th>
        <th scope="col">misses</th>
        <td class="unseen">drawn</td>
      </tr>
      ${misses.map(
        ({ words, misses: count, own }) =>
          html`<tr class=${own ? 'own' : ''}>
            <th scope="row">${own ? '▸ ' : ''}${words}</th>
            <td>${count} of ${touches}</td>
            <td class="bar" aria-hidden="true">
              <svg viewBox="0 0 100 10" preserveAspectRatio="none">
                ${svg`<rect width=${(100 * count) / touches} height="10"></rect>`}
              </svg>
            </td>
          </tr>`,
      )}
    </table>
  </figure>`;
}
