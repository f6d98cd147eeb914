/** A recorded x86 case and its mismatch in words. */

import type { Word64 } from '../../../hw/base/address.js';
import { formatHex, frameOf } from '../../../hw/base/address.js';
import { describeException } from '../../../hw/x86/describe-exception.js';
import { statusOfVector } from '../../../hw/x86/exception.js';
import type { EntryFormat } from '../../../hw/base/format.js';
import { flagNames } from '../../../hw/base/format.js';
import { PTE_PS, X86_MODES } from '../../../hw/x86/format.js';
import * as reg from '../../../hw/x86/registers.js';
import { describeDescriptor, describeSelector } from '../../../hw/x86/segmentation/describe.js';
import type { Stored } from '../recording/hex.js';
import type { AccessOutcome, TlbCase, TwoReadsOutcome, X86Case } from './x86-case.js';
import type { Mismatch } from './x86-compare.js';
import type { RecordedLine } from '../recording/json-lines.js';
import { wordText } from '../recording/words.js';

type BitNames = readonly (readonly [string, number])[];

const CR0_NAMES: BitNames = [
  ['PE', reg.CR0_PE],
  ['WP', reg.CR0_WP],
  ['PG', reg.CR0_PG],
];
const CR4_NAMES: BitNames = [
  ['PSE', reg.CR4_PSE],
  ['PAE', reg.CR4_PAE],
  ['PGE', reg.CR4_PGE],
  ['LA57', reg.CR4_LA57],
  ['PCIDE', reg.CR4_PCIDE],
  ['SMEP', reg.CR4_SMEP],
  ['SMAP', reg.CR4_SMAP],
  ['PKE', reg.CR4_PKE],
  ['PKS', reg.CR4_PKS],
];
const EFER_NAMES: BitNames = [
  ['LME', reg.EFER_LME],
  ['LMA', reg.EFER_LMA],
  ['NXE', reg.EFER_NXE],
];
/** Kinds of accesses in words. */
export const OPERATIONS = { r: 'read', w: 'write', rmw: 'locked read-modify-write', x: 'instruction fetch' };
const LABEL_WIDTH = 16;

function registerText(name: string, value: Word64, bits: BitNames): string {
  const set = bits.filter(([, bit]) => (value.lo & bit) !== 0).map(([bit]) => bit);
  return `${name} ${wordText(value)}${set.length > 0 ? ` (${set.join(' ')})` : ''}`;
}

/** The case in one sentence. */
function actionText(recorded: X86Case): string {
  switch (recorded.fam) {
    case 'paging':
      return `${OPERATIONS[recorded.op]} of ${recorded.size} bytes at ${wordText(recorded.la)}${recorded.seg === 'ss' ? ' through SS' : ''}`;
    case 'tlb':
      return tlbText(recorded);
    case 'segload':
      return `load ${recorded.sreg.toUpperCase()} with ${wordText(recorded.sel)}`;
    case 'segjmp':
      return `far jump to ${wordText(recorded.sel)}:${wordText(recorded.off)}, fetch ${recorded.size} bytes there`;
    case 'segdata': {
      const name = recorded.sreg.toUpperCase();
      const target = `${recorded.size} bytes at ${name}:${wordText(recorded.off)}`;
      return `load ${name} with ${wordText(recorded.sel)}, then ${OPERATIONS[recorded.op]} of ${target}`;
    }
  }
}

function tlbText(recorded: TlbCase): string {
  const duty = recorded.must ? 'which must show' : 'which may show';
  return `read ${wordText(recorded.la)}, change entry ${recorded.chg} to ${wordText(recorded.new)}, ${recorded.act}, read again, ${duty} the change`;
}

