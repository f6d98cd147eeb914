/** A guest's walk as the two-dimensional table it is: a row for each address of the guest, each cell a read. */

import { html, nothing, type TemplateResult } from 'lit';
import { readsIn } from '../../../src/explain/nested/nested-walk.js';
import type { NestedRead, NestedRow, NestedWalkResult } from '../../../src/explain/nested/nested-walk.js';

/** @param reads how many of the reads are to be seen */
export function nestedTable({ rows, hostTables }: NestedWalkResult, reads: number): TemplateResult {
  const order = rows.flatMap(readsIn);
  const seen = (read: NestedRead): boolean => order.indexOf(read) < reads;
  const latest = order.at(reads - 1);
  return html`
    <div class="wide" tabindex="0" role="region" aria-label="Reads of the walk">
      <table class="nested">
        <thead>
          <tr>
            <th scope="col">guest</th>
            <th scope="col">guest-physical</th>
            ${hostTables.map((table, i) => html`<th scope="col" class="level-${hostTables.length - 1 - i}">${table}</th>`)}
            <th scope="col">entry of the guest</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => nestedRow(row, hostTables.length, seen, latest))}
        </tbody>
      </table>
    </div>
    ${latest === undefined ? nothing : html`<p class="latest-read"><b>Read ${latest.number}:</b> ${readWords(latest)}</p>`}
  `;
}

function nestedRow(
  row: NestedRow,
  levels: number,
  seen: (read: NestedRead) => boolean,
  latest: NestedRead | undefined,
): TemplateResult {
  const { what, guestPhysical, host, entry } = row;
  const reached = readsIn(row).some(seen);
  const cell = (read: NestedRead | undefined, kind: string): TemplateResult => {
    if (read === undefined) return html`<td class="none"><span class="unseen">not read</span>–</td>`;
    const state = !seen(read) ? 'later' : read === latest ? 'latest' : 'read';
    return html`<td class="${kind} ${state}" title=${seen(read) ? readWords(read) : 'not read yet'}>
      <b>${read.entryAddress === null ? 'register' : read.number}</b>
      <code>${seen(read) ? (read.entryAddress ?? '') : ' '}</code>
    </td>`;
  };
  return html`<tr>
    <th scope="row">${what}</th>
    <td><code>${reached ? (guestPhysical ?? '–') : ' '}</code></td>
    ${Array.from({ length: levels }, (_, n) => {
      const level = levels - 1 - n;
      return cell(
        host.find((read) => read.level === level),
        `host level-${level}`,
      );
    })}
    ${entry === undefined ? html`<td class="none"><span class="unseen">none</span></td>` : cell(entry, `own level-${entry.level}`)}
  </tr>`;
}

function readWords({ stage, table, entryAddress, raw }: NestedRead): string {
  const place = entryAddress === null ? 'in a register' : `at ${entryAddress}`;
  return `entry of the ${stage === 2 ? "host's" : "guest's"} ${table} ${place}, value ${raw}`;
}
