/** How the access ended: a physical address, or a fault with its error code bit by bit. */

import { html, nothing, type TemplateResult } from 'lit';
import type { FaultOutcome, WalkResult } from '../../../src/explain/walk/walk-result.js';

/** The TLB's answer in a few words. */
export function tlbWords({ tlb }: WalkResult): string {
  if (tlb.answer === 'off') return 'not asked';
  if (tlb.answer === 'miss') return 'miss';
  return tlb.stale === undefined ? tlb.answer : `${tlb.answer}, stale: ${tlb.stale}`;
}

export function outcomeBox(result: WalkResult): TemplateResult {
  const { outcome } = result;
  if (outcome.kind === 'fault') return faultBox(outcome);
  const stale =
    result.tlb.stale === undefined
      ? nothing
      : html`<p class="bad">✗ The TLB is stale: ${result.tlb.stale}. An INVLPG is missing.</p>`;
  return mappedBox(outcome.physical, pageWords(outcome.page), stale);
}

/** `in a 4K page`. @param page its size; null without paging */
export function pageWords(page: string | null): string {
  return page === null ? 'without paging' : `in a ${page} page`;
}

/** An access that reached memory. @param where the page in words @param below what else there is to say */
export function mappedBox(physical: string, where: string, below: TemplateResult | typeof nothing): TemplateResult {
  return html`<section class="outcome mapped" data-outcome="mapped">
    <h2>
      3. Result <span class="verdict good">✓ physical address <code>${physical}</code></span> ${where}
    </h2>
    ${below}
  </section>`;
}

/** @param above how far the access came */
export function faultBox(
  { name, errorCode, bits, reasons, section }: FaultOutcome,
  above: TemplateResult | typeof nothing = nothing,
): TemplateResult {
  const code = errorCode === null ? nothing : html`, error code <code data-code>0x${errorCode.toString(16)}</code>`;
  return html`<section class="outcome fault" data-outcome="fault">
    <h2>3. Result <span class="verdict bad">✗ ${name}${code}</span></h2>
    ${above}
    ${
      bits.length === 0
        ? nothing
        : html`<ul class="code">
            ${bits.map(
              ({ name: bit, bit: number, set, meaning }) =>
                html`<li class=${set ? 'set' : ''}>
                  <b>${bit}<i>${set ? 1 : 0}</i></b> <span>bit ${number}: ${meaning}</span>
                </li>`,
            )}
          </ul>`
    }
    <ul class="reasons">
      ${reasons.map(({ text }) => html`<li>${text}</li>`)}
    </ul>
    <p class="quiet">${section}</p>
  </section>`;
}
