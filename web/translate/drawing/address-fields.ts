/** The address cut into the indices of the tables. */

import { html, nothing, type TemplateResult } from 'lit';
import { toBigInt } from '../../../hw/base/address.js';
import { X86_MODES } from '../../../hw/x86/format.js';
import { type AddressField, addressField, splitByLevels } from '../../../src/explain/address-field.js';
import type { WalkResult } from '../../../src/explain/walk/walk-result.js';
import type { WalkRequest } from '../../../src/explain/walk/walk.js';

/** The parts of an address of x86: an index for each level down to the page's own, and the rest as offset. */
export function x86Fields({ mode, levels: walked }: WalkResult, { hi, lo }: WalkRequest): TemplateResult {
  const { levels, linearBits } = X86_MODES[mode];
  const value = toBigInt(hi, lo);
  const last = walked.find(({ pointsTo }) => pointsTo === 'page')?.level ?? 0;
  const width = linearBits > 32 ? 64 : 32;
  const above = addressField(`copies of bit ${linearBits - 1}`, value, linearBits, width - linearBits);
  return addressFields(splitByLevels(levels, value, last), last, width === linearBits ? undefined : above);
}

/**
 * @param fields highest bits first
 * @param last the level of the last index: the page's own
 * @param above the bits above them, if they must have a value
 */
export function addressFields(fields: readonly AddressField[], last: number, above?: AddressField): TemplateResult {
  const indices = fields.filter(({ name }) => name !== 'offset').length;
  return html`<section class="address" aria-label="The address in fields">
    ${
      above === undefined
        ? nothing
        : html`<div class="field above"><span>${above.name}</span><code>${above.bits}</code></div>`
    }
    ${fields.map(({ name, low, high, bits, value }, i) => {
      const isOffset = i >= indices;
      return html`<div class="field level-${isOffset ? 'offset' : last + indices - 1 - i}">
        <span>${name} <b>${isOffset ? `0x${value.toString(16)}` : value}</b></span
        ><code>${bits}</code><small>bits ${high}:${low}</small>
      </div>`;
    })}
  </section>`;
}
