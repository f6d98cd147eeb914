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

type Fault = Extract<OtherResult['outcome'], { kind: 'fault' }>;

/** Of a guest: its registers, the refusing stage with its address, and the rule. */
function reasonsOf(outcome: Fault): readonly string[] {
  if (!('stage' in outcome)) return [outcome.why];
  const { text, stage, guestPhysical, why } = outcome;
  const where =
    stage === 2 ? `the host's tables refuse guest-physical ${guestPhysical ?? ''}` : "the guest's own tables refuse";
  return [text, where, why];
}

function faultBox(outcome: Fault): TemplateResult {
  const title = 'name' in outcome ? outcome.name : (outcome.exit ?? 'fault of the guest');
  return html`<section class="outcome fault" data-outcome="fault">
    <h2>3. Result <span class="verdict bad">✗ ${title}</span></h2>
    ${'syndrome' in outcome ? valueList(outcome.syndrome) : nothing}
    <ul class="reasons">
      ${reasonsOf(outcome).map((reason) => html`<li>${reason}</li>`)}
    </ul>
    ${'section' in outcome ? html`<p class="quiet">${outcome.section}</p>` : nothing}
  </section>`;
}
