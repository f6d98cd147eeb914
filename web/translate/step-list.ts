/** The steps of the processor, as a list to unfold. */

import { html, type TemplateResult } from 'lit';
import type { WalkStep } from '../../src/explain/walk/walk-result.js';

export function stepList(steps: readonly WalkStep[]): TemplateResult {
  return html`<details class="steps">
    <summary>Every step of the processor (${steps.length})</summary>
    <ol>
      ${steps.map(({ kind, text }) => html`<li><b>${kind}</b> <span>${text}</span></li>`)}
    </ol>
  </details>`;
}
