/** A logical address as people read it in a terminal: the descriptor bit by bit, then one line a check. */

import { checkResult } from '../../report/output/check-result.js';
import type { DecodedField } from '../../../hw/base/format.js';
import { WIDTH, wrap } from '../../report/output/wrap.js';
import { columns, INDENT, labelled } from '../../report/output/columns.js';
import type { ExplainedDescriptor, SegmentCheck, SegmentResult, SegmentTransfer } from './segment-result.js';
import { faultLines } from '../walk/walk-text.js';

/** Small fields are numbers, larger ones bits. */
function fieldValue({ value, low, high }: DecodedField): string {
  return high - low < 4 ? String(value) : `0x${value.toString(16)}`;
}

function bitRange({ low, high }: DecodedField): string {
  return high === low ? String(low) : `${high}:${low}`;
}

/** The sentence about this kind of segment, if the meaning tells them apart; otherwise the first. */
function sentenceFor(meaning: string, isCode: boolean): string {
  const sentences = meaning.replace(/\.$/, '').split('. ');
  const kinds = isCode ? ['Code: '] : ['Data: ', 'Stack: '];
  return sentences.find((sentence) => kinds.some((kind) => sentence.startsWith(kind))) ?? sentences[0];
}

const DEEDS = {
  read: 'read of',
  write: 'write of',
  fetch: 'far JMP and fetch of',
  call: 'far CALL and fetch of',
};

/** The fields of a descriptor, a line or more each, of at most `lineWidth` characters. */
export function fieldLines(fields: readonly DecodedField[], lineWidth = WIDTH): string[] {
  const isCode = fields.some(({ name, value }) => name === 'code' && value === 1);
  const left = columns(fields.map((field) => [`  ${field.name}`, bitRange(field), fieldValue(field)]));
  const width = Math.max(...left.map((line) => line.length)) + 2;
  return left.flatMap((line, index) => {
    const [first, ...rest] = wrap(sentenceFor(fields[index].meaning, isCode), '', lineWidth - width).split('\n');
    return [line.padEnd(width) + first, ...rest.map((more) => ' '.repeat(width) + more)];
  });
}

function descriptorLines({ address, raw, words, format, fields }: ExplainedDescriptor): string[] {
  return [
    labelled('Descriptor', `${format} at ${address} = ${raw}`),
    labelled('Kind', words),
    ...fieldLines(fields),
    '',
  ];
}

/** A check and how it ended, a line or more of at most `width` characters. */
export function checkLine({ rule, passed, failure }: SegmentCheck, width = WIDTH): string {
  if (passed === null) return labelled('not made', rule, width);
  return passed ? labelled('yes', rule, width) : labelled('NO', `${rule}: ${failure}`, width);
}

/** Level, code and stack after a call, and the stack's new content. */
function transferLines({ cpl, cs, ip, ss, sp, pushed }: SegmentTransfer): string[] {
  const rows = pushed.map(({ what, offset, value }) => [`${INDENT}${offset}`, value ?? 'not readable', what]);
  return [labelled('Entered', `CPL ${cpl}, code ${cs}:${ip}, stack ${ss}:${sp}`), ...columns(rows), ''];
}

function physicalLines({ outcome, walk, secondWalk }: SegmentResult): string[] {
  if (outcome.kind === 'fault') return faultLines(outcome);
  const second = secondWalk?.outcome.kind === 'mapped' ? `, its next page at ${secondWalk.outcome.physical}` : '';
  return [labelled('Physical', `${outcome.physical}${second} (${walk?.title ?? ''})`)];
}

/** The logical address, at most 80 columns wide. */
export function segmentText(result: SegmentResult): string {
  checkResult('segment', result);
  const { selector, offset, access, size, register, mode, cpl, names, descriptors, checks, linear, transfer } = result;
  const bytes = size === 1 ? '1 byte' : `${size} bytes`;
  return `${[
    `${DEEDS[access]} ${bytes} at ${selector}:${offset} through ${register}, ${mode} mode, CPL ${cpl}`,
    '',
    labelled('Selector', `${selector}: ${names}`),
    ...descriptors.flatMap(descriptorLines),
    'Checks, in order',
    ...checks.map((check) => checkLine(check)),
    '',
    ...(transfer === null ? [] : transferLines(transfer)),
    ...(linear === null ? [] : [labelled('Linear', linear)]),
    ...physicalLines(result),
  ].join('\n')}\n`;
}
