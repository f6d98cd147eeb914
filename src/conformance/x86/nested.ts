/** Compares the machine's result for a case of nested paging with the recorded one, and tells a mismatch in words. */

import type { Word64 } from '../../../hw/base/address.js';
import { describePageFault } from '../../../hw/x86/exception.js';
import { X86_MODES } from '../../../hw/x86/format.js';
import { sameWord, sameWords, wordText } from '../recording/words.js';
import type { Stored } from '../recording/hex.js';
import type { RecordedLine } from '../recording/json-lines.js';
import type { NestedCase, NestedOutcome } from './nested-case.js';
import { NestedMachine } from './nested-machine.js';
import type { NestedReplayed } from './nested-machine.js';
import { OPERATIONS } from './x86-words.js';

const LABEL_WIDTH = 16;

/** Replays a case, the access made twice. @returns undefined for a passed case, otherwise the mismatch in words */
export function checkNested(machine: NestedMachine, line: RecordedLine<NestedCase>): (() => string) | undefined {
  const got = machine.replay(line.value);
  return passes(line.value, got) ? undefined : () => mismatchText(line, got);
}

/** Whether the machine did as recorded, both times, and no stale entry was used. */
function passes(recorded: NestedCase, got: NestedReplayed): boolean {
  const { out, after, nafter, amask, namask, qmask } = recorded;
  return (
    sameOutcome(out, got.out, qmask) &&
    sameOutcome(out, got.again, qmask) &&
    got.stale === 0 &&
    sameWords(after, got.after, amask) &&
    sameWords(nafter, got.nafter, namask)
  );
}

function sameOutcome(expected: NestedOutcome, got: NestedOutcome, qmask: Word64): boolean {
  switch (expected.k) {
    case 'ok':
      return (
        got.k === 'ok' &&
        expected.pa.length === got.pa.length &&
        expected.pa.every((pa, index) => pa === null || sameWord(pa, got.pa[index] ?? undefined))
      );
    case 'fault':
      return got.k === 'fault' && sameWord(expected.err, got.err) && sameWord(expected.cr2, got.cr2);
    case 'npf':
      return got.k === 'npf' && sameWords([expected.info1], [got.info1], qmask) && sameWord(expected.info2, got.info2);
    case 'misconf':
      return got.k === 'misconf' && sameWord(expected.gpa, got.gpa);
    case 'ept':
      return (
        got.k === 'ept' &&
        sameWords([expected.qual], [got.qual], qmask) &&
        sameWord(expected.gpa, got.gpa) &&
        sameWord(expected.gla, got.gla)
      );
  }
}

const entriesOf = (name: string, list: readonly Stored[]): string[] =>
  list.map(([address, value]) => `  ${name} entry at ${wordText(address)} = ${wordText(value)}`);

function caseText(recorded: NestedCase): string[] {
  const { mode, fam, cpl, op, size, la, cr0, cr3, cr4, efer, ac, nroot } = recorded;
  const controls =
    recorded.fam === 'npt' ? `host NXE ${recorded.hnxe}` : `A/D flags ${recorded.ead}, mode-based ${recorded.mbe}`;
  const registers = Object.entries({ CR0: cr0, CR3: cr3, CR4: cr4, EFER: efer }).map(
    ([name, value]) => `${name} ${wordText(value)}`,
  );
  return [
    `  ${X86_MODES[mode].title} over ${fam.toUpperCase()}, CPL ${cpl}: ${OPERATIONS[op]} of ${size} bytes at ${wordText(la)}`,
    `  ${registers.join('  ')}  AC ${ac}  nested root ${wordText(nroot)}, ${controls}`,
    ...entriesOf('guest', recorded.mem),
    ...entriesOf('nested', recorded.nmem),
  ];
}

function outcomeText(outcome: NestedOutcome): string {
  switch (outcome.k) {
    case 'ok':
      return `at physical ${outcome.pa.map((pa) => (pa === null ? 'any' : wordText(pa))).join(' and ')}`;
    case 'fault':
      return `#PF at ${wordText(outcome.cr2)}, error code ${wordText(outcome.err)}: ${describePageFault(outcome.err.lo)}`;
    case 'npf':
      return `#VMEXIT(NPF), EXITINFO1 ${wordText(outcome.info1)}, EXITINFO2 ${wordText(outcome.info2)}`;
    case 'misconf':
      return `EPT misconfiguration at guest-physical ${wordText(outcome.gpa)}`;
    case 'ept': {
      const { qual, gpa, gla } = outcome;
      return `EPT violation at guest-physical ${wordText(gpa)}, qualification ${wordText(qual)}, linear ${wordText(gla)}`;
    }
  }
}

function sideText(label: string, outcome: NestedOutcome, lists: readonly (readonly Word64[])[]): string[] {
  const after = lists.filter((list) => list.length > 0).map((list) => list.map(wordText).join(' '));
  const pad = ' '.repeat(LABEL_WIDTH);
  return [
    `  ${label}`.padEnd(LABEL_WIDTH) + outcomeText(outcome),
    ...after.map((text) => `${pad}memory after: ${text}`),
  ];
}

function mismatchText({ file, line, value }: RecordedLine<NestedCase>, got: NestedReplayed): string {
  const stale = got.stale === 0 ? [] : [`  the checking mode found ${got.stale} stale entries`];
  return [
    `${value.fam} case ${value.id} (${file} line ${line})`,
    ...caseText(value),
    ...sideText('expected', value.out, [value.after, value.nafter]),
    ...sideText('got', got.out, [got.after, got.nafter]),
    ...sideText('got again', got.again, []),
    ...stale,
  ].join('\n');
}
