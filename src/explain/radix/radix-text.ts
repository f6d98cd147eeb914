/** A walk of RISC-V or AArch64 as people read it in a terminal: one line a level. */

import { columns, labelled } from '../../report/output/columns.js';
import { WIDTH, wrap } from '../../report/output/wrap.js';
import type { RadixWalkResult, RadixFault } from './radix-result.js';

/** The walk, at most `width` columns wide. */
export function radixWalkText(result: RadixWalkResult, width = WIDTH): string {
  const { machine, access, address, user, title, registers, tlb, levels, outcome, changes } = result;
  const rows = levels.map(({ table, index, entryAddress, raw, pointsTo, target, flags, skipped }) => [
    `${table}[${index}]`,
    entryAddress ?? 'register',
    raw,
    pointsTo === 'nothing' ? 'nothing' : `${pointsTo} ${target ?? ''}`,
    `${flags === '' ? '-' : flags}${skipped ? ' *' : ''}`,
  ]);
  const who = machine === 'riscv' ? `in ${user ? 'user' : 'supervisor'} mode` : `at EL${user ? 0 : 1}`;
  const set = changes.map(({ bit, table }) => `${bit} in the entry of ${table}`).join(', ');
  const why = tlb === null ? 'a walk cache led past it' : 'the TLB answered';
  const note = levels.some(({ skipped }) => skipped) ? [`* not read: ${why}`] : [];
  return `${[
    `${access} of ${address} ${who}, ${title}`,
    '',
    ...Object.entries(registers).map(([name, value]) => labelled(name, value, width)),
    labelled('TLB', tlb === null ? 'did not answer' : `hit in the ${tlb}`, width),
    '',
    ...(rows.length === 0 ? [] : [...tableLines(rows, width), ...note, '']),
    ...outcomeLines(outcome, width),
    ...(set === '' ? [] : [labelled('Sets', set, width)]),
  ].join('\n')}\n`;
}

/** Flags too long for the line go on under their column. */
function tableLines(rows: readonly (readonly string[])[], width: number): string[] {
  const [head, ...lines] = columns([['entry', 'at', 'value', 'points to', 'flags'], ...rows]);
  return [head, ...lines.map((line) => wrap(line, ' '.repeat(head.indexOf('flags')), width))];
}

function outcomeLines(outcome: RadixWalkResult['outcome'], width: number): string[] {
  if (outcome.kind === 'mapped') {
    const page = outcome.page === null ? 'no paging' : `${outcome.page} page`;
    return [labelled('Result', `physical address ${outcome.physical} (${page})`, width)];
  }
  return [
    labelled('Result', faultWords(outcome), width),
    labelled('Why', outcome.why, width),
    labelled('Source', outcome.section, width),
  ];
}

/** The fault and its registers: `load page fault, cause 13, stval 0x1008`. */
export function faultWords({ name, syndrome }: Pick<RadixFault, 'name' | 'syndrome'>): string {
  return [name, ...Object.entries(syndrome).map((pair) => pair.join(' '))].join(', ');
}
