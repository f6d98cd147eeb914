/** The drawing of an access on any machine: the address, the TLBs, the walk, the end. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Page } from '../../story/view.js';
import type { RightsWords, TlbDrawing } from '../machines/tlb-drawing.js';
import { tlbTable } from './tlb-table.js';

/** How far the access is shown. */
export interface StagesShown {
  /** The stage shown last: 1 is the TLB's answer, then an entry each, then the end. */
  readonly stage: number;
  readonly stages: number;
}

/** Whether a stage is to be seen. */
export function shows({ stage, stages }: StagesShown, number: number): boolean {
  return stage === stages || number <= stage;
}

/** The parts of the drawing. */
export interface WalkParts {
  readonly fields: TemplateResult | typeof nothing;
  readonly tlb: {
    readonly verdict: string;
    readonly drawings: readonly TlbDrawing[];
    /** Names of the arrays that the access filled, by now. */
    readonly filled: readonly (string | undefined)[];
    readonly rights: RightsWords;
    /** Instructions that drop the page, and everything; null where there is none. */
    readonly fences: readonly [page: string, everything: string] | null;
    /** Beside their buttons. */
    readonly aside: TemplateResult | typeof nothing;
  };
  readonly walk: {
    readonly verdict: string;
    readonly entries: TemplateResult | typeof nothing;
  };
  /** How the access ended; absent while it is not known yet. */
  readonly end?: TemplateResult;
}

export function walkLayout({ fields, tlb, walk, end }: WalkParts, page: Page): TemplateResult {
  return html`<div class="drawing">
    ${fields}
    <div class="path ${tlb.drawings.length === 0 ? 'without-tlb' : ''}">
      <section class="tlbs" aria-label="Translation lookaside buffers">${tlbSection(tlb, page)}</section>
      <section class="walk" aria-label="Page walk">
        <h2>2. Walk <span class="verdict">${walk.verdict}</span></h2>
        ${walk.entries}
        ${
          end ??
          html`<section class="outcome later">
            <h2>3. Result</h2>
            <p>not known yet</p>
          </section>`
        }
      </section>
    </div>
    <svg class="arrows" aria-hidden="true"></svg>
  </div>`;
}

function tlbSection(
  { verdict, drawings, filled, rights, fences, aside }: WalkParts['tlb'],
  page: Page,
): TemplateResult {
  const fence = (name: string, what: string, title: string): TemplateResult =>
    html`<button
      data-do=${what}
      title=${title}
      @click=${() => {
        page.act(what, true);
      }}
    >
      ${name}
    </button>`;
  return html`
    <h2>1. TLB <span class="verdict">${drawings.length === 0 ? 'there is none' : verdict}</span></h2>
    ${drawings.map((drawing) => tlbTable(drawing, filled.includes(drawing.name), rights))}
    ${drawings.length === 0 ? nothing : html`<p class="quiet legend">▸ the set looked at; framed: the page asked for; hatched: another page.</p>`}
    ${
      fences === null
        ? nothing
        : html`<div class="row">
              ${fence(fences[0], 'invlpg', 'Drop this page from the TLBs')}
              ${fence(fences[1], 'flush', 'Drop all that is not global')}
            </div>
            ${aside}`
    }
  `;
}
