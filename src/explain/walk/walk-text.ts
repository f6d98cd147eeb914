/** A walk as people read it in a terminal: one line a level. */

import { checkResult } from '../../report/output/check-result.js';
import { columns, INDENT, labelled } from '../../report/output/columns.js';
import { WIDTH } from '../../report/output/wrap.js';
import { allowedWords } from './rights.js';
import { nameOf } from './walk-fault.js';
import { whyWalked } from './why-walked.js';
import type { FaultOutcome, TlbAnswer, WalkLevel, WalkResult } from './walk-result.js';

function tlbText({ shape, answer, physical, page, allows, stale }: TlbAnswer): string {
  if (answer === 'off') return 'not asked';
  if (answer === 'none') return 'there is none';
  if (answer === 'miss') return `miss in every level (${shape})`;
  const rights = allows === undefined ? '' : `, ${allowedWords(allows)}`;
  const warning = stale === undefined ? '' : `; stale: ${stale}, an invalidation is missing`;
  return `${answer} (${shape}): physical ${physical ?? ''}, ${page ?? ''} page${rights}${warning}`;
}

function walkCacheText({ walkCache, levels, registers }: WalkResult): string {
  if (walkCache.answer === 'not asked') return 'not asked';
  if (walkCache.answer === 'hit')
    return `hit: the walk starts at the ${walkCache.startsAt ?? ''} at ${walkCache.table ?? ''}`;
  return `miss: the walk starts at the ${levels.at(0)?.table ?? 'root'} (CR3 ${registers.cr3})`;
}

function levelCells(level: WalkLevel): string[] {
  const { pointsTo, target, entryAddress, raw, allows, flags, skipped } = level;
  return [
    nameOf(level),
    entryAddress ?? 'register',
    raw,
    pointsTo === 'nothing' ? 'nothing' : `${pointsTo} ${target ?? ''}`,
    flags === '' ? '-' : flags,
    `${allows === null ? '-' : allowedWords(allows)}${skipped ? ' *' : ''}`,
  ];
}

function levelLines(result: WalkResult): string[] {
  const { levels, tlb } = result;
  if (levels.length === 0) return [];
  const rows = columns([['entry', 'at', 'value', 'points to', 'flags', 'allows'], ...levels.map(levelCells)]);
  const why = tlb.answer.endsWith('hit') ? 'the TLB answered' : 'a walk cache led past it';
  const note = levels.some(({ skipped }) => skipped) ? [`* not read: ${why}`] : [];
  return [...rows, ...note];
}

/** A fault: its name, the bits of its error code, the reasons, the manual's section, at most `width` wide. */
export function faultLines({ name, errorCode, bits, reasons, section }: FaultOutcome, width = WIDTH): string[] {
  const code = errorCode === null ? '' : `, error code 0x${errorCode.toString(16)}`;
  const words = columns(bits.map((bit) => [`${INDENT}${bit.name} = ${bit.set ? 1 : 0}`, bit.meaning]));
  return [
    labelled('Result', `${name}${code}`, width),
    ...words,
    ...reasons.map(({ text }) => labelled('Why', text, width)),
    labelled('Source', section, width),
  ];
}

function outcomeLines({ outcome }: WalkResult, width: number): string[] {
  if (outcome.kind === 'fault') return faultLines(outcome, width);
  const page = outcome.page === null ? 'no paging' : `${outcome.page} page`;
  return [labelled('Result', `physical address ${outcome.physical} (${page})`, width)];
}

/** The walk, at most `width` columns wide; rows of entries have up to 80 for addresses of 4 GiB of RAM. */
export function walkText(result: WalkResult, width = WIDTH): string {
  checkResult('walk', result);
  const { access, user, address, title, changes } = result;
  const who = user ? 'user' : 'supervisor';
  const why = whyWalked(result);
  const set = changes.map(({ table, bits }) => `${bits} in the ${table} entry`).join(', ');
  return `${[
    `${access} of ${address} in ${who} mode, ${title}`,
    '',
    labelled('TLB', tlbText(result.tlb), width),
    labelled('Walk cache', walkCacheText(result), width),
    '',
    ...levelLines(result),
    ...(result.levels.length === 0 ? [] : ['']),
    ...outcomeLines(result, width),
    ...(set === '' ? [] : [labelled('Sets', set, width)]),
    ...(why === undefined ? [] : [labelled('Why', why, width)]),
  ].join('\n')}\n`;
}
