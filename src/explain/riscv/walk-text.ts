/** A walk of a hart as people read it in a terminal: one line a level. */

import { columns, labelled } from '../../report/output/columns.js';
import type { RiscvWalkResult } from './walk.js';

/** The walk in lines of a terminal. */
export function riscvWalkText(result: RiscvWalkResult): string {
  const { access, address, user, title, registers, tlb, levels, outcome, changes } = result;
  const rows = levels.map(({ level, index, entryAddress, raw, pointsTo, target, flags }) => [
    `level ${level}[${index}]`,
    entryAddress,
    raw,
    pointsTo === 'nothing' ? 'nothing' : `${pointsTo} ${target ?? ''}`,
    flags === '' ? '-' : flags,
  ]);
  const set = changes.map(({ bit, level }) => `${bit} in the entry of level ${level}`).join(', ');
  const end =
    outcome.kind === 'mapped'
      ? [
          labelled(
            'Result',
            `physical address ${outcome.physical} (${outcome.page === null ? 'no paging' : `${outcome.page} page`})`,
          ),
        ]
      : [
          labelled('Result', `${outcome.name}, cause ${outcome.cause}, stval ${outcome.tval}`),
          labelled('Why', outcome.why),
          labelled('Source', outcome.section),
        ];
  return `${[
    `${access} of ${address} in ${user ? 'user' : 'supervisor'} mode, ${title}`,
    '',
    labelled('satp', registers.satp),
    labelled('TLB', tlb === null ? 'did not answer' : `hit in the ${tlb}`),
    '',
    ...(rows.length === 0 ? [] : [...columns([['entry', 'at', 'value', 'points to', 'flags'], ...rows]), '']),
    ...end,
    ...(set === '' ? [] : [labelled('Sets', set)]),
  ].join('\n')}\n`;
}
