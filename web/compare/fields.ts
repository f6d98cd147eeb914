/** The fields of the compare view for page sizes and TLBs. */

import { html, nothing, type TemplateResult } from 'lit';
import { presetNames } from '../../hw/tlb/presets.js';
import { valueOf } from '../form.js';
import type { Page } from '../story/view.js';
import { MOST_TLBS, PAGES, type Question } from './question.js';

/** A box for each page size; the last ticked one stays so. */
export function pageBoxes(question: Question, page: Page): TemplateResult {
  const box = (name: string): TemplateResult => {
    const chosen = question.pages.includes(name);
    return html`<label
      ><input
        type="checkbox"
        data-pages=${name}
        .checked=${chosen}
        ?disabled=${chosen && question.pages.length === 1}
        @change=${() => {
          question.pages = PAGES.filter((other) => (other === name ? !chosen : question.pages.includes(other)));
          page.redraw();
        }}
      />${name}</label
    >`;
  };
  return html`<span class="row" role="group" aria-label="Page sizes">Pages ${PAGES.map(box)}</span>`;
}

/** A field for each TLB, by name or shape, and a button for one more. */
export function tlbFields(question: Question, page: Page): TemplateResult {
  const field = (tlb: string, i: number): TemplateResult =>
    html`<label
      >${i === 0 ? 'TLB' : 'and'}
      <input
        data-field=${i === 0 ? 'tlb' : `tlb${i + 1}`}
        size="14"
        list="presets"
        spellcheck="false"
        title="A name from the list, or a shape such as 64x4+1536x12: entries x ways of each level"
        .value=${tlb}
        @input=${(event: Event) => {
          question.tlbs = question.tlbs.with(i, valueOf(event));
        }}
    /></label>`;
  return html`${question.tlbs.map(field)}
    <datalist id="presets">${presetNames().map((name) => html`<option value=${name}></option>`)}</datalist>
    ${
      question.tlbs.length === MOST_TLBS
        ? nothing
        : html`<button
            type="button"
            data-do="more-tlbs"
            title="Compare one more TLB"
            @click=${() => {
              const next = presetNames().find((name) => !question.tlbs.includes(name)) ?? '';
              question.tlbs = [...question.tlbs, next];
              page.redraw();
            }}
          >
            + TLB
          </button>`
    }
    ${
      question.tlbs.length === 1
        ? nothing
        : html`<button
            type="button"
            data-do="fewer-tlbs"
            title="Leave the last TLB out"
            @click=${() => {
              question.tlbs = question.tlbs.slice(0, -1);
              page.redraw();
            }}
          >
            − TLB
          </button>`
    }`;
}
