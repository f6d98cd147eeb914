/** A guest's walk as people read it in a terminal: the two-dimensional table, each cell the number of a read. */

import { columns, labelled } from '../../report/output/columns.js';
import { WIDTH, wrap } from '../../report/output/wrap.js';
import type { NestedRow, NestedWalkResult } from './nested-walk.js';

function rowCells({ what, guestPhysical, host, entry }: NestedRow, levels: number): string[] {
  // A large page ends the way before the last column; a cache answers all of it.
  const cells = Array.from({ length: levels }, (_, n) => {
    const read = host.find(({ level }) => level === levels - 1 - n);
    return read === undefined ? '-' : String(read.number);
  });
  const own = entry === undefined ? '' : entry.entryAddress === null ? 'register' : String(entry.number);
  return [what, guestPhysical ?? '-', ...cells, own, entry?.entryAddress ?? '', entry?.raw ?? ''];
}

function tableLines({ rows, hostTables }: NestedWalkResult): string[] {
  if (rows.length === 0) return [];
  const short = hostTables.map((table) => table.replace('EPT ', ''));
  const head = ['guest', 'guest-physical', ...short, 'entry', 'at', 'value'];
  return [...columns([head, ...rows.map((row) => rowCells(row, hostTables.length))]), ''];
}

/** The walk, at most `width` columns wide but for the table. */
export function nestedWalkText(result: NestedWalkResult, width = WIDTH): string {
  const { machine, access, user, address, guest, host, tlb, reads, outcome, changes } = result;
  const set = [1, 2].flatMap((stage) => {
    const bits = changes
      .filter((change) => change.stage === stage)
      .map((change) => `${change.bit} at ${change.entryAddress}`);
    return bits.length === 0 ? [] : [`${stage === 1 ? 'guest' : 'host'}: ${bits.join(', ')}`];
  });
  const who = machine === 'aarch64' ? `at EL${user ? 0 : 1}` : `in ${user ? 'user' : 'supervisor'} mode`;
  const page = outcome.kind === 'mapped' && outcome.page !== null ? ` (${outcome.page} page)` : '';
  return `${[
    wrap(`${access} of ${address} ${who}, ${guest} over ${host}`, '', width),
    '',
    labelled(
      'Reads',
      tlb === null ? `${reads} ${reads === 1 ? 'entry' : 'entries'}` : `none: the ${tlb} answered`,
      width,
    ),
    '',
    ...tableLines(result),
    labelled('Result', outcome.kind === 'mapped' ? `physical address ${outcome.physical}${page}` : outcome.text, width),
    ...refusalLines(outcome, width),
    ...(set.length === 0 ? [] : [labelled('Sets', set.join('; '), width)]),
  ].join('\n')}\n`;
}

/** Which stage refused, and the rule. */
function refusalLines(outcome: NestedWalkResult['outcome'], width: number): string[] {
  if (outcome.kind === 'mapped') return [];
  const { stage, guestPhysical, why, section } = outcome;
  const host = `2, the host's tables: guest-physical ${guestPhysical ?? ''}`;
  return [
    labelled('Stage', stage === 2 ? host : "1, the guest's own tables", width),
    labelled('Why', why, width),
    labelled('Source', section, width),
  ];
}
