/** A TLB array as a table of sets and ways. */

import { html, type TemplateResult } from 'lit';
import { toHex, pageSizeName, SHIFT_4M } from '../../../hw/base/address.js';
import type { TlbEntry } from '../../../hw/tlb/entry.js';
import type { RightsWords, TlbDrawing } from '../machines/tlb-drawing.js';

/** Bits of a page number in the tag; above them the address repeats its sign. */
const PAGE_BITS = 47;
/** Digits of an address in a cell of a TLB of four ways. */
const SHORT = 6;

function pageAddress({ page, size }: TlbEntry, shifts: readonly number[]): string {
  const bytes = 2 ** shifts[size];
  // A canonical address of the upper half: the bits above the tag's are ones.
  if (page >= 2 ** (PAGE_BITS - 1)) {
    return `0x${(BigInt(page) * BigInt(bytes) + (2n ** 64n - 2n ** BigInt(PAGE_BITS + shifts[size]))).toString(16)}`;
  }
  return toHex(page * bytes);
}

function words(entry: TlbEntry, { shifts }: TlbDrawing, rights: RightsWords): string {
  const size = pageSizeName(shifts[entry.size]);
  const frame = `frame 0x${(entry.frame >>> 0).toString(16)}`;
  const parts = [`${pageAddress(entry, shifts)} (${size})`, frame, rights(entry.rights), entry.global ? 'global' : ''];
  return parts.filter((part) => part !== '').join(', ');
}

/** The address as a narrow cell has room for it: its end, by which neighbours differ. */
function shortAddress(entry: TlbEntry, shifts: readonly number[], ways: number): string {
  const address = pageAddress(entry, shifts);
  return ways <= 2 || address.length <= SHORT + 2 ? address : `…${address.slice(-SHORT)}`;
}

/** @param filled the drawn access put the entry there */
export function tlbTable(drawing: TlbDrawing, filled: boolean, rights: RightsWords): TemplateResult {
  const { name, sets, ways, sizes, shifts, rows, match } = drawing;
  const held = sizes.map((size) => shifts[size]).filter((shift) => shift !== SHIFT_4M);
  const about = `${sets} ${sets === 1 ? 'set' : 'sets'} of ${ways}, ${held.map(pageSizeName).join(' ')}`;
  return html`<figure class="tlb ${match === null ? 'miss' : 'hit'}">
    <figcaption><b>${name}</b> <span class="quiet">${about}</span></figcaption>
    <table>
      ${rows.map(
        ({ set, lookedUp, ways: cells }) =>
          html`<tr class=${lookedUp ? 'looked' : ''}>
            <th scope="row">${lookedUp ? '▸ ' : ''}set ${set}</th>
            ${cells.map((entry) =>
              entry === null
                ? html`<td title="empty"><span class="unseen">empty</span></td>`
                : html`<td class=${isMatch(entry, match) ? 'match' : 'taken'} title=${words(entry, drawing, rights)}>
                    ${ways <= 2 || (ways <= 4 && isMatch(entry, match)) ? html`<code>${shortAddress(entry, shifts, ways)}</code>` : html`<span class="unseen">${words(entry, drawing, rights)}</span>`}
                  </td>`,
            )}
          </tr>`,
      )}
    </table>
    <p>
      ${match === null ? 'does not hold the page' : `${filled ? 'filled: ' : ''}holds ${words(match, drawing, rights)}`}
    </p>
  </figure>`;
}

function isMatch(entry: TlbEntry, match: TlbEntry | null): boolean {
  return match !== null && entry.page === match.page && entry.size === match.size && entry.space === match.space;
}
