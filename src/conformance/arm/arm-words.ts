/** A recorded AArch64 case in words. */

import { abortName } from '../../../hw/aarch64/exception.js';
import { wordText } from '../recording/words.js';
import type { ArmCase, ArmOutcome } from './arm-case.js';

const OPERATIONS = { r: 'read', w: 'write', x: 'instruction fetch', tr: 'unprivileged read', tw: 'unprivileged write' };

/** The case decoded: processor, level, access, registers, descriptors in memory. */
export function armCaseText(recorded: ArmCase): string {
  const { fam, cpu, granule, el, op, size, va, tcr, mair, sctlr, pan, uao, ttbr0, ttbr1, mem } = recorded;
  const guest = 'vtcr' in recorded ? { vtcr: recorded.vtcr, vttbr: recorded.vttbr } : {};
  const registers = Object.entries({ tcr, ttbr0, ttbr1, mair, ...guest }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${wordText(value)}`],
  );
  const set = Object.entries({ m: sctlr.m, wxn: sctlr.wxn, pan, uao }).filter(([, value]) => value === 1);
  const act = fam === 'at' ? `AT for a ${OPERATIONS[op]}` : OPERATIONS[op];
  return [
    `  ${cpu}, ${granule} KiB, EL${el}: ${act} of ${size} bytes at ${wordText(va)}`,
    `  ${[...registers, ...set.map(([name]) => name.toUpperCase())].join('  ')}`,
    ...mem.map(([address, value]) => `  descriptor at ${wordText(address)} = ${wordText(value)}`),
  ].join('\n');
}

/** An outcome in words. */
export function armOutcomeText(outcome: ArmOutcome): string {
  const par = outcome.par === undefined ? '' : `, PAR ${outcome.par.map(wordText).join(' and ')}`;
  if (outcome.k === 'ok') return `at physical ${outcome.pa.map(wordText).join(' and ')}${par}`;
  if ('fst' in outcome) return `${abortName(outcome.fst.lo)}${par}`;
  const { stage, esr, far, ipa } = outcome;
  const from = ipa === undefined ? '' : `, ipa ${wordText(ipa)}`;
  return `stage ${stage} ${abortName(esr.lo)}, esr ${wordText(esr)}, far ${wordText(far)}${from}${par}`;
}