/** The format of each entry, found by following the pointers from CR3 down; undefined if nothing points to it. */
function formatsOf(recorded: X86Case): readonly (EntryFormat | undefined)[] {
  const { levels } = X86_MODES[recorded.mode];
  const levelOfFrame = new Map<number, number>([[frameOf(recorded.cr3.hi, recorded.cr3.lo), 0]]);
  return recorded.mem.map(([address, value]) => {
    const depth = levelOfFrame.get(frameOf(address.hi, address.lo));
    if (depth === undefined || depth >= levels.length) return undefined;
    levelOfFrame.set(frameOf(value.hi & 0xf_ffff, value.lo), depth + 1);
    const { tableEntry, pageEntry } = levels[depth];
    return (value.lo & PTE_PS) !== 0 ? (pageEntry ?? tableEntry) : (tableEntry ?? pageEntry);
  });
}

function entryText([address, value]: Stored, format: EntryFormat | undefined): string {
  const flags = format ? flagNames(format, value.hi, value.lo) : '';
  return `  ${(format?.name ?? 'entry').padEnd(8)} at ${wordText(address)} = ${wordText(value)}  ${flags}`.trimEnd();
}

function segmentText(recorded: X86Case): readonly string[] {
  if (recorded.fam === 'paging' || recorded.fam === 'tlb') return [];
  const limit = recorded.ldtr ? `LDT limit ${wordText(recorded.ldtr[1])}` : 'no LDT';
  const tables = `GDT limit ${wordText(recorded.gdtr[1])}, ${limit}`;
  const lines = [`  selector ${wordText(recorded.sel)}: ${describeSelector(recorded.sel.lo)}; ${tables}`];
  if (recorded.desc) {
    const [address, { hi, lo }] = recorded.desc;
    lines.push(`  descriptor at ${wordText(address)} = ${formatHex(hi, lo)}: ${describeDescriptor(hi, lo)}`);
  }
  return lines;
}

/** The case decoded: mode, level, access, registers, structures in memory. */
function caseText(recorded: X86Case): string {
  const { title } = X86_MODES[recorded.mode];
  const registers = [
    registerText('CR0', recorded.cr0, CR0_NAMES),
    registerText('CR3', recorded.cr3, []),
    registerText('CR4', recorded.cr4, CR4_NAMES),
    registerText('EFER', recorded.efer, EFER_NAMES),
    ...('pkru' in recorded ? [registerText('PKRU', recorded.pkru, [])] : []),
    ...('ac' in recorded ? [`AC ${recorded.ac}`] : []),
  ];
  const formats = formatsOf(recorded);
  return [
    `  ${title}, CPL ${recorded.cpl}: ${actionText(recorded)}`,
    `  ${registers.join('  ')}`,
    ...segmentText(recorded),
    ...recorded.mem.map((entry, index) => entryText(entry, formats[index])),
  ].join('\n');
}

function outcomeText(outcome: AccessOutcome | TwoReadsOutcome): string {
  if (outcome.k === 'fault') {
    const { hi, lo } = outcome.cr2 ?? { hi: 0, lo: 0 };
    const words = describeException({ status: statusOfVector(outcome.vec), errorCode: outcome.err.lo, hi, lo });
    return outcome.at === undefined ? words : `${words} (${outcome.at})`;
  }
  if ('pa1' in outcome) return `first at ${wordText(outcome.pa1)}, second at ${wordText(outcome.pa2)}`;
  return outcome.pa.length === 0 ? 'loaded' : `at physical ${outcome.pa.map(wordText).join(' and ')}`;
}

function sideText(label: string, { out, after }: Mismatch['got']): readonly string[] {
  const entries = after.length > 0 ? [`${' '.repeat(LABEL_WIDTH)}memory after: ${after.map(wordText).join(' ')}`] : [];
  return [`  ${label}`.padEnd(LABEL_WIDTH) + outcomeText(out), ...entries];
}

/** A mismatch, both sides under each other, and the case decoded. */
export function mismatchText(line: RecordedLine<X86Case>, { expected, got }: Mismatch): string {
  const { id, fam } = line.value;
  return [
    `${fam} case ${id} (${line.file} line ${line.line})`,
    caseText(line.value),
    ...expected.flatMap((side, index) => sideText(index === 0 ? 'expected' : 'or', side)),
    ...sideText('got', got),
  ].join('\n');
}
