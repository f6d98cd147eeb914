/** The steps of the processor as a strip: what it asked, read and set, in order. */

import { html, type TemplateResult } from 'lit';
import { STEP_WHY } from '../../../src/explain/step-why.js';
import type { TlbDrawing } from '../machines/tlb-drawing.js';
import type { SaidStep } from '../machines/walkable.js';

/** The TLB's answer, and why it is a miss. @param before the TLBs that were asked */
export function lookupWords(answer: string, before: readonly TlbDrawing[]): string {
  if (answer !== 'miss' || before.length === 0) return answer;
  const sets = before.map(({ name, rows }) => `set ${rows.find(({ lookedUp }) => lookedUp)?.set ?? 0} of the ${name}`);
  return `miss: the page is not in ${sets.join(', nor in ')}`;
}

/**
 * Each step opens to why the processor takes it.
 * @param lookup the TLB's answer, beside the first step; empty where a step says it
 */
export function stepList(steps: readonly SaidStep[], lookup: string): TemplateResult {
  return html`<section class="strip" aria-label="Every step of the processor">
    <h2>Steps <small>open one for its reason</small></h2>
    <ol>
      ${steps.map(({ kind, text }, i) => {
        const answer = kind === 'lookup' && lookup !== '' ? `: ${lookup}` : '';
        return html`<li class="step-${kind.replaceAll(' ', '-')}">
          <details>
            <summary><span class="unseen">step ${i + 1}: </span><b>${kind}</b> <span>${text}${answer}</span></summary>
            <p class="reason">${STEP_WHY[kind]}</p>
          </details>
        </li>`;
      })}
    </ol>
  </section>`;
}
