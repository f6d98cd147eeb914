/** The steps of the processor as a strip: what it asked, read and set, in order. */

import { html, nothing, type TemplateResult } from 'lit';
import type { TlbDrawing } from '../machines/tlb-drawing.js';

/** The TLB's answer, and why it is a miss. @param before the TLBs that were asked */
export function lookupWords(answer: string, before: readonly TlbDrawing[]): string {
  if (answer !== 'miss' || before.length === 0) return answer;
  const sets = before.map(({ name, rows }) => `set ${rows.find(({ lookedUp }) => lookedUp)?.set ?? 0} of the ${name}`);
  return `miss: the page is not in ${sets.join(', nor in ')}`;
}

/** @param lookup the TLB's answer, beside the first step */
export function stepList(
  steps: readonly { readonly kind: string; readonly text: string }[],
  lookup: string,
): TemplateResult {
  return html`<section class="strip" aria-label="Every step of the processor">
    <h2>Steps</h2>
    <ol>
      ${steps.map(
        ({ kind, text }) =>
          html`<li class="step-${kind.replaceAll(' ', '-')}">
            ${kind === '' ? nothing : html`<b>${kind}</b>`}
            <span>${text}${kind === 'lookup' ? `: ${lookup}` : ''}</span>
          </li>`,
      )}
    </ol>
  </section>`;
}
