/** A toy machine and a walk on it, as people read them in a terminal. */

import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { columns, labelled } from '../../report/output/columns.js';
import { WIDTH, wrap } from '../../report/output/wrap.js';
import { countOf, formatBytes } from '../../report/output/units.js';
import type { ToyDump } from './toy-dump.js';
import type { ToyWalkResult } from './toy-walk.js';

/** A numbered list, at most `width` columns wide. */
function numbered(lines: readonly string[], width: number): string[] {
  return lines.map((line, i) => wrap(`${String(i + 1).padStart(2)}  ${line}`, '    ', width));
}

/** The walk in lines of a terminal. */
export function toyWalkText({ about, address, access, user, outcome, steps }: ToyWalkResult, width = WIDTH): string {
  const end =
    outcome.kind === 'mapped'
      ? [labelled('Result', `physical address ${outcome.physical}, the byte there is ${outcome.value}`, width)]
      : [labelled('Result', outcome.name, width), labelled('Why', outcome.why, width)];
  const title = `${access} of ${address} in ${user ? 'user' : 'supervisor'} mode`;
  return `${[title, wrap(about, '', width), '', ...numbered(steps, width), '', ...end].join('\n')}\n`;
}

/** Every event with all that it says: `read  address 0x1, low 0x87, level 0`. Numbers are hexadecimal. */
export function toyEventLines(events: readonly TranslationEvent[]): string[] {
  const kinds = Math.max(...events.map(({ kind }) => kind.length));
  return events.map((event, i) => {
    const { kind, ...rest } = event;
    const fields = Object.entries(rest).map(([name, value]) => `${name} ${fieldText(value)}`);
    const start = `${String(i + 1).padStart(2)}  ${kind.padEnd(kinds)}  `;
    return wrap(start + fields.join(', '), ' '.repeat(start.length));
  });
}

function fieldText(value: unknown): string {
  if (typeof value !== 'number') return String(value);
  return value < 0 && value > -0x1000 ? String(value) : `0x${(value >>> 0).toString(16)}`;
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length < 2 ? [] : ['', title, ...columns(rows).map((line) => `  ${line}`)];
}

/** The machine in lines of a terminal. */
export function toyDumpText(dump: ToyDump): string {
  const { about, virtualBits, physicalBits, memoryBytes, parts, entries, tables, tableBytes } = dump;
  const { accesses, segments, tlb, memory } = dump;
  const hits = countOf(accesses.hits, 'TLB hit');
  const split = parts.map(({ name, bits }) => `${name} ${bits}`).join(', ');
  return `${[
    wrap(about),
    '',
    labelled('Virtual', `${virtualBits} bits: ${split}`),
    labelled('Physical', `${physicalBits} bits; memory of ${formatBytes(memoryBytes)}`),
    ...(tables === 0 ? [] : [labelled('Tables', `${tables}, of ${formatBytes(tableBytes)}`)]),
    ...(accesses.made === 0
      ? []
      : [labelled('Accesses', `${accesses.made} made before: ${hits}, ${countOf(accesses.walks, 'walk')}`)]),
    ...section('Valid entries', [
      ['table', 'index', 'at', 'value', 'flags', 'frame'],
      ...entries.map(({ table, index, entryAddress, raw, flags, frame }) => [
        table,
        `0x${index.toString(16)}`,
        entryAddress,
        raw,
        flags,
        frame,
      ]),
    ]),
    ...section('Segments', [
      ['number', 'base', 'limit', 'grows'],
      ...segments.map(({ number, base, limit, grows }) => [String(number), base, String(limit), grows]),
    ]),
    ...section('TLB', [
      ['set', 'tag', 'page', 'frame'],
      ...tlb.map(({ set, tag, page, frame }) => [`0x${set.toString(16)}`, tag, page, frame]),
    ]),
    ...section('Memory, rows without a byte but 0 left out', [
      ['at', 'bytes'],
      ...memory.map(({ at, bytes }) => [at, bytes]),
    ]),
  ].join('\n')}\n`;
}
