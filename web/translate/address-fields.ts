/** The address cut into the indices of the tables. */

import { html, type TemplateResult } from 'lit';
import { toBigInt } from '../../hw/base/address.js';
import { X86_MODES } from '../../hw/x86/format.js';
import type { PagingLevel } from '../../hw/base/format.js';
import type { WalkResult } from '../../src/explain/walk/walk-result.js';
import type { WalkRequest } from '../../src/explain/walk/walk.js';

interface Field {
  readonly name: string;
  readonly low: number;
  readonly bits: number;
  /** The level it indexes; -1 for the offset. */
  readonly level: number;
}

/** An index for each level down to the page's own, and the rest as offset. */
function fieldsOf(levels: readonly PagingLevel[], walked: WalkResult['levels']): Field[] {
  const page = walked.find(({ pointsTo }) => pointsTo === 'page');
  const last = page?.level ?? 0;
  const fields = levels
    .filter(({ level }) => level >= last)
    .map(({ table, level, shift, indexBits }) => ({ name: `${table} index`, low: shift, bits: indexBits, level }));
  const low = fields.at(-1)?.low ?? 0;
  return [...fields, { name: 'offset', low: 0, bits: low, level: -1 }];
}

export function addressFields(result: WalkResult, { hi, lo }: WalkRequest): TemplateResult {
  const { levels, linearBits } = X86_MODES[result.mode];
  const value = toBigInt(hi, lo);
  const width = linearBits > 32 ? 64 : 32;
  const above = width - linearBits;
  const digits = (low: number, bits: number): string =>
    BigInt.asUintN(bits, value >> BigInt(low))
      .toString(2)
      .padStart(bits, '0');
  return html`<section class="address" aria-label="The address in fields">
    ${
      above === 0
        ? ''
        : html`<div class="field above">
            <span>copies of bit ${linearBits - 1}</span><code>${digits(linearBits, above)}</code>
          </div>`
    }
    ${fieldsOf(levels, result.levels).map(({ name, low, bits, level }) => {
      const field = BigInt.asUintN(bits, value >> BigInt(low));
      const text = level < 0 ? `0x${field.toString(16)}` : field.toString();
      return html`<div class="field level-${level < 0 ? 'offset' : level}">
        <span>${name} <b>${text}</b></span
        ><code>${digits(low, bits)}</code><small>bits ${low + bits - 1}:${low}</small>
      </div>`;
    })}
  </section>`;
}
