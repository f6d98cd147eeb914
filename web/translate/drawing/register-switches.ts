/** The register bits of x86 as switches, folded until wanted. */

import { html, type TemplateResult } from 'lit';
import type { Page } from '../../story/view.js';
import { type RegisterFile, REGISTERS } from '../machines/registers.js';

export function registerSwitches(registers: RegisterFile, page: Page): TemplateResult {
  const groups = [...new Set(REGISTERS.map(({ register }) => register))];
  return html`<details class="registers">
    <summary>Register bits <span class="quiet">${groups.map((group) => group.toUpperCase()).join(', ')}</span></summary>
    <div role="group" aria-label="Register bits">
      ${groups.map(
        (group) =>
          html`<span class="group"
            ><span class="name">${group.toUpperCase()}</span> ${REGISTERS.filter(
              ({ register }) => register === group,
            ).map(({ bit, name, meaning }) => {
              const value = registers.bit(group, bit);
              return html`<button
                class="bit"
                role="switch"
                aria-checked=${String(value === 1)}
                title=${meaning}
                data-register="${group}.${bit}"
                @click=${() => {
                  page.act(`${group}.${bit}`, true);
                }}
              >
                ${name}<i>${value}</i>
              </button>`;
            })}</span
          >`,
      )}
    </div>
  </details>`;
}
