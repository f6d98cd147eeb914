/** How an access ended on a machine other than a plain x86: a physical address, or a fault with its registers. */

import { html, nothing, type TemplateResult } from 'lit';
import { mappedBox, pageWords } from './outcome-box.js';
import { valueList } from './values.js';
import type { OtherResult } from '../machines/walkable.js';

/** The end in a few words; announced to people without sight. */
export function endWords({ outcome }: OtherResult): string {
  if (outcome.kind === 'mapped') return `physical address ${outcome.physical}`;
  return 'name' in outcome ? outcome.name : outcome.text;
}

export function endBox(result: OtherResult): TemplateResult {
  const { outcome } = result;
  if (outcome.kind === 'fault') return faultBox(outcome);
  const value = 'value' in outcome ? html`<p>the byte there is <code>${outcome.value}</code></p>` : nothing;
  return mappedBox(outcome.physical, 'page' in outcome ? pageWords(outcome.page) : '', value);
}

function faultBox(outcome: Extract<OtherResult['outcome'], { kind: 'fault' }>): TemplateResult {
  const title = 'name' in outcome ? outcome.name : (outcome.exit ?? 'fault of the guest');
  return html`<section class="outcome fault" data-outcome="fault">
    <h2>3. Result <span class="verdict bad">✗ ${title}</span></h2>
    ${'syndrome' in outcome ? valueList(outcome.syndrome) : nothing}
    <ul class="reasons">
      <li>${'why' in outcome ? outcome.why : outcome.text}</li>
    </ul>
    ${'section' in outcome ? html`<p class="quiet">${outcome.section}</p>` : nothing}
  </section>`;
}
