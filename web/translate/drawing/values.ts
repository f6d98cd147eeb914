/** Values by name, such as those of registers. */

import { html, type TemplateResult } from 'lit';

export function valueList(values: Readonly<Record<string, string | number>>): TemplateResult {
  return html`<dl class="values">
    ${Object.entries(values).map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd><code>${value}</code></dd>
        </div>`,
    )}
  </dl>`;
}
