/** The memory of a toy machine, byte by byte, with the marks of an access; of other machines there is too much. */

import { html, nothing, type TemplateResult } from 'lit';
import type { ToyMachine } from '../../../hw/toy/machine.js';
import type { EntryLevel } from '../../../src/explain/entry-level.js';
import { filledToyRows, TOY_ROW_BYTES } from '../../../src/explain/toy/toy-dump.js';
import { arenaBar } from '../../arena.js';

/** Rows that the access did not touch, at most. */
const MOST_ROWS = 64;

/** What the access did in memory, by now. */
export interface MemoryMarks {
  /** The entries read, in order. */
  readonly read: readonly EntryLevel[];
  /** The physical address that it came to. */
  readonly reached: number | undefined;
}

/** An entry read: its number on the way, and its level. */
interface Mark {
  readonly number: number;
  readonly level: number;
  /** The first of its bytes, which has the number. */
  readonly first: boolean;
}

export function toyMemory(toy: ToyMachine, { read, reached }: MemoryMarks): TemplateResult {
  const { segmentation } = toy.shape;
  const marks = new Map(
    read.flatMap(({ entryAddress, raw, level }, i) =>
      Array.from({ length: (raw.length - 2) / 2 }, (_, byte): [number, Mark] => [
        Number(entryAddress) + byte,
        { number: i + 1, level, first: byte === 0 },
      ]),
    ),
  );
  const touched = [...marks.keys(), ...(reached === undefined ? [] : [reached])].map((at) => at - (at % TOY_ROW_BYTES));
  const filled = filledToyRows(toy);
  const rows = [...new Set([...filled.slice(0, MOST_ROWS), ...touched])].sort((a, b) => a - b);
  const left = filled.filter((at) => !rows.includes(at)).length;
  return html`<section class="toy-memory" aria-label="Physical memory">
    <h2>${segmentation === undefined ? 'Physical memory' : 'Segments and physical memory'}</h2>
    ${segmentation === undefined ? nothing : toySegments(toy, reached)}
    ${rows.length === 0 ? nothing : byteTable(toy, rows, marks, reached)}
    <p class="quiet legend">
      ${read.map(
        ({ table, index, entryAddress, level }, i) =>
          html`<span class="level-${level}"><b>${i + 1}</b> ${table}[${index}] at <code>${entryAddress}</code></span> `,
      )}
      ${reached === undefined ? nothing : html`<span><b class="good">✓</b> the byte at <code>0x${reached.toString(16)}</code></span> `}
      Rows left out have no byte but 0${left === 0 ? '' : `, and ${left.toLocaleString('en-US')} more`}.
    </p>
  </section>`;
}

function byteTable(
  toy: ToyMachine,
  rows: readonly number[],
  marks: ReadonlyMap<number, Mark>,
  reached: number | undefined,
): TemplateResult {
  const columns = Array.from({ length: TOY_ROW_BYTES }, (_, column) => column);
  return html`<table class="bytes">
    <tr>
      <th scope="col"><span class="unseen">address</span></th>
      ${columns.map((column) => html`<th scope="col"><code>${column.toString(16)}</code></th>`)}
    </tr>
    ${rows.map(
      (row, i) =>
        html`<tr class=${i > 0 && rows[i - 1] + TOY_ROW_BYTES < row ? 'gap' : ''}>
          <th scope="row"><code>0x${row.toString(16)}</code></th>
          ${columns
            .filter((column) => row + column < toy.shape.memoryBytes)
            .map((column) => byteCell(toy.byteAt(row + column), marks.get(row + column), row + column === reached))}
        </tr>`,
    )}
  </table>`;
}

function byteCell(byte: number, mark: Mark | undefined, reached: boolean): TemplateResult {
  const kinds = [
    byte === 0 ? 'zero' : '',
    mark === undefined ? '' : `read level-${mark.level}`,
    reached ? 'reached' : '',
  ];
  return html`<td class=${kinds.join(' ')}>
    <code>${byte.toString(16).padStart(2, '0')}</code
    >${mark?.first === true ? html`<b>${mark.number}</b>` : nothing}${reached ? html`<b class="good">✓</b>` : nothing}
  </td>`;
}

/** The segment registers, and their segments where they lie. @param physical the address just reached */
function toySegments({ shape }: ToyMachine, physical: number | undefined): TemplateResult {
  const registers = shape.segmentation?.registers ?? [];
  const held = registers
    .map(({ base, limit, grows }, i) => ({
      name: `segment ${i}`,
      bytes: limit,
      base: grows === 'up' ? base : base - limit,
    }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => a.base - b.base);
  const bytes = 2 ** shape.physicalBits;
  const pieces = held.flatMap((piece, i) => {
    const end = i === 0 ? 0 : held[i - 1].base + held[i - 1].bytes;
    return piece.base > end ? [{ base: end, bytes: piece.base - end }, piece] : [piece];
  });
  const last = held.at(-1);
  const end = last === undefined ? 0 : last.base + last.bytes;
  if (end < bytes) pieces.push({ base: end, bytes: bytes - end });
  return html`<table class="figures">
      <tr>
        <th scope="col">segment</th>
        <th scope="col">base</th>
        <th scope="col">limit</th>
        <th scope="col">grows</th>
      </tr>
      ${registers.map(
        ({ base, limit, grows }, i) =>
          html`<tr>
            <th scope="row">${i}</th>
            <td><code>0x${base.toString(16)}</code></td>
            <td>${limit.toLocaleString('en-US')}</td>
            <td>${grows}</td>
          </tr>`,
      )}
    </table>
    ${arenaBar({ base: 0, bytes, pieces }, 'Physical memory', physical)}`;
}
